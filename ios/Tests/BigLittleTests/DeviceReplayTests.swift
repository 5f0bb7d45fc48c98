import BigLittle
import Foundation
import Testing

/// Recorded devices give the thresholds that the core's own files hold.
@Suite struct DeviceReplayTests {
  static let names: [String] = try! FileManager.default
    .contentsOfDirectory(atPath: TestData.devices.path)
    .filter { $0.hasSuffix(".jsonl") && !$0.hasSuffix(".golden.jsonl") }
    .map { String($0.dropLast(".jsonl".count)) }
    .sorted()

  static let certificates = [
    CertifiedThreshold(eps: 0.001, threshold: 0.95), CertifiedThreshold(eps: 0.005, threshold: 0.8),
    CertifiedThreshold(eps: 0.01, threshold: 0.6), CertifiedThreshold(eps: 0.05, threshold: 0.2),
  ]

  static func read(_ name: String) throws -> DeviceTrace {
    try DeviceTrace.read(from: TestData.devices.appendingPathComponent("\(name).jsonl"))
  }

  @Test func thereAreRecordings() {
    #expect(Self.names.count >= 12)
  }

  @Test(arguments: names)
  func thresholdsAreTheExpectedOnes(name: String) throws {
    let trace = try Self.read(name)
    let steps = try trace.replay(
      certificates: Self.certificates, promiseEps: 0.01, scores: [0.9, 0.3])
    let golden = try String(
      contentsOf: TestData.devices.appendingPathComponent("\(name).golden.jsonl"), encoding: .utf8)
    let expected = try golden.split(separator: "\n").map {
      try JSONDecoder().decode(Expected.self, from: Data($0.utf8))
    }
    #expect(steps.count == expected.count && steps.count == trace.events.count)
    for (number, (step, expected)) in zip(steps, expected).enumerated() {
      try #require(Expected(step) == expected, "line \(number + 1)")
    }
  }

  struct Expected: Decodable, Equatable {
    var at_ms: UInt64
    /// Written with the fewest digits that give back the same bits.
    var threshold: Float
    var reason: String
    var level: UInt8
    var level_cause: String
    var target_rate: Double
    var frame_rate_factor: Double

    init(_ step: ReplayStep) {
      at_ms = step.atMs
      threshold = step.threshold
      reason = snakeCase("\(step.reason)")
      level = step.level
      level_cause = snakeCase("\(step.levelCause)")
      target_rate = step.targetRate
      frame_rate_factor = step.frameRateFactor
    }
  }

  @Test(arguments: names)
  func aRecordingIsWrittenAsItWasRead(name: String) throws {
    let trace = try Self.read(name)
    let again = try DeviceTrace.parse(trace.text())
    #expect(again.events.count == trace.events.count)
    // NaN is no equal of itself; its description is.
    for (written, read) in zip(again.events, trace.events) {
      try #require("\(written)" == "\(read)")
    }
    // What the file says of its first readings, read by something else.
    let file = try String(
      contentsOf: TestData.devices.appendingPathComponent("\(name).jsonl"), encoding: .utf8)
    for (line, event) in zip(file.split(separator: "\n").dropFirst(), trace.events) {
      let json = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: [String: Any]]
      let body = try #require(json?.values.first)
      try #require((body["at_ms"] as? NSNumber)?.uint64Value == event.atMs)
      guard case .reading(let reading) = event else { continue }
      try #require((body["battery_percent"] as? NSNumber)?.floatValue == reading.batteryPercent)
      try #require(body["charging"] as? Bool == reading.charging)
      try #require(
        body["thermal_level"] as? String == reading.thermalLevel.map { snakeCase("\($0)") })
    }
  }

  @Test func wrongRecordingsAreErrorsWithTheLine() async throws {
    let header = #"{"format_version":1,"name":"n","description":"d"}"#
    for (text, part) in [
      ("", "is empty"), ("{}", "line 1"),
      (header.replacingOccurrences(of: ":1", with: ":2"), "format_version is 2"),
      (header + "\n{\"mode\":{\"at_ms\":1,\"mode\":\"fast\"}}", "line 2"),
    ] {
      let error = await failure { try DeviceTrace.parse(text) } as? BigLittleError
      guard case .invalidData(let sentence) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(sentence.contains(part))
    }
    let missing = URL(fileURLWithPath: "/no/such/file.jsonl")
    guard case .io = await failure({ try ReplayDevice(contentsOf: missing) }) as? BigLittleError
    else {
      Issue.record("a missing file")
      return
    }
    let none = try Self.read("reboot")
    for speed in [0, -1, Double.nan] {
      let error = await failure { try await ReplayDevice(none).events(speed: speed) { _ in } }
      guard case .invalidArgument = error as? BigLittleError else {
        Issue.record("speed \(speed): \(String(describing: error))")
        continue
      }
    }
  }

  @Test func aReplayDeviceMovesAnEnginesThreshold() async throws {
    let engine = try await TestData.engine(RuntimeOptions())
    let trace = try Self.read("video_call_in_the_sun")
    let hottest = try #require(
      trace.events.firstIndex {
        if case .reading(let reading) = $0 { reading.thermalLevel == .severe } else { false }
      })
    let heating = DeviceTrace(
      name: "heating", description: "until it is hot", events: Array(trace.events[...hottest]))
    #expect(try await engine.status().levelCause == .unknown)
    try await within(.seconds(60)) {
      try await ReplayDevice(heating).drive(engine, speed: .infinity)
    }
    let hot = try await engine.status()
    #expect(hot.level == 3 && hot.levelCause == .thermal && hot.targetRate <= 0.05)
    _ = try await engine.classify(TestData.frame(0))
    #expect(hot.threshold >= hot.floor, "never below the certified floor")
  }

  @Test func aReplayKeepsTheRecordedPaceAndCanBeStopped() async throws {
    let trace = DeviceTrace(
      name: "pace", description: "three readings",
      events: [0, 100, 200].map { .reading(DeviceReading(atMs: $0)) })
    let clock = ContinuousClock()
    let began = clock.now
    let heard = Heard()
    try await ReplayDevice(trace).events(speed: 2) { await heard.add($0.atMs) }
    #expect(await heard.times == [0, 100, 200])
    #expect(clock.now - began >= .milliseconds(100))

    let slow = Task { try await ReplayDevice(trace).events(speed: 1e-9) { _ in } }
    slow.cancel()
    let error = await failure { try await slow.value }
    #expect(error is CancellationError)
  }

  actor Heard {
    var times: [UInt64] = []
    func add(_ time: UInt64) { times.append(time) }
  }
}

func snakeCase(_ name: String) -> String {
  name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
}
