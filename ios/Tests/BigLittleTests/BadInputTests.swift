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
    let chroma = { (format: PixelFormat, sizes: [Int], stride: Int) in
      let planes = sizes.map {
        Frame.Plane(data: Data(count: $0), rowStride: 14 * stride, pixelStride: stride)
      }
      return Frame(planes: [plane] + planes, format: format, width: 28, height: 28)
    }
    var turnedFar = TestData.frame(0)
    turnedFar.rotationDegrees = .max
    var nowhere = TestData.frame(0)
    nowhere.crop = Rect(x: .max, y: .max, width: .max, height: .max)
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
      (chroma(.nv12, [391], 2), ["391", "392"]),
      (chroma(.nv21, [0], 2), ["0", "392"]),
      (chroma(.yuv420, [196, 195], 1), ["195", "196"]),
      (chroma(.yuv420, [196, 196], 0), ["0"]),
      (chroma(.yuv420, [196, 196], -1), ["-14"]),
      (turnedFar, ["2147483647"]),
      (nowhere, ["4294967295"]),
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

    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("cut.biglittle")
    for (bytes, url) in [
      (Data(), file), (Data("PK".utf8), file),
      (try Data(contentsOf: TestData.archive.absoluteURL).prefix(999), file),
      (Data("{".utf8), folder),
    ] {
      try bytes.write(to: url == folder ? folder.appendingPathComponent("manifest.json") : file)
      let error = await failure { try await BigLittle.open(contentsOf: url) } as? BigLittleError
      switch error {
      case .invalidBundle, .invalidModel: break
      default: Issue.record("\(bytes.count) bytes: \(String(describing: error))")
      }
    }
    for path in ["", "/dev/zero", "a\0b", String(repeating: "a", count: 100_000)] {
      let error = await failure {
        try await BigLittle.open(contentsOf: URL(fileURLWithPath: path))
      }
      #expect(error is BigLittleError, "\(path.prefix(20)): \(String(describing: error))")
    }

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

  @Test func recordingsThatAreNoneAreErrors() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    // Larger than anything that is read: the file has a hole, and takes no space.
    #expect(FileManager.default.createFile(atPath: file.path, contents: nil))
    let handle = try FileHandle(forWritingTo: file)
    try handle.truncate(atOffset: 5 << 30)
    try handle.close()
    let huge = await failure { try DeviceTrace.read(from: file) }
    guard case .invalidData(let sentence) = huge as? BigLittleError else {
      throw huge ?? TookTooLong()
    }
    #expect(sentence.contains("67108865") && sentence.contains("67108864"))
    try Data([0xff, 0xfe, 0xfd]).write(to: file)
    for url in [file, FileManager.default.temporaryDirectory] {
      guard case .io = await failure({ try DeviceTrace.read(from: url) }) as? BigLittleError else {
        Issue.record("\(url)")
        continue
      }
    }
  }

  /// Durations, counts and numbers that nobody means.
  @Test func absurdNumbersAreHarmless() async throws {
    #expect(await firstOf(ReplayFrames([TestData.frame(0)], count: -1)) == nil)
    for interval in [Duration.seconds(-5), .seconds(Int64.max), .zero] {
      let frames = ReplayFrames([TestData.frame(0)], interval: interval, count: .max)
      let task = Task {
        var count = 0
        for await _ in frames {
          count += 1
          if count == 5 { break }
        }
        return count
      }
      try await Task.sleep(for: .milliseconds(20))
      task.cancel()
      #expect((1...5).contains(await task.value))
    }
    let recorder = DeviceTraceRecorder(name: "", description: "\n\"", limit: -1)
    recorder.record(DeviceReading(atMs: .max, batteryPercent: .nan, thermalHeadroom: .infinity))
    #expect(recorder.isFull && recorder.trace.events.isEmpty)

    let engine = try await TestData.engine(RuntimeOptions())
    for reading in [
      DeviceReading(atMs: .max, batteryPercent: .nan, thermalHeadroom: .nan),
      DeviceReading(atMs: 0, batteryPercent: -.infinity, thermalHeadroom: -1),
      DeviceReading(atMs: .max, batteryPercent: 1e38, thermalHeadroom: .greatestFiniteMagnitude),
    ] {
      try engine.push(reading)
      #expect(try await engine.status().level <= 3)
    }
    #expect(try await engine.classify(TestData.frame(0)).label == 7)
    let far = DeviceTrace(
      name: "far", description: "the end of time",
      events: [0, UInt64.max, 5, .max].map { .reading(DeviceReading(atMs: $0)) })
    for speed in [Double.leastNonzeroMagnitude, 1e-9, .greatestFiniteMagnitude] {
      let task = Task { try await ReplayDevice(far).events(speed: speed) { _ in } }
      try await Task.sleep(for: .milliseconds(5))
      task.cancel()
      let error = await failure { try await task.value }
      #expect(error == nil || error is CancellationError)
    }
  }

  private func firstOf(_ frames: ReplayFrames) async -> Frame? {
    var iterator = frames.makeAsyncIterator()
    return await iterator.next()
  }
}
