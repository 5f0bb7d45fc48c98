import BigLittle
import Foundation
import Testing

/// Streams: in order, the newest frame first in line, every frame accounted for.
@Suite struct StreamTests {
  /// Frames that can be told apart by their answers' scores.
  static let distinct: [Int] = {
    var seen = Set<Float>()
    return Array((0..<200).filter { seen.insert(TestData.answers[$0].score).inserted }.prefix(60))
  }()

  static func index(of outcome: Outcome) -> Int? {
    distinct.firstIndex { TestData.answers[$0].score == outcome.score }
  }

  @Test func aSlowConsumerGetsTheNewestInOrderAndTheRestIsCounted() async throws {
    let engine = try await TestData.engine()
    let (frames, camera) = AsyncStream<Frame>.makeStream()
    let stream = engine.classify(frames)
    var iterator = stream.makeAsyncIterator()
    var seen: [Int] = []
    let last = Self.distinct.count - 1
    // Five frames come, one is taken, and so on.
    for start in stride(from: 0, to: Self.distinct.count, by: 5) {
      for index in start..<(start + 5) { camera.yield(TestData.frame(Self.distinct[index])) }
      while stream.counts.received < start + 5 { await Task.yield() }
      let outcome = try #require(try await iterator.next())
      seen.append(try #require(Self.index(of: outcome)))
    }
    camera.finish()
    #expect(try await iterator.next() == nil)
    #expect(seen == Array(stride(from: 4, through: last, by: 5)), "the newest of each five")
    let counts = stream.counts
    #expect(counts.received == 60 && counts.answered == 12)
    #expect(counts.dropped == 48 && counts.reused == 0)
  }

  @Test func aCameraThatOutrunsTheEngineLosesFramesAndNoneIsOutOfOrder() async throws {
    let engine = try await TestData.engine()
    let replay = ReplayFrames(
      Self.distinct.map(TestData.frame), interval: .microseconds(20), count: 60)
    let stream = engine.classify(replay)
    var seen: [Int] = []
    for try await outcome in stream {
      seen.append(try #require(Self.index(of: outcome)))
      try await Task.sleep(for: .milliseconds(1))
    }
    #expect(seen == seen.sorted() && Set(seen).count == seen.count)
    #expect(seen.last == 59, "the newest is never dropped")
    let counts = stream.counts
    #expect(counts.received == 60 && counts.answered == seen.count)
    #expect(counts.received == counts.answered + counts.reused + counts.dropped)
    #expect(counts.dropped > 0)
  }

  @Test func answersOfEarlierFramesAreCountedAsReused() async throws {
    let gate = GateOptions(meanDifference: 2, cellDifference: 24, maxAgeMs: 1_000_000)
    let engine = try await TestData.engine(RuntimeOptions(gate: gate))
    let stream = engine.classify(
      ReplayFrames([TestData.frame(0)], interval: .milliseconds(5), count: 20))
    var reused = 0
    for try await outcome in stream { reused += outcome.marks.reused ? 1 : 0 }
    let counts = stream.counts
    #expect(counts.reused == reused && reused > 0 && counts.answered == 1)
    #expect(counts.received == 20)
    #expect(counts.received == counts.answered + counts.reused + counts.dropped)
  }

  @Test func framesThatTheStormGuardHasNoTimeForAreDropped() async throws {
    let storm = StormOptions(
      runsPerSecond: 1e-6, burst: 1, deadlineMs: 0, priority: .certificateFirst)
    let engine = try await TestData.engine(RuntimeOptions(mode: .precise, storm: storm))
    let escalating = TestData.answers.indices.filter { TestData.answers[$0].tier == 1 }.prefix(6)
    let (frames, camera) = AsyncStream<Frame>.makeStream()
    let stream = engine.classify(frames)
    var statuses: [AnswerStatus] = []
    var iterator = stream.makeAsyncIterator()
    for index in escalating {
      camera.yield(TestData.frame(index))
      statuses.append(try #require(try await iterator.next()).status)
    }
    camera.finish()
    #expect(try await iterator.next() == nil)
    #expect(statuses[1...].allSatisfy { $0 == .dropped }, "the bucket is empty after one")
    #expect(stream.counts.answered == 1 && stream.counts.dropped == 5)
  }

  @Test func abandonedAndCancelledStreamsAccountForTheirFrames() async throws {
    let engine = try await TestData.engine()
    let endless = ReplayFrames([TestData.frame(0)], interval: .microseconds(100), count: .max)
    let abandoned = engine.classify(endless)
    for try await _ in abandoned { break }
    let cancelled = engine.classify(endless)
    let task = Task { () -> Int in
      var count = 0
      for try await _ in cancelled { count += 1 }
      return count
    }
    while cancelled.counts.answered < 3 { await Task.yield() }
    task.cancel()
    let result = await task.result
    for stream in [abandoned, cancelled] {
      let counts = stream.counts
      #expect(counts.answered > 0)
      #expect(counts.received == counts.answered + counts.reused + counts.dropped)
      try await Task.sleep(for: .milliseconds(5))
      #expect(stream.counts == counts, "nothing is taken any more")
    }
    // Cancelled while waiting it ends; cancelled in a run it says so.
    if case .failure(let error) = result { #expect(error is CancellationError) }
  }

  @Test func aBadFrameEndsTheStreamWithItsError() async throws {
    let engine = try await TestData.engine()
    let (frames, camera) = AsyncStream<Frame>.makeStream()
    let stream = engine.classify(frames)
    var iterator = stream.makeAsyncIterator()
    camera.yield(TestData.frame(0))
    #expect(try await iterator.next() != nil)
    camera.yield(Frame(data: Data([1, 2, 3]), format: .gray8, width: 28, height: 28))
    do {
      _ = try await iterator.next()
      Issue.record("a bad frame has no answer")
    } catch {
      guard case .invalidFrame = error as? BigLittleError else { throw error }
    }
    #expect(stream.counts == StreamCounts(received: 2, answered: 1, reused: 0, dropped: 1))
    #expect(try await engine.classify(TestData.frame(0)).label == 7, "the engine goes on")
  }

  @Test func whatTheFramesThrowIsThrown() async throws {
    struct Unplugged: Error {}
    let engine = try await TestData.engine()
    let frames = AsyncThrowingStream<Frame, any Error> { camera in
      camera.yield(TestData.frame(0))
      camera.finish(throwing: Unplugged())
    }
    var answers = 0
    do {
      for try await _ in engine.classify(frames) { answers += 1 }
      Issue.record("the camera was unplugged")
    } catch is Unplugged {}
    #expect(answers == 1)
  }

  @Test func aReplayKeepsItsPaceAndItsCount() async throws {
    let clock = ContinuousClock()
    let began = clock.now
    var count = 0
    for await _ in ReplayFrames([TestData.frame(0)], interval: .milliseconds(10), count: 4) {
      count += 1
    }
    #expect(count == 4 && clock.now - began >= .milliseconds(30))
    for await _ in ReplayFrames([], count: 5) { Issue.record("there is no frame") }
  }
}
