/// Passes the cancellation of a task on to the run that it waits for, and never
/// to another task's run that comes after it.
final class RunCancellation: Sendable {
  private let current = Locked<(run: UInt64, isRunning: Bool)>((0, false))
  private let stop: @Sendable () -> Void

  init(_ stop: @escaping @Sendable () -> Void) { self.stop = stop }

  /// A number for a run that begins.
  func begin() -> UInt64 {
    current.withLock { current in
      current = (current.run + 1, true)
      return current.run
    }
  }

  /// The run is over.
  func end() {
    current.withLock { $0.isRunning = false }
  }

  /// Stops this run if it is still the one in progress.
  func cancel(_ run: UInt64) {
    current.withLock { current in
      if current == (run, true) { stop() }
    }
  }
}
