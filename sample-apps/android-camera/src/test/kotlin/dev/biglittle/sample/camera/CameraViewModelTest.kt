package dev.biglittle.sample.camera

import android.app.Application
import dev.biglittle.BigLittle
import dev.biglittle.BigLittleException
import dev.biglittle.DeviceReading
import dev.biglittle.ThermalLevel
import dev.biglittle.UserMode
import dev.biglittle.android.open
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** The app's model with its own assets and the real core; only the screen is left out. */
@RunWith(RobolectricTestRunner::class)
class CameraViewModelTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val readings by lazy { CameraActivity.recording(app.assets) }
    private val digits = RecordedDigits.of(app.assets)
    private val model = modelOf { BigLittle.open(app.assets, CameraActivity.BUNDLE, CameraActivity.OPTIONS) }

    @After
    fun close() = model.close()

    @Test
    fun recordedDigitsAreAnsweredAndCounted() {
        model.phoneSays(
            DeviceReading(atMs = 0u, batteryPercent = 83f, charging = false, thermalLevel = ThermalLevel.NONE),
        )
        model.start(Source.RECORDED, digits.shots(1_000))
        val state = until { it.rate.frames == EscalationWindow.FRAMES && it.savedPercent != null }
        assertEquals(Stage.Running, state.stage)
        assertNotNull(state.frame)
        assertEquals(83, state.device.batteryPercent)
        assertTrue("${state.rate}", state.rate.share in 0f..0.9f)
        assertTrue("${state.savedPercent}", state.savedPercent!! <= 100)
        assertTrue("${state.answer}", state.answer!!.label in (0..9).map(Int::toString))
    }

    @Test
    fun simulatedHeatMovesTheThresholdAndThisPhoneIsNotHeardMeanwhile() {
        model.phoneSays(
            DeviceReading(atMs = 0u, batteryPercent = 90f, charging = false, thermalLevel = ThermalLevel.NONE),
        )
        model.start(Source.RECORDED, digits.shots(1_000))
        val cool = until { it.rate.frames > 20 }.answer!!.threshold
        model.simulateHeat(readings.indexOfFirst { it.thermalLevel == ThermalLevel.SEVERE } + 1)
        model.phoneSays(DeviceReading(atMs = 1u, thermalLevel = ThermalLevel.NONE))
        val hot = until { it.answer!!.threshold < cool && it.level == 3 }
        assertEquals(ThermalLevel.SEVERE, hot.device.thermal)
        assertTrue(hot.heat.minute > 0)
    }

    @Test
    fun whoWantsToSaveIsAtLevelTwo() {
        model.phoneSays(
            DeviceReading(atMs = 0u, batteryPercent = 90f, charging = false, thermalLevel = ThermalLevel.NONE),
        )
        model.start(Source.RECORDED, digits.shots(1_000))
        until { it.rate.frames > 5 && it.level < 2 }
        model.chooseMode(UserMode.SAVER)
        until { it.level == 2 }
    }

    @Test
    fun aBundleThatIsNotThereIsAStateOfTheScreen() = failing("no asset missing.biglittle") {
        BigLittle.open(app.assets, "missing.biglittle")
    }

    @Test
    fun aBundleThatIsDamagedIsAStateOfTheScreen() = failing("") {
        assertThrows(BigLittleException.InvalidBundle::class.java) {
            runBlocking { BigLittle.open(app.assets, "digits.gray8") }
        }.let { throw it }
    }

    private fun failing(part: String, open: suspend () -> BigLittle) {
        modelOf(open).use { model ->
            model.start(Source.RECORDED, digits.shots(1_000))
            val stage = until(model) { it.stage is Stage.Failed }.stage as Stage.Failed
            assertTrue(stage.message, stage.message.contains(part))
        }
    }

    private fun modelOf(open: suspend () -> BigLittle) =
        CameraViewModel(CoroutineScope(SupervisorJob() + Dispatchers.Default.limitedParallelism(1)), {
            CameraActivity.recording(app.assets)
        }, open)

    private fun until(model: CameraViewModel = this.model, seen: (CameraUiState) -> Boolean) = runBlocking {
        withTimeout(60_000) { model.state.first(seen) }
    }
}
