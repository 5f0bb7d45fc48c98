package dev.biglittle.sample.camera

import dev.biglittle.DeviceReading

/**
 * A recorded phone that the slider moves through: to the right it warms up as it did, to the left
 * it cools the same way back. Each push is [STEP_MS] after the last on the readings' clock, whatever
 * the wall clock says, so that the policy, which thinks in minutes, can be watched.
 */
internal class HeatReplay(private val readings: List<DeviceReading>, private val push: (DeviceReading) -> Unit) {
    /** The last position; 0 is off. */
    val last: Int get() = readings.size

    var position: Int = 0
        private set

    private var clockMs = 0L

    /** The minute of the recording. */
    val minute: Int get() = if (position == 0) 0 else (readings[position - 1].atMs.toLong() / 60_000L).toInt()

    /** Moves to [target], pushing every reading on the way. [nowMs] is the phone's own clock. */
    fun moveTo(target: Int, nowMs: Long) {
        val goal = target.coerceIn(0, last)
        if (position == 0) clockMs = maxOf(clockMs, nowMs)
        while (position != goal) {
            position += if (position < goal) 1 else -1
            if (position > 0) pushAgain()
        }
    }

    /** The phone stays as it is for another [STEP_MS]; nothing while off. */
    fun stay() {
        if (position > 0) pushAgain()
    }

    private fun pushAgain() {
        clockMs += STEP_MS
        push(readings[position - 1].copy(atMs = clockMs.toULong()))
    }

    companion object {
        const val STEP_MS = 10_000L
    }
}
