import BigLittle
import Foundation
import Testing

@testable import CameraModel

/// What the screen shows, step by step.
@Suite struct CameraUiStateTests {
  static func outcome(
    _ status: AnswerStatus = .accepted, tier: UInt8 = 0, margin: Float? = 0.9,
    belowCertificate: Bool = false
  ) -> Outcome {
    let little = margin.map {
      LevelReport(
        tier: 0, label: 7, score: $0, escalation: nil, times: Times(wallNs: 0, cpuNs: 0), macs: 0)
    }
    return Outcome(
      label: 7, labelName: "7", score: 0.5, threshold: 0.6, tier: tier, status: status,
      escalated: tier > 0, reason: nil,
      marks: Marks(
        belowCertificate: belowCertificate, reused: margin == nil, degraded: false, audited: false),
      levels: little.map { [$0] } ?? [], times: Times(wallNs: 0, cpuNs: 0), macs: 0, failure: nil)
  }

  @Test func everyStatusHasItsTier() {
    for (outcome, tier) in [
      (Self.outcome(), CameraUiState.Tier.little), (Self.outcome(tier: 1), .big),
      (Self.outcome(.unsure, tier: 1), .unsure), (Self.outcome(.fallback), .fallback),
      (Self.outcome(.dropped), .dropped),
    ] {
      #expect(CameraUiState.Answer(outcome, after: nil).tier == tier)
    }
    #expect(
      CameraUiState.Answer(Self.outcome(belowCertificate: true), after: nil).isBelowCertificate)
  }

  @Test func theMarginIsTheLittleNetworksAndStaysForAReusedAnswer() {
    let first = CameraUiState.Answer(Self.outcome(tier: 1, margin: 0.25), after: nil)
    #expect(first.margin == 0.25)
    for none in [nil, Float.nan, .infinity] {
      #expect(CameraUiState.Answer(Self.outcome(margin: none), after: first).margin == 0.25)
      #expect(CameraUiState.Answer(Self.outcome(margin: none), after: nil).margin == 0)
    }
  }

  @Test func theRateIsThatOfTheLastFramesAndItsLineAMeanOfFewer() {
    var window = EscalationWindow()
    #expect(window.rate == CameraUiState.Rate())
    window.add(true)
    #expect(window.rate.share == 1 && window.rate.history == [1])
    for _ in 0..<19 { window.add(false) }
    #expect(window.rate.share == 0.05 && window.rate.history.last == 0.05)
    window.add(false)
    #expect(window.rate.frames == 21 && window.rate.history.last == 0)
    for _ in 0..<500 { window.add(false) }
    #expect(window.rate.frames == EscalationWindow.frames && window.rate.share == 0)
    #expect(window.rate.history.count == EscalationWindow.frames && window.total == 521)
  }

  @Test func onlyAPhoneThatIsSlowedDownIsHotAndSilenceKeepsWhatWasSaid() {
    var device = CameraUiState.Device()
    #expect(!device.isHot)
    for (level, isHot) in [
      (ThermalLevel.none, false), (.light, false), (.moderate, true), (.severe, true),
      (.shutdown, true),
    ] {
      device.hear(DeviceReading(atMs: 0, batteryPercent: 50, charging: true, thermalLevel: level))
      #expect(device.isHot == isHot && device.batteryPercent == 50 && device.isCharging)
    }
    device.hear(DeviceReading(atMs: 1))
    #expect(device.thermal == .shutdown && device.batteryPercent == 50 && device.isCharging)
  }

  @Test func aFragmentIsMadeASentenceButAFilesNameStays() {
    #expect(CameraUiState.sentence("width is 0") == "Width is 0.")
    #expect(CameraUiState.sentence("a.biglittle is damaged.") == "a.biglittle is damaged.")
    #expect(CameraUiState.sentence("/no/such: gone") == "/no/such: gone.")
    #expect(CameraUiState.sentence("") == ".")
  }
}

/// A phone at a desk that gets hot.
@Suite struct HeatReplayTests {
  static let recording = (0..<4).map {
    DeviceReading(atMs: UInt64(60_000 * $0), thermalHeadroom: Float($0) / 4)
  }
  var heat = HeatReplay(recording)

  @Test mutating func everyReadingOnTheWayIsPushedTenSecondsApart() {
    let pushed = heat.move(to: 3, nowMs: 5_000)
    #expect(pushed.map(\.thermalHeadroom) == [0, 0.25, 0.5])
    #expect(pushed.map(\.atMs) == [15_000, 25_000, 35_000])
    #expect(heat.state == CameraUiState.Heat(position: 3, last: 4, minute: 2))
  }

  @Test mutating func toTheLeftItCoolsTheSameWayBackWithoutTurningTheClock() {
    let pushed = heat.move(to: 3, nowMs: 0) + heat.move(to: 1, nowMs: 0)
    #expect(pushed.map(\.thermalHeadroom) == [0, 0.25, 0.5, 0.25, 0])
    #expect(zip(pushed, pushed.dropFirst()).allSatisfy { $0.atMs < $1.atMs })
  }

  @Test mutating func offNothingIsPushed() {
    #expect(heat.stay() == nil)
    #expect(heat.move(to: 1, nowMs: 0).count == 1)
    #expect(heat.move(to: 0, nowMs: 0).isEmpty && heat.stay() == nil)
    #expect(heat.state == CameraUiState.Heat(position: 0, last: 4, minute: 0))
  }

  @Test mutating func aPositionBeyondTheEndIsTheEnd() {
    _ = heat.move(to: .max, nowMs: 0)
    #expect(heat.position == 4 && heat.stay()?.thermalHeadroom == 0.75)
    _ = heat.move(to: .min, nowMs: 0)
    #expect(heat.position == 0)
    var none = HeatReplay([])
    #expect(none.move(to: 1, nowMs: 0).isEmpty && none.position == 0)
  }
}
