import SwiftUI

/// In place of the picture: why there is none.
struct MessageView: View {
  let symbol: String
  let text: Text

  var body: some View {
    VStack(spacing: 12) {
      Image(systemName: symbol).font(.largeTitle).accessibilityHidden(true)
      text.multilineTextAlignment(.center)
    }
    .padding()
  }
}
