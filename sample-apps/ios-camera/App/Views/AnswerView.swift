import CameraModel
import SwiftUI

/// The label, which network gave it and why, and the margin beside the threshold.
struct AnswerView: View {
  let state: CameraUiState

  var body: some View {
    VStack(alignment: .leading, spacing: 8) {
      HStack {
        label.font(.largeTitle.bold()).foregroundStyle(look.color)
        Spacer()
        Text(look.badge)
          .font(.headline)
          .padding(.horizontal, 12)
          .padding(.vertical, 6)
          .background(look.color.opacity(0.15), in: .capsule)
          .foregroundStyle(look.color)
      }
      Text(why).font(.subheadline).foregroundStyle(.secondary)
      MarginBar(answer: state.answer)
    }
    .accessibilityElement(children: .combine)
  }

  private var look: TierLook { TierLook(state.answer?.tier) }

  private var label: Text {
    guard let answer = state.answer, answer.tier != .dropped, let name = answer.label else {
      return Text("answer.none")
    }
    return Text(verbatim: name)
  }

  private var why: LocalizedStringKey {
    if state.stage == .starting { return "why.starting" }
    return state.answer?.isBelowCertificate == true ? "why.below" : look.why
  }
}
