package dev.biglittle

import dev.biglittle.core.TraceEvent
import java.io.File
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The shipped stand-ins for a phone and a camera, and the recorder. */
@OptIn(ExperimentalCoroutinesApi::class)
class ReplayTest {
    @Test
    fun `what was recorded is what is replayed`() {
        val recorder = DeviceTraceRecorder("desk", "two readings and a mode", limit = 4)
        val cool = DeviceReading(1_000u, 80.5f, false, false, ThermalLevel.NONE, 0.25f)
        val hot = DeviceReading(61_000u, thermalLevel = ThermalLevel.SEVERE, thermalHeadroom = Float.NaN)
        recorder.record(cool)
        recorder.record(UserMode.SAVER, 30_000)
        recorder.record(hot)
        recorder.recordRestart(5)
        assertTrue(recorder.isFull)
        recorder.record(cool)
        val trace = recorder.trace()
        assertEquals(4, trace.events.size)
        val again = DeviceTrace.parse(trace.toText())
        assertEquals(trace, again)
        assertTrue((again.events[2] as TraceEvent.Reading).v1.thermalHeadroom!!.isNaN())
        assertTrue(trace.toText().startsWith("{\"format_version\":1,\"name\":\"desk\""))
    }

    @Test
    fun `events come when they are due, and a clock that jumps back takes no time`() =
        runTest {
            val events = listOf(0u, 10_000u, 3_000u, 4_000u).map { TraceEvent.Restart(it.toULong()) }
            val device = ReplayDevice(DeviceTrace("n", "d", events), speed = 10.0)
            assertEquals(events, device.events().toList())
            assertEquals(1_100, currentTime)
        }

    @Test
    fun `a recorded phone makes a real engine save`() =
        runBlocking {
            val text = File(TestData.devices, "video_call_in_the_sun.jsonl").readText()
            TestData.open().use { engine ->
                val trace = DeviceTrace.parse(text)
                // Half of it: the phone is hot.
                val hot = trace.copy(events = trace.events.take(trace.events.size / 2))
                ReplayDevice(hot, speed = Double.POSITIVE_INFINITY).drive(engine)
                val status = engine.status()
                assertTrue(status.level > 0u, "$status")
                assertTrue(status.threshold >= status.floor, "$status")
            }
        }

    @Test
    fun `recorded frames come at their pace and again`() =
        runTest {
            val two = TestData.direct(ByteArray(2 * 12) { it.toByte() })
            val frames = ReplayFrames(two, PixelFormat.RGB8, 2, 2)
            assertEquals(2, frames.size)
            assertEquals(3, frames.frames(framesPerSecond = 10.0, repeat = true).take(3).toList().size)
            assertEquals(200, currentTime)
            assertEquals(12, frames[1].planes[0].offset)
            assertEquals(12, frames[1].planes[0].length)
        }
}
