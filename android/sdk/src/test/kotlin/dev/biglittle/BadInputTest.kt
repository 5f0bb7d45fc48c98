package dev.biglittle

import dev.biglittle.core.BudgetKind
import dev.biglittle.core.NativeEngine
import dev.biglittle.internal.NativeFrames
import java.io.ByteArrayInputStream
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What apps get wrong: a typed exception with the core's sentence, never a signal. */
class BadInputTest {
    private val side = TestData.SIDE

    private inline fun <reified T : BigLittleException> refused(
        vararg parts: String,
        crossinline call: suspend () -> Unit,
    ) {
        val thrown = runCatching { runBlocking { call() } }.exceptionOrNull()
        assertTrue(thrown is T, "$thrown")
        val message = (thrown as T).message
        for (part in parts) assertTrue(part in message, "$part is not in: $message")
        assertEquals(message[0].lowercaseChar(), message[0], message)
    }

    private fun refusedFrame(
        frame: Frame,
        vararg parts: String,
    ) = runBlocking {
        TestData.open().use { engine ->
            refused<BigLittleException.InvalidFrame>(*parts) { engine.classify(frame) }
            // The engine stays usable.
            assertEquals("7", engine.classify(TestData.digits[0]).labelName)
        }
    }

    private fun gray(buffer: ByteBuffer) = Frame(PixelFormat.GRAY8, side, side, buffer, side)

    @Test
    fun `a buffer that is not direct`() {
        refusedFrame(gray(ByteBuffer.wrap(ByteArray(side * side))), "plane 0", "direct")
    }

    @Test
    fun `a position and limit that are not at the ends are kept to`() =
        runBlocking {
            val digit = TestData.digits[0].planes[0]
            val pixels = ByteArray(side * side)
            digit.buffer.duplicate().also { it.position(digit.offset) }.get(pixels)
            val padded = TestData.direct(ByteArray(100) { -1 } + pixels + ByteArray(50) { -1 })
            padded.position(100).limit(100 + pixels.size)
            TestData.open().use { engine ->
                val outcome = engine.classify(gray(padded))
                assertEquals(engine.classify(TestData.digits[0]).score, outcome.score)
                // A slice begins at its own bytes.
                assertEquals(outcome.score, engine.classify(gray(padded.slice())).score)
            }
            padded.limit(99 + pixels.size)
            refusedFrame(gray(padded), "783", "784")
        }

    @Test
    fun `planes with the last bytes missing`() {
        val luma = TestData.digits[0].planes
        val half = side / 2
        val chroma = TestData.direct(ByteArray(half * half))
        val short = TestData.direct(ByteArray(half * half - 1))
        val planes = luma + Plane(chroma, half, 1) + Plane(short, half, 1)
        refusedFrame(Frame(PixelFormat.YUV420, side, side, planes), "195", "196")
    }

    @Test
    fun `descriptions that do not fit`() {
        val pixels = TestData.direct(ByteArray(side * side))
        refusedFrame(Frame(PixelFormat.GRAY8, 0, side, pixels, side), "width", "0")
        refusedFrame(Frame(PixelFormat.GRAY8, -1, side, pixels, side), "width", "-1")
        refusedFrame(Frame(PixelFormat.GRAY8, side, side, pixels, -side), "stride", "-28")
        refusedFrame(Frame(PixelFormat.GRAY8, side, side, pixels, Int.MAX_VALUE), "plane 0")
        refusedFrame(Frame(PixelFormat.GRAY8, Int.MAX_VALUE, Int.MAX_VALUE, pixels, side), "width")
        refusedFrame(Frame(PixelFormat.GRAY8, side, side, pixels, side, 45), "45")
        refusedFrame(Frame(PixelFormat.GRAY8, side, side, pixels, side, 0, Crop(1, 0, side, side)), "crop")
        refusedFrame(Frame(PixelFormat.GRAY8, side, side, pixels, side, 0, Crop(-1, 0, 1, 1)), "crop", "-1")
        refusedFrame(Frame(PixelFormat.YUV420, side, side, TestData.digits[0].planes), "plane 1")
        refusedFrame(Frame(PixelFormat.NV12, side, side, List(4) { Plane(pixels, side, 1) }), "4 planes")
        refusedFrame(Frame(PixelFormat.GRAY8, side, side, emptyList()), "plane 0")
    }

    @Test
    fun `a frame that was closed`() {
        val frame = TestData.digits[0]
        frame.close()
        frame.close()
        refusedFrame(frame, "closed")
    }

    @Test
    fun `bundles that are not there, damaged or cut`() {
        refused<BigLittleException.Io>("nowhere") { BigLittle.open(File("nowhere")) }
        refused<BigLittleException.InvalidBundle> { BigLittle.open(ByteArray(0)) }
        refused<BigLittleException.InvalidBundle> { BigLittle.open(ByteArray(1_000)) }
        val good = Archive.of(TestData.bundle)
        for (at in listOf(10, good.size / 2, good.size - 10)) {
            val damaged = good.copyOf().also { it[at] = (it[at] + 1).toByte() }
            refused<BigLittleException.InvalidBundle> { BigLittle.open(damaged) }
        }
        refused<BigLittleException.InvalidBundle> {
            BigLittle.open(ByteArrayInputStream(good, 0, good.size - 1))
        }
        refused<BigLittleException.InvalidArgument>("direct") { BigLittle.open(ByteBuffer.wrap(good)) }
        val broken =
            object : InputStream() {
                override fun read(): Int = throw IOException("the asset is gone")
            }
        refused<BigLittleException.Io>("the asset is gone") { BigLittle.open(broken) }
    }

    @Test
    fun `options and arguments out of range`() {
        refused<BigLittleException.InvalidArgument>("threadPriority is 11") {
            EngineOptions(threadPriority = 11)
        }
        refused<BigLittleException.InvalidArgument>("1.5") {
            val budget = Budget(BudgetKind.BigShare(1.5))
            TestData.open(EngineOptions(runtime = RuntimeOptions(budget = budget)))
        }
        refused<BigLittleException.InvalidArgument>("speed") {
            ReplayDevice(DeviceTrace("n", "d", emptyList()), speed = 0.0)
        }
        refused<BigLittleException.InvalidArgument>("783", "784") {
            ReplayFrames(ByteBuffer.allocateDirect(783), PixelFormat.GRAY8, side, side)
        }
        refused<BigLittleException.InvalidArgument>("10000") { TestData.digits[10_000] }
        refused<BigLittleException.InvalidData>("line 2") {
            DeviceTrace.parse("{\"format_version\":1,\"name\":\"n\",\"description\":\"d\"}\n{}")
        }
    }

    @Test
    fun `without run-time options nothing is counted`() {
        refused<BigLittleException.InvalidArgument>("run-time options") {
            TestData.open(EngineOptions(runtime = null)).use { it.status() }
        }
    }

    @Test
    fun `a closed engine`() =
        runBlocking {
            val engine = TestData.open()
            engine.close()
            engine.close()
            refused<BigLittleException.Closed>("closed") { engine.classify(TestData.digits[0]) }
            refused<BigLittleException.Closed> { engine.push(DeviceReading(1u)) }
            refused<BigLittleException.Closed> { engine.setMode(UserMode.SAVER) }
            refused<BigLittleException.Closed> { engine.setBudget(null) }
            refused<BigLittleException.Closed> { engine.status() }
            refused<BigLittleException.Closed> { engine.savings() }
            refused<BigLittleException.Closed> { engine.saveState() }
            assertEquals(10, engine.labels.size, "what was read once stays")
        }

    @Test
    fun `short arrays`() {
        NativeEngine.openPath(TestData.bundle.path, EngineOptions().toNative()).let { engine ->
            val pixels = TestData.direct(ByteArray(side * side))
            val handle = engine.jniHandle()
            val layout = NativeFrames.classify(handle, pixels, null, null, IntArray(5), LongArray(67))
            assertTrue(layout.orEmpty().startsWith("InvalidArgument\nthe array `layout` has 5"), layout)
            val answer = NativeFrames.classify(handle, pixels, null, null, IntArray(23), LongArray(3))
            assertTrue(answer.orEmpty().startsWith("InvalidArgument\nthe array `answer` has 3"), answer)
            engine.shutdown()
        }
    }

    @Test
    fun `invented engines`() {
        val pixels = TestData.direct(ByteArray(side * side))
        for (handle in listOf(0L, -1L, Long.MAX_VALUE, 0x7fff_dead_beefL)) {
            val failure = NativeFrames.classify(handle, pixels, null, null, IntArray(23), LongArray(67))
            assertTrue(failure.orEmpty().startsWith("Closed\n"), "$failure")
        }
    }
}
