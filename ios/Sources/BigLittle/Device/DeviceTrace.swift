import BigLittleBindings
import Foundation

/// A recorded device: what a phone said over a while, in order. Times may jump back,
/// as clocks of phones do.
public typealias DeviceTrace = BigLittleBindings.Recording

extension DeviceTrace {
  /// Reads a recording: JSON Lines, as ``text()`` gives them.
  ///
  /// - Throws: ``BigLittleError/invalidData(_:)`` with the number of the line that is
  ///   wrong.
  public static func parse(_ text: String) throws -> DeviceTrace {
    try calling { try parseRecording(text: text) }
  }

  /// Reads the recording in a file.
  ///
  /// - Throws: ``BigLittleError/io(_:)`` when it cannot be read,
  ///   ``BigLittleError/invalidData(_:)`` with the number of the line that is wrong.
  public static func read(from url: URL) throws -> DeviceTrace {
    let text: String
    do {
      text = try String(contentsOf: url, encoding: .utf8)
    } catch {
      throw BigLittleError.io("\(url.path) cannot be read as text: \(error.localizedDescription)")
    }
    return try parse(text)
  }

  /// The recording as text: a header, then an event a line, as JSON.
  public func text() throws -> String {
    try calling { try writeRecording(recording: self) }
  }

  /// The readings alone, in order.
  public var readings: [DeviceReading] {
    events.compactMap { event in
      if case .reading(let reading) = event { reading } else { nil }
    }
  }

  /// Puts the recording through policy and rate controller, without networks.
  ///
  /// After each event come frames with the given scores of the little network, at its
  /// time. The same input gives the same steps, bit for bit, on every platform.
  ///
  /// - Parameters:
  ///   - certificates: The thresholds that may be named.
  ///   - promiseEps: The promise to keep, as the `eps` of one of them.
  ///   - scores: Of the frames after each event, 0 to 1.
  public func replay(
    certificates: [CertifiedThreshold], promiseEps: Double, scores: [Float]
  ) throws -> [ReplayStep] {
    try calling {
      try replayThresholds(
        recording: self, certificates: certificates, promiseEps: promiseEps, scores: scores)
    }
  }
}

extension TraceEvent {
  /// When it happened, in milliseconds of the recorded clock.
  public var atMs: UInt64 {
    switch self {
    case .reading(let reading): reading.atMs
    case .mode(let atMs, _), .restart(let atMs): atMs
    }
  }
}
