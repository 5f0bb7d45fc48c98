// Stands in for the parts of Foundation's ProcessInfo that Linux lacks. It keeps
// Apple's rule: changes of the thermal state are told only to who has read it before
// observing.
import Foundation

/// What the phone is, for tests to set.
public final class FakePhone: @unchecked Sendable {
  public static let current = FakePhone()
  private let lock = NSLock()
  private var thermal = ProcessInfo.ThermalState.nominal
  private var wasRead = false
  /// Whether it had been read when the notification was last asked for by its name.
  private var isHeard = false
  private var isSaving = false

  public var thermalState: ProcessInfo.ThermalState {
    get { lock.withLock { thermal } }
    set {
      let isHeard = lock.withLock {
        thermal = newValue
        return self.isHeard
      }
      if isHeard { post(ProcessInfo.thermalNotification) }
    }
  }

  public var isLowPowerModeEnabled: Bool {
    get { lock.withLock { isSaving } }
    set {
      lock.withLock { isSaving = newValue }
      post(.NSProcessInfoPowerStateDidChange)
    }
  }

  /// As after the app has started anew.
  public func forgetReads() { lock.withLock { (wasRead, isHeard) = (false, false) } }

  fileprivate func observe() { lock.withLock { isHeard = wasRead } }

  fileprivate func readThermalState() -> ProcessInfo.ThermalState {
    lock.withLock {
      wasRead = true
      return thermal
    }
  }

  private func post(_ name: Notification.Name) {
    NotificationCenter.default.post(name: name, object: ProcessInfo.processInfo)
  }
}

extension ProcessInfo {
  public enum ThermalState: Int, Sendable {
    case nominal, fair, serious, critical
  }

  fileprivate static let thermalNotification =
    Notification.Name("NSProcessInfoThermalStateDidChangeNotification")

  public static var thermalStateDidChangeNotification: Notification.Name {
    FakePhone.current.observe()
    return thermalNotification
  }

  public var thermalState: ThermalState { FakePhone.current.readThermalState() }
  public var isLowPowerModeEnabled: Bool { FakePhone.current.isLowPowerModeEnabled }
}

extension Notification.Name {
  public static let NSProcessInfoPowerStateDidChange =
    Notification.Name("NSProcessInfoPowerStateDidChangeNotification")
}
