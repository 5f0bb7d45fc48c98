import BigLittleBindings
import Foundation

/// The pixels of a frame that was made from `Data`.
struct DataPixels: Pixels {
  let planes: [Frame.Plane]
  let format: PixelFormat
  let width: Int
  let height: Int
  let matrix: YuvMatrix
  let range: YuvRange

  func borrow<Result>(_ body: (BorrowedPixels) throws -> Result) throws -> Result {
    guard planes.count <= 3 else {
      throw BigLittleError.invalidFrame("the frame has \(planes.count) planes: give at most 3")
    }
    return try borrow([], body)
  }

  /// Holds plane after plane in place, one call deeper each, then calls `body`.
  private func borrow<Result>(
    _ borrowed: [BorrowedPlane], _ body: (BorrowedPixels) throws -> Result
  ) throws -> Result {
    guard borrowed.count < planes.count else {
      return try body(
        BorrowedPixels(
          format: format, width: width, height: height, planes: borrowed, matrix: matrix,
          range: range))
    }
    let plane = planes[borrowed.count]
    return try plane.data.withUnsafeBytes { bytes in
      let next = BorrowedPlane(
        bytes: bytes, rowStride: plane.rowStride, pixelStride: plane.pixelStride)
      return try borrow(borrowed + [next], body)
    }
  }
}

/// The pixels of a frame in memory that something else owns.
struct MemoryPixels: Pixels, @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  let owner: (any Sendable)?
  let format: PixelFormat
  let width: Int
  let height: Int
  let bytesPerRow: Int

  func borrow<Result>(_ body: (BorrowedPixels) throws -> Result) throws -> Result {
    let plane = BorrowedPlane(
      bytes: bytes, rowStride: bytesPerRow, pixelStride: format.bytesPerPixel)
    return try withExtendedLifetime(owner) {
      try body(
        BorrowedPixels(
          format: format, width: width, height: height, planes: [plane], matrix: .bt601,
          range: .full))
    }
  }
}
