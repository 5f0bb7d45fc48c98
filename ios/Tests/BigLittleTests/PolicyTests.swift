import BigLittle
import Foundation
import Testing

/// Modes, budgets, books and the state that outlives the app.
@Suite struct PolicyTests {
  @Test func savingsAddUp() async throws {
    let engine = try await TestData.engine(
      RuntimeOptions(
        audit: AuditOptions(
          probability: 0.5, raisedProbability: 0.5, raisedFrames: 100, seed: 1)))
    for index in 0..<100 { _ = try await engine.classify(TestData.frame(index)) }
    let report = try await engine.savings()
    #expect(report.frames.seen == 100)
    #expect(report.frames.seen == report.frames.little + report.frames.big)
    #expect(report.frames.audited > 20)
    #expect(
      report.little.times.cpuNs + report.big.times.cpuNs + report.overhead.times.cpuNs
        == report.total.times.cpuNs)
    #expect(report.little.macs + report.big.macs + report.overhead.macs == report.total.macs)
    #expect(report.timeSaving != nil && report.timeSavingCi95 != nil)
    #expect(report.energy.provenance == EnergyProvenance.macModel)
    #expect(report.energy.totalJoules == nil)
    let measured = try await engine.savings(energy: EnergyModel.measuredRail(joules: 2))
    #expect(measured.energy.totalJoules == 2)
    let json = try await engine.summaryJSON()
    let summary = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    #expect(summary?["bundle"] != nil)
  }

  @Test func theUsersModeMovesTheLevel() async throws {
    let engine = try await TestData.engine(RuntimeOptions())
    try engine.push(
      DeviceReading(
        atMs: 0, batteryPercent: 90, charging: false, lowPowerMode: false,
        thermalLevel: ThermalLevel.none))
    try engine.setMode(.saver)
    #expect(try await engine.status().level == 2)
    #expect(try await engine.status().levelCause == .userMode)
    try engine.setMode(.precise)
    #expect(try await engine.status().floorCause == .preciseMode)
    try engine.setBudget(Budget(kind: .bigShare(0.01)))
    #expect(try await engine.status().targetRate == 0.01)
    try engine.setBudget(nil)
    #expect(try await engine.status().targetRate > 0.01)
  }

  @Test func theStateOutlivesTheApp() async throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("\(UUID().uuidString).state")
    defer { try? FileManager.default.removeItem(at: file) }
    let options = EngineOptions(
      opening: .lazy, runtime: RuntimeOptions(), statePath: file.path)
    let first = try await BigLittle.open(contentsOf: TestData.bundle, options: options)
    #expect(first.stateOrigin == .fresh)
    for index in 0..<10 { _ = try await first.classify(TestData.frame(index)) }
    try await first.saveState()
    first.close()
    let second = try await BigLittle.open(contentsOf: TestData.bundle, options: options)
    #expect(second.stateOrigin == .restored)
    #expect(try await second.savings().frames.seen == 10)

    let without = try await TestData.engine(RuntimeOptions())
    guard
      case .invalidArgument = await failure({ try await without.saveState() }) as? BigLittleError
    else {
      Issue.record("there is no file to write to")
      return
    }
  }
}
