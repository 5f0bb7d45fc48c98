// What a frame costs on its way from Swift to Rust and back, without the work: the
// time of a call less what the core itself measured for its networks and their input.
// Only a corner of the frame is looked at, so that the work is the same for every size:
// if a frame were copied, a larger one would cost more, as the last column does.
//
//     ci/ios bench
import BigLittle
import BigLittleBindings
import Dispatch
import Foundation

let arguments = CommandLine.arguments
let rounds = arguments.count > 2 ? Int(arguments[2]) ?? 0 : 4_000
guard (2...3).contains(arguments.count), rounds > 0 else {
  print("usage: BoundaryBenchmark BUNDLE [ROUNDS]")
  exit(2)
}
let url = URL(fileURLWithPath: arguments[1])
let engine = try await BigLittle.open(contentsOf: url, options: EngineOptions(opening: .warmUp))
let native = try NativeEngine.openPath(path: url.path, options: EngineOptions(opening: .warmUp))
let clock = ContinuousClock()

/// A frame of one size, in the three ways that it is sent somewhere.
struct Case {
  let name: String
  let data: Data
  let frame: Frame
  let layout: FrameLayout
  let target: UnsafeMutableRawPointer
  /// In nanoseconds.
  var (work, calls, actors, copies) = ([Double](), [Double](), [Double](), [Double]())

  init(_ width: Int, _ height: Int) {
    name = "\(width)x\(height)"
    data = Data(repeating: 0, count: width * height * 4)
    target = .allocate(byteCount: data.count, alignment: 64)
    let corner = Rect(x: 0, y: 0, width: 28, height: 28)
    frame = Frame(data: data, format: .bgra8, width: width, height: height, crop: corner)
    layout = FrameLayout(
      format: .bgra8, width: UInt32(width), height: UInt32(height),
      planes: [PlaneLayout(rowStride: UInt32(width * 4), pixelStride: 4)], crop: corner,
      matrix: .bt601, range: .full)
  }

  mutating func copy() {
    let began = clock.now
    data.withUnsafeBytes { target.copyMemory(from: $0.baseAddress!, byteCount: data.count) }
    copies.append(nanoseconds(clock.now - began))
  }
}

func nanoseconds(_ duration: Duration) -> Double {
  Double(duration.components.seconds) * 1e9 + Double(duration.components.attoseconds) / 1e9
}

/// In microseconds.
func median(_ nanoseconds: [Double]) -> Double { nanoseconds.sorted()[nanoseconds.count / 2] / 1e3 }

/// What an actor with a queue of its own costs although it does nothing: to its thread
/// and back.
actor Hop {
  private final class Executor: SerialExecutor {
    let queue = DispatchQueue(label: "hop", qos: .userInitiated)
    func enqueue(_ job: UnownedJob) {
      queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
      UnownedSerialExecutor(ordinary: self)
    }
  }
  private let executor = Executor()
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private var visits = 0
  @inline(never) func visit() { visits += 1 }
}

let empty = Data()
let hop = Hop()
var (calls, hops) = ([Double](), [Double]())
var cases = [(64, 48), (320, 240), (640, 480), (1_280, 960), (1_920, 1_440)].map(Case.init)
// Interleaved, so that whatever else the machine does meets all alike. The first
// rounds warm up.
for round in -50..<rounds {
  let began = clock.now
  try native.cancel()
  let called = clock.now
  await hop.visit()
  let ended = clock.now
  if round >= 0 {
    calls.append(nanoseconds(called - began))
    hops.append(nanoseconds(ended - called))
  }
  for index in cases.indices {
    let began = clock.now
    let answer = try native.classify(
      plane0: cases[index].data, plane1: empty, plane2: empty, layout: cases[index].layout)
    let called = clock.now
    let outcome = try await engine.classify(cases[index].frame)
    let ended = clock.now
    guard round >= 0 else { continue }
    let work = Double(answer.times.wallNs)
    cases[index].work.append(work)
    cases[index].calls.append(nanoseconds(called - began) - work)
    cases[index].actors.append(nanoseconds(ended - called) - Double(outcome.times.wallNs))
    // It sweeps the caches, and so comes seldom.
    if round % 100 == 0 { cases[index].copy() }
  }
}
print("medians of \(rounds) of each, microseconds")
print("BGRA frame      bytes      work    call +   actor +    memcpy")
for one in cases {
  let figures = [one.work, one.calls, one.actors, one.copies].map {
    String(format: "%9.1f", median($0))
  }
  let name = one.name.padding(toLength: 10, withPad: " ", startingAt: 0)
  print(([name, String(format: "%10d", one.data.count)] + figures).joined(separator: " "))
}
print(
  "a call that does nothing:".padding(toLength: 41, withPad: " ", startingAt: 0), terminator: "")
print(String(format: "%.1f", median(calls)))
print(
  "an actor that only counts:".padding(toLength: 51, withPad: " ", startingAt: 0), terminator: "")
print(String(format: "%.1f", median(hops)))

// A frame that is copied costs more the larger it is; 1,200 kB take 20 us and more.
let (small, camera, large) = (cases[0].calls, cases[2].calls, cases[4].calls)
let limit = 10.0
guard median(camera) < limit, median(large) - median(small) < limit else {
  print("a frame must take less than \(limit) us beyond the work, whatever its size")
  exit(1)
}
