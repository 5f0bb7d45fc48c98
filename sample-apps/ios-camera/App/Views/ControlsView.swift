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
      Toggle("heat.simulate", isOn: isSimulated).frame(minHeight: 44)
      if model.state.simulatedHeat != nil {
        Slider(value: heat, in: 0...1) {
          Text("heat.slider")
        } minimumValueLabel: {
          Image(systemName: "snowflake").accessibilityHidden(true)
        } maximumValueLabel: {
          Image(systemName: "flame").accessibilityHidden(true)
        }
        .frame(minHeight: 44)
      }
    }
  }

  private var mode: Binding<UserMode> {
    Binding {
      model.state.mode
    } set: {
      model.select($0)
    }
  }

  private var isSimulated: Binding<Bool> {
    Binding {
      model.state.simulatedHeat != nil
    } set: {
      model.simulateHeat($0 ? 0 : nil)
    }
  }

  private var heat: Binding<Double> {
    Binding {
      model.state.simulatedHeat ?? 0
    } set: {
      model.simulateHeat($0)
    }
  }
}
