import BigLittle
import CameraModel
import Foundation

extension CameraParts {
  /// What is in the app: the MNIST bundle, a recorded phone, a thousand digits.
  @MainActor
  static func shipped(_ bundle: Bundle = .main) -> CameraParts {
    let recording = bundle.url(forResource: "video_call_in_the_sun", withExtension: "jsonl")
    let digits = bundle.url(forResource: "digits", withExtension: "idx")
    return CameraParts(
      open: {
        guard let url = bundle.url(forResource: "mnist", withExtension: nil) else {
          throw BigLittleError.io("the app was built without its bundle: see README.md")
        }
        return try await BigLittle.open(contentsOf: url, options: .camera)
      },
      device: DeviceMonitor(),
      heat: recording.flatMap { try? DeviceTrace.read(from: $0) },
      frames: digits.flatMap { try? Data(contentsOf: $0) }.map(ShippedFrames.digits) ?? [])
  }
}
