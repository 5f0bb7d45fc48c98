import AVFoundation
import SwiftUI

/// What the camera sees.
struct PreviewView: UIViewRepresentable {
  let session: AVCaptureSession

  func makeUIView(context: Context) -> PreviewLayerView {
    let view = PreviewLayerView()
    view.previewLayer?.session = session
    view.previewLayer?.videoGravity = .resizeAspectFill
    view.isAccessibilityElement = true
    view.accessibilityLabel = String(localized: "preview.label")
    return view
  }

  func updateUIView(_ view: PreviewLayerView, context: Context) {}
}

final class PreviewLayerView: UIView {
  override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }

  var previewLayer: AVCaptureVideoPreviewLayer? { layer as? AVCaptureVideoPreviewLayer }
}
