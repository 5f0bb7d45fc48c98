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
    // What the bindings count with.
    guard text.utf8.count <= Int32.max else {
      throw BigLittleError.invalidData(
        "the recording has \(text.utf8.count) bytes: at most \(maxBytes) are read")
    }
    return try calling { try parseRecording(text: text) }
  }

  /// Reads the recording in a file.
  ///
  /// - Throws: ``BigLittleError/io(_:)`` when it cannot be read,
  ///   ``BigLittleError/invalidData(_:)`` with the number of the line that is wrong.
  public static func read(from url: URL) throws -> DeviceTrace {
    let bytes: Data
    do {
      let file = try FileHandle(forReadingFrom: url)
      defer { try? file.close() }
      // A byte more than the core takes, so that it says so; never a whole huge file.
      bytes = try file.read(upToCount: maxBytes + 1) ?? Data()
    } catch {
      throw BigLittleError.io("\(url.path) cannot be read: \(error.localizedDescription)")
    }
    guard let text = String(data: bytes, encoding: .utf8) else {
      throw BigLittleError.io("\(url.path) cannot be read as text: it is not UTF-8")
    }
    return try parse(text)
  }

  /// The core's limit.
  private static let maxBytes = 64 << 20

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
