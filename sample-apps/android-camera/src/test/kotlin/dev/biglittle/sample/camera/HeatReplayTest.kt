package dev.biglittle.sample.camera

import dev.biglittle.DeviceReading
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class HeatReplayTest {
    private val pushed = mutableListOf<DeviceReading>()
    private val recording = List(4) { DeviceReading(atMs = (60_000 * it).toULong(), thermalHeadroom = it / 4f) }
    private val heat = HeatReplay(recording, pushed::add)

    @Test
    fun everyReadingOnTheWayIsPushedTenSecondsApart() {
        heat.moveTo(3, nowMs = 5_000)
        assertEquals(listOf(0f, 0.25f, 0.5f), pushed.map { it.thermalHeadroom })
        assertEquals(listOf<ULong>(15_000u, 25_000u, 35_000u), pushed.map { it.atMs })
        assertEquals(2, heat.minute)
    }

    @Test
    fun toTheLeftItCoolsTheSameWayBackWithoutTurningTheClock() {
        heat.moveTo(3, nowMs = 0)
        heat.moveTo(1, nowMs = 0)
        assertEquals(listOf(0f, 0.25f, 0.5f, 0.25f, 0f), pushed.map { it.thermalHeadroom })
        assertTrue(pushed.zipWithNext().all { (one, next) -> next.atMs > one.atMs })
    }

    @Test
    fun offNothingIsPushed() {
        heat.stay()
        heat.moveTo(1, nowMs = 0)
        heat.moveTo(0, nowMs = 0)
        heat.stay()
        assertEquals(1, pushed.size)
    }

    @Test
    fun aPositionBeyondTheEndIsTheEnd() {
        heat.moveTo(99, nowMs = 0)
        assertEquals(4, heat.position)
        heat.stay()
        assertEquals(0.75f, pushed.last().thermalHeadroom)
    }
}
