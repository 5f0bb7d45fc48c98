import AVFoundation
import CameraModel
import SwiftUI

/// What the camera sees, upright however the phone is held.
struct PreviewView: UIViewRepresentable {
  let camera: CameraSession

  func makeUIView(context: Context) -> PreviewLayerView {
    let view = PreviewLayerView()
    view.framing = camera.framing
    view.previewLayer?.session = camera.capture
    view.previewLayer?.videoGravity = .resizeAspectFill
    view.isAccessibilityElement = true
    view.accessibilityLabel = String(localized: "preview.camera")
    return view
  }

  func updateUIView(_ view: PreviewLayerView, context: Context) {}
}

final class PreviewLayerView: UIView {
  var framing: CameraFraming?
  private var turning: NSKeyValueObservation?

  override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }

  var previewLayer: AVCaptureVideoPreviewLayer? { layer as? AVCaptureVideoPreviewLayer }

  override func didMoveToWindow() {
    super.didMoveToWindow()
    // From one landscape to the other nothing changes its size.
    turning = window?.windowScene?.observe(\.effectiveGeometry) { [weak self] _, _ in
      Task { @MainActor in self?.setNeedsLayout() }
    }
  }

  override func layoutSubviews() {
    super.layoutSubviews()
    let orientation = screenOrientation
    framing?.show(width: bounds.width, height: bounds.height, orientation: orientation)
    let angle = CGFloat(orientation.rotationDegrees)
    if let connection = previewLayer?.connection, connection.isVideoRotationAngleSupported(angle) {
      connection.videoRotationAngle = angle
    }
  }

  private var screenOrientation: ScreenOrientation {
    switch window?.windowScene?.effectiveGeometry.interfaceOrientation {
    case .landscapeLeft: .landscapeLeft
    case .landscapeRight: .landscapeRight
    case .portraitUpsideDown: .portraitUpsideDown
    default: .portrait
    }
  }
}
