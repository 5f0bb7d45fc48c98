import BigLittle
import Foundation

/// How the phone is held, by the names that UIKit has for what is on the screen.
public enum ScreenOrientation: Sendable, CaseIterable {
  case portrait, portraitUpsideDown, landscapeLeft, landscapeRight

  /// The clockwise turn that makes a buffer of the back camera upright. Its sensor lies
  /// as the screen does in `landscapeRight`.
  public var rotationDegrees: Int {
    switch self {
    case .landscapeRight: 0
    case .portrait: 90
    case .landscapeLeft: 180
    case .portraitUpsideDown: 270
    }
  }
}

/// Where the panel is: below the picture, or beside it where that is wider than high.
public enum ScreenLayout: Sendable {
  case stacked, sideBySide

  public init(width: Double, height: Double) {
    self = width > height ? .sideBySide : .stacked
  }
}

/// Which part of the camera's buffers is inside the guide on the screen, and how it has
/// to be turned. Told on the main actor, asked on the camera's queue.
public final class CameraFraming: Sendable {
  /// The side of the guide, as a share of the picture's shorter side.
  public static let guideShare = 0.86

  private let view = View()

  public init() {}

  /// What the preview is now. It fills its view; the middle of the buffer is seen.
  public func show(width: Double, height: Double, orientation: ScreenOrientation) {
    view.set((width, height, orientation))
  }

  /// The clockwise turn that makes a buffer upright.
  public var rotationDegrees: Int { view.get().orientation.rotationDegrees }

  /// The square inside the guide, in the pixels of a buffer of this size. In the middle,
  /// so that the turn changes nothing. `nil`, for all of it, where there is no such
  /// buffer or the preview was not yet laid out.
  public func guide(bufferWidth: Int, bufferHeight: Int) -> Rect? {
    let (width, height, orientation) = view.get()
    guard (1...32_768).contains(bufferWidth), (1...32_768).contains(bufferHeight) else {
      return nil
    }
    let isSideways = orientation.rotationDegrees % 180 != 0
    let (wide, high) =
      isSideways ? (bufferHeight, bufferWidth) : (bufferWidth, bufferHeight)
    let scale = max(width / Double(wide), height / Double(high))
    guard scale.isFinite, scale > 0 else { return nil }
    let shorter = min(bufferWidth, bufferHeight)
    let seen = Self.guideShare * min(width, height) / scale
    let side = max(1, Int(min(seen, Double(shorter))))
    return Rect(
      x: UInt32((bufferWidth - side) / 2), y: UInt32((bufferHeight - side) / 2),
      width: UInt32(side), height: UInt32(side))
  }

  private typealias Shown = (width: Double, height: Double, orientation: ScreenOrientation)

  private final class View: @unchecked Sendable {
    private let lock = NSLock()
    private var shown: Shown = (0, 0, .portrait)
    func get() -> Shown { lock.withLock { shown } }
    func set(_ value: Shown) { lock.withLock { shown = value } }
  }
}
