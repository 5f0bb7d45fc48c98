import BigLittleBindings
import Foundation

extension Duration {
  /// The longest that anything here sleeps: `Task.sleep` traps at 292 years.
  static let oneYear = Duration.seconds(365 * 86_400)
}

extension DeviceReading {
  /// The clock of readings: milliseconds since the phone was started, going on while
  /// it sleeps (on Darwin this is `mach_continuous_time`).
  public static func nowMs() -> UInt64 {
    var time = timespec()
    // It cannot fail for a clock that exists; 0 would count as a clock that jumped.
    guard clock_gettime(CLOCK_MONOTONIC_RAW, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
  }
}
