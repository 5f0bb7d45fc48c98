@preconcurrency import AVFoundation
import BigLittle
import CameraModel

/// Turns what the camera delivers into frames. Nothing is copied, and nothing turned:
/// the networks read the buffer as the sensor wrote it.
final class CameraOutput: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate, Sendable {
  private let continuation: AsyncStream<Frame>.Continuation
  private let framing: CameraFraming

  init(_ continuation: AsyncStream<Frame>.Continuation, framing: CameraFraming) {
    self.continuation = continuation
    self.framing = framing
  }

  func captureOutput(
    _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer,
    from connection: AVCaptureConnection
  ) {
    guard let buffer = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
    let guide = framing.guide(
      bufferWidth: CVPixelBufferGetWidth(buffer), bufferHeight: CVPixelBufferGetHeight(buffer))
    continuation.yield(
      Frame(pixelBuffer: buffer, rotationDegrees: framing.rotationDegrees, crop: guide))
  }

  func finish() {
    continuation.finish()
  }
}
