import BigLittle

/// Everything that the screen shows, as plain values.
public struct CameraUiState: Equatable, Sendable {
  public internal(set) var stage = Stage.starting
  /// What is looked at; the screen asks for the camera where it is that.
  public internal(set) var source = Source.camera
  /// Whether this device has a camera, as far as is known.
  public internal(set) var hasCamera = true
  /// The recorded digit that is shown; the camera draws its preview itself.
  public internal(set) var picture: Picture?
  public internal(set) var answer: Answer?
  public internal(set) var rate = Rate()
  public internal(set) var device = Device()
  /// The policy's level of saving, 0 (all well) to 3 (nearly off).
  public internal(set) var level = 0
  /// The CPU time saved against the big network alone, 1 for all of it; `nil` until it
  /// is known.
  public internal(set) var savedShare: Double?
  public internal(set) var mode = UserMode.balanced
  public internal(set) var heat = Heat()

  public init() {}

  /// Where the app is in its life.
  public enum Stage: Equatable, Sendable {
    case starting
    case running
    /// The user has not allowed the camera.
    case needsPermission
    /// Nothing can be classified; the library's own sentence says why.
    case failed(String)
  }

  public enum Source: Equatable, Sendable { case camera, recorded }

  public enum Tier: Equatable, Sendable { case little, big, unsure, fallback, dropped }

  /// One answer.
  public struct Answer: Equatable, Sendable {
    /// The name of the class; `nil` where there is none to give.
    public var label: String?
    public var tier: Tier
    /// How sure the little network is, 0 to 1, whoever answered.
    public var margin: Double
    /// What that had to exceed on this frame; infinite where the big network is always
    /// asked.
    public var threshold: Double
    /// Whether nothing is promised for it.
    public var isBelowCertificate: Bool
  }

  /// The share of frames that went to the big network: now, and as it was, 0 to 1.
  public struct Rate: Equatable, Sendable {
    public var share = 0.0
    public var frames = 0
    public var history: [Double] = []
  }

  /// What the phone said last, real or simulated; `nil` where it says nothing.
  public struct Device: Equatable, Sendable {
    /// 0 to 100.
    public var batteryPercent: Double?
    public var isCharging = false
    public var isLowPower = false
    public var thermal: ThermalLevel?
    public var headroom: Double?
  }

  /// The slider: `position` of `last`; 0 is this phone itself.
  public struct Heat: Equatable, Sendable {
    public var position = 0
    public var last = 0
    /// Of the recording.
    public var minute = 0
  }
}

extension CameraUiState.Device {
  /// Whether the phone is so warm that the screen says so.
  public var isHot: Bool {
    switch thermal {
    case .moderate, .severe, .critical, .emergency, .shutdown: true
    case .light, .some(.none), nil: false
    }
  }

  /// What is not said anew stays as it was.
  mutating func hear(_ reading: DeviceReading) {
    batteryPercent = reading.batteryPercent.map(Double.init) ?? batteryPercent
    isCharging = reading.charging ?? isCharging
    isLowPower = reading.lowPowerMode ?? isLowPower
    thermal = reading.thermalLevel ?? thermal
    headroom = reading.thermalHeadroom.map(Double.init) ?? headroom
  }
}

extension CameraUiState.Answer {
  /// What the screen shows of an outcome. A reused answer has no margin of its own: the
  /// last one stays.
  init(_ outcome: Outcome, after before: CameraUiState.Answer?) {
    label = outcome.labelName
    tier =
      switch outcome.status {
      case .accepted: outcome.tier > 0 ? .big : .little
      case .unsure: .unsure
      case .fallback: .fallback
      case .dropped: .dropped
      }
    let little = outcome.levels.first.map { Double($0.score) }
    margin = little.flatMap { $0.isFinite ? $0 : nil } ?? before?.margin ?? 0
    threshold = Double(outcome.threshold)
    isBelowCertificate = outcome.marks.belowCertificate
  }
}

extension CameraUiState {
  /// The library's sentences begin in lower case: a person gets a capital and a full
  /// stop, but a file's name stays as it is.
  public static func sentence(_ message: String) -> String {
    let first = message.prefix { $0 != " " }
    let isName = first.contains { $0 == "." || $0 == "/" }
    let text = isName ? message : message.prefix(1).uppercased() + message.dropFirst()
    return text.hasSuffix(".") ? text : text + "."
  }
}
