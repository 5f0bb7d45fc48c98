import BigLittleBindings
import Foundation

/// Writes down what a phone said, in the format of the core's recorded devices, so
/// that a day in someone's pocket can be replayed at a desk with ``ReplayDevice``.
///
/// Times are the readings' own. Nothing leaves the memory before ``write(to:)``.
public final class DeviceTraceRecorder: Sendable {
  private let trace: Locked<DeviceTrace>

  /// An empty recording.
  ///
  /// - Parameters:
  ///   - name: A short name.
  ///   - description: What happens in it, in a sentence.
  public init(name: String, description: String) {
    trace = Locked(DeviceTrace(name: name, description: description, events: []))
  }

  /// Adds a reading.
  public func record(_ reading: DeviceReading) {
    append(.reading(reading))
  }

  /// Adds that the user chose a mode now.
  public func record(_ mode: UserMode) {
    append(.mode(atMs: DeviceReading.nowMs(), mode: mode))
  }

  /// What was recorded so far.
  public var recorded: DeviceTrace { trace.withLock { $0 } }

  /// The recording as text: a header, then an event a line, as JSON.
  public func text() throws -> String {
    try recorded.text()
  }

  /// Writes the recording to a file, replacing it as a whole.
  public func write(to url: URL) throws {
    try Data(text().utf8).write(to: url, options: .atomic)
  }

  private func append(_ event: TraceEvent) {
    trace.withLock { $0.events.append(event) }
  }
}
