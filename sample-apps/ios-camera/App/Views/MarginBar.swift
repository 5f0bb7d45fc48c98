import SwiftUI

/// How sure the answer is, and the line that the little network's has to pass.
struct MarginBar: View {
  let score: Double
  let threshold: Double

  var body: some View {
    GeometryReader { place in
      ZStack(alignment: .leading) {
        Capsule().fill(.quaternary)
        Capsule()
          .fill(score > threshold ? Color.green : Color.orange)
          .frame(width: place.size.width * min(max(score, 0), 1))
        Rectangle()
          .fill(.primary)
          .frame(width: 2)
          .offset(x: (place.size.width - 2) * min(max(threshold, 0), 1))
      }
    }
    .frame(height: 16)
    .animation(.easeOut(duration: 0.1), value: score)
    .animation(.easeOut, value: threshold)
    .accessibilityElement()
    .accessibilityLabel("margin.label")
    .accessibilityValue(
      Text("margin.value \(score, format: .percent) \(min(threshold, 1), format: .percent)"))
  }
}
