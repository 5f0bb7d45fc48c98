#if os(Linux)
  import BigLittle
  import Foundation
  import Testing
  import UIKit

  /// The monitor against stand-ins that keep UIKit's and Foundation's rules: the
  /// battery is unknown unless monitored, heat is told only once it was read.
  @MainActor @Suite(.serialized) final class DeviceMonitorTests {
    private let device = UIDevice.current
    private let phone = FakePhone.current
    private var readings: [DeviceReading] = []

    init() {
      device.isBatteryMonitoringEnabled = false
      device.fake = (1, .full)
      phone.isLowPowerModeEnabled = false
      phone.thermalState = .nominal
      phone.forgetReads()
    }

    private func start(_ monitor: DeviceMonitor) {
      monitor.start { [weak self] in self?.readings.append($0) }
    }

    /// Waits until the last reading is as wanted.
    private func last(_ isWanted: (DeviceReading) -> Bool) async throws {
      for _ in 0..<2_000 {
        if let last = readings.last, isWanted(last) { return }
        try await Task.sleep(for: .milliseconds(1))
      }
      Issue.record("the last reading is \(String(describing: readings.last))")
    }

    @Test func theFirstReadingIsCompleteAndComesAtOnce() {
      device.fake = (0.42, .unplugged)
      let monitor = DeviceMonitor(interval: .seconds(3_600))
      start(monitor)
      #expect(readings.count == 1)
      #expect(readings[0].batteryPercent == 42)
      #expect(readings[0].charging == false)
      #expect(readings[0].lowPowerMode == false)
      #expect(readings[0].thermalLevel == ThermalLevel.none)
      #expect(readings[0].thermalHeadroom == nil)
      #expect(readings[0].atMs > 0)
      monitor.stop()
    }

    @Test func changesAreToldAsTheyCome() async throws {
      let monitor = DeviceMonitor(interval: .seconds(3_600))
      start(monitor)
      for (state, level) in [
        (ProcessInfo.ThermalState.fair, ThermalLevel.light), (.serious, .moderate),
        (.critical, .severe), (.nominal, .none),
      ] {
        phone.thermalState = state
        try await last { $0.thermalLevel == level }
      }
      phone.isLowPowerModeEnabled = true
      try await last { $0.lowPowerMode == true }
      device.fake = (0.07, .unplugged)
      try await last { $0.batteryPercent == 7 && $0.charging == false }
      device.fake = (0.07, .charging)
      try await last { $0.charging == true }
      device.fake = (0.07, .unknown)
      try await last { $0.charging == nil }
      let times = readings.map(\.atMs)
      #expect(times == times.sorted())
      monitor.stop()
    }

    @Test func readingsAreRepeatedAndEndWithStop() async throws {
      let monitor = DeviceMonitor(interval: .milliseconds(5))
      start(monitor)
      for _ in 0..<2_000 where readings.count < 4 { try await Task.sleep(for: .milliseconds(1)) }
      #expect(readings.count >= 4)
      monitor.stop()
      monitor.stop()
      let count = readings.count
      phone.thermalState = .critical
      try await Task.sleep(for: .milliseconds(30))
      #expect(readings.count == count)
    }

    @Test(arguments: [false, true])
    func theAppsWishForTheBatteryIsKept(wish: Bool) async throws {
      device.isBatteryMonitoringEnabled = wish
      let monitor = DeviceMonitor()
      start(monitor)
      #expect(device.isBatteryMonitoringEnabled)
      start(monitor)
      monitor.stop()
      #expect(device.isBatteryMonitoringEnabled == wish)

      var forgotten: DeviceMonitor? = DeviceMonitor()
      start(forgotten!)
      forgotten = nil
      for _ in 0..<2_000 where device.isBatteryMonitoringEnabled != wish {
        try await Task.sleep(for: .milliseconds(1))
      }
      #expect(device.isBatteryMonitoringEnabled == wish)
    }

    @Test(arguments: [[0, 1], [1, 0]])
    func twoMonitorsAtOnceRestoreItTogether(order: [Int]) {
      device.isBatteryMonitoringEnabled = false
      let monitors = [DeviceMonitor(), DeviceMonitor(interval: .seconds(-1))]
      for monitor in monitors { start(monitor) }
      monitors[order[0]].stop()
      #expect(device.isBatteryMonitoringEnabled, "the other one still needs it")
      monitors[order[1]].stop()
      #expect(!device.isBatteryMonitoringEnabled)
    }

    @Test(arguments: [Duration.seconds(Int64.max), .seconds(-1), .zero])
    func anIntervalThatNobodyMeansIsHarmless(interval: Duration) async throws {
      let monitor = DeviceMonitor(interval: interval)
      start(monitor)
      try await Task.sleep(for: .milliseconds(10))
      #expect(!readings.isEmpty)
      monitor.stop()
    }

    @Test func anEngineAdaptsAndARecorderWritesItDown() async throws {
      let engine = try await TestData.engine(RuntimeOptions())
      let recorder = DeviceTraceRecorder(name: "pocket", description: "a phone gets hot")
      device.fake = (0.9, .unplugged)
      let monitor = DeviceMonitor(interval: .milliseconds(5))
      monitor.start(engine, recorder: recorder)
      phone.thermalState = .critical
      for _ in 0..<2_000 {
        if try await engine.status().level == 3 { break }
        try await Task.sleep(for: .milliseconds(1))
      }
      #expect(try await engine.status().levelCause == .thermal)
      recorder.record(UserMode.saver)
      engine.close()
      try await Task.sleep(for: .milliseconds(20))
      monitor.stop()

      let file = FileManager.default.temporaryDirectory
        .appendingPathComponent("\(UUID().uuidString).jsonl")
      defer { try? FileManager.default.removeItem(at: file) }
      try recorder.write(to: file)
      let replay = try ReplayDevice(contentsOf: file)
      #expect(replay.trace == recorder.trace)
      #expect(replay.trace.readings.contains { $0.thermalLevel == .severe })
      #expect(
        replay.trace.events.contains { if case .mode(_, .saver) = $0 { true } else { false } })
      let steps = try replay.trace.replay(
        certificates: [CertifiedThreshold(eps: 0.01, threshold: 0.6)], promiseEps: 0.01,
        scores: [0.9])
      #expect(steps.last?.level == 3)

      let small = DeviceTraceRecorder(name: "small", description: "two events", limit: 2)
      for time in 0..<3 { small.record(DeviceReading(atMs: UInt64(time))) }
      #expect(small.isFull && small.trace.events.count == 2)
      let nowhere = URL(fileURLWithPath: "/no/such/folder/trace.jsonl")
      guard case .io = await failure({ try small.write(to: nowhere) }) as? BigLittleError else {
        Issue.record("there is no such folder")
        return
      }
    }
  }
#endif
