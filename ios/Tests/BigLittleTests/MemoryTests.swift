import BigLittle
import Foundation
import Testing

/// What a camera that runs for an hour would fill.
@Suite(.serialized) struct MemoryTests {
  static let (width, height) = (640, 480)

  /// As a camera's pool has them: counted, so that a test sees who holds on to one.
  final class Buffer: @unchecked Sendable {
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: MemoryTests.width * MemoryTests.height * 4, alignment: 64)
    private let alive: Alive

    init(_ alive: Alive) {
      self.alive = alive
      memory.initializeMemory(as: UInt8.self, repeating: 0)
      alive.add(1)
    }

    deinit {
      memory.deallocate()
      alive.add(-1)
    }

    var frame: Frame {
      Frame(
        bytes: UnsafeRawBufferPointer(memory), keptAliveBy: self, format: .bgra8,
        width: MemoryTests.width, height: MemoryTests.height, bytesPerRow: MemoryTests.width * 4)
    }
  }

  final class Alive: @unchecked Sendable {
    private let lock = NSLock()
    private var now = 0
    private var peak = 0
    func add(_ count: Int) {
      lock.withLock {
        now += count
        peak = max(peak, now)
      }
    }
    var counts: (now: Int, peak: Int) { lock.withLock { (now, peak) } }
  }

  /// Gives a new buffer whenever it is asked, and then rests.
  struct Camera: AsyncSequence, AsyncIteratorProtocol, Sendable {
    let alive: Alive
    var left: Int

    func makeAsyncIterator() -> Camera { self }

    mutating func next() async -> Frame? {
      guard left > 0 else { return nil }
      left -= 1
      await Task.yield()
      return Buffer(alive).frame
    }
  }

  @Test func aStreamHoldsTwoFramesHoweverSlowItsConsumer() async throws {
    let engine = try await TestData.engine()
    let alive = Alive()
    let stream = engine.classify(Camera(alive: alive, left: 500))
    var answers = 0
    for try await _ in stream {
      answers += 1
      // The next hundred come meanwhile.
      let received = stream.counts.received
      while stream.counts.received < min(500, received + 100) { await Task.yield() }
    }
    #expect((2...10).contains(answers))
    let counts = stream.counts
    #expect(counts.received == 500 && counts.received == counts.answered + counts.dropped)
    // The one in progress, the newest, and the one that just came to take its place.
    #expect(alive.counts.peak <= 3, "\(alive.counts.peak) frames were held at once")
    #expect(alive.counts.now == 0, "a frame is let go with its answer")
  }

  #if os(Linux)
    @Test func classifyingForALongTimeTakesNoMoreMemory() async throws {
      let engine = try await TestData.engine(RuntimeOptions(audit: AuditOptions()))
      let alive = Alive()
      func run(_ frames: Int) async throws {
        for _ in 0..<frames { _ = try await engine.classify(Buffer(alive).frame) }
      }
      try await run(100)
      let before = try residentBytes()
      try await run(1_000)
      let grown = try residentBytes() - before
      // Other tests run at the same time and open engines; a copy that is kept of each
      // frame would be 1.2 GB.
      #expect(grown < 200_000_000, "\(grown) bytes more after 1,000 frames")
      #expect(alive.counts.now == 0 && alive.counts.peak == 1)
    }

    private func residentBytes() throws -> Int {
      let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
      return try #require(Int(line.split(separator: " ")[1].filter(\.isNumber))) * 1_024
    }
  #endif
}
