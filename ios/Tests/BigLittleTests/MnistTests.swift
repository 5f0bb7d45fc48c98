import Foundation
import Testing

@testable import BigLittle

/// The real networks on the real digits, through every way to open a bundle.
@Suite struct MnistTests {
  @Test func all10000DigitsGetTheCoresAnswers() async throws {
    let engine = try await TestData.engine()
    #expect(TestData.answers.count == 10_000)
    var (correct, byLevel) = (0, [0, 0])
    for (index, expected) in TestData.answers.enumerated() {
      let outcome = try await engine.classify(TestData.frame(index))
      try #require(outcome.label == expected.label, "digit \(index)")
      try #require(outcome.tier == expected.tier, "digit \(index)")
      try #require(outcome.score == expected.score, "digit \(index)")
      correct += Int(expected.label) == TestData.labels[index] ? 1 : 0
      byLevel[Int(outcome.tier)] += 1
    }
    // What `biglittle evaluate` found on this machine; ci/ios hands it over.
    let figures = ProcessInfo.processInfo.environment["BIGLITTLE_EVALUATED"]
    try #require(figures != nil, "run the tests by ci/ios: it asks the command line first")
    let evaluated = try JSONDecoder().decode(Evaluated.self, from: Data(figures!.utf8))
    #expect(Double(correct) / 10_000 == evaluated.cascade.accuracy)
    #expect(byLevel.map { Double($0) / 10_000 } == evaluated.cascade.answered_by_level)
  }

  struct Evaluated: Decodable {
    let cascade: Cascade

    struct Cascade: Decodable {
      let accuracy: Double
      let answered_by_level: [Double]
    }
  }

  @Test(arguments: [Opening.lazy, .eager, .warmUp])
  func howeverItIsOpenedItAnswersTheSame(opening: Opening) async throws {
    let options = EngineOptions(opening: opening)
    let engines = [
      try await BigLittle.open(contentsOf: TestData.bundle, options: options),
      try await BigLittle.open(contentsOf: TestData.archive, options: options),
      try await BigLittle.open(bytes: Data(contentsOf: TestData.archive), options: options),
    ]
    for engine in engines {
      let outcome = try await engine.classify(TestData.frame(0))
      #expect(outcome.label == TestData.answers[0].label)
      #expect(outcome.labelName == "7")
      #expect(outcome.status == .accepted)
      #expect(!outcome.escalated && outcome.reason == nil && outcome.failure == nil)
      #expect(outcome.levels.count == 1 && outcome.macs > 0 && outcome.times.cpuNs > 0)
    }
  }

  @Test func aBundleDescribesItself() async throws {
    let engine = try await TestData.engine()
    #expect(engine.labels == (0...9).map(String.init))
    let info = engine.bundle
    #expect(info.labelCount == 10)
    #expect(info.levels.map(\.name) == ["little", "big"])
    #expect(info.certificate?.loss == .harm)
  }

  @Test func memoryOfOthersIsReadInPlace() async throws {
    let memory = OwnedMemory(TestData.digit(0))
    let frame = Frame(
      bytes: memory.bytes, keptAliveBy: memory, format: .gray8, width: 28, height: 28,
      bytesPerRow: 28)
    let handedOver = try frame.borrow { planes, _ in
      planes[0].withUnsafeBytes { $0.baseAddress }
    }
    #expect(handedOver == memory.bytes.baseAddress, "the same address: nothing was copied")
    let engine = try await TestData.engine()
    #expect(try await engine.classify(frame).score == TestData.answers[0].score)
    // The frame refers to the bytes: what is written there is seen.
    memory.write(TestData.digit(1))
    #expect(try await engine.classify(frame).score == TestData.answers[1].score)
  }
}

/// Bytes that Swift does not manage.
final class OwnedMemory: @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

  init(_ bytes: [UInt8]) {
    memory = .allocate(byteCount: bytes.count, alignment: 16)
    memory.copyBytes(from: bytes)
  }

  func write(_ bytes: [UInt8]) { memory.copyBytes(from: bytes) }

  deinit { memory.deallocate() }
}
