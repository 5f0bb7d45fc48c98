// What a frame costs on its way from Swift to Rust and back, without the work: the
// time of a call less what the core itself measured for its networks and their input.
// Only a corner of the frame is looked at, so that the work is the same for every size:
// if a frame were copied, a larger one would cost more, as the last column does.
//
//     ci/ios bench
import BigLittle
import BigLittleBindings
import Foundation

let arguments = CommandLine.arguments
guard arguments.count == 2 else {
  print("usage: BoundaryBenchmark BUNDLE")
  exit(2)
}
let url = URL(fileURLWithPath: arguments[1])
let engine = try await BigLittle.open(contentsOf: url, options: EngineOptions(opening: .warmUp))
let native = try NativeEngine.openPath(path: url.path, options: EngineOptions(opening: .warmUp))
let clock = ContinuousClock()

/// The median of what `call` takes beyond the work, in microseconds.
func overhead(_ runs: Int, _ call: () async throws -> Answer) async throws -> Double {
  var times: [Double] = []
  for _ in 0..<runs {
    let began = clock.now
    let answer = try await call()
    let took = clock.now - began
    let nanoseconds = Double(took.components.attoseconds) / 1e9
    times.append((nanoseconds - Double(answer.times.wallNs)) / 1e3)
  }
  return times.sorted()[runs / 2]
}

print("BGRA frame      bytes   work us   call us   actor us   memcpy us")
for (width, height) in [(64, 48), (320, 240), (640, 480), (1_280, 960), (1_920, 1_440)] {
  let data = Data(repeating: 0, count: width * height * 4)
  let corner = Rect(x: 0, y: 0, width: 28, height: 28)
  let frame = Frame(data: data, format: .bgra8, width: width, height: height, crop: corner)
  let layout = FrameLayout(
    format: .bgra8, width: UInt32(width), height: UInt32(height),
    planes: [PlaneLayout(rowStride: UInt32(width * 4), pixelStride: 4)], crop: corner,
    matrix: .bt601,
    range: .full)
  let empty = Data()
  let runs = 400
  var work: [UInt64] = []
  for _ in 0..<20 { work.append(try await engine.classify(frame).times.wallNs) }
  let call = try await overhead(runs) {
    try native.classify(plane0: data, plane1: empty, plane2: empty, layout: layout)
  }
  let actor = try await overhead(runs) { try await engine.classify(frame) }
  let target = UnsafeMutableRawPointer.allocate(byteCount: data.count, alignment: 64)
  defer { target.deallocate() }
  var copies: [Double] = []
  for _ in 0..<runs {
    let began = clock.now
    data.withUnsafeBytes { target.copyMemory(from: $0.baseAddress!, byteCount: data.count) }
    copies.append(Double((clock.now - began).components.attoseconds) / 1e12)
  }
  let columns = [
    "\(width)x\(height)".padding(toLength: 10, withPad: " ", startingAt: 0),
    String(format: "%10d", data.count), String(format: "%9.1f", Double(work.sorted()[10]) / 1e3),
    String(format: "%9.1f", call), String(format: "%10.1f", actor),
    String(format: "%11.1f", copies.sorted()[runs / 2]),
  ]
  print(columns.joined(separator: " "))
}
