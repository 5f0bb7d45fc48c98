import BigLittleBindings
import Foundation

/// Where a frame's bytes are. The one thing that a new kind of frame has to give.
protocol Pixels: Sendable {
  /// Calls `body` with the bytes in place; they stay there until it returns.
  func borrow<Result>(_ body: (BorrowedPixels) throws -> Result) throws -> Result
}

/// The bytes of a frame while they are borrowed.
struct BorrowedPixels {
  var format: PixelFormat
  var width: Int
  var height: Int
  var planes: [BorrowedPlane]
  var matrix: YuvMatrix
  var range: YuvRange
}

struct BorrowedPlane {
  var bytes: UnsafeRawBufferPointer
  var rowStride: Int
  var pixelStride: Int

  /// The same bytes as the bindings take them, not copied.
  var data: Data {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return Data() }
    return Data(
      bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count, deallocator: .none)
  }
}
