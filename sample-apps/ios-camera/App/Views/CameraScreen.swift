import CameraModel
import SwiftUI

/// The one screen: what is seen, what it is, and what that costs. The panel is below
/// the picture, or beside it where the phone lies on its side.
struct CameraScreen: View {
  let model: CameraModel
  let camera: CameraSession
  @Environment(\.scenePhase) private var scenePhase
  @State private var attempt = 0

  var body: some View {
    GeometryReader { place in
      // One view for both, so that a rotation does not begin the picture anew.
      let layout =
        switch ScreenLayout(width: place.size.width, height: place.size.height) {
        case .stacked: AnyLayout(VStackLayout(spacing: 0))
        case .sideBySide: AnyLayout(HStackLayout(spacing: 0))
        }
      layout {
        picture.frame(maxWidth: .infinity, maxHeight: .infinity)
        if isClassifying {
          ScrollView { panel.padding() }
            .frame(maxWidth: .infinity, maxHeight: .infinity)
        }
      }
    }
    .task(id: Wish(phase: scenePhase, source: model.state.source, attempt: attempt)) {
      await begin()
    }
  }

  /// What has to be begun anew when it changes.
  private struct Wish: Equatable {
    var phase: ScenePhase
    var source: CameraUiState.Source
    var attempt: Int
  }

  private func begin() async {
    guard scenePhase == .active else {
      model.stop()
      camera.stop()
      return
    }
    guard model.state.source == .camera else {
      camera.stop()
      model.startRecorded()
      return
    }
    let access = await camera.start()
    // The question for the camera makes the app inactive: then this was cancelled,
    // and is begun anew.
    guard !Task.isCancelled else { return }
    model.start(access)
  }

  @ViewBuilder private var picture: some View {
    switch model.state.stage {
    case .starting, .running: PictureView(model: model, camera: camera)
    case .needsPermission:
      MessageView(symbol: "video.slash", title: "permission.title", text: Text("permission.text")) {
        if let settings = URL(string: UIApplication.openSettingsURLString) {
          Link("permission.settings", destination: settings).frame(minHeight: 44)
        }
        recorded
      }
    case .failed(let message):
      MessageView(
        symbol: "exclamationmark.triangle", title: "error.title",
        text: Text(verbatim: CameraUiState.sentence(message))
      ) {
        Button("error.retry") { attempt += 1 }.frame(minHeight: 44)
        if model.state.source == .camera { recorded }
      }
    }
  }

  private var isClassifying: Bool {
    model.state.stage == .starting || model.state.stage == .running
  }

  private var recorded: some View {
    Button("source.useRecorded") { model.choose(.recorded) }.frame(minHeight: 44)
  }

  private var panel: some View {
    VStack(alignment: .leading, spacing: 16) {
      AnswerView(state: model.state)
      TilesView(state: model.state)
      ControlsView(model: model)
    }
  }
}
