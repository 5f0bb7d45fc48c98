package dev.biglittle.sample.camera

import android.graphics.Bitmap
import dev.biglittle.ThermalLevel
import dev.biglittle.UserMode

/** Everything the screen shows, as plain values. */
data class CameraUiState(
    val stage: Stage = Stage.Starting,
    val source: Source = Source.RECORDED,
    /** The recorded frame that is shown; the camera draws its preview itself. */
    val frame: Bitmap? = null,
    val answer: AnswerUi? = null,
    val rate: RateUi = RateUi(),
    val device: DeviceUi = DeviceUi(),
    /** The policy's level of saving, 0 (all well) to 3 (nearly off). */
    val level: Int = 0,
    /** The CPU time saved against the big network alone, in percent; `null` until it is known. */
    val savedPercent: Int? = null,
    val mode: UserMode = UserMode.BALANCED,
    val heat: HeatUi = HeatUi(),
)

/** Where the app is in its life. */
sealed interface Stage {
    data object Starting : Stage

    data object Running : Stage

    /** [settings]: the system no longer asks, so only its settings can allow the camera. */
    data class NeedsPermission(val settings: Boolean) : Stage

    /** [message] is the library's own sentence. */
    data class Failed(val message: String) : Stage
}

enum class Source { CAMERA, RECORDED }

enum class Tier { LITTLE, BIG, UNSURE, FALLBACK, DROPPED }

/**
 * One answer. [margin] is the little network's, 0 to 1, whoever answered;
 * [threshold] what it had to exceed on this frame. [belowCertificate]: nothing is promised for it.
 */
data class AnswerUi(
    val label: String,
    val tier: Tier,
    val margin: Float,
    val threshold: Float,
    val belowCertificate: Boolean = false,
)

/** The share of frames that went to the big network: now, and as it was, 0 to 1. */
data class RateUi(val share: Float = 0f, val frames: Int = 0, val history: List<Float> = emptyList())

/** What the phone said last, real or simulated; `null` where it says nothing. */
data class DeviceUi(
    val batteryPercent: Int? = null,
    val charging: Boolean = false,
    val lowPower: Boolean = false,
    val thermal: ThermalLevel? = null,
    val headroom: Float? = null,
)

/** The slider: [position] of [last]; 0 is this phone itself. */
data class HeatUi(val position: Int = 0, val last: Int = 0, val minute: Int = 0)
