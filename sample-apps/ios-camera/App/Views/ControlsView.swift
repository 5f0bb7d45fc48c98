import BigLittle
import CameraModel
import SwiftUI

/// What the user can set: the mode, and a phone that gets hot at a desk.
struct ControlsView: View {
  let model: CameraModel

  var body: some View {
    VStack(alignment: .leading, spacing: 12) {
      Picker("mode.title", selection: mode) {
        Text("mode.saver").tag(UserMode.saver)
        Text("mode.balanced").tag(UserMode.balanced)
        Text("mode.precise").tag(UserMode.precise)
      }
      .pickerStyle(.segmented)
      .frame(minHeight: 44)
      if heat.last > 0 {
        HStack {
          Text("simulate.title")
          Spacer()
          Text(simulated).foregroundStyle(.secondary)
        }
        .font(.subheadline)
        .accessibilityHidden(true)
        Slider(value: position, in: 0...Double(heat.last), step: 1) {
          Text("simulate.title")
        } minimumValueLabel: {
          Image(systemName: "iphone").accessibilityHidden(true)
        } maximumValueLabel: {
          Image(systemName: "flame").accessibilityHidden(true)
        }
        .accessibilityValue(Text(simulated))
        .frame(minHeight: 44)
      }
    }
  }

  private var heat: CameraUiState.Heat { model.state.heat }

  private var simulated: LocalizedStringKey {
    heat.position == 0 ? "simulate.off" : "simulate.minute \(heat.minute.formatted())"
  }

  private var mode: Binding<UserMode> {
    Binding {
      model.state.mode
    } set: {
      model.select($0)
    }
  }

  private var position: Binding<Double> {
    Binding {
      Double(heat.position)
    } set: {
      model.simulateHeat(Int($0.rounded()))
    }
  }
}
