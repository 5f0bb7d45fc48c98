import BigLittle

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
  let pictures: [Picture]
  let frameInterval: Duration

  /// - Parameters:
  ///   - open: Opens the engine, with its run-time policy on.
  ///   - device: Tells of the phone.
  ///   - heat: A recording in which a phone gets hot; without, nothing is simulated.
  ///   - pictures: What to show where there is no camera.
  ///   - frameInterval: From one of these to the next.
  public init(
    open: @escaping @Sendable () async throws -> BigLittle, device: any DeviceVoice & Sendable,
    heat: DeviceTrace?, pictures: [Picture], frameInterval: Duration = .milliseconds(100)
  ) {
    self.open = open
    self.device = device
    self.heat = heat?.readings ?? []
    self.pictures = pictures
    self.frameInterval = frameInterval
  }

  func replay() -> ReplayFrames {
    ReplayFrames(pictures.map(\.frame), interval: frameInterval, count: .max)
  }
}
