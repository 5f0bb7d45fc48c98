import BigLittle
import CameraModel
import SwiftUI

@main
struct BigLittleCameraApp: App {
  @State private var model = CameraModel(
    parts: .shipped(in: Bundle.main.resourceURL ?? Bundle.main.bundleURL))
  @State private var camera = CameraSession()

  var body: some Scene {
    WindowGroup {
      CameraScreen(model: model, camera: camera)
    }
  }
}
