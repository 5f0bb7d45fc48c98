import BigLittle

/// Everything that the screen shows.
public struct CameraUiState: Equatable, Sendable {
  /// What the screen is about.
  public enum Phase: Equatable, Sendable {
    /// The networks are being opened.
    case opening
    /// Frames come from the camera.
    case live
    /// There is no camera: the shipped frames are replayed.
    case replaying
    /// The user has not allowed the camera.
    case noPermission
    /// Nothing can be classified, for this reason.
    case failed(String)
  }

  /// What was made of the newest frame.
  public struct Answer: Equatable, Sendable {
    /// The name of the class; `nil` where there is none to give.
    public var label: String?
    /// Which network answered, 0 for the little one.
    public var tier: Int
    /// How sure it is, 0 to 1.
    public var score: Double
    /// What the little network's score had to be above; more than 1 where every
    /// frame goes to the big network.
    public var threshold: Double
    /// Whether it is better said to be a guess.
    public var isUnsure: Bool
    /// Whether an earlier frame's answer was given again.
    public var isReused: Bool
  }

  /// What the phone, or the recorded one, says about itself.
  public struct Device: Equatable, Sendable {
    public var batteryPercent: Double?
    public var thermalLevel: ThermalLevel?
  }

  public internal(set) var phase = Phase.opening
  public internal(set) var answer: Answer?
  /// Of the last frames, the oldest first: whether the big network ran.
  public internal(set) var escalations: [Bool] = []
  public internal(set) var device = Device()
  /// The level of saving, 0 (all well) to 3 (nearly off).
  public internal(set) var savingLevel = 0
  /// The share of processor time saved against the big network alone; `nil` before
  /// that ran.
  public internal(set) var savedShare: Double?
  public internal(set) var mode = UserMode.balanced
  /// Where in the recorded device the simulation stands, 0 (cool) to 1 (hot); `nil`
  /// where the phone speaks for itself.
  public internal(set) var simulatedHeat: Double?

  public init() {}
}

extension CameraUiState {
  /// The frames that the sparkline goes back.
  static let historyFrames = 120
  /// The frames that a point of the sparkline is the mean of.
  static let windowFrames = 20

  /// The sparkline: shares of frames that ran the big network, the oldest first.
  public var escalationRates: [Double] {
    guard !escalations.isEmpty else { return [] }
    let window = min(Self.windowFrames, escalations.count)
    return (window...escalations.count).map { end in
      Double(escalations[(end - window)..<end].count { $0 }) / Double(window)
    }
  }

  /// Whether the phone is so warm that the screen says so.
  public var isHot: Bool {
    switch device.thermalLevel {
    case .moderate, .severe, .critical, .emergency, .shutdown: true
    case .light, .some(.none), nil: false
    }
  }

  /// Takes an answer. One that the engine had no time for leaves the last one.
  mutating func show(_ outcome: Outcome) {
    guard outcome.status != .dropped else { return }
    answer = Answer(
      label: outcome.labelName,
      tier: Int(outcome.tier),
      score: Double(outcome.score.isFinite ? outcome.score : 0),
      threshold: Double(outcome.threshold),
      isUnsure: outcome.status != .accepted || outcome.labelName == nil,
      isReused: outcome.marks.reused)
    escalations.append(outcome.escalated)
    escalations.removeFirst(max(0, escalations.count - Self.historyFrames))
  }

  mutating func show(_ reading: DeviceReading) {
    device = Device(
      batteryPercent: reading.batteryPercent.map(Double.init), thermalLevel: reading.thermalLevel)
  }

  mutating func show(_ status: EngineStatus, _ savings: SavingsReport) {
    savingLevel = Int(status.level)
    savedShare = savings.timeSaving
  }
}
