/// The answers to a stream of frames, in the order of the frames.
///
/// Made by `BigLittle.classify(frames)`. A frame that comes while the one before
/// is not yet answered waits; if another comes, it takes its place. So answers are always about the
/// newest frame there is, memory holds two frames at most, and a slow consumer
/// makes frames be dropped, never queue up. Nothing is classified that was not
/// asked for.
///
/// The stream ends when its frames end, and throws what they throw. A frame that
/// cannot be classified ends it too, with that frame's error.
public struct OutcomeStream<Frames: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Frames.Element == Frame {
  public typealias Element = Outcome

  let engine: BigLittle
  let frames: Frames
  private let tally = Locked(StreamCounts())

  init(engine: BigLittle, frames: Frames) {
    self.engine = engine
    self.frames = frames
  }

  /// What became of the frames so far, of all iterations of this stream together.
  public var counts: StreamCounts { tally.withLock { $0 } }

  public func makeAsyncIterator() -> Iterator {
    Iterator(engine: engine, newest: NewestFrame(of: frames, tally: tally))
  }

  /// Gives a stream's answers one by one.
  public struct Iterator: AsyncIteratorProtocol {
    let engine: BigLittle
    let newest: NewestFrame

    /// The answer to the newest frame, as soon as there is one; `nil` at the end.
    public mutating func next() async throws -> Outcome? {
      do {
        guard let frame = try await newest.next() else {
          newest.end()
          return nil
        }
        let outcome = try await engine.classify(frame)
        newest.count(outcome)
        return outcome
      } catch {
        newest.end()
        throw error
      }
    }
  }
}
