import CameraModel
import SwiftUI

/// What is looked at: the camera's preview or a recorded digit, with the square that
/// the networks look at and a button for the other source.
struct PictureView: View {
  let model: CameraModel
  let camera: CameraSession

  var body: some View {
    ZStack {
      Color.black
      if model.state.source == .camera {
        PreviewView(camera: camera)
      } else if let image = model.state.picture?.image {
        // A digit of 28 pixels a side is shown as what it is: pixels.
        Image(image, scale: 1, label: Text("preview.recorded"))
          .resizable()
          .interpolation(.none)
          .scaledToFit()
      }
      GuideShape()
        .stroke(.white, style: StrokeStyle(lineWidth: 3, lineCap: .round))
        .accessibilityHidden(true)
    }
    .clipShape(.rect(cornerRadius: 20))
    .overlay(alignment: .topTrailing) {
      if model.state.hasCamera { source.padding() }
    }
    .padding(8)
  }

  @ViewBuilder private var source: some View {
    let isCamera = model.state.source == .camera
    Button(isCamera ? "source.useRecorded" : "source.useCamera") {
      model.choose(isCamera ? .recorded : .camera)
    }
    .buttonStyle(.borderedProminent)
    .frame(minHeight: 44)
  }
}

/// The corners of the square.
private struct GuideShape: Shape {
  func path(in rect: CGRect) -> Path {
    let half = min(rect.width, rect.height) * CameraFraming.guideShare / 2
    let arm = half / 4
    var path = Path()
    for (side, edge) in [(-1.0, -1.0), (1, -1), (-1, 1), (1, 1)] {
      let corner = CGPoint(x: rect.midX + side * half, y: rect.midY + edge * half)
      path.move(to: CGPoint(x: corner.x - side * arm, y: corner.y))
      path.addLine(to: corner)
      path.addLine(to: CGPoint(x: corner.x, y: corner.y - edge * arm))
    }
    return path
  }
}

extension Picture {
  fileprivate var image: CGImage? {
    guard let provider = CGDataProvider(data: grey as CFData) else { return nil }
    return CGImage(
      width: width, height: height, bitsPerComponent: 8, bitsPerPixel: 8, bytesPerRow: width,
      space: CGColorSpaceCreateDeviceGray(), bitmapInfo: CGBitmapInfo(rawValue: 0),
      provider: provider, decode: nil, shouldInterpolate: false, intent: .defaultIntent)
  }
}
