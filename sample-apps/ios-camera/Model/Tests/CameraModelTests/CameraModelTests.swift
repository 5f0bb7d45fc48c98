import BigLittle
import Foundation
import Testing

@testable import CameraModel

/// The app's logic with the real engine, replayed frames and a recorded phone.
@MainActor @Suite struct CameraModelTests {
  nonisolated static let bundle = Files.root.appendingPathComponent("models/mnist/bundle")

  /// A phone that says what a test wants; where it is listened to, it says `first`.
  final class FakeVoice: DeviceVoice {
    var first: DeviceReading?
    private(set) var push: ((DeviceReading) -> Void)?
    func start(push: @escaping @MainActor @Sendable (DeviceReading) -> Void) {
      self.push = push
      if let first { push(first) }
    }
    func stop() { push = nil }
  }

  let voice = FakeVoice()

  func model(
    interval: Duration = .milliseconds(2), open: (@Sendable () async throws -> BigLittle)? = nil
  ) throws -> CameraModel {
    CameraModel(
      parts: CameraParts(
        open: open ?? { try await BigLittle.open(contentsOf: Self.bundle, options: .camera) },
        device: voice, heat: try Files.recording(), pictures: Array(Files.digits.prefix(200)),
        frameInterval: interval))
  }

  func cool(_ atMs: UInt64 = DeviceReading.nowMs()) -> DeviceReading {
    DeviceReading(
      atMs: atMs, batteryPercent: 90, charging: false, lowPowerMode: false,
      thermalLevel: ThermalLevel.none)
  }

  func wait(for model: CameraModel, until isTrue: (CameraUiState) -> Bool) async throws {
    for _ in 0..<5_000 {
      if isTrue(model.state) { return }
      try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("it stays \(model.state)")
  }

  @Test func recordedDigitsAreAnsweredAndCounted() async throws {
    voice.first = cool()
    let model = try model()
    #expect(model.state.stage == .starting)
    model.startRecorded()
    try await wait(for: model) { $0.rate.frames == EscalationWindow.frames && $0.savedShare != nil }
    let state = model.state
    #expect(state.stage == .running && state.source == .recorded)
    #expect(state.device.batteryPercent == 90)
    #expect((0...0.9).contains(state.rate.share) && !state.rate.history.isEmpty)
    #expect(try #require(state.savedShare) <= 1)
    let answer = try #require(state.answer)
    #expect(answer.margin > 0 && answer.threshold > 0 && !answer.isBelowCertificate)
    model.stop()
  }

  @Test func thePictureIsTheOneThatWasAnswered() async throws {
    let model = try model(interval: .milliseconds(1))
    let engine = try await BigLittle.open(contentsOf: Self.bundle, options: .camera)
    model.startRecorded()
    for _ in 0..<20 {
      let before = model.state.picture
      try await wait(for: model) { $0.picture != before }
      let (picture, answer) = (try #require(model.state.picture), model.state.answer)
      #expect(try await engine.classify(picture.frame).labelName == answer?.label)
    }
    model.stop()
  }

  @Test func aLiveCameraIsClassifiedAndStops() async throws {
    let model = try model()
    let (frames, camera) = AsyncStream<Frame>.makeStream(bufferingPolicy: .bufferingNewest(1))
    model.start(.granted(frames))
    for _ in 0..<500 where model.state.answer == nil {
      camera.yield(Files.digits[0].frame)
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(model.state.stage == .running && model.state.source == .camera)
    #expect(model.state.answer?.label == "7" && model.state.answer?.tier == .little)
    #expect(model.state.picture == nil, "the camera draws its own preview")
    #expect(voice.push != nil, "the phone is listened to")
    model.stop()
    #expect(voice.push == nil)
    let answered = model.state.answer
    camera.yield(Files.digits[1].frame)
    try await Task.sleep(for: .milliseconds(30))
    #expect(model.state.answer == answered)
  }

  @Test func withoutACameraDigitsAreShownAndNoCameraIsOffered() async throws {
    let model = try model()
    model.choose(.camera)
    model.start(.missing)
    try await wait(for: model) { $0.answer != nil }
    #expect(model.state.source == .recorded && !model.state.hasCamera)
    model.stop()
  }

  @Test func noPermissionIsShownAndOpensNothing() throws {
    let model = try model(open: { throw BigLittleError.internal("nobody asked for it") })
    model.start(.denied)
    #expect(model.state.stage == .needsPermission && model.state.source == .camera)
    #expect(voice.push == nil)
  }

  @Test func aBundleThatIsMissingIsSaidAndCanBeTriedAgain() async throws {
    let attempts = Counter()
    let model = try model(open: {
      let isFirst = await attempts.add() == 1
      let url = isFirst ? URL(fileURLWithPath: "/no/such/bundle") : Self.bundle
      return try await BigLittle.open(contentsOf: url, options: .camera)
    })
    model.startRecorded()
    try await wait(for: model) { if case .failed = $0.stage { true } else { false } }
    guard case .failed(let sentence) = model.state.stage else { return }
    #expect(sentence.contains("/no/such/bundle"))
    #expect(voice.push == nil)
    model.startRecorded()
    try await wait(for: model) { $0.stage == .running }
    model.stop()
  }

  @Test func withoutPicturesItStartsAndShowsNone() async throws {
    let model = CameraModel(
      parts: CameraParts(
        open: { try await BigLittle.open(contentsOf: Self.bundle, options: .camera) },
        device: voice, heat: nil, pictures: []))
    model.startRecorded()
    model.simulateHeat(3)
    #expect(model.state.heat == CameraUiState.Heat())
    try await Task.sleep(for: .milliseconds(50))
    #expect(model.state.answer == nil)
    model.stop()
  }

  @Test func stoppedAndStartedWhileItOpensItOpensOnce() async throws {
    let opened = Counter()
    let model = try model(open: {
      await opened.add()
      try await Task.sleep(for: .milliseconds(30))
      return try await BigLittle.open(contentsOf: Self.bundle, options: .camera)
    })
    for _ in 0..<5 {
      model.startRecorded()
      try await Task.sleep(for: .milliseconds(2))
      model.stop()
    }
    model.startRecorded()
    try await wait(for: model) { $0.stage == .running }
    #expect(await opened.count == 1)
    model.stop()
  }

  actor Counter {
    var count = 0
    @discardableResult
    func add() -> Int {
      count += 1
      return count
    }
  }

  @Test func aModelThatIsLetGoIsFreedWhileItRuns() async throws {
    weak var gone: CameraModel?
    do {
      let held = try model()
      gone = held
      held.startRecorded()
      try await wait(for: held) { $0.stage == .running }
    }
    for _ in 0..<2_000 where gone != nil { try await Task.sleep(for: .milliseconds(1)) }
    #expect(gone == nil)
  }

  @Test func aHotPhoneRaisesTheLevelAndIsShown() async throws {
    voice.first = cool()
    let model = try model()
    model.startRecorded()
    try await wait(for: model) { $0.rate.frames > 5 && $0.level < 2 && !$0.device.isHot }
    var reading = cool()
    reading.thermalLevel = .severe
    voice.push?(reading)
    try await wait(for: model) { $0.level == 3 && $0.device.isHot }
    model.stop()
  }

  @Test func simulatedHeatMovesTheThresholdAndThisPhoneIsNotHeardMeanwhile() async throws {
    voice.first = cool()
    let model = try model()
    model.startRecorded()
    try await wait(for: model) { $0.rate.frames > 20 }
    let coolThreshold = try #require(model.state.answer?.threshold)
    let readings = try Files.recording().readings
    let severe = try #require(readings.firstIndex { $0.thermalLevel == .severe }) + 1
    #expect(model.state.heat.last == readings.count)
    model.simulateHeat(severe)
    #expect(voice.push == nil, "one phone speaks at a time")
    try await wait(for: model) { ($0.answer?.threshold ?? 9) < coolThreshold && $0.level == 3 }
    #expect(model.state.device.thermal == .severe && model.state.heat.minute > 0)
    try await wait(for: model) { $0.answer?.isBelowCertificate == true }

    // To the left it cools, by the recording's clock; at its end this phone speaks.
    model.simulateHeat(0)
    #expect(voice.push != nil && model.state.heat.position == 0)
    #expect(model.state.device.thermal == ThermalLevel.none && model.state.heat.minute == 0)
    try await wait(for: model) { $0.level == 0 && $0.answer?.threshold == coolThreshold }
    model.stop()
  }

  @Test func simulatedTimeRunsTenTimesFaster() async throws {
    let model = try model()
    model.simulateHeat(1)
    let clock = ContinuousClock()
    let (began, from) = (clock.now, model.heat.clockMs)
    model.startRecorded()
    while model.heat.clockMs < from + 20_000, clock.now - began < .seconds(30) {
      try await Task.sleep(for: .milliseconds(1))
    }
    let took = clock.now - began
    #expect(model.heat.clockMs == from + 20_000)
    #expect(took > .milliseconds(1_900), "20 s in \(took)")
    model.stop()
    try await Task.sleep(for: .milliseconds(1_100))
    #expect(model.heat.clockMs == from + 20_000, "in the background time stands still")
  }

  @Test func theModeIsKeptFromBeforeTheEngineIsOpen() async throws {
    voice.first = cool()
    let model = try model()
    model.select(.saver)
    model.startRecorded()
    try await wait(for: model) { $0.level == 2 }
    #expect(model.state.mode == .saver)
    model.select(.balanced)
    model.stop()
    model.startRecorded()
    try await wait(for: model) { $0.stage == .running }
    model.stop()
  }
}

/// What the tests read.
enum Files {
  static let root = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../../../../..").standardizedFileURL
  static let idx = root.appendingPathComponent("target/ios/data/t10k-images-idx3-ubyte")
  static let digits = Picture.digits(try! Data(contentsOf: idx))
  static let device = root.appendingPathComponent(
    "rust-core/core/tests/data/devices/video_call_in_the_sun.jsonl")

  static func recording() throws -> DeviceTrace { try DeviceTrace.read(from: device) }
}
