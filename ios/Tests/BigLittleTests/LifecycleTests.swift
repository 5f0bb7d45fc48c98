import BigLittleBindings
@preconcurrency import Dispatch
import Foundation
import Testing

@testable import BigLittle

/// Closing, cancelling and many tasks at once: errors, never a trap.
@Suite struct LifecycleTests {
  /// A digit on which the big network runs.
  static let hard = TestData.answers.firstIndex { $0.tier == 1 }!

  /// Closed at any moment from before a run begins until after it has ended: the
  /// wait grows until both outcomes are common, whatever the speed of the machine.
  @Test func closedDuringARunATaskGetsAnAnswerOrTheError() async throws {
    var (answered, closedInARun) = (0, 0)
    let clock = ContinuousClock()
    // How long a first run takes here: little, opening big, big.
    let first = try await BigLittle.open(bytes: Self.archive)
    let began = clock.now
    _ = try await first.classify(TestData.frame(Self.hard))
    var longest = min((clock.now - began) * 2, .milliseconds(20))
    // On a busy machine that is no measure: it is corrected after each 40 trials.
    var before = (answered: 0, closed: 0)
    for trial in 0..<1_000 {
      if trial > 0, trial % 40 == 0 {
        if answered == before.answered { longest = min(longest * 2, .milliseconds(200)) }
        if closedInARun == before.closed { longest = longest / 2 }
        before = (answered, closedInARun)
      }
      let engine = try await BigLittle.open(
        bytes: Self.archive, options: EngineOptions(opening: .lazy))
      let spy = SpyPixels(TestData.frame(Self.hard))
      let task = Task { try await engine.classify(spy.frame) }
      // Its pixels are borrowed: the run begins.
      while !spy.isSet { await Task.yield() }
      let due = clock.now + longest * (trial % 40) / 40
      try await Task.sleep(until: due, clock: clock)
      engine.close()
      switch await task.result {
      case .success(let outcome):
        answered += 1
        #expect(outcome.label == TestData.answers[Self.hard].label)
      case .failure(let error):
        guard case .closed = error as? BigLittleError else { throw error }
        closedInARun += 1
      }
      let after = await failure { try await engine.classify(TestData.frame(0)) }
      guard case .closed = after as? BigLittleError else {
        Issue.record("trial \(trial): \(String(describing: after))")
        return
      }
    }
    #expect(answered + closedInARun == 1_000)
    #expect(answered > 0 && closedInARun > 0, "\(answered) answered, \(closedInARun) closed")
  }

  static let archive = try! Data(contentsOf: TestData.archive)

  @Test func everyCallOnAClosedEngineSaysSo() async throws {
    let engine = try await TestData.engine(RuntimeOptions())
    engine.close()
    engine.close()
    let calls: [@Sendable () async throws -> Void] = [
      { _ = try await engine.classify(TestData.frame(0)) },
      { for try await _ in engine.classify(ReplayFrames([TestData.frame(0)])) {} },
      { try engine.push(DeviceReading(atMs: 0)) },
      { try engine.setMode(.saver) },
      { try engine.setBudget(nil) },
      { _ = try await engine.status() },
      { _ = try await engine.savings() },
      { _ = try await engine.summaryJSON() },
      { try await engine.saveState() },
    ]
    for (number, call) in calls.enumerated() {
      guard case .closed(let sentence) = await failure(call) as? BigLittleError else {
        Issue.record("call \(number)")
        continue
      }
      #expect(sentence.contains("closed"))
    }
  }

  @Test func cancellingOneTaskLeavesTheOthersAlone() async throws {
    let engine = try await TestData.engine()
    for trial in 0..<200 {
      let victim = Task { try await engine.classify(TestData.frame(Self.hard)) }
      let others = (0..<3).map { index in
        Task { try await engine.classify(TestData.frame(Self.hard + index)) }
      }
      for _ in 0..<(trial % 20) { await Task.yield() }
      victim.cancel()
      if case .failure(let error) = await victim.result { #expect(error is CancellationError) }
      for (index, other) in others.enumerated() {
        let outcome = try await other.value
        #expect(outcome.score == TestData.answers[Self.hard + index].score)
      }
    }
    let late = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await engine.classify(TestData.frame(0))
    }
    #expect(await failure { try await late.value } is CancellationError)
  }

  /// What the handler of a cancelled task may do late: the next run has begun by then.
  @Test func aLateCancellationStopsNoOtherRun() {
    let stops = Locked(0)
    let cancellation = RunCancellation { stops.withLock { $0 += 1 } }
    let first = cancellation.begin()
    cancellation.end()
    cancellation.cancel(first)
    let second = cancellation.begin()
    cancellation.cancel(first)
    #expect(stops.withLock { $0 } == 0)
    cancellation.cancel(second)
    #expect(stops.withLock { $0 } == 1)
    cancellation.end()
    cancellation.cancel(second)
    #expect(stops.withLock { $0 } == 1)
  }

  @Test func manyTasksShareOneEngine() async throws {
    let engine = try await TestData.engine()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for index in stride(from: task, to: 400, by: 8) {
            let outcome = try await engine.classify(TestData.frame(index))
            #expect(outcome.score == TestData.answers[index].score)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func networksRunOnTheEnginesOwnQueue() async throws {
    let engine = try await TestData.engine()
    let key = DispatchSpecificKey<Bool>()
    engine.executor.queue.setSpecific(key: key, value: true)
    let spy = SpyPixels(TestData.frame(Self.hard)) {
      DispatchQueue.getSpecific(key: key) == true
    }
    _ = try await engine.classify(spy.frame)
    #expect(spy.isSet)
    #expect(DispatchQueue.getSpecific(key: key) == nil)
  }

  @Test func anEngineThatIsLetGoIsFreed() async throws {
    weak var engine: BigLittle?
    do {
      let held = try await TestData.engine()
      engine = held
      _ = try await held.classify(TestData.frame(0))
    }
    #expect(engine == nil)
  }
}

/// A frame's pixels that note when they are looked at.
final class SpyPixels: Pixels, @unchecked Sendable {
  private let lock = NSLock()
  private var value = false
  private let pixels: any Pixels
  private let look: @Sendable () -> Bool

  init(_ frame: Frame, look: @escaping @Sendable () -> Bool = { true }) {
    pixels = frame.pixels
    self.look = look
  }

  var frame: Frame { Frame(pixels: self, rotationDegrees: 0, crop: nil) }
  /// What `look` said when the pixels were borrowed; `false` before.
  var isSet: Bool { lock.withLock { value } }

  func borrow<Result>(_ body: (BorrowedPixels) throws -> Result) throws -> Result {
    lock.withLock { value = look() }
    return try pixels.borrow(body)
  }
}
