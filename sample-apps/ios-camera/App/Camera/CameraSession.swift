@preconcurrency import AVFoundation
import BigLittle
import CameraModel

/// The back camera: asks for it, starts and stops it, and gives its frames.
///
/// The session is touched on one queue only, since starting it blocks and must not
/// come between the beginning and the end of a configuration.
@MainActor
final class CameraSession {
  let capture = AVCaptureSession()
  let framing = CameraFraming()
  private let queue = DispatchQueue(label: "dev.biglittle.camera")
  private var output: CameraOutput?

  /// Begins, and says what there is to see. Asks the user the first time.
  func start() async -> CameraAccess {
    guard let device = AVCaptureDevice.default(for: .video) else { return .missing }
    guard await AVCaptureDevice.requestAccess(for: .video) else { return .denied }
    stop()
    guard !Task.isCancelled else { return .missing }
    let (frames, continuation) = AsyncStream<Frame>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let output = CameraOutput(continuation, framing: framing)
    self.output = output
    let (capture, queue) = (capture, queue)
    let isRunning = await withCheckedContinuation { waiting in
      queue.async {
        let isConfigured = configure(capture, device, output, queue)
        if isConfigured { capture.startRunning() }
        waiting.resume(returning: isConfigured)
      }
    }
    return isRunning ? .granted(frames) : .missing
  }

  func stop() {
    output?.finish()
    output = nil
    let capture = capture
    queue.async { capture.stopRunning() }
  }
}

/// On the session's queue: whether the camera can be used.
private func configure(
  _ capture: AVCaptureSession, _ device: AVCaptureDevice, _ output: CameraOutput,
  _ queue: DispatchQueue
) -> Bool {
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
  // As the sensor lies: the frames say how they are to be turned.
  if let connection = video.connection(with: .video), connection.isVideoRotationAngleSupported(0) {
    connection.videoRotationAngle = 0
  }
  return true
}
