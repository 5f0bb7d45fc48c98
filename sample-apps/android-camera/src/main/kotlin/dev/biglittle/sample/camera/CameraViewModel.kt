package dev.biglittle.sample.camera

import android.os.SystemClock
import dev.biglittle.AnswerStatus
import dev.biglittle.BigLittle
import dev.biglittle.BigLittleException
import dev.biglittle.DeviceReading
import dev.biglittle.Outcome
import dev.biglittle.UserMode
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.math.roundToInt

/**
 * Runs frames through the networks and keeps what the screen shows. It outlives rotations of the
 * phone and knows no view. All of it runs in [scope], which is the main thread's; the networks run
 * on the engine's own.
 */
internal class CameraViewModel(
    private val scope: CoroutineScope,
    private val openRecording: () -> List<DeviceReading>,
    private val openEngine: suspend () -> BigLittle,
) : AutoCloseable {
    private val mutableState = MutableStateFlow(CameraUiState())
    val state: StateFlow<CameraUiState> = mutableState.asStateFlow()

    private var heat = HeatReplay(emptyList(), ::push)
    private val escalations = EscalationWindow()
    private var engine: BigLittle? = null
    private var frames: Job? = null
    private var ticks: Job? = null
    private var lastReading: DeviceReading? = null

    /** Whether a source was ever chosen. */
    var hasBegun = false
        private set

    /** Classifies [shots] from now on, in place of what was classified before. */
    fun start(source: Source, shots: Flow<Shot>) {
        val before = frames
        hasBegun = true
        mutableState.update { it.copy(stage = Stage.Starting, source = source, frame = null, answer = null) }
        frames = scope.launch {
            before?.cancel()
            before?.join()
            failing {
                val opened = engine ?: open()
                shots.collect { shot -> classify(opened, shot) }
            }
        }
        ticks = ticks ?: scope.launch {
            while (true) {
                delay(TICK_MS)
                heat.stay()
            }
        }
    }

    /** Makes room for the camera's preview, which has to be on the screen before it can start. */
    fun showCamera() {
        stop()
        hasBegun = true
        mutableState.update { it.copy(stage = Stage.Starting, source = Source.CAMERA, answer = null) }
    }

    /** Stops looking at frames; the engine and what it has learnt stay. */
    fun stop() {
        // Kept: whoever starts waits for it, as two cannot have the camera.
        frames?.cancel()
        ticks?.cancel()
        ticks = null
    }

    fun needsPermission(settings: Boolean) {
        stop()
        mutableState.update { it.copy(stage = Stage.NeedsPermission(settings), source = Source.CAMERA) }
    }

    fun fail(message: String) {
        stop()
        mutableState.update { it.copy(stage = Stage.Failed(message)) }
    }

    fun chooseMode(mode: UserMode) {
        mutableState.update { it.copy(mode = mode) }
        engine?.setMode(mode)
    }

    /** A reading of this phone; while heat is simulated the recorded one speaks instead. */
    fun phoneSays(reading: DeviceReading) {
        if (heat.position == 0) push(reading)
    }

    fun simulateHeat(position: Int) {
        heat.moveTo(position, SystemClock.elapsedRealtime())
        mutableState.update { it.copy(heat = HeatUi(heat.position, heat.last, heat.minute)) }
    }

    override fun close() {
        scope.cancel()
        engine?.close()
    }

    private suspend fun open(): BigLittle {
        val recording = withContext(Dispatchers.IO) { openRecording() }
        heat = HeatReplay(recording, ::push)
        mutableState.update { it.copy(heat = HeatUi(0, heat.last)) }
        val opened = openEngine()
        opened.setMode(state.value.mode)
        lastReading?.let(opened::push)
        engine = opened
        return opened
    }

    private fun push(reading: DeviceReading) {
        lastReading = reading
        engine?.push(reading)
        mutableState.update { it.copy(device = it.device.after(reading)) }
    }

    private suspend fun classify(engine: BigLittle, shot: Shot) {
        val outcome = try {
            engine.classify(shot.frame)
        } finally {
            shot.frame.close()
        }
        if (outcome.status != AnswerStatus.DROPPED) escalations.add(outcome.isEscalated)
        val looks = escalations.total % LOOK_EVERY == 1L
        val saved = if (looks) engine.savings().timeSaving else null
        val level = if (looks) engine.status().level.toInt() else state.value.level
        mutableState.update {
            it.copy(
                stage = Stage.Running,
                frame = shot.picture,
                answer = outcome.answer(it.answer),
                rate = escalations.rate(),
                level = level,
                savedPercent = saved?.let { share -> (100 * share).roundToInt() } ?: it.savedPercent,
            )
        }
    }

    /** What the library cannot do is a state of the screen, not a crash. */
    private suspend fun failing(run: suspend () -> Unit) {
        try {
            run()
        } catch (error: BigLittleException) {
            mutableState.update { it.copy(stage = Stage.Failed(error.message.orEmpty())) }
        } catch (error: CameraException) {
            mutableState.update { it.copy(stage = Stage.Failed(error.message.orEmpty())) }
        }
    }

    private companion object {
        const val TICK_MS = 1_000L

        /** Of how many frames one looks at the books and the policy. */
        const val LOOK_EVERY = 5L
    }
}

/** What the screen shows of an outcome. A reused answer has no margin of its own: the last one stays. */
internal fun Outcome.answer(before: AnswerUi?): AnswerUi {
    val little = levels.firstOrNull()
    return AnswerUi(
        label = labelName ?: "?",
        tier = when (status) {
            AnswerStatus.ACCEPTED -> if (tier > 0) Tier.BIG else Tier.LITTLE
            AnswerStatus.UNSURE -> Tier.UNSURE
            AnswerStatus.FALLBACK -> Tier.FALLBACK
            AnswerStatus.DROPPED -> Tier.DROPPED
        },
        margin = little?.score?.takeIf(Float::isFinite) ?: before?.margin ?: 0f,
        threshold = threshold,
        belowCertificate = marks.belowCertificate,
    )
}

private fun DeviceUi.after(reading: DeviceReading) = DeviceUi(
    batteryPercent = reading.batteryPercent?.roundToInt() ?: batteryPercent,
    charging = reading.charging ?: charging,
    lowPower = reading.lowPowerMode ?: lowPower,
    thermal = reading.thermalLevel ?: thermal,
    headroom = reading.thermalHeadroom ?: headroom,
)
