package dev.biglittle.android

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.Build
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import android.os.PowerManager
import dev.biglittle.BigLittle
import dev.biglittle.BigLittleException
import dev.biglittle.DeviceReading

/**
 * Watches this phone's heat and battery and hands every reading on: at once, every 10 seconds, and
 * when the system says that something changed.
 *
 * Needs no permission. What an older system does not tell is missing from the readings: thermal
 * status before API 29, thermal headroom before API 30. Headroom is asked for every 10 seconds only,
 * as the system answers NaN to more; such a NaN is handed on, and understood as missing.
 *
 * It runs until [close], on a thread of its own unless a [looper] is given.
 *
 * @param context any context; only its application is kept.
 * @param looper where the system's messages arrive and [onReading] is called; `null` for a thread of
 * the monitor's own.
 * @param onReading what is done with a reading: quick, and not on the main thread unless [looper] is
 * the main one.
 */
public class DeviceMonitor(context: Context, looper: Looper? = null, private val onReading: (DeviceReading) -> Unit) :
    AutoCloseable {
    private val app = context.applicationContext ?: context
    private val phone = Phone(app)
    private val thread = if (looper == null) HandlerThread("biglittle-device").apply { start() } else null
    private val handler = Handler(looper ?: checkNotNull(thread).looper)

    @Volatile
    private var closed = false

    private val changes = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            if (intent.action == Intent.ACTION_BATTERY_CHANGED) phone.battery = intent
            push(withHeadroom = false)
        }
    }
    private val poll = object : Runnable {
        override fun run() {
            push(withHeadroom = true)
            if (!closed) handler.postDelayed(this, POLL_MS)
        }
    }

    // In an object of its own: the type is unknown before API 29.
    private val thermal: AutoCloseable?

    init {
        val filter = IntentFilter(Intent.ACTION_BATTERY_CHANGED)
        filter.addAction(PowerManager.ACTION_POWER_SAVE_MODE_CHANGED)
        app.registerReceiver(changes, filter, null, handler)
        thermal = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            phone.onThermalStatus(handler) { push(withHeadroom = false) }
        } else {
            null
        }
        handler.post(poll)
    }

    /** Stops: nothing is registered any more and no reading comes. Closing again does nothing. */
    override fun close() {
        synchronized(this) {
            if (closed) return
            closed = true
        }
        handler.removeCallbacksAndMessages(null)
        app.unregisterReceiver(changes)
        thermal?.close()
        thread?.quitSafely()
    }

    private fun push(withHeadroom: Boolean) {
        if (!closed) onReading(phone.read(withHeadroom))
    }

    public companion object {
        /** How often the phone is asked, in milliseconds. */
        public const val POLL_MS: Long = 10_000

        /**
         * A monitor that pushes every reading into [engine]. Close it with the engine; one whose
         * engine was closed before closes itself.
         */
        public fun of(context: Context, engine: BigLittle): DeviceMonitor {
            var monitor: DeviceMonitor? = null
            return DeviceMonitor(context) { reading ->
                try {
                    engine.push(reading)
                } catch (_: BigLittleException.Closed) {
                    monitor?.close()
                }
            }.also { monitor = it }
        }
    }
}
