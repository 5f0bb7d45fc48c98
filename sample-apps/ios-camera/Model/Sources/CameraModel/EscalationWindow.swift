/// Which of the last frames went to the big network.
struct EscalationWindow {
  static let frames = 60
  /// The frames behind each point of the line.
  static let smoothed = 20

  private var escalated: [Bool] = []
  private var shares: [Double] = []
  /// All frames there ever were.
  private(set) var total = 0

  mutating func add(_ isEscalated: Bool) {
    total += 1
    escalated.append(isEscalated)
    escalated.removeFirst(max(0, escalated.count - Self.frames))
    shares.append(Self.share(of: escalated.suffix(Self.smoothed)))
    shares.removeFirst(max(0, shares.count - Self.frames))
  }

  var rate: CameraUiState.Rate {
    CameraUiState.Rate(
      share: Self.share(of: escalated[...]), frames: escalated.count, history: shares)
  }

  private static func share(of frames: ArraySlice<Bool>) -> Double {
    frames.isEmpty ? 0 : Double(frames.count { $0 }) / Double(frames.count)
  }
}
