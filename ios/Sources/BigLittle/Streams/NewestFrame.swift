/// Takes frames as they come and keeps the newest until it is asked for.
///
/// Every frame that came in is counted once: answered or reused by `count`, dropped
/// when another took its place, and what is left by `end`.
final class NewestFrame: Sendable {
  private typealias Frames = AsyncThrowingStream<Frame, any Error>

  private let tally: Locked<StreamCounts>
  private let stream: Frames
  private let continuation: Frames.Continuation
  private let task: Task<Void, Never>
  /// Of this iteration alone; `tally` may be of several.
  private let open = Locked((frames: 0, isOver: false))

  init<Source: AsyncSequence & Sendable>(of frames: Source, tally: Locked<StreamCounts>)
  where Source.Element == Frame {
    let (stream, continuation) = Frames.makeStream(bufferingPolicy: .bufferingNewest(1))
    (self.tally, self.stream, self.continuation) = (tally, stream, continuation)
    let open = self.open
    task = Task {
      do {
        for try await frame in frames {
          guard NewestFrame.offer(frame, to: continuation, open, tally) else { return }
        }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
  }

  deinit { end() }

  /// The newest frame, when there is one; `nil` when there will be none, or when
  /// the task was cancelled.
  func next() async throws -> Frame? {
    var iterator = stream.makeAsyncIterator()
    return try await iterator.next()
  }

  /// Counts what became of the frame that `next` gave.
  func count(_ outcome: Outcome) {
    open.withLock { open in
      guard !open.isOver else { return }
      open.frames -= 1
      tally.withLock { $0.add(outcome) }
    }
  }

  /// Takes no more frames; those that have no answer are dropped.
  func end() {
    task.cancel()
    continuation.finish()
    open.withLock { open in
      tally.withLock { $0.dropped += open.frames }
      open = (0, true)
    }
  }

  /// Whether more frames are wanted.
  private static func offer(
    _ frame: Frame, to continuation: Frames.Continuation,
    _ open: Locked<(frames: Int, isOver: Bool)>, _ tally: Locked<StreamCounts>
  ) -> Bool {
    open.withLock { open in
      guard !open.isOver else { return false }
      var dropped = 0
      switch continuation.yield(frame) {
      case .enqueued: open.frames += 1
      // The one that waited is gone, this one waits.
      case .dropped: dropped = 1
      case .terminated: dropped = 1
      @unknown default: dropped = 1
      }
      tally.withLock { tally in
        tally.received += 1
        tally.dropped += dropped
      }
      return true
    }
  }
}
