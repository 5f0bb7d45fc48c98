package dev.biglittle

import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** Frames as a flow: in order, the latest, every frame accounted for and given back once. */
class ClassifyFlowTest {
    private val returned = AtomicInteger()

    private fun frame(index: Int): Frame {
        val digit = TestData.digits[index]
        val back = AtomicInteger()
        return Frame(digit.format, digit.width, digit.height, digit.planes, onClose = {
            assertEquals(1, back.incrementAndGet(), "given back twice")
            returned.incrementAndGet()
        })
    }

    private fun FlowCounts.check() {
        assertEquals(received, answered + reused + dropped, toString())
        assertEquals(received, returned.get().toLong(), "given back")
    }

    @Test
    fun `slow frames are all answered in order`() =
        runBlocking {
            val counts = FlowCounts()
            TestData.open().use { engine ->
                val taken = CompletableDeferred<Unit>()
                var answers = 0
                val frames =
                    flow {
                        for (index in 0 until 30) {
                            emit(frame(index))
                            // The next comes when this one is answered.
                            while (answers <= index) delay(1)
                        }
                        taken.complete(Unit)
                    }
                val labels = frames.classify(engine, counts).onEach { answers += 1 }.map { it.label }.toList()
                assertEquals(TestData.labels.take(30).map { it.toInt() }, labels)
            }
            assertEquals(30, counts.answered)
            assertEquals(0, counts.dropped)
            counts.check()
        }

    @Test
    fun `fast frames - the latest is answered and the others are dropped`() =
        runBlocking(Dispatchers.Default) {
            val counts = FlowCounts()
            TestData.open().use { engine ->
                val frames = flow { for (index in 0 until 2_000) emit(frame(index)) }
                val outcomes = frames.classify(engine, counts).onEach { delay(1) }.toList()
                // The last frame is never dropped, so it is answered last.
                assertEquals(TestData.labels[1_999].toInt(), outcomes.last().label)
                assertEquals(counts.answered, outcomes.size.toLong())
            }
            assertEquals(2_000, counts.received)
            assertTrue(counts.dropped > 1_000, "$counts")
            counts.check()
        }

    @Test
    fun `answers that are given again are counted apart`() =
        runBlocking {
            val counts = FlowCounts()
            val gate = GateOptions(meanDifference = 2f, cellDifference = 24u, maxAgeMs = 60_000u)
            TestData.open(EngineOptions(runtime = RuntimeOptions(gate = gate))).use { engine ->
                var answers = 0
                val frames =
                    flow {
                        for (turn in 0 until 10) {
                            emit(frame(0))
                            while (answers <= turn) delay(1)
                        }
                    }
                frames.classify(engine, counts).onEach { answers += 1 }.toList()
            }
            assertEquals(9, counts.reused)
            assertEquals(1, counts.answered)
            counts.check()
        }

    @Test
    fun `whoever stops collecting leaves no frame behind`() =
        runBlocking(Dispatchers.Default) {
            val counts = FlowCounts()
            TestData.open().use { engine ->
                val endless = flow { while (true) emit(frame((0 until 100).random())) }
                assertEquals(5, endless.classify(engine, counts).take(5).toList().size)
                counts.check()
                val collecting = launch { endless.classify(engine, counts).collect {} }
                delay(50)
                collecting.cancel()
                collecting.join()
            }
            counts.check()
        }

    @Test
    fun `a bad frame ends the flow with its exception`() =
        runBlocking {
            val counts = FlowCounts()
            TestData.open().use { engine ->
                val bad = frame(0)
                val frames =
                    flow {
                        emit(Frame(bad.format, 29, 28, bad.planes, onClose = { returned.incrementAndGet() }))
                        delay(10_000)
                    }
                assertThrows<BigLittleException.InvalidFrame> {
                    runBlocking { frames.classify(engine, counts).toList() }
                }
            }
            assertEquals(1, counts.dropped)
            counts.check()
        }

    @Test
    fun `a failing camera ends the flow with its exception`() =
        runBlocking {
            val counts = FlowCounts()
            TestData.open().use { engine ->
                val frames =
                    flow {
                        emit(frame(0))
                        throw IllegalStateException("camera in use")
                    }
                val failure =
                    assertThrows<IllegalStateException> {
                        runBlocking { frames.classify(engine, counts).toList() }
                    }
                assertEquals("camera in use", failure.message)
            }
            counts.check()
        }

    @Test
    fun `a closed engine ends the flow`() =
        runBlocking(Dispatchers.Default) {
            val counts = FlowCounts()
            val engine = TestData.open()
            val endless = flow { while (true) emit(frame(0)) }
            assertThrows<BigLittleException.Closed> {
                runBlocking {
                    endless.classify(engine, counts).buffer(0).onEach { engine.close() }.toList()
                }
            }
            counts.check()
        }
}
