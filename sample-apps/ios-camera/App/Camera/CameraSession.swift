@preconcurrency import AVFoundation
import BigLittle
import CameraModel

/// The back camera: asks for it, starts and stops it, and gives its frames.
@MainActor
final class CameraSession {
  let capture = AVCaptureSession()
  private let queue = DispatchQueue(label: "dev.biglittle.camera")
  private var output: CameraOutput?

  /// Begins, and says what there is to see. Asks the user the first time.
  func start() async -> CameraAccess {
    guard let device = AVCaptureDevice.default(for: .video) else { return .missing }
    guard await AVCaptureDevice.requestAccess(for: .video) else { return .denied }
    stop()
    let (frames, continuation) = AsyncStream<Frame>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let output = CameraOutput(continuation)
    guard configure(device, output) else { return .missing }
    self.output = output
    let capture = capture
    // It blocks until the camera runs.
    queue.async { capture.startRunning() }
    return .granted(frames)
  }

  func stop() {
    output?.finish()
    output = nil
    let capture = capture
    queue.async { capture.stopRunning() }
  }

  private func configure(_ device: AVCaptureDevice, _ output: CameraOutput) -> Bool {
    capture.beginConfiguration()
    defer { capture.commitConfiguration() }
    capture.inputs.forEach(capture.removeInput)
    capture.outputs.forEach(capture.removeOutput)
    capture.sessionPreset = .vga640x480
    let video = AVCaptureVideoDataOutput()
    video.alwaysDiscardsLateVideoFrames = true
    video.videoSettings = [
      kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_420YpCbCr8BiPlanarFullRange
    ]
    video.setSampleBufferDelegate(output, queue: queue)
    guard let input = try? AVCaptureDeviceInput(device: device), capture.canAddInput(input),
      capture.canAddOutput(video)
    else { return false }
    capture.addInput(input)
    capture.addOutput(video)
    // Upright frames for a phone that is held upright.
    if let connection = video.connection(with: .video),
      connection.isVideoRotationAngleSupported(90)
    {
      connection.videoRotationAngle = 90
    }
    return true
  }
}
