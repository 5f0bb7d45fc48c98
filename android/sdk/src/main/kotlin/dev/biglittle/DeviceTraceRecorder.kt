package dev.biglittle

import dev.biglittle.core.TraceEvent

/**
 * Records what a phone says about itself, to be looked at or replayed elsewhere. Any thread may call
 * it.
 *
 * @param name a short name.
 * @param description what happens in it, in a sentence.
 * @param limit the most events that are kept; later ones are left out.
 */
public class DeviceTraceRecorder(
    private val name: String,
    private val description: String,
    private val limit: Int = 100_000,
) {
    private val events = ArrayList<TraceEvent>()

    /** Whether the limit was reached. */
    public val isFull: Boolean
        get() = synchronized(events) { events.size >= limit }

    /** Takes a reading that was pushed. */
    public fun record(reading: DeviceReading) {
        add(TraceEvent.Reading(reading))
    }

    /** Takes a mode that the user chose at [atMs], on the clock of the readings. */
    public fun record(
        mode: UserMode,
        atMs: Long,
    ) {
        add(TraceEvent.Mode(atMs.toULong(), mode))
    }

    /** Takes that the app was started again at [atMs], on the clock from then on. */
    public fun recordRestart(atMs: Long) {
        add(TraceEvent.Restart(atMs.toULong()))
    }

    /** What was recorded so far. */
    public fun trace(): DeviceTrace = DeviceTrace(name, description, synchronized(events) { events.toList() })

    private fun add(event: TraceEvent) {
        synchronized(events) {
            if (events.size < limit) events += event
        }
    }
}
