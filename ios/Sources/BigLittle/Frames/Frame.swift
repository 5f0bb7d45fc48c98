import BigLittleBindings
import Foundation

/// One picture to classify, with how its bytes are to be read.
///
/// A frame refers to its bytes and never copies them. Whether sizes, strides,
/// rotation and crop fit the bytes is checked when it is classified, with
/// ``BigLittleError/invalidFrame(_:)`` where they do not.
public struct Frame: Sendable {
  let pixels: any Pixels

  /// The clockwise turn in degrees that makes the picture upright: 0, 90, 180 or 270.
  public var rotationDegrees: Int

  /// The part to look at, in the pixels of the buffer before the turn; all of it
  /// where `nil`.
  public var crop: Rect?

  init(pixels: any Pixels, rotationDegrees: Int, crop: Rect?) {
    self.pixels = pixels
    self.rotationDegrees = rotationDegrees
    self.crop = crop
  }

  /// A frame in one plane whose pixels lie side by side.
  ///
  /// - Parameters:
  ///   - data: The bytes, row after row. The last row may end after its last pixel.
  ///   - format: What a pixel is made of; one that has a single plane.
  ///   - width: The columns of the buffer, 1 to 32,768.
  ///   - height: The rows of the buffer, 1 to 32,768.
  ///   - bytesPerRow: From the start of a row to that of the next; where left out,
  ///     rows follow each other without a gap.
  ///   - rotationDegrees: See ``rotationDegrees``.
  ///   - crop: See ``crop``.
  public init(
    data: Data, format: PixelFormat, width: Int, height: Int, bytesPerRow: Int? = nil,
    rotationDegrees: Int = 0, crop: Rect? = nil
  ) {
    let pixelStride = format.bytesPerPixel
    let rowStride = bytesPerRow ?? width.multipliedReportingOverflow(by: pixelStride).partialValue
    self.init(
      planes: [Plane(data: data, rowStride: rowStride, pixelStride: pixelStride)],
      format: format, width: width, height: height, rotationDegrees: rotationDegrees, crop: crop)
  }

  /// A frame in as many planes as `format` has, such as Y, U and V.
  ///
  /// - Parameters:
  ///   - planes: In the order that the format names them.
  ///   - format: What the planes hold.
  ///   - width: The columns of the buffer, 1 to 32,768.
  ///   - height: The rows of the buffer, 1 to 32,768.
  ///   - matrix: How a YUV format's colours are to be understood; no matter to others.
  ///   - range: Whether a YUV format's values fill 0 to 255 or stop short of it.
  ///   - rotationDegrees: See ``rotationDegrees``.
  ///   - crop: See ``crop``.
  public init(
    planes: [Plane], format: PixelFormat, width: Int, height: Int, matrix: YuvMatrix = .bt601,
    range: YuvRange = .full, rotationDegrees: Int = 0, crop: Rect? = nil
  ) {
    let pixels = DataPixels(
      planes: planes, format: format, width: width, height: height, matrix: matrix, range: range)
    self.init(pixels: pixels, rotationDegrees: rotationDegrees, crop: crop)
  }

  /// A frame in one plane of memory that something else owns.
  ///
  /// - Parameters:
  ///   - bytes: The bytes, row after row. They must stay where they are, and
  ///     unchanged, for as long as this frame or a copy of it is kept.
  ///   - owner: What keeps `bytes` alive; the frame holds on to it.
  ///   - format: What a pixel is made of; one that has a single plane.
  ///   - width: The columns of the buffer, 1 to 32,768.
  ///   - height: The rows of the buffer, 1 to 32,768.
  ///   - bytesPerRow: From the start of a row to that of the next.
  ///   - rotationDegrees: See ``rotationDegrees``.
  ///   - crop: See ``crop``.
  public init(
    bytes: UnsafeRawBufferPointer, keptAliveBy owner: (any Sendable)?, format: PixelFormat,
    width: Int, height: Int, bytesPerRow: Int, rotationDegrees: Int = 0, crop: Rect? = nil
  ) {
    let pixels = MemoryPixels(
      bytes: bytes, owner: owner, format: format, width: width, height: height,
      bytesPerRow: bytesPerRow)
    self.init(pixels: pixels, rotationDegrees: rotationDegrees, crop: crop)
  }

  /// One plane of a frame.
  public struct Plane: Sendable {
    /// The bytes. The last row may end after its last pixel.
    public var data: Data
    /// The bytes from the start of one row to the start of the next.
    public var rowStride: Int
    /// The bytes from the start of one pixel to the start of the next.
    public var pixelStride: Int

    /// A plane of these bytes.
    public init(data: Data, rowStride: Int, pixelStride: Int) {
      self.data = data
      self.rowStride = rowStride
      self.pixelStride = pixelStride
    }
  }
}

extension PixelFormat {
  /// The bytes of a pixel in the first plane.
  var bytesPerPixel: Int {
    switch self {
    case .gray8, .yuv420, .nv12, .nv21: 1
    case .rgb8: 3
    case .rgba8, .bgra8: 4
    }
  }
}
