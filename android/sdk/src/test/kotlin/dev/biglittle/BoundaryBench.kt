package dev.biglittle

import com.sun.management.ThreadMXBean
import dev.biglittle.internal.AnswerNumbers
import dev.biglittle.internal.FrameNumbers
import dev.biglittle.internal.FrameRunner
import dev.biglittle.internal.NativeLibrary
import dev.biglittle.core.NativeEngine
import java.io.File
import java.lang.management.ManagementFactory
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test

/**
 * What a 640x480 YUV frame costs between Kotlin and the core: time without networks and
 * preprocessing, garbage, and whether memory stays flat. `ci/bench-boundary` runs it on the release
 * build; it is no test, and nothing fails.
 */
class BoundaryBench {
    private val yuv: Frame by lazy {
        val luma = TestData.direct(ByteArray(WIDTH * HEIGHT) { (it % 251).toByte() })
        val chroma = TestData.direct(ByteArray(WIDTH * HEIGHT / 2) { 128.toByte() })
        val v = chroma.duplicate().also { it.position(1) }
        val planes = listOf(Plane(luma, WIDTH, 1), Plane(chroma, WIDTH, 2), Plane(v, WIDTH, 2))
        Frame(PixelFormat.YUV420, WIDTH, HEIGHT, planes)
    }

    @Test
    fun measure() {
        NativeLibrary.ensureLoaded()
        val options = EngineOptions(Opening.EAGER).toNative()
        val engine = NativeEngine.openPath(TestData.bundle.path, options)
        val runner = FrameRunner(engine, engine.labels())
        val times = LongArray(FRAMES)
        repeat(WARM_UP) { runner.classify(yuv) }
        val thread = ManagementFactory.getThreadMXBean() as ThreadMXBean
        val id = Thread.currentThread().id
        val resident = LongArray(2)
        resident[0] = residentKilobytes()
        val allocated = thread.getThreadAllocatedBytes(id)
        for (frame in 0 until FRAMES) {
            val start = System.nanoTime()
            val outcome = runner.classify(yuv)
            times[frame] = System.nanoTime() - start - outcome.times.wallNs.toLong()
        }
        val perFrame = (thread.getThreadAllocatedBytes(id) - allocated) / FRAMES
        resident[1] = residentKilobytes()
        times.sort()
        println("boundary: $FRAMES frames of ${WIDTH}x$HEIGHT YUV")
        println("boundary: ${micros(times, 0.5)} us median, ${micros(times, 0.9)} us 90 %")
        println("boundary: $perFrame bytes of garbage a frame")
        println("boundary: resident ${resident[0]} kB before, ${resident[1]} kB after")
        empty(times)
        engine.shutdown()
        coroutines()
    }

    /** The conversion of layout and answer alone. */
    private fun empty(times: LongArray) {
        val layout = FrameNumbers()
        val answer = AnswerNumbers()
        for (frame in times.indices) {
            val start = System.nanoTime()
            layout.set(yuv)
            answer.outcome(emptyList(), null)
            times[frame] = System.nanoTime() - start
        }
        times.sort()
        println("boundary: of which ${micros(times, 0.5)} us in Kotlin's own conversion")
    }

    /** With the engine's thread and the coroutine's way there and back. */
    private fun coroutines() =
        runBlocking {
            BigLittle.open(TestData.bundle, EngineOptions(Opening.EAGER)).use { engine ->
                val times = LongArray(WARM_UP)
                for (round in 0 until 2) {
                    for (frame in times.indices) {
                        val start = System.nanoTime()
                        val outcome = engine.classify(yuv)
                        times[frame] = System.nanoTime() - start - outcome.times.wallNs.toLong()
                    }
                }
                times.sort()
                println("boundary: ${micros(times, 0.5)} us median with suspend and the engine's thread")
            }
        }

    private fun micros(
        sorted: LongArray,
        share: Double,
    ) = "%.1f".format(sorted[(sorted.size * share).toInt()] / 1e3)

    private fun residentKilobytes(): Long {
        repeat(3) { System.gc() }
        val status = File("/proc/self/status")
        if (!status.exists()) return -1
        return status.readLines().first { it.startsWith("VmRSS") }.filter(Char::isDigit).toLong()
    }

    private companion object {
        const val WIDTH = 640
        const val HEIGHT = 480
        val FRAMES = Integer.getInteger("biglittle.bench.frames", 100_000)
        val WARM_UP = FRAMES / 20
    }
}
