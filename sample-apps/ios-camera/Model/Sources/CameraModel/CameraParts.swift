import BigLittle
import Foundation

/// Whether there is a camera to look through.
public enum CameraAccess: Sendable {
  /// Its frames, as they come.
  case granted(AsyncStream<Frame>)
  /// The user said no.
  case denied
  /// This device, or simulator, has none.
  case missing
}

/// Where readings of the phone come from: `DeviceMonitor`, or a test's own.
@MainActor
public protocol DeviceVoice {
  func start(push: @escaping @MainActor @Sendable (DeviceReading) -> Void)
  func stop()
}

extension DeviceMonitor: DeviceVoice {}

/// What a ``CameraModel`` works with.
public struct CameraParts: Sendable {
  let open: @Sendable () async throws -> BigLittle
  let device: any DeviceVoice & Sendable
  let heat: [DeviceReading]
  let frames: [Frame]
  let frameInterval: Duration

  /// - Parameters:
  ///   - open: Opens the engine, with its run-time policy on.
  ///   - device: Tells of the phone.
  ///   - heat: A recording in which a phone gets hot; without, nothing is simulated.
  ///   - frames: What to show where there is no camera.
  ///   - frameInterval: From one of these to the next.
  public init(
    open: @escaping @Sendable () async throws -> BigLittle, device: any DeviceVoice & Sendable,
    heat: DeviceTrace?, frames: [Frame], frameInterval: Duration = .milliseconds(100)
  ) {
    self.open = open
    self.device = device
    self.heat = heat?.readings.rising() ?? []
    self.frames = frames
    self.frameInterval = frameInterval
  }

  func replay() -> ReplayFrames {
    ReplayFrames(frames, interval: frameInterval, count: .max)
  }

  /// The reading at this place of the recording, as if it were said now.
  func recordedHeat(at position: Double) -> DeviceReading? {
    guard !heat.isEmpty else { return nil }
    var reading = heat[Int((Double(heat.count - 1) * position).rounded())]
    reading.atMs = DeviceReading.nowMs()
    return reading
  }
}

extension [DeviceReading] {
  /// Up to the hottest one: the slider is to go from cool to hot.
  fileprivate func rising() -> [DeviceReading] {
    let hottest = indices.max { heat(self[$0]) < heat(self[$1]) }
    return hottest.map { Array(self[...$0]) } ?? []
  }

  private func heat(_ reading: DeviceReading) -> Float {
    reading.thermalHeadroom.map { $0.isNaN ? 0 : $0 } ?? 0
  }
}
