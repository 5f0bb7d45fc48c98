import BigLittle
import Foundation
import Testing

/// Closing, cancelling and many tasks at once: errors, never a trap.
@Suite struct LifecycleTests {
  /// A digit on which the big network runs.
  static let hard = TestData.answers.firstIndex { $0.tier == 1 }!

  @Test func closedDuringARunATaskGetsAnAnswerOrTheError() async throws {
    var (answered, closed) = (0, 0)
    for trial in 0..<1_000 {
      // Both networks run, so that there is a run to be in the middle of.
      let engine = try await BigLittle.open(bytes: Self.archive)
      let run = Task { try await engine.classify(TestData.frame(Self.hard)) }
      let other = Task.detached {
        // Up to a millisecond later, as the trial wants it.
        for _ in 0..<(trial % 50) { await Task.yield() }
        engine.close()
      }
      switch await run.result {
      case .success(let outcome):
        answered += 1
        #expect(outcome.label == TestData.answers[Self.hard].label)
      case .failure(let error):
        guard case .closed = error as? BigLittleError else { throw error }
        closed += 1
      }
      await other.value
      let after = await failure { try await engine.classify(TestData.frame(0)) }
      guard case .closed = after as? BigLittleError else {
        Issue.record("trial \(trial): \(String(describing: after))")
        return
      }
    }
    #expect(answered + closed == 1_000)
    #expect(closed > 0, "closing came too late in every trial: \(answered)")
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
    await engine.preconditionOnItsExecutor()
    // The main actor is free while a frame is classified.
    let run = Task { try await engine.classify(TestData.frame(Self.hard)) }
    await MainActor.run {}
    _ = try await run.value
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

extension BigLittle {
  func preconditionOnItsExecutor() {
    preconditionIsolated()
  }
}
