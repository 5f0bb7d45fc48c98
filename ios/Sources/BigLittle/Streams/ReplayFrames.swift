/// Frames from memory, at the pace of a camera: for demonstrations and tests.
///
/// It goes on until the task that iterates is cancelled, or until `count` frames
/// were given.
public struct ReplayFrames: AsyncSequence, Sendable {
  public typealias Element = Frame

  private let frames: [Frame]
  private let interval: Duration
  private let count: Int

  /// Replays `frames`.
  ///
  /// - Parameters:
  ///   - frames: In this order, over and over. Without any, the sequence is empty.
  ///   - interval: From one to the next; where they cannot be taken so fast, a frame
  ///     waits rather than being skipped. At most a year.
  ///   - count: How many in all; each once where left out.
  public init(_ frames: [Frame], interval: Duration = .zero, count: Int? = nil) {
    self.frames = frames
    self.interval = Swift.min(interval, .oneYear)
    self.count = frames.isEmpty ? 0 : count ?? frames.count
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(replay: self)
  }

  /// Gives a replay's frames one by one.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let replay: ReplayFrames
    private var given = 0
    private var due: ContinuousClock.Instant?

    fileprivate init(replay: ReplayFrames) { self.replay = replay }

    /// The next frame when its time has come; `nil` after the last, or when cancelled.
    public mutating func next() async -> Frame? {
      guard given < replay.count, !Task.isCancelled else { return nil }
      if let due, replay.interval > .zero {
        try? await Task.sleep(until: due, clock: .continuous)
        if Task.isCancelled { return nil }
      }
      due = (due ?? .now).advanced(by: replay.interval)
      defer { given += 1 }
      return replay.frames[given % replay.frames.count]
    }
  }
}
