#if os(Linux)
  import BigLittle
  import CoreVideo
  import Foundation
  import Testing

  /// The Core Video adapter against a stand-in that keeps Core Video's rules.
  @Suite struct PixelBufferTests {
    static let formats = [
      kCVPixelFormatType_420YpCbCr8BiPlanarFullRange,
      kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange, kCVPixelFormatType_32BGRA,
      kCVPixelFormatType_OneComponent8,
    ]

    @Test(arguments: formats, [0, 1, 4, 37])
    func aDigitIsRecognisedWhateverTheFormatAndTheStride(format: OSType, padding: Int) async throws
    {
      let engine = try await TestData.engine()
      for index in 0..<10 {
        let buffer = pixelBuffer(TestData.digit(index), format: format, padding: padding)
        let outcome = try await engine.classify(Frame(pixelBuffer: buffer))
        #expect(outcome.label == TestData.answers[index].label)
        if format == kCVPixelFormatType_OneComponent8 {
          #expect(outcome.score == TestData.answers[index].score)
        }
        #expect(buffer.locks == 1 && !buffer.isLocked, "locked only while it is looked at")
      }
    }

    @Test(arguments: formats, [0, 90, 180, 270])
    func aTurnedBufferIsTurnedBack(format: OSType, degrees: Int) async throws {
      let engine = try await TestData.engine()
      let upright = TestData.digit(0)
      // Where the upright picture's pixel lies in a buffer that has to be turned clockwise.
      let turned = (0..<784).map { place in
        let (x, y) = (place % 28, place / 28)
        return switch degrees {
        case 90: upright[x * 28 + (27 - y)]
        case 180: upright[(27 - y) * 28 + (27 - x)]
        case 270: upright[(27 - x) * 28 + y]
        default: upright[place]
        }
      }
      let score = { (grey: [UInt8], degrees: Int) in
        let buffer = pixelBuffer(grey, format: format, padding: 5)
        return try await engine.classify(Frame(pixelBuffer: buffer, rotationDegrees: degrees)).score
      }
      #expect(try await score(turned, degrees) == score(upright, 0))
    }

    @Test func aCropIsInTheBuffersPixels() async throws {
      let engine = try await TestData.engine()
      var wide = [UInt8](repeating: 255, count: 56 * 28)
      for y in 0..<28 {
        for x in 0..<28 { wide[y * 56 + 20 + x] = TestData.digit(0)[y * 28 + x] }
      }
      let plane = (width: 56, height: 28, bytesPerRow: 56, bytes: wide)
      let buffer = CVPixelBuffer(
        format: kCVPixelFormatType_OneComponent8, width: 56, height: 28, isPlanar: false,
        planes: [plane])
      let crop = Rect(x: 20, y: 0, width: 28, height: 28)
      let outcome = try await engine.classify(Frame(pixelBuffer: buffer, crop: crop))
      #expect(outcome.score == TestData.answers[0].score)
    }

    /// Grey luma gives the same picture by any matrix; chroma tells them apart.
    @Test func theMatrixIsTheBuffers() async throws {
      let engine = try await TestData.engine()
      var scores: [String: Float] = [:]
      for matrix in ["none", "ITU_R_601_4", "ITU_R_709_2", "ITU_R_2020"] {
        let buffer = pixelBuffer(
          TestData.digit(0), format: kCVPixelFormatType_420YpCbCr8BiPlanarFullRange, padding: 4,
          chroma: 255)
        if matrix != "none" { buffer.attachments[kCVImageBufferYCbCrMatrixKey] = matrix }
        scores[matrix] = try await engine.classify(Frame(pixelBuffer: buffer)).score
      }
      #expect(scores["none"] == scores["ITU_R_601_4"])
      #expect(scores["ITU_R_709_2"] != scores["ITU_R_601_4"])
      #expect(scores["ITU_R_2020"] == scores["ITU_R_709_2"])
    }

    @Test func theRangeIsTheFormats() async throws {
      let engine = try await TestData.engine()
      let scores = try await [Self.formats[0], Self.formats[1]].asyncMap { format in
        let buffer = CVPixelBuffer(
          format: format, width: 28, height: 28, isPlanar: true,
          planes: [
            (28, 28, 28, TestData.digit(0)), (14, 14, 28, [UInt8](repeating: 128, count: 14 * 28)),
          ])
        return try await engine.classify(Frame(pixelBuffer: buffer)).score
      }
      #expect(scores[0] != scores[1], "the same bytes mean other brightnesses")
    }

    @Test func whatIsNoFrameIsAnError() async throws {
      let engine = try await TestData.engine()
      let locked = pixelBuffer(
        TestData.digit(0), format: kCVPixelFormatType_OneComponent8, padding: 0)
      locked.lockResult = kCVReturnError
      let cases: [(CVPixelBuffer, String)] = [
        (locked, "-6660"),
        (pixelBuffer(TestData.digit(0), format: kCVPixelFormatType_32RGBA, padding: 0), "RGBA"),
        (pixelBuffer(TestData.digit(0), format: 7, padding: 0), "format is 7"),
        (
          CVPixelBuffer(
            format: kCVPixelFormatType_420YpCbCr8BiPlanarFullRange, width: 28, height: 28,
            isPlanar: true, planes: [(28, 28, 28, TestData.digit(0))]), "has 1 planes"
        ),
        (
          CVPixelBuffer(
            format: kCVPixelFormatType_420YpCbCr8BiPlanarFullRange, width: 28, height: 28,
            isPlanar: false, planes: [(28, 28, 28, TestData.digit(0))]), "has 1 planes"
        ),
        (sized(0, 0, 0), "width is 0"), (sized(28, .max, .max), "no memory"),
        (sized(.max, 1, 0), "give at most"), (sized(1 << 30, 1, 0), "1073741824"),
        (sized(28, 3, -28), "no memory"),
        (sized(-28, 1, 28), "no memory"), (sized(28, 1 << 40, 28), "give at most"),
        (sized(28, 28, 27), "27"),
      ]
      for (buffer, words) in cases {
        let error = await failure { try await engine.classify(Frame(pixelBuffer: buffer)) }
        guard case .invalidFrame(let sentence) = error as? BigLittleError else {
          Issue.record("\(words): \(String(describing: error))")
          continue
        }
        #expect(sentence.contains(words), "\(sentence)")
        #expect(!buffer.isLocked)
      }
    }
  }

  /// Such as `CVPixelBufferCreateWithBytes` makes of whatever it is told.
  private func sized(_ width: Int, _ height: Int, _ bytesPerRow: Int) -> CVPixelBuffer {
    CVPixelBuffer(
      format: kCVPixelFormatType_OneComponent8, width: width, height: height, isPlanar: false,
      planes: [(width, height, bytesPerRow, TestData.digit(0))])
  }

  /// A grey picture of 28 by 28 pixels, with `padding` bytes after each row.
  func pixelBuffer(
    _ grey: [UInt8], format: OSType, padding: Int, chroma: UInt8 = 128
  ) -> CVPixelBuffer {
    /// Rows with their padding, the last one without.
    func rows(_ width: Int, _ height: Int, _ pixel: (Int, Int) -> [UInt8]) -> (
      width: Int, height: Int, bytesPerRow: Int, bytes: [UInt8]
    ) {
      var bytes: [UInt8] = []
      var stride = 0
      for y in 0..<height {
        let row = (0..<width).flatMap { pixel($0, y) }
        stride = row.count + padding
        bytes += row + (y == height - 1 ? [] : [UInt8](repeating: 0xAA, count: padding))
      }
      return (width, height, stride, bytes)
    }
    let at = { (x: Int, y: Int) in grey[y * 28 + x] }
    switch format {
    case kCVPixelFormatType_420YpCbCr8BiPlanarFullRange,
      kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange:
      let isFull = format == kCVPixelFormatType_420YpCbCr8BiPlanarFullRange
      let luma = { (x: Int, y: Int) -> [UInt8] in
        isFull ? [at(x, y)] : [UInt8(16 + (Double(at(x, y)) * 219 / 255).rounded())]
      }
      return CVPixelBuffer(
        format: format, width: 28, height: 28, isPlanar: true,
        planes: [rows(28, 28, luma), rows(14, 14) { _, _ in [chroma, chroma] }])
    case kCVPixelFormatType_32BGRA:
      let pixel = { (x: Int, y: Int) in [at(x, y), at(x, y), at(x, y), 7] }
      return CVPixelBuffer(
        format: format, width: 28, height: 28, isPlanar: false, planes: [rows(28, 28, pixel)])
    default:
      return CVPixelBuffer(
        format: format, width: 28, height: 28, isPlanar: false,
        planes: [rows(28, 28) { [at($0, $1)] }])
    }
  }

  extension Array {
    fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows
      -> [Value]
    {
      var values: [Value] = []
      for element in self { values.append(try await body(element)) }
      return values
    }
  }
#endif
