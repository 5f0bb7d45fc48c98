package dev.biglittle.sample.camera

import android.graphics.drawable.BitmapDrawable
import android.view.TextureView
import android.view.View
import android.widget.Button
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.RadioGroup
import android.widget.SeekBar
import android.widget.TextView
import dev.biglittle.ThermalLevel
import dev.biglittle.UserMode
import kotlin.math.roundToInt

/** Draws a [CameraUiState] on the views of `camera_screen.xml`, and tells [actions] what was touched. */
internal class CameraScreen(private val root: View, private val actions: Actions) {
    /** What the user can do. */
    interface Actions {
        fun chooseMode(mode: UserMode)

        fun simulateHeat(position: Int)

        fun chooseSource(source: Source)

        fun allowCamera()

        fun retry()
    }

    val camera: TextureView = root.view(R.id.camera)
    private val preview: View = root.view(R.id.preview)
    private val recorded: ImageView = root.view(R.id.recorded)
    private val source: TextView = root.view(R.id.source)
    private val panel: View = root.view(R.id.panel)
    private val answer: View = root.view(R.id.answer)
    private val label: TextView = root.view(R.id.label)
    private val badge: TextView = root.view(R.id.badge)
    private val why: TextView = root.view(R.id.why)
    private val margin: MarginBar = root.view(R.id.margin)
    private val rate: StatTile = root.view(R.id.rate)
    private val saved: StatTile = root.view(R.id.saved)
    private val battery: StatTile = root.view(R.id.battery)
    private val heat: StatTile = root.view(R.id.heat)
    private val modes: RadioGroup = root.view(R.id.modes)
    private val simulate: SeekBar = root.view(R.id.simulate)
    private val simulated: TextView = root.view(R.id.simulated)
    private val message: View = root.view(R.id.message)
    private val messageTitle: TextView = root.view(R.id.message_title)
    private val messageText: TextView = root.view(R.id.message_text)
    private val messageAction: Button = root.view(R.id.message_action)
    private val messageOther: Button = root.view(R.id.message_other)
    private var state: CameraUiState? = null

    init {
        if (root.resources.configuration.fontScale >= LARGE_TEXT) {
            for (row in listOf(
                R.id.tiles,
                R.id.more_tiles,
                R.id.modes,
                R.id.simulate_title,
            )) {
                root.view<LinearLayout>(row).stack()
            }
        }
        modes.setOnCheckedChangeListener { _, id -> MODES[id]?.let(actions::chooseMode) }
        simulate.setOnSeekBarChangeListener(
            object : SeekBar.OnSeekBarChangeListener {
                override fun onProgressChanged(bar: SeekBar, position: Int, byUser: Boolean) {
                    if (byUser) actions.simulateHeat(position)
                }

                override fun onStartTrackingTouch(bar: SeekBar) = Unit

                override fun onStopTrackingTouch(bar: SeekBar) = Unit
            },
        )
        source.setOnClickListener {
            actions.chooseSource(if (state?.source == Source.CAMERA) Source.RECORDED else Source.CAMERA)
        }
        messageAction.setOnClickListener {
            if (state?.stage is Stage.Failed) actions.retry() else actions.allowCamera()
        }
        messageOther.setOnClickListener { actions.chooseSource(Source.RECORDED) }
    }

    fun show(next: CameraUiState) {
        val before = state
        state = next
        showStage(next)
        if (before?.answer != next.answer || before == null) showAnswer(next.answer)
        showRate(next.rate)
        showSaved(next.savedPercent)
        showDevice(next.device, next.level)
        showChoices(next)
    }

    private fun showStage(next: CameraUiState) {
        val stage = next.stage
        val blocked = stage is Stage.NeedsPermission || stage is Stage.Failed
        message.visibility = visible(blocked)
        preview.visibility = visible(!blocked)
        panel.visibility = visible(!blocked)
        source.visibility = visible(!blocked)
        when (stage) {
            is Stage.NeedsPermission -> {
                messageTitle.setText(R.string.permission_title)
                messageText.setText(R.string.permission_text)
                messageAction.setText(if (stage.settings) R.string.permission_settings else R.string.permission_allow)
                messageOther.visibility = View.VISIBLE
            }

            is Stage.Failed -> {
                messageTitle.setText(R.string.error_title)
                messageText.text = sentence(stage.message)
                messageAction.setText(R.string.retry)
                messageOther.visibility = visible(next.source == Source.CAMERA)
            }

            Stage.Starting, Stage.Running -> Unit
        }
        val onCamera = next.source == Source.CAMERA
        source.setText(if (onCamera) R.string.use_recorded_short else R.string.use_camera)
        source.contentDescription = text(if (onCamera) R.string.use_recorded else R.string.use_camera)
        camera.visibility = visible(onCamera)
        recorded.visibility = visible(!onCamera)
        preview.contentDescription = text(if (onCamera) R.string.preview_camera else R.string.preview_recorded)
        // A digit of 28 pixels a side is shown as what it is: pixels.
        if ((recorded.drawable as? BitmapDrawable)?.bitmap !== next.frame) {
            recorded.setImageDrawable(
                next.frame?.let { BitmapDrawable(root.resources, it).apply { isFilterBitmap = false } },
            )
        }
    }

    private fun showAnswer(next: AnswerUi?) {
        val look = next?.tier.look
        val color = color(look.color)
        val tint = color(look.tint)
        label.text = next?.label?.takeIf { next.tier != Tier.DROPPED } ?: text(R.string.unknown)
        label.setTextColor(color)
        label.background.mutate().setTint(tint)
        badge.setText(look.badge)
        badge.setTextColor(color)
        badge.background.mutate().setTint(tint)
        why.setText(
            when {
                state?.stage == Stage.Starting -> R.string.starting
                next?.belowCertificate == true -> R.string.why_below
                else -> look.why
            },
        )
        answer.contentDescription = text(R.string.answer_spoken, label.text, why.text)
        margin.show(next)
    }

    private fun showRate(next: RateUi) {
        val percent = (next.share * 100).roundToInt()
        rate.show(
            StatTile.Content(
                name = text(R.string.rate),
                value = if (next.frames == 0) text(R.string.unknown) else text(R.string.percent, percent),
                caption = text(R.string.rate_caption, next.frames),
                history = next.history,
                spoken = text(R.string.rate_spoken, percent, next.frames),
            ),
        )
    }

    private fun showSaved(percent: Int?) = saved.show(
        StatTile.Content(
            name = text(R.string.saved),
            value = percent?.let { text(R.string.percent, it) } ?: text(R.string.unknown),
            caption = text(if (percent == null) R.string.saved_waiting else R.string.saved_caption),
            colour = if (percent != null && percent > 0) R.color.little else R.color.ink,
        ),
    )

    private fun showDevice(next: DeviceUi, level: Int) {
        battery.show(
            StatTile.Content(
                name = text(R.string.battery),
                value = next.batteryPercent?.let { text(R.string.percent, it) } ?: text(R.string.unknown),
                caption = text(
                    when {
                        next.lowPower -> R.string.battery_saver
                        next.charging -> R.string.battery_charging
                        else -> R.string.battery_on
                    },
                ),
                colour = if (next.batteryPercent != null &&
                    next.batteryPercent < LOW_BATTERY
                ) {
                    R.color.hot
                } else {
                    R.color.ink
                },
            ),
        )
        val hot = next.thermal != null && next.thermal >= ThermalLevel.MODERATE
        heat.show(
            StatTile.Content(
                name = text(R.string.heat),
                value = next.thermal?.let { text(HEATS.getValue(it)) } ?: text(R.string.unknown),
                caption = next.headroom?.takeIf { it.isFinite() }?.let { text(R.string.headroom, level, it) }
                    ?: text(R.string.headroom_unknown, level),
                colour = if (hot) R.color.hot else R.color.ink,
            ),
        )
    }

    private fun showChoices(next: CameraUiState) {
        val id = MODES.entries.first { it.value == next.mode }.key
        if (modes.checkedRadioButtonId != id) modes.check(id)
        simulate.max = next.heat.last
        if (simulate.progress != next.heat.position) simulate.progress = next.heat.position
        simulated.text =
            if (next.heat.position == 0) text(R.string.simulate_off) else text(R.string.simulate_at, next.heat.minute)
        simulate.contentDescription = text(R.string.simulate_spoken, simulated.text)
    }

    /** The library's messages are fragments: a person gets a sentence, unless it begins with a file's name. */
    private fun sentence(message: String): String {
        val isName = message.substringBefore(' ').any { it == '.' || it == '/' }
        return (if (isName) message else message.replaceFirstChar(Char::uppercase)).trimEnd('.') + "."
    }

    private fun text(id: Int, vararg values: Any): String = root.resources.getString(id, *values)

    private fun color(id: Int): Int = root.context.getColor(id)

    private fun visible(yes: Boolean) = if (yes) View.VISIBLE else View.GONE

    private companion object {
        const val LOW_BATTERY = 20

        /** From here on what stands side by side is set one below the other. */
        const val LARGE_TEXT = 1.25f

        val MODES = mapOf(
            R.id.mode_saver to UserMode.SAVER,
            R.id.mode_balanced to UserMode.BALANCED,
            R.id.mode_precise to UserMode.PRECISE,
        )

        val HEATS = mapOf(
            ThermalLevel.NONE to R.string.heat_none,
            ThermalLevel.LIGHT to R.string.heat_light,
            ThermalLevel.MODERATE to R.string.heat_moderate,
            ThermalLevel.SEVERE to R.string.heat_severe,
            ThermalLevel.CRITICAL to R.string.heat_critical,
            ThermalLevel.EMERGENCY to R.string.heat_emergency,
            ThermalLevel.SHUTDOWN to R.string.heat_shutdown,
        )
    }
}

/** The view that the layout has by this id. */
internal fun <T : View> View.view(id: Int): T = checkNotNull(findViewById<T>(id)) { "the layout has no view $id" }

/** Turns a row of equal shares into a column. */
private fun LinearLayout.stack() {
    orientation = LinearLayout.VERTICAL
    for (index in 0 until childCount) {
        val place = getChildAt(index).layoutParams as LinearLayout.LayoutParams
        if (place.weight > 0) {
            place.width = LinearLayout.LayoutParams.MATCH_PARENT
            place.height = LinearLayout.LayoutParams.WRAP_CONTENT
            place.weight = 0f
            if (place.topMargin == 0) place.topMargin = place.marginStart
            if (index > 0) place.marginStart = place.marginEnd
        }
    }
}
