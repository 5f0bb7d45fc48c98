import BigLittleBindings
import Dispatch
import Foundation

/// Classifies frames with the cascade of one bundle: a little network first, the
/// big one only when the answer is unsure.
///
/// ```swift
/// let engine = try await BigLittle.open(contentsOf: url)
/// let outcome = try await engine.classify(Frame(pixelBuffer: buffer))
/// print(outcome.labelName ?? "?", outcome.tier == 0 ? "little" : "big")
/// ```
///
/// Networks run one frame at a time on a queue of the engine's own, never on the
/// main thread and never on the threads that Swift shares among tasks.
public actor BigLittle {
  /// The names of the answers, in the order of their indices.
  nonisolated public let labels: [String]
  /// What the bundle says about itself.
  nonisolated public let bundle: BundleInfo
  /// What the run-time state began with: nothing, or what was saved.
  nonisolated public let stateOrigin: StateOrigin

  nonisolated let native: NativeEngine
  nonisolated let executor: EngineExecutor
  private let cancellation: RunCancellation

  /// The engine's own queue.
  nonisolated public var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  private init(native: NativeEngine, executor: EngineExecutor) throws {
    self.native = native
    self.executor = executor
    labels = try native.labels()
    bundle = try native.describe()
    stateOrigin = try native.stateOrigin()
    // A task that stops waiting stops the run between the networks.
    cancellation = RunCancellation { try? native.cancel() }
  }

  /// Opens the bundle in a file or a folder.
  ///
  /// - Parameters:
  ///   - url: A `.biglittle` file, or a folder with a manifest.
  ///   - options: When networks are opened, and the run-time policy; ``EngineOptions``
  ///     without one for bundles that have not two levels.
  ///   - qos: The priority of the engine's queue.
  /// - Throws: ``BigLittleError``: `io` when there is no such file, `invalidBundle`
  ///   when it is damaged, `invalidModel` when a network cannot be opened.
  public static func open(
    contentsOf url: URL, options: EngineOptions = EngineOptions.standard,
    qos: DispatchQoS = .userInitiated
  ) async throws -> BigLittle {
    guard url.isFileURL else {
      throw BigLittleError.invalidArgument("\(url) is not on this device: download it first")
    }
    return try await open(qos: qos) {
      try NativeEngine.openPath(path: url.path, options: options)
    }
  }

  /// Opens a bundle that is in memory.
  ///
  /// - Parameters:
  ///   - bytes: What a `.biglittle` file holds. They are not needed afterwards.
  ///   - options: As for a file.
  ///   - qos: The priority of the engine's queue.
  public static func open(
    bytes: Data, options: EngineOptions = EngineOptions.standard, qos: DispatchQoS = .userInitiated
  ) async throws -> BigLittle {
    guard bytes.count <= Int32.max else {
      throw BigLittleError.invalidBundle(
        "the bundle has \(bytes.count) bytes: at most \(Int32.max) are read from memory")
    }
    return try await open(qos: qos) { try NativeEngine.openBytes(bytes: bytes, options: options) }
  }

  /// Opening parses and packs networks: it has a queue of its own from the start.
  private static func open(
    qos: DispatchQoS, _ make: @escaping @Sendable () throws -> NativeEngine
  ) async throws -> BigLittle {
    let executor = EngineExecutor(qos: qos)
    return try await executor.run {
      try calling { try BigLittle(native: make(), executor: executor) }
    }
  }

  /// Classifies one frame.
  ///
  /// Calls are answered one after the other. A task that is cancelled gets
  /// `CancellationError`; between two networks its run ends early.
  ///
  /// - Throws: ``BigLittleError``: `invalidFrame` when the description does not fit
  ///   the bytes, `inference` when no network had a usable answer, `closed` after
  ///   ``close()``.
  public func classify(_ frame: Frame) async throws -> Outcome {
    try Task.checkCancellation()
    let run = cancellation.begin()
    defer { cancellation.end() }
    return try await withTaskCancellationHandler {
      // The handler may have been called before there was a run to stop.
      try Task.checkCancellation()
      let outcome = try self.classifyNow(frame)
      // Or after the last network.
      try Task.checkCancellation()
      return outcome
    } onCancel: {
      cancellation.cancel(run)
    }
  }

  private func classifyNow(_ frame: Frame) throws -> Outcome {
    try frame.borrow { planes, layout in
      try Task.checkCancellation()
      return try calling {
        try native.classify(
          plane0: planes[0], plane1: planes[1], plane2: planes[2], layout: layout)
      }
    }
  }

  /// Classifies a stream of frames: in order, and always the newest there is.
  ///
  /// - Parameter frames: Such as those of a camera, as they come.
  /// - Returns: The answers; see ``OutcomeStream`` for which frames are left out.
  nonisolated public func classify<Frames: AsyncSequence & Sendable>(
    _ frames: Frames
  ) -> OutcomeStream<Frames> where Frames.Element == Frame {
    OutcomeStream(engine: self, frames: frames)
  }

  /// Frees the networks: at once, or when the run in progress has ended between two
  /// of them. Everything that is called afterwards throws
  /// ``BigLittleError/closed(_:)``; closing again changes nothing.
  nonisolated public func close() {
    try? native.close()
  }
}
