#if canImport(CoreVideo)
  import BigLittleBindings
  import CoreVideo
  import Foundation

  extension Frame {
    /// A frame of the camera, borrowed without a copy.
    ///
    /// The buffer is locked for reading only while networks look at it. It is kept
    /// until the answer comes, and must not be written to until then.
    ///
    /// - Parameters:
    ///   - pixelBuffer: In `420f`, `420v`, `BGRA` or `L008`; any other format is
    ///     refused when the frame is classified, with ``BigLittleError/invalidFrame(_:)``.
    ///     Colours of the first two follow the buffer's YCbCr matrix, which is taken
    ///     as BT.601 where the buffer has none, and as BT.709 where it has another.
    ///   - rotationDegrees: The clockwise turn that makes it upright: 0, 90, 180 or 270.
    ///   - crop: The part to look at, in the buffer's pixels before the turn; all of it
    ///     where left out.
    public init(pixelBuffer: CVPixelBuffer, rotationDegrees: Int = 0, crop: Rect? = nil) {
      self.init(
        pixels: PixelBufferPixels(buffer: pixelBuffer), rotationDegrees: rotationDegrees, crop: crop
      )
    }
  }

  /// The pixels of a Core Video buffer. CoreVideo counts references atomically and
  /// locks are counted too, so that a buffer may be read on any thread.
  struct PixelBufferPixels: Pixels, @unchecked Sendable {
    let buffer: CVPixelBuffer

    func borrow<Result>(_ body: (BorrowedPixels) throws -> Result) throws -> Result {
      let encoding = try encoding()
      let locked = CVPixelBufferLockBaseAddress(buffer, .readOnly)
      guard locked == kCVReturnSuccess else {
        throw BigLittleError.invalidFrame(
          "the pixel buffer cannot be locked (CVReturn \(locked)): give one that nobody writes to")
      }
      defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
      // A buffer that is not planar counts none.
      let count = max(1, CVPixelBufferGetPlaneCount(buffer))
      guard count >= encoding.bytesPerPixel.count else {
        throw BigLittleError.invalidFrame(
          "the pixel buffer has \(count) planes: its format has \(encoding.bytesPerPixel.count)")
      }
      let planes = try (0..<encoding.bytesPerPixel.count).map {
        try plane($0, bytesPerPixel: encoding.bytesPerPixel[$0])
      }
      return try body(
        BorrowedPixels(
          format: encoding.format,
          width: CVPixelBufferGetWidth(buffer), height: CVPixelBufferGetHeight(buffer),
          planes: planes, matrix: matrix(), range: encoding.range))
    }

    /// The plane as the buffer has it; its last row ends with its last pixel.
    private func plane(_ index: Int, bytesPerPixel: Int) throws -> BorrowedPlane {
      let isPlanar = CVPixelBufferGetPlaneCount(buffer) > 0
      let base =
        isPlanar
        ? CVPixelBufferGetBaseAddressOfPlane(buffer, index) : CVPixelBufferGetBaseAddress(buffer)
      guard let base else {
        throw BigLittleError.invalidFrame(
          "plane \(index) of the pixel buffer has no bytes in memory")
      }
      let (width, height, stride) =
        isPlanar
        ? (
          CVPixelBufferGetWidthOfPlane(buffer, index), CVPixelBufferGetHeightOfPlane(buffer, index),
          CVPixelBufferGetBytesPerRowOfPlane(buffer, index)
        )
        : (
          CVPixelBufferGetWidth(buffer), CVPixelBufferGetHeight(buffer),
          CVPixelBufferGetBytesPerRow(buffer)
        )
      return BorrowedPlane(
        bytes: UnsafeRawBufferPointer(
          start: base, count: try byteCount(index, width, height, stride, bytesPerPixel)),
        rowStride: stride, pixelStride: bytesPerPixel)
    }

    /// The bytes up to the last pixel. Whoever wraps memory in a buffer may give it any
    /// stride.
    private func byteCount(
      _ index: Int, _ width: Int, _ height: Int, _ stride: Int, _ bytesPerPixel: Int
    ) throws -> Int {
      let (rows, tooHigh) = max(0, height - 1).multipliedReportingOverflow(by: stride)
      let (row, tooWide) = width.multipliedReportingOverflow(by: bytesPerPixel)
      let (count, tooMany) = rows.addingReportingOverflow(row)
      guard !tooHigh, !tooWide, !tooMany, stride >= 0, row >= 0 else {
        throw BigLittleError.invalidFrame(
          "plane \(index) of the pixel buffer has \(height) rows of \(stride) bytes, \(width) pixels "
            + "each: no memory holds that")
      }
      return count
    }

    private typealias Encoding = (format: PixelFormat, bytesPerPixel: [Int], range: YuvRange)

    private func encoding() throws -> Encoding {
      switch CVPixelBufferGetPixelFormatType(buffer) {
      case kCVPixelFormatType_420YpCbCr8BiPlanarFullRange: (.nv12, [1, 2], .full)
      case kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange: (.nv12, [1, 2], .limited)
      case kCVPixelFormatType_32BGRA: (.bgra8, [4], .full)
      case kCVPixelFormatType_OneComponent8: (.gray8, [1], .full)
      case let format:
        throw BigLittleError.invalidFrame(
          "the pixel buffer's format is \(fourCharacters(format)): give 420f, 420v, BGRA or L008")
      }
    }

    private func matrix() -> YuvMatrix {
      let matrix = CVBufferCopyAttachment(buffer, kCVImageBufferYCbCrMatrixKey, nil) as? String
      return matrix == nil || matrix == kCVImageBufferYCbCrMatrix_ITU_R_601_4 as String
        ? .bt601 : .bt709
    }
  }

  private func fourCharacters(_ code: OSType) -> String {
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: code >> (24 - 8 * $0)) }
    guard bytes.allSatisfy({ (0x20...0x7e).contains($0) }) else { return "\(code)" }
    return String(decoding: bytes, as: UTF8.self)
  }
#endif
