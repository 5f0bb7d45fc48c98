import SwiftUI

/// In place of the picture: why there is none, and what can be done.
struct MessageView<Actions: View>: View {
  let symbol: String
  let title: LocalizedStringKey
  let text: Text
  @ViewBuilder let actions: Actions

  var body: some View {
    VStack(spacing: 12) {
      Image(systemName: symbol).font(.largeTitle).accessibilityHidden(true)
      Text(title).font(.headline).accessibilityAddTraits(.isHeader)
      text.multilineTextAlignment(.center)
      actions
    }
    .padding()
  }
}
