import Dispatch

/// The one thread at a time that an engine runs on.
///
/// A network computes for milliseconds without a pause; on the shared pool of
/// Swift's tasks that would hold up others.
final class EngineExecutor: SerialExecutor {
  let queue: DispatchQueue

  init(qos: DispatchQoS) {
    queue = DispatchQueue(label: "dev.biglittle.engine", qos: qos)
  }

  func enqueue(_ job: UnownedJob) {
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }
}

extension EngineExecutor {
  /// Runs `body` on the queue.
  func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result
  {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Swift.Result { try body() }) }
    }
  }
}
