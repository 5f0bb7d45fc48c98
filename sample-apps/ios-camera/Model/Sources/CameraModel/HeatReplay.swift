import BigLittle

/// A recorded phone that the slider moves through: to the right it warms up as it did,
/// to the left it cools the same way back.
///
/// Each reading is `stepMs` after the last on the readings' clock, whatever the wall
/// clock says, so that the policy, which thinks in minutes, can be watched.
struct HeatReplay {
  static let stepMs: UInt64 = 10_000
  /// How often the phone says again what it said: time runs ten times faster.
  static let tick = Duration.seconds(1)

  private let readings: [DeviceReading]
  private(set) var clockMs: UInt64 = 0
  /// 0 is off.
  private(set) var position = 0

  init(_ readings: [DeviceReading]) { self.readings = readings }

  /// The last position.
  var last: Int { readings.count }

  /// What the slider shows.
  var state: CameraUiState.Heat {
    let minutes = position == 0 ? 0 : readings[position - 1].atMs / 60_000
    return CameraUiState.Heat(position: position, last: last, minute: Int(clamping: minutes))
  }

  /// Moves to `target` and gives every reading on the way. `nowMs` is the phone's own
  /// clock.
  mutating func move(to target: Int, nowMs: UInt64) -> [DeviceReading] {
    let goal = min(max(target, 0), last)
    if position == 0 { clockMs = max(clockMs, nowMs) }
    var onTheWay: [DeviceReading] = []
    while position != goal {
      position += position < goal ? 1 : -1
      if let reading = stay() { onTheWay.append(reading) }
    }
    return onTheWay
  }

  /// The phone stays as it is for another step; nothing while off.
  mutating func stay() -> DeviceReading? {
    guard position > 0 else { return nil }
    clockMs += Self.stepMs
    var reading = readings[position - 1]
    reading.atMs = clockMs
    return reading
  }
}
