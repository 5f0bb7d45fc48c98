import BigLittle
import Foundation
import Testing

/// What does not fit is an error with the core's sentence.
@Suite struct BadInputTests {
  @Test func framesThatLieAreRefusedWithValueAndLimit() async throws {
    let engine = try await TestData.engine()
    let bytes = Data(TestData.digit(0))
    let good = { (width: Int, height: Int, stride: Int?) in
      Frame(data: bytes, format: .gray8, width: width, height: height, bytesPerRow: stride)
    }
    let short = Frame(data: bytes.dropLast(), format: .gray8, width: 28, height: 28)
    var turned = TestData.frame(0)
    turned.rotationDegrees = 45
    var cropped = TestData.frame(0)
    cropped.crop = Rect(x: 20, y: 0, width: 20, height: 28)
    let plane = Frame.Plane(data: bytes, rowStride: 28, pixelStride: 1)
    let planes = { (count: Int, format: PixelFormat) in
      Frame(planes: Array(repeating: plane, count: count), format: format, width: 28, height: 28)
    }
    let cases: [(Frame, [String])] = [
      (short, ["783", "784"]),
      (good(0, 28, nil), ["width is 0"]),
      (good(28, -1, nil), ["height is -1"]),
      (good(40_000, 1, nil), ["40000", "32768"]),
      (good(28, 28, 27), ["27", "28"]),
      (good(28, 28, -28), ["-28"]),
      (good(28, 28, .max), ["row stride"]),
      (good(.max, 28, 28), ["frame width"]),
      (turned, ["45"]),
      (cropped, ["20"]),
      (planes(0, .gray8), ["0 were given"]),
      (planes(2, .gray8), ["2 were given"]),
      (planes(1, .nv12), ["1 were given"]),
      (planes(4, .yuv420), ["4 planes"]),
      (planes(100_000, .yuv420), ["100000 planes"]),
      (
        // Never read: it is refused for its size.
        Frame(
          bytes: UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: 4_096), count: 3 << 30),
          keptAliveBy: nil, format: .gray8, width: 28, height: 28, bytesPerRow: 28),
        ["3221225472 bytes"]
      ),
      (Frame(data: Data(), format: .rgb8, width: 1, height: 1), ["0 bytes"]),
    ]
    for (number, (frame, words)) in cases.enumerated() {
      let error = await failure { try await engine.classify(frame) } as? BigLittleError
      guard case .invalidFrame(let sentence) = error else {
        Issue.record("case \(number): \(String(describing: error))")
        continue
      }
      for word in words { #expect(sentence.contains(word), "case \(number): \(sentence)") }
      #expect(error?.localizedDescription == sentence)
    }
    #expect(try await engine.classify(TestData.frame(0)).label == 7)
  }

  @Test func missingAndDamagedBundlesAreErrors() async throws {
    let missing = await failure {
      try await BigLittle.open(contentsOf: URL(fileURLWithPath: "/no/such.biglittle"))
    }
    guard case .io(let sentence) = missing as? BigLittleError else {
      throw missing ?? TookTooLong()
    }
    #expect(sentence.contains("/no/such.biglittle"))

    let remote = await failure {
      try await BigLittle.open(contentsOf: URL(string: "https://example.com/a.biglittle")!)
    }
    guard case .invalidArgument = remote as? BigLittleError else { throw remote ?? TookTooLong() }

    let whole = try Data(contentsOf: TestData.archive)
    var damaged = [Data(), Data([1, 2, 3]), whole.dropLast(whole.count / 2), whole.dropFirst(100)]
    for place in stride(from: 50, to: whole.count, by: whole.count / 20) {
      var copy = whole
      copy[place] ^= 0x40
      damaged.append(copy)
    }
    for (number, bytes) in damaged.enumerated() {
      let error = await failure { try await BigLittle.open(bytes: bytes) } as? BigLittleError
      switch error {
      case .invalidBundle, .invalidModel: break
      default: Issue.record("damage \(number): \(String(describing: error))")
      }
    }
  }

  @Test func withoutRuntimeOptionsThePolicySaysSo() async throws {
    let engine = try await TestData.engine()
    try engine.push(DeviceReading(atMs: 0))
    let error = await failure { try await engine.status() }
    guard case .invalidArgument(let sentence) = error as? BigLittleError else {
      throw error ?? TookTooLong()
    }
    #expect(sentence.contains("run-time"))
  }

  @Test func optionsOutOfRangeAreNamed() async throws {
    let options: [RuntimeOptions] = [
      RuntimeOptions(budget: Budget(kind: .bigShare(1.5))),
      RuntimeOptions(
        audit: AuditOptions(probability: -1, raisedProbability: 0, raisedFrames: 0, seed: 0)),
      RuntimeOptions(gate: GateOptions(meanDifference: .nan, cellDifference: 0, maxAgeMs: 0)),
    ]
    for option in options {
      let error = await failure { try await TestData.engine(option) }
      guard case .invalidArgument = error as? BigLittleError else {
        Issue.record("\(option): \(String(describing: error))")
        continue
      }
    }
    let engine = try await TestData.engine(RuntimeOptions())
    let error = await failure { try engine.setBudget(Budget(kind: .bigShare(-1))) }
    guard case .invalidArgument = error as? BigLittleError else { throw error ?? TookTooLong() }
  }
}
