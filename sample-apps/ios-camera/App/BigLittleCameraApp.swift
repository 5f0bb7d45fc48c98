import BigLittle
import CameraModel
import SwiftUI

@main
struct BigLittleCameraApp: App {
  // Kept here, both outlive rotations of the phone.
  @State private var model = CameraModel(
    parts: .shipped(in: Bundle.main.resourceURL ?? Bundle.main.bundleURL))
  @State private var camera = CameraSession()

  var body: some Scene {
    WindowGroup {
      CameraScreen(model: model, camera: camera)
    }
  }
}
