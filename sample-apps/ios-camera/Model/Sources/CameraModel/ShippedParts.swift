import BigLittle
import Foundation

extension CameraParts {
  /// What is in the app: the MNIST bundle, a recorded phone, a thousand digits.
  ///
  /// - Parameters:
  ///   - resources: The folder that holds them; in an app that of its main bundle.
  ///   - device: Tells of the phone.
  @MainActor
  public static func shipped(
    in resources: URL, device: any DeviceVoice & Sendable = DeviceMonitor()
  ) -> CameraParts {
    // Xcode copies the folder models/mnist/bundle under its own name.
    let bundle = resources.appendingPathComponent("bundle")
    let recording = resources.appendingPathComponent("video_call_in_the_sun.jsonl")
    let digits = try? Data(contentsOf: resources.appendingPathComponent("digits.idx"))
    return CameraParts(
      open: { try await BigLittle.open(contentsOf: bundle, options: .camera) },
      device: device,
      heat: try? DeviceTrace.read(from: recording),
      pictures: digits.map(Picture.digits) ?? [])
  }
}

extension EngineOptions {
  /// What the app opens its engine with: everything opened before the first frame, and
  /// the policy on.
  ///
  /// The bundle has one certificate, which is also the floor. The demo leaves it when
  /// the phone is hot, so that something is to be seen, and says so with each such answer.
  public static var camera: EngineOptions {
    EngineOptions(opening: .warmUp, runtime: RuntimeOptions(accuracyMayDrop: true))
  }
}
