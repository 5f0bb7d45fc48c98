import CameraModel
import SwiftUI

/// How sure the little network is, from 0 to 1, and the threshold that it has to exceed:
/// the mark moves with heat, battery and mode.
struct MarginBar: View {
  let answer: CameraUiState.Answer?

  var body: some View {
    VStack(alignment: .leading, spacing: 4) {
      HStack {
        Text("margin.title")
        Spacer()
        Text(verbatim: answer.map { number($0.margin) } ?? "–").monospacedDigit()
      }
      .font(.caption)
      GeometryReader { place in
        ZStack(alignment: .leading) {
          Capsule().fill(.quaternary)
          Capsule()
            .fill(TierLook(answer?.tier).color)
            .frame(width: place.size.width * share(answer?.margin))
          if let answer {
            Rectangle()
              .fill(.primary)
              .frame(width: 2)
              .offset(x: (place.size.width - 2) * share(answer.threshold))
          }
        }
      }
      .frame(height: 16)
      .animation(.easeOut(duration: 0.1), value: answer?.margin)
      .animation(.easeOut, value: answer?.threshold)
      Text(needs).font(.caption).foregroundStyle(.secondary)
    }
    .accessibilityElement()
    .accessibilityLabel("margin.title")
    .accessibilityValue(spoken)
  }

  private func share(_ value: Double?) -> Double { min(max(value ?? 0, 0), 1) }

  private func number(_ value: Double) -> String {
    value.formatted(.number.precision(.fractionLength(2)))
  }

  private var needs: LocalizedStringKey {
    guard let answer else { return "margin.none" }
    guard answer.threshold.isFinite else { return "margin.never" }
    return "margin.needs \(number(answer.threshold))"
  }

  private var spoken: Text {
    guard let answer else { return Text("margin.none") }
    return Text("margin.spoken \(number(answer.margin)) \(number(answer.threshold))")
  }
}
