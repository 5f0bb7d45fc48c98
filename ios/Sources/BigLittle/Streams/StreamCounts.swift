/// What became of the frames of a stream.
///
/// When the stream is over, `received = answered + reused + dropped`.
public struct StreamCounts: Sendable, Hashable {
  /// Frames that came in.
  public internal(set) var received = 0
  /// Frames that networks answered.
  public internal(set) var answered = 0
  /// Frames that got the answer of an earlier one that looked nearly the same.
  public internal(set) var reused = 0
  /// Frames without an answer: a newer one came before the engine was free, the
  /// engine had no time for its big network, or the stream ended.
  public internal(set) var dropped = 0

  /// Counts as they are given, such as to compare with.
  public init(received: Int = 0, answered: Int = 0, reused: Int = 0, dropped: Int = 0) {
    self.received = received
    self.answered = answered
    self.reused = reused
    self.dropped = dropped
  }

  mutating func add(_ outcome: Outcome) {
    if outcome.status == .dropped {
      dropped += 1
    } else if outcome.marks.reused {
      reused += 1
    } else {
      answered += 1
    }
  }
}
