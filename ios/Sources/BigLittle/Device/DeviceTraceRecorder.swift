import BigLittleBindings
import Foundation

/// Writes down what a phone said, in the format of the core's recorded devices, so
/// that a day in someone's pocket can be replayed at a desk with ``ReplayDevice``.
///
/// Nothing leaves the memory before ``write(to:)``.
public final class DeviceTraceRecorder: Sendable {
  private let limit: Int
  private let recorded: Locked<DeviceTrace>

  /// An empty recording.
  ///
  /// - Parameters:
  ///   - name: A short name.
  ///   - description: What happens in it, in a sentence.
  ///   - limit: The most events that are kept; later ones are left out.
  public init(name: String, description: String, limit: Int = 100_000) {
    self.limit = limit
    recorded = Locked(DeviceTrace(name: name, description: description, events: []))
  }

  /// Whether the limit was reached.
  public var isFull: Bool { recorded.withLock { $0.events.count >= limit } }

  /// Adds a reading that was pushed.
  public func record(_ reading: DeviceReading) {
    add(.reading(reading))
  }

  /// Adds that the user chose a mode, at a time on the clock of the readings.
  public func record(_ mode: UserMode, atMs: UInt64 = DeviceReading.nowMs()) {
    add(.mode(atMs: atMs, mode: mode))
  }

  /// Adds that the app was started again, at a time on the clock from then on.
  public func recordRestart(atMs: UInt64 = DeviceReading.nowMs()) {
    add(.restart(atMs: atMs))
  }

  /// What was recorded so far.
  public var trace: DeviceTrace { recorded.withLock { $0 } }

  /// Writes the recording to a file, replacing it as a whole.
  ///
  /// - Throws: ``BigLittleError/io(_:)`` when it cannot be written.
  public func write(to url: URL) throws {
    let text = try trace.text()
    do {
      try Data(text.utf8).write(to: url, options: .atomic)
    } catch {
      throw BigLittleError.io("\(url.path) cannot be written: \(error.localizedDescription)")
    }
  }

  private func add(_ event: TraceEvent) {
    recorded.withLock { trace in
      if trace.events.count < limit { trace.events.append(event) }
    }
  }
}
