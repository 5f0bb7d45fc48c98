import CameraModel
import SwiftUI

/// The colours and words of a tier, the same wherever it is shown.
struct TierLook {
  let color: Color
  let badge: LocalizedStringKey
  let why: LocalizedStringKey

  init(_ tier: CameraUiState.Tier?) {
    (color, badge, why) =
      switch tier {
      case .little: (.green, "tier.little", "why.little")
      case .big: (.indigo, "tier.big", "why.big")
      case .unsure: (.orange, "tier.unsure", "why.unsure")
      case .fallback: (.orange, "tier.fallback", "why.fallback")
      case .dropped: (.secondary, "tier.none", "why.dropped")
      case nil: (.secondary, "tier.none", "why.none")
      }
  }
}
