import SwiftUI

/// A number with its name above and where it comes from below; if given, how it went.
struct TileView: View {
  let name: LocalizedStringKey
  /// `nil` where it is not known.
  let value: Text?
  let caption: LocalizedStringKey
  /// Shares from 0 to 1, the oldest first.
  var history: [Double] = []
  var isAlarming = false

  var body: some View {
    VStack(alignment: .leading, spacing: 4) {
      Text(name).font(.caption)
      HStack {
        (value ?? Text("tile.unknown"))
          .font(.title3.bold())
          .monospacedDigit()
          .foregroundStyle(isAlarming ? Color.red : Color.primary)
        Spacer(minLength: 8)
        sparkline
      }
      Text(caption).font(.caption2).foregroundStyle(.secondary)
    }
    .padding(12)
    .frame(maxWidth: .infinity, alignment: .leading)
    .background(.quaternary.opacity(0.5), in: .rect(cornerRadius: 12))
    .accessibilityElement(children: .ignore)
    .accessibilityLabel(Text(name))
    .accessibilityValue((value ?? Text("tile.unknown")) + Text(verbatim: ", ") + Text(caption))
  }

  private var sparkline: some View {
    Canvas { context, size in
      guard history.count > 1 else { return }
      let step = size.width / CGFloat(history.count - 1)
      var path = Path()
      path.addLines(
        history.enumerated().map { index, share in
          CGPoint(x: CGFloat(index) * step, y: size.height * (1 - share))
        })
      context.stroke(path, with: .color(.indigo), lineWidth: 2)
    }
    .frame(width: history.isEmpty ? 0 : 64, height: 24)
  }
}
