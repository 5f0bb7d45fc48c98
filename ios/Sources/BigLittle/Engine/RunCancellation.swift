/// Passes the cancellation of a task on to the run that it waits for, and never
/// to another task's run that comes after it.
final class RunCancellation: Sendable {
  private let current = Locked<(run: UInt64, isRunning: Bool)>((0, false))
  private let cancel: @Sendable () -> Void

  init(_ cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }

  /// Runs `body`; if the task is cancelled meanwhile, stops it.
  ///
  /// Inherits the caller's isolation and does not leave it.
  func run<Result: Sendable>(
    isolation: isolated (any Actor)? = #isolation, _ body: () throws -> Result
  ) async throws -> Result {
    try Task.checkCancellation()
    let run = current.withLock { current in
      current = (current.run + 1, true)
      return current.run
    }
    defer { current.withLock { $0.isRunning = false } }
    return try await withTaskCancellationHandler {
      // The handler may already have been called, before there was a run to stop.
      try Task.checkCancellation()
      let result = try body()
      try Task.checkCancellation()
      return result
    } onCancel: {
      current.withLock { current in
        if current == (run, true) { cancel() }
      }
    }
  }
}
