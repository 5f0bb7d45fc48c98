import BigLittleBindings
import Foundation

extension Frame {
  /// Calls `body` with the planes' bytes in place, those that the format lacks
  /// empty, and with how they lie.
  func borrow<Result>(_ body: ([Data], FrameLayout) throws -> Result) throws -> Result {
    try pixels.borrow { pixels in
      for (index, plane) in pixels.planes.enumerated() where plane.bytes.count > Int32.max {
        throw BigLittleError.invalidFrame(
          "plane \(index) has \(plane.bytes.count) bytes: give at most \(Int32.max)")
      }
      var data = pixels.planes.prefix(3).map(\.data)
      while data.count < 3 { data.append(Data()) }
      return try body(data, layout(of: pixels))
    }
  }

  private func layout(of pixels: BorrowedPixels) throws -> FrameLayout {
    let planes = try pixels.planes.enumerated().map { index, plane in
      PlaneLayout(
        rowStride: try number(plane.rowStride, "the row stride of plane \(index)"),
        pixelStride: try number(plane.pixelStride, "the pixel stride of plane \(index)"))
    }
    return FrameLayout(
      format: pixels.format,
      width: try number(pixels.width, "frame width"),
      height: try number(pixels.height, "frame height"),
      planes: planes,
      rotationDegrees: Int32(clamping: rotationDegrees),
      crop: crop, matrix: pixels.matrix, range: pixels.range)
  }
}

/// What is within the core's numbers is the core's to judge.
private func number(_ value: Int, _ name: String) throws -> UInt32 {
  guard let number = UInt32(exactly: value) else {
    throw BigLittleError.invalidFrame("\(name) is \(value): it must be from 0 to \(UInt32.max)")
  }
  return number
}
