import BigLittle
import Foundation
import Testing

@testable import CameraModel

/// The app's logic with the real engine, replayed frames and a recorded phone.
@MainActor @Suite struct CameraModelTests {
  static let root = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../../../../..").standardizedFileURL
  static let digits = ShippedFrames.digits(
    try! Data(contentsOf: root.appendingPathComponent("target/ios/data/t10k-images-idx3-ubyte")))

  /// A phone that says what a test wants.
  final class FakeVoice: DeviceVoice {
    private(set) var push: ((DeviceReading) -> Void)?
    func start(push: @escaping @MainActor @Sendable (DeviceReading) -> Void) { self.push = push }
    func stop() { push = nil }
  }

  let voice = FakeVoice()

  func model(
    frames: [Frame]? = nil, interval: Duration = .milliseconds(2),
    open: (@Sendable () async throws -> BigLittle)? = nil
  ) throws -> CameraModel {
    let recording = Self.root.appendingPathComponent(
      "rust-core/core/tests/data/devices/video_call_in_the_sun.jsonl")
    let bundle = Self.root.appendingPathComponent("models/mnist/bundle")
    return CameraModel(
      parts: CameraParts(
        open: open ?? { try await BigLittle.open(contentsOf: bundle, options: .camera) },
        device: voice, heat: try DeviceTrace.read(from: recording),
        frames: frames ?? Array(Self.digits.prefix(100)), frameInterval: interval))
  }

  func wait(for model: CameraModel, until isTrue: (CameraUiState) -> Bool) async throws {
    for _ in 0..<5_000 {
      if isTrue(model.state) { return }
      try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("it stays \(model.state)")
  }

  @Test func theShippedFramesAreThere() {
    #expect(Self.digits.count == 10_000)
    let cut = Data([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 7, 7, 7])
    #expect(ShippedFrames.digits(cut).count == 1)
    for bad in [Data(), Data([1]), Data(count: 20), Data(repeating: 255, count: 99)] {
      #expect(ShippedFrames.digits(bad).isEmpty)
    }
    #expect(ShippedFrames.digits(cut.dropLast(2)).isEmpty, "not one picture is whole")
  }

  @Test func withoutACameraTheShippedFramesAreClassified() async throws {
    let model = try model()
    #expect(model.state.phase == .opening)
    model.start(.missing)
    try await wait(for: model) { $0.escalations.count > 20 }
    #expect(model.state.phase == .replaying)
    let answer = try #require(model.state.answer)
    #expect(answer.label != nil && answer.score > 0 && answer.threshold > 0)
    #expect(!model.state.escalationRates.isEmpty)
    model.stop()
  }

  @Test func aLiveCameraIsClassifiedAndStops() async throws {
    let model = try model()
    let (frames, camera) = AsyncStream<Frame>.makeStream(bufferingPolicy: .bufferingNewest(1))
    model.start(.granted(frames))
    for _ in 0..<500 where model.state.answer == nil {
      camera.yield(Self.digits[0])
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(model.state.phase == .live && model.state.answer?.label == "7")
    #expect(model.state.answer?.isUnsure == false)
    #expect(voice.push != nil, "the phone is listened to")
    model.stop()
    #expect(voice.push == nil)
  }

  @Test func theShippedPartsAreTheOnesThatTheProjectCopies() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let made = Self.root.appendingPathComponent("target/ios/data/t10k-images-idx3-ubyte")
    try Data(contentsOf: made).prefix(784_016)
      .write(to: folder.appendingPathComponent("digits.idx"))
    for path in [
      "models/mnist/bundle", "rust-core/core/tests/data/devices/video_call_in_the_sun.jsonl",
    ] {
      let file = Self.root.appendingPathComponent(path)
      try FileManager.default.createSymbolicLink(
        at: folder.appendingPathComponent(file.lastPathComponent), withDestinationURL: file)
    }
    let parts = CameraParts.shipped(in: folder, device: voice)
    #expect(parts.frames.count == 1_000 && parts.recordedHeat(at: 1) != nil)
    let model = CameraModel(parts: parts)
    model.start(.missing)
    try await wait(for: model) { $0.answer != nil }
    model.stop()

    let empty = CameraParts.shipped(in: folder.appendingPathComponent("none"), device: voice)
    #expect(empty.frames.isEmpty && empty.recordedHeat(at: 0) == nil)
  }

  @Test func stoppedAndStartedWhileItOpensItOpensOnce() async throws {
    let opened = Counter()
    let bundle = Self.root.appendingPathComponent("models/mnist/bundle")
    let model = try model(open: {
      await opened.add()
      try await Task.sleep(for: .milliseconds(30))
      return try await BigLittle.open(contentsOf: bundle, options: .camera)
    })
    for _ in 0..<5 {
      model.start(.missing)
      try await Task.sleep(for: .milliseconds(2))
      model.stop()
    }
    model.start(.missing)
    try await wait(for: model) { $0.phase == .replaying && $0.answer != nil }
    #expect(await opened.count == 1)
    model.stop()
  }

  actor Counter {
    var count = 0
    func add() { count += 1 }
  }

  @Test func noPermissionIsShownAndOpensNothing() throws {
    let model = try model(open: { throw BigLittleError.internal("nobody asked for it") })
    model.start(.denied)
    #expect(model.state.phase == .noPermission && voice.push == nil)
  }

  @Test func aBundleThatIsMissingIsSaid() async throws {
    let model = try model(open: {
      try await BigLittle.open(contentsOf: URL(fileURLWithPath: "/no/such/bundle"))
    })
    model.start(.missing)
    try await wait(for: model) { if case .failed = $0.phase { true } else { false } }
    guard case .failed(let sentence) = model.state.phase else { return }
    #expect(sentence.contains("/no/such/bundle"))
    #expect(voice.push == nil)
  }

  @Test func aHotPhoneRaisesTheLevelAndIsShown() async throws {
    let model = try model()
    model.start(.missing)
    try await wait(for: model) { $0.phase == .replaying }
    var reading = DeviceReading(
      atMs: DeviceReading.nowMs(), batteryPercent: 80, charging: false, lowPowerMode: false,
      thermalLevel: ThermalLevel.none)
    voice.push?(reading)
    try await wait(for: model) { $0.device.batteryPercent == 80 && !$0.isHot }
    reading.thermalLevel = .severe
    reading.atMs += 1
    voice.push?(reading)
    try await wait(for: model) { $0.savingLevel == 3 && $0.isHot }
    model.stop()
  }

  @Test func simulatedHeatReplaysTheRecordedPhoneAndEnds() async throws {
    let model = try model()
    model.start(.missing)
    try await wait(for: model) { $0.phase == .replaying }
    model.simulateHeat(0)
    #expect(voice.push == nil, "one phone speaks at a time")
    try await wait(for: model) { $0.device.thermalLevel == ThermalLevel.none }
    model.simulateHeat(7)
    #expect(model.state.simulatedHeat == 1)
    try await wait(for: model) { $0.isHot && $0.savingLevel == 3 }
    model.simulateHeat(nil)
    #expect(model.state.simulatedHeat == nil && voice.push != nil)
    model.stop()
  }

  @Test func theModeIsKeptFromBeforeTheEngineIsOpen() async throws {
    let model = try model()
    model.select(.saver)
    model.start(.missing)
    try await wait(for: model) { $0.savingLevel >= 2 }
    #expect(model.state.mode == .saver)
    model.stop()
    model.start(.missing)
    try await wait(for: model) { $0.phase == .replaying }
    model.stop()
  }
}

/// What the screen shows, step by step.
@Suite struct CameraUiStateTests {
  static func outcome(
    _ status: AnswerStatus, escalated: Bool = false, label: String? = "7", score: Float = 0.9
  ) -> Outcome {
    Outcome(
      label: label.map { _ in 7 }, labelName: label, score: score, threshold: 0.6,
      tier: escalated ? 1 : 0, status: status, escalated: escalated, reason: nil,
      marks: Marks(belowCertificate: false, reused: false, degraded: false, audited: false),
      levels: [], times: Times(wallNs: 0, cpuNs: 0), macs: 0, failure: nil)
  }

  @Test func unsureAnswersAreGuesses() {
    var state = CameraUiState()
    state.show(Self.outcome(.accepted))
    #expect(state.answer?.isUnsure == false)
    for outcome in [
      Self.outcome(.unsure), Self.outcome(.fallback), Self.outcome(.accepted, label: nil),
    ] {
      state.show(outcome)
      #expect(state.answer?.isUnsure == true)
    }
    state.show(Self.outcome(.accepted, score: .nan))
    #expect(state.answer?.score == 0)
    let before = state
    state.show(Self.outcome(.dropped))
    #expect(state == before, "a frame without an answer leaves the last one")
  }

  @Test func theSparklineIsAMeanOfTheLastFrames() {
    var state = CameraUiState()
    #expect(state.escalationRates.isEmpty)
    state.show(Self.outcome(.accepted, escalated: true))
    #expect(state.escalationRates == [1])
    for _ in 0..<19 { state.show(Self.outcome(.accepted)) }
    #expect(state.escalationRates == [0.05])
    for _ in 0..<500 { state.show(Self.outcome(.accepted)) }
    #expect(state.escalations.count == CameraUiState.historyFrames)
    #expect(state.escalationRates.count == 101 && state.escalationRates.allSatisfy { $0 == 0 })
  }

  @Test func onlyAPhoneThatIsSlowedDownIsHot() {
    var state = CameraUiState()
    #expect(!state.isHot)
    for (level, isHot) in [
      (ThermalLevel.none, false), (.light, false), (.moderate, true), (.severe, true),
      (.shutdown, true),
    ] {
      state.show(DeviceReading(atMs: 0, batteryPercent: 50, thermalLevel: level))
      #expect(state.isHot == isHot && state.device.batteryPercent == 50)
    }
  }
}
