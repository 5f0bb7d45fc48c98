@preconcurrency import AVFoundation
import BigLittle

/// Turns what the camera delivers into frames. Nothing is copied.
final class CameraOutput: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate, Sendable {
  private let continuation: AsyncStream<Frame>.Continuation

  init(_ continuation: AsyncStream<Frame>.Continuation) {
    self.continuation = continuation
  }

  func captureOutput(
    _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer,
    from connection: AVCaptureConnection
  ) {
    guard let buffer = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
    continuation.yield(Frame(pixelBuffer: buffer, crop: middleSquare(of: buffer)))
  }

  func finish() {
    continuation.finish()
  }

  private func middleSquare(of buffer: CVPixelBuffer) -> Rect {
    let (width, height) = (CVPixelBufferGetWidth(buffer), CVPixelBufferGetHeight(buffer))
    let side = min(width, height)
    return Rect(
      x: UInt32((width - side) / 2), y: UInt32((height - side) / 2), width: UInt32(side),
      height: UInt32(side))
  }
}
