import BigLittle
import CameraModel
import SwiftUI

/// How often the big network was asked, what that saved, battery and heat.
struct TilesView: View {
  let state: CameraUiState

  var body: some View {
    Grid(horizontalSpacing: 12, verticalSpacing: 12) {
      GridRow {
        TileView(
          name: "rate.title", value: state.rate.frames == 0 ? nil : percent(state.rate.share),
          caption: "rate.caption \(state.rate.frames.formatted())", history: state.rate.history)
        // Measured on this phone's processor; it is not battery.
        TileView(
          name: "saved.title", value: state.savedShare.map(percent),
          caption: state.savedShare == nil ? "saved.waiting" : "saved.caption")
      }
      GridRow {
        TileView(
          name: "battery.title", value: battery.map { percent($0 / 100) }, caption: charging,
          isAlarming: (battery ?? 100) < 20)
        TileView(
          name: "heat.title", value: heat, caption: saving, isAlarming: state.device.isHot)
      }
    }
  }

  private func percent(_ share: Double) -> Text {
    Text(share, format: .percent.precision(.fractionLength(0)))
  }

  private var battery: Double? { state.device.batteryPercent }

  private var charging: LocalizedStringKey {
    if state.device.isLowPower { return "battery.saver" }
    return state.device.isCharging ? "battery.charging" : "battery.on"
  }

  private var saving: LocalizedStringKey {
    let level = state.level.formatted()
    guard let headroom = state.device.headroom, headroom.isFinite else {
      return "heat.saving \(level)"
    }
    let shown = headroom.formatted(.number.precision(.fractionLength(2)))
    return "heat.headroom \(level) \(shown)"
  }

  private var heat: Text? {
    let name: LocalizedStringKey? =
      switch state.device.thermal {
      case nil: nil
      case .some(.none): "heat.none"
      case .light: "heat.light"
      case .moderate: "heat.moderate"
      case .severe: "heat.severe"
      case .critical, .emergency, .shutdown: "heat.critical"
      }
    return name.map { Text($0) }
  }
}
