import CameraModel
import SwiftUI

/// The label, which network gave it, and its margin beside the threshold.
struct AnswerView: View {
  let answer: CameraUiState.Answer?

  var body: some View {
    VStack(alignment: .leading, spacing: 8) {
      HStack {
        label.font(.largeTitle.bold())
        Spacer()
        if let answer {
          Text(answer.tier == 0 ? "tier.little" : "tier.big")
            .font(.headline)
            .padding(.horizontal, 12)
            .padding(.vertical, 6)
            .background(answer.tier == 0 ? Color.green : Color.orange, in: .capsule)
            .foregroundStyle(.black)
        }
      }
      MarginBar(score: answer?.score ?? 0, threshold: answer?.threshold ?? 1)
    }
    .accessibilityElement(children: .combine)
  }

  private var label: Text {
    guard let answer, let name = answer.label else { return Text("answer.none") }
    return answer.isUnsure ? Text("answer.unsure \(name)") : Text(verbatim: name)
  }
}
