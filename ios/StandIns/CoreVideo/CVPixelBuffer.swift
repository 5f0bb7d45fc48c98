// Stands in for CoreVideo on Linux: the calls that `PixelBufferPixels` makes, over
// memory of its own, and a count of locks for tests to look at.
import Foundation

public typealias OSType = UInt32
public typealias CVReturn = Int32
public typealias CVOptionFlags = UInt64
public typealias CFString = String
public typealias CFTypeRef = Any
public typealias CVBuffer = CVPixelBuffer

public let kCVReturnSuccess: CVReturn = 0
public let kCVReturnError: CVReturn = -6660

private func fourCharacters(_ code: StaticString) -> OSType {
  code.withUTF8Buffer { $0.reduce(0) { $0 << 8 | OSType($1) } }
}

public let kCVPixelFormatType_420YpCbCr8BiPlanarFullRange = fourCharacters("420f")
public let kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange = fourCharacters("420v")
public let kCVPixelFormatType_32BGRA = fourCharacters("BGRA")
public let kCVPixelFormatType_OneComponent8 = fourCharacters("L008")
public let kCVPixelFormatType_32RGBA = fourCharacters("RGBA")

public let kCVImageBufferYCbCrMatrixKey: CFString = "CVImageBufferYCbCrMatrix"
public let kCVImageBufferYCbCrMatrix_ITU_R_601_4: CFString = "ITU_R_601_4"
public let kCVImageBufferYCbCrMatrix_ITU_R_709_2: CFString = "ITU_R_709_2"

public struct CVPixelBufferLockFlags: OptionSet, Sendable {
  public let rawValue: CVOptionFlags
  public init(rawValue: CVOptionFlags) { self.rawValue = rawValue }
  public static let readOnly = CVPixelBufferLockFlags(rawValue: 1)
}

public final class CVPixelBuffer {
  public struct Plane {
    public let width: Int, height: Int, bytesPerRow: Int, bytes: UnsafeMutableRawBufferPointer
  }

  public let format: OSType, width: Int, height: Int, isPlanar: Bool, planes: [Plane]
  public var attachments: [String: String] = [:]
  /// What the next lock returns.
  public var lockResult = kCVReturnSuccess
  public private(set) var locks = 0
  public private(set) var isLocked = false

  /// Copies `rows`, those of one plane after those of the one before. Planar
  /// buffers keep one plane away from the next; each last row is cut short after
  /// its last pixel.
  public init(
    format: OSType, width: Int, height: Int, isPlanar: Bool,
    planes: [(width: Int, height: Int, bytesPerRow: Int, bytes: [UInt8])]
  ) {
    (self.format, self.width, self.height, self.isPlanar) = (format, width, height, isPlanar)
    self.planes = planes.map { plane in
      let bytes = UnsafeMutableRawBufferPointer.allocate(
        byteCount: plane.bytes.count, alignment: 64)
      bytes.copyBytes(from: plane.bytes)
      return Plane(
        width: plane.width, height: plane.height, bytesPerRow: plane.bytesPerRow, bytes: bytes)
    }
  }

  deinit {
    for plane in planes { plane.bytes.deallocate() }
  }

  fileprivate func lock() -> CVReturn {
    guard lockResult == kCVReturnSuccess else { return lockResult }
    locks += 1
    isLocked = true
    return kCVReturnSuccess
  }

  fileprivate func unlock() -> CVReturn {
    isLocked = false
    return kCVReturnSuccess
  }

  fileprivate func base(_ plane: Int) -> UnsafeMutableRawPointer? {
    isLocked && planes.indices.contains(plane) ? planes[plane].bytes.baseAddress : nil
  }
}

public func CVPixelBufferLockBaseAddress(
  _ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags
) -> CVReturn { buffer.lock() }

@discardableResult
public func CVPixelBufferUnlockBaseAddress(
  _ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags
) -> CVReturn { buffer.unlock() }

public func CVPixelBufferGetPixelFormatType(_ buffer: CVPixelBuffer) -> OSType { buffer.format }
public func CVPixelBufferGetWidth(_ buffer: CVPixelBuffer) -> Int { buffer.width }
public func CVPixelBufferGetHeight(_ buffer: CVPixelBuffer) -> Int { buffer.height }
public func CVPixelBufferGetBaseAddress(_ buffer: CVPixelBuffer) -> UnsafeMutableRawPointer? {
  buffer.base(0)
}
public func CVPixelBufferGetBytesPerRow(_ buffer: CVPixelBuffer) -> Int {
  buffer.planes[0].bytesPerRow
}
public func CVPixelBufferGetPlaneCount(_ buffer: CVPixelBuffer) -> Int {
  buffer.isPlanar ? buffer.planes.count : 0
}
public func CVPixelBufferGetBaseAddressOfPlane(
  _ buffer: CVPixelBuffer, _ plane: Int
) -> UnsafeMutableRawPointer? { buffer.base(plane) }
public func CVPixelBufferGetBytesPerRowOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> Int {
  buffer.planes[plane].bytesPerRow
}
public func CVPixelBufferGetWidthOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> Int {
  buffer.planes[plane].width
}
public func CVPixelBufferGetHeightOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> Int {
  buffer.planes[plane].height
}

public enum CVAttachmentMode: UInt32, Sendable { case shouldNotPropagate, shouldPropagate }

public func CVBufferCopyAttachment(
  _ buffer: CVBuffer, _ key: CFString, _ mode: UnsafeMutablePointer<CVAttachmentMode>?
) -> CFTypeRef? { buffer.attachments[key] }
