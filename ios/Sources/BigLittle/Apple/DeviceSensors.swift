#if canImport(UIKit)
  import BigLittleBindings
  import Foundation
  import UIKit

  /// Reads what iOS says about the phone. All that `DeviceMonitor` asks of UIKit
  /// and `ProcessInfo` is here.
  @MainActor
  final class DeviceSensors {
    /// The sensors at work, and what the app's own wish was before the first of them.
    private static var atWork = 0
    private static var monitoredBefore = false

    private var observers: [any NSObjectProtocol] = []

    /// Calls `changed` on the main actor when iOS tells of a change.
    init(changed: @escaping @MainActor @Sendable () -> Void) {
      // The battery is -1 unless monitored; the app may have its own wish.
      if Self.atWork == 0 { Self.monitoredBefore = UIDevice.current.isBatteryMonitoringEnabled }
      Self.atWork += 1
      UIDevice.current.isBatteryMonitoringEnabled = true
      // Read once, or iOS never tells of a change.
      _ = ProcessInfo.processInfo.thermalState
      let names = [
        ProcessInfo.thermalStateDidChangeNotification,
        Notification.Name.NSProcessInfoPowerStateDidChange,
        UIDevice.batteryLevelDidChangeNotification,
        UIDevice.batteryStateDidChangeNotification,
      ]
      observers = names.map { name in
        // Thermal changes are posted on any thread.
        NotificationCenter.default.addObserver(forName: name, object: nil, queue: nil) { _ in
          Task { @MainActor in changed() }
        }
      }
    }

    /// Everything that is known now. iOS has no thermal headroom.
    func read() -> DeviceReading {
      let device = UIDevice.current
      let level = device.batteryLevel
      return DeviceReading(
        atMs: DeviceReading.nowMs(),
        batteryPercent: level < 0 ? nil : level * 100,
        charging: charging(device.batteryState),
        lowPowerMode: ProcessInfo.processInfo.isLowPowerModeEnabled,
        thermalLevel: thermalLevel(ProcessInfo.processInfo.thermalState),
        thermalHeadroom: nil)
    }

    /// Leaves the phone as it was found.
    func stop() {
      guard !observers.isEmpty else { return }
      for observer in observers { NotificationCenter.default.removeObserver(observer) }
      observers = []
      Self.atWork -= 1
      if Self.atWork == 0 { UIDevice.current.isBatteryMonitoringEnabled = Self.monitoredBefore }
    }
  }

  private func charging(_ state: UIDevice.BatteryState) -> Bool? {
    switch state {
    case .charging, .full: true
    case .unplugged: false
    default: nil
    }
  }

  private func thermalLevel(_ state: ProcessInfo.ThermalState) -> ThermalLevel? {
    switch state {
    case .nominal: ThermalLevel.none
    case .fair: .light
    case .serious: .moderate
    case .critical: .severe
    @unknown default: nil
    }
  }
#endif
