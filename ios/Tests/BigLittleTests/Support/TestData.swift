import BigLittle
import Foundation

/// Files of the repository, and those that `ci/ios` makes of them.
enum TestData {
  static let root = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../../../..").standardizedFileURL
  static let bundle = root.appendingPathComponent("models/mnist/bundle")
  static let devices = root.appendingPathComponent("rust-core/core/tests/data/devices")
  /// By `cargo run -p biglittle --example digits`.
  static let made = root.appendingPathComponent("target/ios/data")
  static let archive = made.appendingPathComponent("mnist.biglittle")

  /// All 10,000 test digits, 28 by 28 bytes each, one after the other.
  static let pixels = try! Data(
    contentsOf: made.appendingPathComponent("t10k-images-idx3-ubyte"), options: .alwaysMapped
  ).dropFirst(16)
  static let labels = try! Data(
    contentsOf: made.appendingPathComponent("t10k-labels-idx1-ubyte")
  ).dropFirst(8).map { Int($0) }

  static func digit(_ index: Int) -> [UInt8] {
    let start = pixels.startIndex + index * 784
    return [UInt8](pixels[start..<(start + 784)])
  }

  static func frame(_ index: Int) -> Frame {
    Frame(data: Data(digit(index)), format: .gray8, width: 28, height: 28)
  }

  /// The core's own answers.
  static let answers: [(label: UInt32, tier: UInt8, score: Float)] = {
    let text = try! String(contentsOf: made.appendingPathComponent("answers.txt"), encoding: .utf8)
    return text.split(separator: "\n").map { line in
      let numbers = line.split(separator: " ").map { UInt32($0)! }
      return (numbers[0], UInt8(numbers[1]), Float(bitPattern: numbers[2]))
    }
  }()

  static func engine(_ runtime: RuntimeOptions? = nil) async throws -> BigLittle {
    try await BigLittle.open(
      contentsOf: bundle, options: EngineOptions(opening: .eager, runtime: runtime))
  }
}

/// What a call throws.
func failure<Result: Sendable>(
  isolation: isolated (any Actor)? = #isolation, _ call: () async throws -> Result
) async -> (any Error)? {
  do {
    _ = try await call()
    return nil
  } catch {
    return error
  }
}

/// Runs `body`, or throws where it takes too long: a hang is a failure, not a wait.
func within<Result: Sendable>(
  _ limit: Duration, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Result.self) { group in
    group.addTask(operation: body)
    group.addTask {
      try await Task.sleep(for: limit)
      throw TookTooLong()
    }
    defer { group.cancelAll() }
    return try await group.next()!
  }
}

struct TookTooLong: Error {}
