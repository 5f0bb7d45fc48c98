package dev.biglittle

import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Callers on several threads, closing and cancelling while frames run. */
class ConcurrencyTest {
    @Test
    fun `frames of many callers are all answered`() =
        runBlocking(Dispatchers.Default) {
            TestData.open().use { engine ->
                val answers =
                    List(8) { caller ->
                        async { List(50) { engine.classify(TestData.digits[caller]).label } }
                    }.awaitAll()
                answers.forEachIndexed { caller, labels ->
                    assertEquals(List(50) { TestData.labels[caller].toInt() }, labels)
                }
                assertEquals(400uL, engine.savings().frames.seen)
            }
        }

    /** Whatever the moment: an answer or that it is closed, the frame given back once, no signal. */
    @Test
    fun `closing during a run, a thousand times`() =
        runBlocking(Dispatchers.Default) {
            val bytes = TestData.direct(Archive.of(TestData.bundle))
            val answered = AtomicInteger()
            val closed = AtomicInteger()
            var given = 0
            repeat(TRIALS) { trial ->
                val engine = BigLittle.open(bytes.duplicate())
                val returned = AtomicInteger()
                val firstAnswer = CompletableDeferred<Unit>()
                val callers =
                    List(2) { caller ->
                        launch {
                            while (true) {
                                // To open the big network a thousand times takes minutes.
                                val pixels = TestData.digit(escalated = caller == 1 && trial % 10 == 0)
                                val frame = returning(pixels, returned)
                                try {
                                    frame.use { engine.classify(it) }
                                    answered.incrementAndGet()
                                    firstAnswer.complete(Unit)
                                } catch (_: BigLittleException.Closed) {
                                    closed.incrementAndGet()
                                    break
                                }
                            }
                        }
                    }
                // In half of the trials frames are being answered, else they are about to begin.
                if (trial % 2 == 0) firstAnswer.await()
                repeat(trial % SPREAD) { yield() }
                engine.close()
                callers.forEach { it.join() }
                given += returned.get()
            }
            assertEquals(2 * TRIALS, closed.get())
            assertTrue(answered.get() >= TRIALS / 2, "only ${answered.get()} frames were answered")
            assertEquals(answered.get() + closed.get(), given, "every frame was given back once")
        }

    @Test
    fun `cancelling ends a run and leaves the engine usable`() =
        runBlocking(Dispatchers.Default) {
            TestData.open().use { engine ->
                var cancelled = 0
                repeat(200) { trial ->
                    val returned = AtomicInteger()
                    var isInUse = false
                    val caller =
                        launch {
                            val frame = returning(TestData.digit(escalated = true), returned)
                            try {
                                isInUse = true
                                frame.use { engine.classify(it) }
                            } catch (cancellation: CancellationException) {
                                cancelled += 1
                                throw cancellation
                            }
                        }
                    repeat(trial % SPREAD) { yield() }
                    caller.cancelAndJoin()
                    // The frame was free as soon as the caller was: nobody reads it any more.
                    assertEquals(if (isInUse) 1 else 0, returned.get(), "trial $trial")
                    assertEquals("7", engine.classify(TestData.digits[0]).labelName)
                }
                assertTrue(cancelled > 0, "no caller was cancelled while it waited")
                val frames = engine.savings().frames
                assertEquals(frames.seen, frames.little + frames.big + frames.dropped)
            }
        }

    @Test
    fun `a frame closed by another thread is read to the end first`() =
        runBlocking(Dispatchers.Default) {
            TestData.open().use { engine ->
                repeat(200) {
                    val returned = AtomicInteger()
                    val frame = returning(TestData.digit(escalated = true), returned)
                    val answer = async { runCatching { engine.classify(frame) } }
                    yield()
                    frame.close()
                    val result = answer.await()
                    assertEquals(1, returned.get())
                    val failure = result.exceptionOrNull()
                    assertTrue(failure == null || failure is BigLittleException.InvalidFrame, "$failure")
                }
            }
        }

    @Test
    fun `an engine that is opened for a caller that was cancelled is closed`() =
        runBlocking(Dispatchers.Default) {
            repeat(20) { trial ->
                val opening = launch { TestData.open() }
                repeat(trial) { yield() }
                opening.cancelAndJoin()
            }
            // What was opened is closed, and so its thread ends.
            withTimeout(WAIT_MS) { while (engineThreads() > 0) delay(1) }
        }

    private fun engineThreads() = Thread.getAllStackTraces().keys.count { it.name == "biglittle-engine" }

    private fun returning(
        frame: Frame,
        returned: AtomicInteger,
    ) = Frame(frame.format, frame.width, frame.height, frame.planes, onClose = { returned.incrementAndGet() })

    private companion object {
        const val TRIALS = 1_000
        const val SPREAD = 7

        /** Less than after how long an idle thread ends by itself. */
        const val WAIT_MS = 8_000L
    }
}
