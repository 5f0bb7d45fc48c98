import BigLittle
import Foundation
import Testing

@testable import CameraModel

/// The phone held this way and that.
@Suite struct CameraFramingTests {
  let framing = CameraFraming()

  @Test func thePanelIsBesideAPictureThatIsWiderThanHigh() {
    #expect(ScreenLayout(width: 390, height: 844) == .stacked)
    #expect(ScreenLayout(width: 844, height: 390) == .sideBySide)
    #expect(ScreenLayout(width: 0, height: 0) == .stacked)
  }

  /// A buffer of the sensor, as the camera delivers it when the phone is held so, is
  /// recognised: the turn makes it upright.
  @Test(arguments: ScreenOrientation.allCases)
  func heldAnyWayADigitIsUpright(orientation: ScreenOrientation) async throws {
    framing.show(width: 100, height: 100, orientation: orientation)
    let upright = [UInt8](Files.digits[0].grey)
    let counterclockwise = { (pixels: [UInt8]) -> [UInt8] in
      (0..<784).map { (place: Int) -> UInt8 in
        let (row, column) = (place / 28, place % 28)
        return pixels[column * 28 + 27 - row]
      }
    }
    var sensor = upright
    for _ in 0..<(framing.rotationDegrees / 90) { sensor = counterclockwise(sensor) }
    var frame = Frame(data: Data(sensor), format: .gray8, width: 28, height: 28)
    frame.rotationDegrees = framing.rotationDegrees
    let engine = try await BigLittle.open(
      contentsOf: CameraModelTests.bundle, options: .camera)
    let outcome = try await engine.classify(frame)
    let expected = try await engine.classify(Files.digits[0].frame)
    #expect(outcome.score == expected.score && outcome.labelName == "7")
  }

  @Test func eachTurnOfThePhoneIsAQuarterOfATurn() {
    // Left in UIKit is where the home button is: the sensor's own way is to the right.
    let degrees = [
      ScreenOrientation.landscapeRight, .portrait, .landscapeLeft, .portraitUpsideDown,
    ]
    .map(\.rotationDegrees)
    #expect(degrees == [0, 90, 180, 270])
  }

  @Test func theGuideIsTheSquareThatIsSeenInTheMiddle() throws {
    // Upright, a view as wide as high: the buffer's shorter side fills it.
    framing.show(width: 300, height: 300, orientation: .portrait)
    let square = try #require(framing.guide(bufferWidth: 640, bufferHeight: 480))
    #expect(square == Rect(x: 114, y: 34, width: 412, height: 412))
    // The same view with the phone on its side: the same square.
    framing.show(width: 300, height: 300, orientation: .landscapeLeft)
    #expect(framing.guide(bufferWidth: 640, bufferHeight: 480) == square)
    // A view that is high and narrow cuts the picture at its sides.
    framing.show(width: 150, height: 300, orientation: .portrait)
    let narrow = try #require(framing.guide(bufferWidth: 640, bufferHeight: 480))
    #expect(narrow.width == Int(0.86 * 150 / (300.0 / 640)) && narrow.width == narrow.height)
    // On its side the same view is filled by the height of the buffer.
    framing.show(width: 150, height: 300, orientation: .landscapeRight)
    #expect(
      framing.guide(bufferWidth: 640, bufferHeight: 480)?.width
        == UInt32(0.86 * 150 / (300.0 / 480)))
  }

  @Test func whatIsNotLaidOutHasNoGuide() {
    #expect(framing.guide(bufferWidth: 640, bufferHeight: 480) == nil)
    for (width, height) in [(0.0, 0.0), (-1, -1), (.nan, 1), (.infinity, .infinity)] {
      framing.show(width: width, height: height, orientation: .portrait)
      #expect(framing.guide(bufferWidth: 640, bufferHeight: 480) == nil)
    }
    framing.show(width: 300, height: 200, orientation: .portrait)
    for (width, height) in [(0, 0), (-1, 5), (.max, .max), (40_000, 1)] {
      #expect(framing.guide(bufferWidth: width, bufferHeight: height) == nil)
    }
    #expect(framing.guide(bufferWidth: 1, bufferHeight: 32_768)?.width == 1)
  }
}

/// What is in the app beside its code.
@MainActor @Suite struct ShippedTests {
  @Test func onlyWholePicturesOfAnIdxFileAreShown() {
    #expect(Files.digits.count == 10_000)
    let cut = Data([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 7, 7, 7])
    #expect(Picture.digits(cut) == [Picture(grey: Data([7, 7]), width: 2, height: 1)])
    for bad in [Data(), Data([1]), Data(count: 20), Data(repeating: 255, count: 99)] {
      #expect(Picture.digits(bad).isEmpty)
    }
    #expect(Picture.digits(cut.dropLast(2)).isEmpty, "not one picture is whole")
  }

  @Test func theShippedPartsAreTheOnesThatTheProjectCopies() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(contentsOf: Files.idx).prefix(784_016)
      .write(to: folder.appendingPathComponent("digits.idx"))
    for file in [CameraModelTests.bundle, Files.device] {
      try FileManager.default.createSymbolicLink(
        at: folder.appendingPathComponent(file.lastPathComponent), withDestinationURL: file)
    }
    let voice = CameraModelTests.FakeVoice()
    let parts = CameraParts.shipped(in: folder, device: voice)
    #expect(parts.pictures.count == 1_000 && parts.heat.count > 100)
    let model = CameraModel(parts: parts)
    model.startRecorded()
    for _ in 0..<2_000 where model.state.answer == nil {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(model.state.answer != nil)
    model.stop()

    let empty = CameraParts.shipped(in: folder.appendingPathComponent("none"), device: voice)
    #expect(empty.pictures.isEmpty && empty.heat.isEmpty)
  }
}
