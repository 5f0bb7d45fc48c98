package dev.biglittle.android

import dev.biglittle.BigLittle
import dev.biglittle.BigLittleException
import dev.biglittle.DeviceReading
import dev.biglittle.DeviceTrace
import dev.biglittle.Frame
import dev.biglittle.PixelFormat
import dev.biglittle.ThermalLevel
import dev.biglittle.core.TraceEvent
import kotlinx.coroutines.runBlocking
import java.io.File
import java.nio.ByteBuffer

/**
 * A program that uses every kind of call of the SDK: `ci/android shrink` puts it through R8 and runs
 * what is left. Its arguments are a bundle and a file of recorded digits.
 */
internal object ShrinkProbe {
    private const val SIDE = 28

    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        val bytes = File(arguments[1]).readBytes()
        val pixels = ByteBuffer.allocateDirect(SIDE * SIDE)
        pixels.put(bytes, 0, SIDE * SIDE).rewind()
        val reading = DeviceReading(atMs = 1u, batteryPercent = 5f, charging = false, thermalLevel = ThermalLevel.NONE)

        val engine = BigLittle.open(File(arguments[0]))
        engine.push(reading)
        val outcome = engine.classify(Frame(PixelFormat.GRAY8, SIDE, SIDE, pixels, SIDE))
        val trace = DeviceTrace("n", "d", listOf(TraceEvent.Reading(reading)))
        check(DeviceTrace.parse(trace.toText()) == trace)
        check(engine.savings().frames.seen == 1uL)
        val refused = runCatching { engine.classify(Frame(PixelFormat.GRAY8, SIDE, SIDE, pixels, SIDE / 2)) }
        engine.close()
        val closed = runCatching { engine.push(reading) }
        check(refused.exceptionOrNull() is BigLittleException.InvalidFrame)
        println("${outcome.labelName} ${closed.exceptionOrNull()?.javaClass?.name}")
    }
}
