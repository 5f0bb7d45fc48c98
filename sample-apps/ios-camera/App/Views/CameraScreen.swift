import CameraModel
import SwiftUI

/// The one screen: what is seen, what it is, and what that costs.
struct CameraScreen: View {
  let model: CameraModel
  let camera: CameraSession
  @Environment(\.scenePhase) private var scenePhase

  var body: some View {
    VStack {
      picture
        .frame(maxWidth: .infinity, maxHeight: .infinity)
        .clipped()
      ScrollView {
        VStack(alignment: .leading, spacing: 16) {
          AnswerView(answer: model.state.answer)
          SparklineView(rates: model.state.escalationRates)
          DeviceView(state: model.state)
          ControlsView(model: model)
        }
        .padding()
      }
    }
    .task(id: scenePhase) {
      guard scenePhase == .active else {
        model.stop()
        camera.stop()
        return
      }
      let access = await camera.start()
      // The question for the camera makes the app inactive: then this was cancelled,
      // and is begun anew.
      guard !Task.isCancelled else { return }
      model.start(access)
    }
  }

  @ViewBuilder private var picture: some View {
    switch model.state.phase {
    case .live: PreviewView(session: camera.capture)
    case .opening: ProgressView("phase.opening")
    case .replaying: MessageView(symbol: "film", text: Text("phase.replaying"))
    case .noPermission:
      VStack {
        MessageView(symbol: "video.slash", text: Text("phase.noPermission"))
        if let settings = URL(string: UIApplication.openSettingsURLString) {
          Link("phase.openSettings", destination: settings).frame(minHeight: 44)
        }
      }
    case .failed(let sentence):
      MessageView(symbol: "exclamationmark.triangle", text: Text(verbatim: sentence))
    }
  }
}
