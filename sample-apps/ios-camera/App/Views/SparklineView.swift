import SwiftUI

/// How often the big network ran of late.
struct SparklineView: View {
  /// Shares from 0 to 1, the oldest first.
  let rates: [Double]

  var body: some View {
    VStack(alignment: .leading) {
      Text("sparkline.title").font(.caption).foregroundStyle(.secondary)
      Canvas { context, size in
        guard rates.count > 1 else { return }
        let step = size.width / CGFloat(rates.count - 1)
        let points = rates.enumerated().map { index, rate in
          CGPoint(x: CGFloat(index) * step, y: size.height * (1 - rate))
        }
        var path = Path()
        path.addLines(points)
        context.stroke(path, with: .color(.orange), lineWidth: 2)
      }
      .frame(height: 40)
    }
    .accessibilityElement(children: .ignore)
    .accessibilityLabel("sparkline.title")
    .accessibilityValue(Text(rates.last ?? 0, format: .percent.precision(.fractionLength(0))))
  }
}
