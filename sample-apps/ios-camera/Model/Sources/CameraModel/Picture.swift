import BigLittle
import Foundation

/// A grey picture that comes with the app, for where there is no camera.
public struct Picture: Equatable, Sendable {
  /// A byte a pixel, row after row: 0 is black.
  public let grey: Data
  public let width: Int
  public let height: Int

  var frame: Frame { Frame(data: grey, format: .gray8, width: width, height: height) }

  /// The pictures of an IDX file of bytes, as MNIST has them: a header of 16 bytes
  /// with count, rows and columns, big-endian, then the pictures. None where it is
  /// no such file; those that are whole where it was cut short.
  public static func digits(_ file: Data) -> [Picture] {
    let bytes = [UInt8](file)
    guard bytes.count >= 16, bytes[0..<4] == [0, 0, 8, 3] else { return [] }
    let number = { (at: Int) in bytes[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) } }
    let (rows, columns) = (number(8), number(12))
    guard (1...4_096).contains(rows), (1...4_096).contains(columns) else { return [] }
    let size = rows * columns
    return (0..<min(number(4), (bytes.count - 16) / size)).map { index in
      let start = 16 + index * size
      return Picture(grey: Data(bytes[start..<(start + size)]), width: columns, height: rows)
    }
  }
}
