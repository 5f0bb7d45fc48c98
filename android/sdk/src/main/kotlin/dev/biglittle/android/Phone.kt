package dev.biglittle.android

import android.annotation.TargetApi
import android.content.Context
import android.content.Intent
import android.os.BatteryManager
import android.os.Build
import android.os.Handler
import android.os.PowerManager
import android.os.SystemClock
import dev.biglittle.DeviceReading
import dev.biglittle.ThermalLevel
import java.util.concurrent.Executor

/** What the system's services say at one moment, as a [DeviceReading]. Decides nothing. */
internal class Phone(context: Context) {
    private val power = context.getSystemService(Context.POWER_SERVICE) as PowerManager?

    /** The last `ACTION_BATTERY_CHANGED`: it is sticky, so one comes on registering. */
    @Volatile
    var battery: Intent? = null

    fun read(withHeadroom: Boolean): DeviceReading = DeviceReading(
        atMs = SystemClock.elapsedRealtime().toULong(),
        batteryPercent = batteryPercent(),
        charging = extra(BatteryManager.EXTRA_PLUGGED)?.let { it != 0 },
        lowPowerMode = power?.isPowerSaveMode,
        thermalLevel = thermalLevel(),
        thermalHeadroom = if (withHeadroom) headroom() else null,
    )

    /** Calls [onChange] on [handler] when the thermal status changes, until the result is closed. */
    @TargetApi(Build.VERSION_CODES.Q)
    fun onThermalStatus(handler: Handler, onChange: () -> Unit): AutoCloseable? {
        val service = power ?: return null
        val listener = PowerManager.OnThermalStatusChangedListener { onChange() }
        try {
            service.addThermalStatusListener(Executor { handler.post(it) }, listener)
        } catch (_: RuntimeException) {
            // "Listener failed to set": a phone without a thermal service. Asking goes on.
            return null
        }
        return Registered(service, listener)
    }

    private fun batteryPercent(): Float? {
        val level = extra(BatteryManager.EXTRA_LEVEL) ?: return null
        val scale = extra(BatteryManager.EXTRA_SCALE)?.takeIf { it > 0 } ?: return null
        return 100f * level / scale
    }

    private fun extra(name: String): Int? = battery?.getIntExtra(name, MISSING)?.takeIf { it != MISSING }

    @TargetApi(Build.VERSION_CODES.Q)
    private fun thermalLevel(): ThermalLevel? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return null
        return power?.let { ThermalLevel.entries.getOrNull(it.currentThermalStatus) }
    }

    @TargetApi(Build.VERSION_CODES.R)
    private fun headroom(): Float? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return null
        return power?.getThermalHeadroom(FORECAST_SECONDS)
    }

    @TargetApi(Build.VERSION_CODES.Q)
    private class Registered(
        private val service: PowerManager,
        private val listener: PowerManager.OnThermalStatusChangedListener,
    ) : AutoCloseable {
        override fun close() = service.removeThermalStatusListener(listener)
    }

    private companion object {
        const val MISSING = -1

        /** How far ahead the headroom is forecast. */
        const val FORECAST_SECONDS = 10
    }
}
