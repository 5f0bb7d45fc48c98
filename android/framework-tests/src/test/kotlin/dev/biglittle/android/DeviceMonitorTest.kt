package dev.biglittle.android

import android.app.Application
import android.content.Intent
import android.os.BatteryManager
import android.os.Build
import android.os.Looper
import android.os.PowerManager
import dev.biglittle.BigLittle
import dev.biglittle.DeviceReading
import dev.biglittle.ThermalLevel
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.util.ReflectionHelpers
import java.time.Duration

@RunWith(RobolectricTestRunner::class)
class DeviceMonitorTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val power = shadowOf(app.getSystemService(PowerManager::class.java))
    private val main = shadowOf(Looper.getMainLooper())
    private val readings = mutableListOf<DeviceReading>()

    @Before
    fun clear() = HeadroomShadow.clear()

    @Test
    fun theFirstReadingHasEverything() {
        battery(level = 42, scale = 50, plugged = BatteryManager.BATTERY_PLUGGED_USB)
        power.setCurrentThermalStatus(PowerManager.THERMAL_STATUS_MODERATE)
        power.setIsPowerSaveMode(true)
        HeadroomShadow.headroom = 0.75f
        watch {
            val first = readings.first { it.thermalHeadroom != null }
            assertEquals(84f, first.batteryPercent)
            assertEquals(true, first.charging)
            assertEquals(true, first.lowPowerMode)
            assertEquals(ThermalLevel.MODERATE, first.thermalLevel)
            assertEquals(0.75f, first.thermalHeadroom)
            assertEquals(listOf(10), HeadroomShadow.asked)
        }
    }

    @Test
    fun thePhoneIsAskedEveryTenSeconds() {
        watch {
            main.idleFor(Duration.ofSeconds(35))
            assertEquals(4, HeadroomShadow.asked.size)
            val polled = readings.filter { it.thermalHeadroom != null }
            assertEquals(4, polled.size)
            assertEquals(
                listOf<ULong>(10_000u, 10_000u, 10_000u),
                polled.zipWithNext { one, next ->
                    next.atMs -
                        one.atMs
                },
            )
        }
    }

    @Test
    fun aChangeIsHandedOnAtOnceAndDoesNotAskForHeadroom() {
        watch {
            val before = readings.size
            power.setCurrentThermalStatus(PowerManager.THERMAL_STATUS_SEVERE)
            HeadroomShadow.heat(PowerManager.THERMAL_STATUS_SEVERE)
            main.idle()
            assertEquals(ThermalLevel.SEVERE, readings[before].thermalLevel)
            assertNull(readings[before].thermalHeadroom)

            battery(level = 15)
            main.idle()
            assertEquals(15f, readings.last().batteryPercent)

            power.setIsPowerSaveMode(true)
            app.sendBroadcast(Intent(PowerManager.ACTION_POWER_SAVE_MODE_CHANGED))
            main.idle()
            assertEquals(true, readings.last().lowPowerMode)
            assertEquals(1, HeadroomShadow.asked.size)
        }
    }

    @Test
    fun aHeadroomThatIsNotANumberIsHandedOn() {
        HeadroomShadow.headroom = Float.NaN
        watch { assertTrue(readings.any { it.thermalHeadroom?.isNaN() == true }) }
    }

    @Test
    fun withoutABatteryItIsUnknown() = watch {
        assertNull(readings.last().batteryPercent)
        assertNull(readings.last().charging)
    }

    @Test
    fun olderSystemsAreNotAskedWhatTheyDoNotKnow() {
        on(Build.VERSION_CODES.P) {
            assertNull(readings.last().thermalLevel)
            assertNull(readings.last().thermalHeadroom)
            assertTrue(HeadroomShadow.listeners.isEmpty())
        }
        on(Build.VERSION_CODES.Q) {
            assertEquals(ThermalLevel.NONE, readings.last().thermalLevel)
            assertNull(readings.last().thermalHeadroom)
            assertEquals(1, HeadroomShadow.listeners.size)
        }
        assertTrue(HeadroomShadow.asked.isEmpty())
    }

    @Test
    fun closedItLeavesNothingBehind() {
        val before = shadowOf(app).registeredReceivers.size
        val monitor = DeviceMonitor(app, Looper.getMainLooper(), readings::add)
        main.idle()
        assertEquals(before + 1, shadowOf(app).registeredReceivers.size)
        monitor.close()
        monitor.close()
        assertEquals(before, shadowOf(app).registeredReceivers.size)
        assertTrue(HeadroomShadow.listeners.isEmpty())
        readings.clear()
        main.idleFor(Duration.ofSeconds(60))
        assertTrue(readings.isEmpty())
    }

    @Test
    fun itDrivesAnEngineOnAThreadOfItsOwnAndEndsWithIt() = runBlocking {
        val before = shadowOf(app).registeredReceivers.size
        battery(level = 5)
        val engine = BigLittle.open(Digits.bundle)
        DeviceMonitor.of(app, engine).use {
            withTimeout(10_000) { while (engine.status().level < 3u) delay(10) }
            engine.close()
            battery(level = 4)
            withTimeout(10_000) {
                while (shadowOf(app).registeredReceivers.size != before) {
                    main.idle()
                    delay(10)
                }
            }
        }
    }

    private fun watch(look: () -> Unit) {
        DeviceMonitor(app, Looper.getMainLooper(), readings::add).use {
            main.idle()
            look()
        }
    }

    private fun on(api: Int, look: () -> Unit) {
        val real = Build.VERSION.SDK_INT
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", api)
        try {
            watch(look)
        } finally {
            ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", real)
        }
    }

    @Suppress("DEPRECATION") // this is how the system itself sends it
    private fun battery(level: Int, scale: Int = 100, plugged: Int = 0) = app.sendStickyBroadcast(
        Intent(Intent.ACTION_BATTERY_CHANGED)
            .putExtra(BatteryManager.EXTRA_LEVEL, level)
            .putExtra(BatteryManager.EXTRA_SCALE, scale)
            .putExtra(BatteryManager.EXTRA_PLUGGED, plugged),
    )
}
