package dev.biglittle.sample.camera

/** The colours and words of a tier, the same wherever it is shown. */
internal data class TierLook(val color: Int, val tint: Int, val badge: Int, val why: Int)

internal val Tier?.look: TierLook
    get() = when (this) {
        Tier.LITTLE -> TierLook(R.color.little, R.color.little_tint, R.string.tier_little, R.string.why_little)
        Tier.BIG -> TierLook(R.color.big, R.color.big_tint, R.string.tier_big, R.string.why_big)
        Tier.UNSURE -> TierLook(R.color.unsure, R.color.unsure_tint, R.string.tier_unsure, R.string.why_unsure)
        Tier.FALLBACK -> TierLook(R.color.unsure, R.color.unsure_tint, R.string.tier_fallback, R.string.why_fallback)
        Tier.DROPPED -> TierLook(R.color.ink_soft, R.color.track, R.string.tier_none, R.string.why_dropped)
        null -> TierLook(R.color.ink_soft, R.color.track, R.string.tier_none, R.string.why_none)
    }
