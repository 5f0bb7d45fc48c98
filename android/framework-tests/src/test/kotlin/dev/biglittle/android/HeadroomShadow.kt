package dev.biglittle.android

import android.os.PowerManager
import android.os.PowerManager.OnThermalStatusChangedListener
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowPowerManager
import java.util.concurrent.Executor

/** A [PowerManager] with what Robolectric's lacks: headroom, and listeners with an executor. */
@Implements(PowerManager::class)
class HeadroomShadow : ShadowPowerManager() {
    @Implementation
    fun getThermalHeadroom(seconds: Int): Float {
        asked += seconds
        return headroom
    }

    @Implementation
    fun addThermalStatusListener(executor: Executor, listener: OnThermalStatusChangedListener) {
        listeners[listener] = executor
    }

    @Implementation
    fun removeThermalStatusListener(listener: OnThermalStatusChangedListener) {
        checkNotNull(listeners.remove(listener)) { "the listener was never added" }
    }

    companion object {
        var headroom = 0.5f
        val asked = mutableListOf<Int>()
        val listeners = mutableMapOf<OnThermalStatusChangedListener, Executor>()

        fun heat(status: Int) {
            listeners.forEach { (listener, executor) -> executor.execute { listener.onThermalStatusChanged(status) } }
        }

        fun clear() {
            headroom = 0.5f
            asked.clear()
            listeners.clear()
        }
    }
}
