// Stands in for UIKit on Linux: what `DeviceSensors` asks of it, settable by
// tests. It keeps UIKit's rules: the battery is unknown unless it is monitored.
import Foundation

@MainActor
public final class UIDevice {
  public enum BatteryState: Int, Sendable {
    case unknown, unplugged, charging, full
  }

  public static let current = UIDevice()
  nonisolated public static let batteryLevelDidChangeNotification =
    Notification.Name("UIDeviceBatteryLevelDidChangeNotification")
  nonisolated public static let batteryStateDidChangeNotification =
    Notification.Name("UIDeviceBatteryStateDidChangeNotification")

  public var isBatteryMonitoringEnabled = false
  public var batteryLevel: Float { isBatteryMonitoringEnabled ? fake.level : -1 }
  public var batteryState: BatteryState { isBatteryMonitoringEnabled ? fake.state : .unknown }

  /// What the battery is, monitored or not.
  public var fake: (level: Float, state: BatteryState) = (1, .full) {
    didSet {
      guard isBatteryMonitoringEnabled else { return }
      if fake.level != oldValue.level { post(UIDevice.batteryLevelDidChangeNotification) }
      if fake.state != oldValue.state { post(UIDevice.batteryStateDidChangeNotification) }
    }
  }

  private func post(_ name: Notification.Name) {
    NotificationCenter.default.post(name: name, object: self)
  }
}
