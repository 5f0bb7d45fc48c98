package dev.biglittle

import dev.biglittle.core.TraceEvent
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * A phone that says again what was recorded: for tests, for a desk, and to look at a recording from
 * the field.
 *
 * @property trace the recording.
 * @property speed how much faster than recorded time passes, above 0; infinite for at once.
 */
public class ReplayDevice(public val trace: DeviceTrace, public val speed: Double = 1.0) {
    init {
        if (speed.isNaN() || speed <= 0.0) {
            throw BigLittleException.InvalidArgument("speed is $speed: it must be above 0")
        }
    }

    /** The events, each when it is due. A clock that jumps back takes no time. */
    public fun events(): Flow<TraceEvent> =
        flow {
            var before: ULong? = null
            for (event in trace.events) {
                val now = event.time
                before?.let { if (now > it) delay(((now - it).toDouble() / speed).toLong()) }
                before = now
                emit(event)
            }
        }

    /** Pushes readings and modes into [engine], each when it is due. Restarts are left out. */
    public suspend fun drive(engine: BigLittle) {
        events().collect { event ->
            when (event) {
                is TraceEvent.Reading -> engine.push(event.v1)
                is TraceEvent.Mode -> engine.setMode(event.mode)
                is TraceEvent.Restart -> Unit
            }
        }
    }

    private val TraceEvent.time: ULong
        get() =
            when (this) {
                is TraceEvent.Reading -> v1.atMs
                is TraceEvent.Mode -> atMs
                is TraceEvent.Restart -> atMs
            }
}
