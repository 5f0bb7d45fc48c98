import BigLittleBindings
import Foundation

/// A recorded phone that says again what it said then: for tests, and to show at a
/// desk how the policy reacts to heat.
public struct ReplayDevice: Sendable {
  /// What was recorded.
  public let trace: DeviceTrace

  /// Replays `trace`.
  public init(_ trace: DeviceTrace) { self.trace = trace }

  /// Replays the recording in a file.
  ///
  /// - Throws: ``BigLittleError/io(_:)`` when it cannot be read,
  ///   ``BigLittleError/invalidData(_:)`` with the number of the line that is wrong.
  public init(contentsOf url: URL) throws {
    try self.init(DeviceTrace.read(from: url))
  }

  /// Pushes the recorded readings and modes to `engine`, at the recorded pace.
  ///
  /// Returns after the last; a cancelled task stops it with `CancellationError`.
  ///
  /// - Parameters:
  ///   - engine: What adapts.
  ///   - speed: How many times faster than it was recorded, above 0. Where it is
  ///     infinite, nothing is waited for.
  public func drive(_ engine: BigLittle, speed: Double = 1) async throws {
    try await events(speed: speed) { event in
      switch event {
      case .reading(let reading): try engine.push(reading)
      case .mode(_, let mode): try engine.setMode(mode)
      case .restart: break
      }
    }
  }

  /// Hands the recorded events to `body`, at the recorded pace.
  ///
  /// - Parameters:
  ///   - speed: As in ``drive(_:speed:)``.
  ///   - body: Gets every event when its time has come.
  public func events(
    speed: Double = 1, body: @Sendable (TraceEvent) async throws -> Void
  ) async throws {
    guard speed > 0 else {
      throw BigLittleError.invalidArgument("speed is \(speed): it must be above 0")
    }
    let clock = ContinuousClock()
    var due = clock.now
    var before = trace.events.first?.atMs ?? 0
    for event in trace.events {
      // A recorded clock may jump back: no time has passed then.
      let passed = event.atMs > before ? event.atMs - before : 0
      before = event.atMs
      // At most 30 years: `Duration` has a limit.
      due = due.advanced(by: .milliseconds(min(Double(passed) / speed, 1e12)))
      try Task.checkCancellation()
      try await Task.sleep(until: due, clock: clock)
      try await body(event)
    }
  }
}
