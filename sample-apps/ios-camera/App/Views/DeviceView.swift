import BigLittle
import CameraModel
import SwiftUI

/// Battery, heat, the level of saving and what was saved.
struct DeviceView: View {
  let state: CameraUiState

  var body: some View {
    Grid(alignment: .leading, horizontalSpacing: 16, verticalSpacing: 8) {
      row("device.battery", "battery.50percent") { battery }
      row("device.heat", "thermometer.medium") { heat }
      row("device.level", "leaf") { Text(state.savingLevel, format: .number) }
      row("device.saved", "bolt") { saved }
    }
  }

  private func row(
    _ title: LocalizedStringKey, _ symbol: String, @ViewBuilder value: () -> some View
  ) -> some View {
    GridRow {
      Label(title, systemImage: symbol)
      value().monospacedDigit()
    }
    .accessibilityElement(children: .combine)
  }

  private var battery: Text {
    guard let percent = state.device.batteryPercent else { return Text("device.unknown") }
    return Text(percent / 100, format: .percent.precision(.fractionLength(0)))
  }

  private var heat: some View {
    Text(heatName).foregroundStyle(state.isHot ? Color.red : Color.primary)
  }

  private var heatName: LocalizedStringKey {
    switch state.device.thermalLevel {
    case nil: "device.unknown"
    case .some(.none): "heat.none"
    case .light: "heat.light"
    case .moderate: "heat.moderate"
    case .severe, .critical, .emergency, .shutdown: "heat.severe"
    }
  }

  private var saved: Text {
    guard let share = state.savedShare else { return Text("device.unknown") }
    return Text(share, format: .percent.precision(.fractionLength(1)))
  }
}
