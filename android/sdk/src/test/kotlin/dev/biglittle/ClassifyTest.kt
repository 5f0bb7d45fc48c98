package dev.biglittle

import dev.biglittle.core.BudgetKind
import dev.biglittle.core.StateOrigin
import java.io.ByteArrayInputStream
import java.io.File
import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Answers, status and savings of the digits bundle. */
class ClassifyTest {
    @Test
    fun `little answers alone when it is sure`() =
        runBlocking {
            TestData.open().use { engine ->
                val outcome = engine.classify(TestData.digit(escalated = false))
                assertEquals("7", outcome.labelName)
                assertEquals(7, outcome.label)
                assertEquals(AnswerStatus.ACCEPTED, outcome.status)
                assertEquals(0, outcome.tier)
                assertNull(outcome.reason)
                assertEquals(listOf<UByte>(0u), outcome.levels.map { it.tier })
                assertTrue(outcome.score > outcome.threshold)
                assertEquals(engine.bundle.levels[0].threshold, outcome.threshold)
                assertEquals(engine.bundle.levels[0].networks[0].macs.toLong(), outcome.macs)
                assertTrue(outcome.times.cpuNs > 0u)
            }
        }

    @Test
    fun `big answers when little is unsure`() =
        runBlocking {
            TestData.open().use { engine ->
                val outcome = engine.classify(TestData.digit(escalated = true))
                assertTrue(outcome.isEscalated)
                assertEquals(1, outcome.tier)
                assertEquals(EscalationReason.LOW_SCORE, outcome.reason)
                assertEquals(listOf<UByte>(0u, 1u), outcome.levels.map { it.tier })
                assertEquals(
                    outcome.times.cpuNs,
                    outcome.levels[0].times.cpuNs + outcome.levels[1].times.cpuNs,
                )
            }
        }

    @Test
    fun `work is done on the engine's own thread`() =
        runBlocking {
            val seen = HashSet<String>()
            TestData.open(EngineOptions(threadPriority = Thread.MIN_PRIORITY)).use { engine ->
                val frame = TestData.digit(escalated = false)
                // Given back by the thread that lets go of it last.
                val watched =
                    Frame(frame.format, frame.width, frame.height, frame.planes, onClose = {
                        seen += Thread.currentThread().name
                    })
                val running = engine.classify(watched)
                watched.close()
                assertEquals("7", running.labelName)
            }
            assertEquals(setOf(Thread.currentThread().name), seen, "it was over before it was closed")
        }

    @Test
    fun `all ways to open give the same engine`(
        @TempDir folder: Path,
    ) = runBlocking {
        val archive = File(folder.toFile(), "mnist.biglittle")
        archive.writeBytes(Archive.of(TestData.bundle))
        val bytes = archive.readBytes()
        // Position and limit not at the ends.
        val padded = TestData.direct(ByteArray(5) + bytes + ByteArray(3))
        padded.position(5).limit(5 + bytes.size)
        val engines =
            listOf(
                BigLittle.open(TestData.bundle),
                BigLittle.open(archive),
                BigLittle.open(bytes),
                BigLittle.open(padded),
                BigLittle.open(ByteArrayInputStream(bytes)),
            )
        for (engine in engines) {
            assertEquals(engines[0].bundle, engine.bundle)
            assertEquals(10, engine.labels.size)
            assertEquals("7", engine.classify(TestData.digits[0]).labelName)
            engine.close()
        }
    }

    @Test
    fun `readings, modes and budgets reach the policy`() =
        runBlocking {
            TestData.open().use { engine ->
                assertEquals(LevelCause.UNKNOWN, engine.status().levelCause)
                engine.push(DeviceReading(1_000u, batteryPercent = 5f, thermalLevel = ThermalLevel.NONE))
                val low = engine.status()
                assertEquals(3.toUByte(), low.level)
                assertEquals(LevelCause.BATTERY, low.levelCause)
                engine.setMode(UserMode.PRECISE)
                assertEquals(FloorCause.PRECISE_MODE, engine.status().floorCause)
                engine.setBudget(Budget(BudgetKind.BigShare(0.01)))
                assertEquals(0.01, engine.status().targetRate)
                assertEquals(RateCause.BUDGET, engine.status().rateCause)
            }
        }

    @Test
    fun `savings are counted, and energy says where it comes from`() =
        runBlocking {
            TestData.open().use { engine ->
                repeat(9) { engine.classify(TestData.digit(escalated = false)) }
                engine.classify(TestData.digit(escalated = true))
                val savings = engine.savings()
                assertEquals(10uL, savings.frames.seen)
                assertEquals(9uL, savings.frames.little)
                assertEquals(1uL, savings.frames.big)
                assertEquals(
                    savings.total.macs,
                    savings.little.macs + savings.big.macs + savings.overhead.macs,
                )
                assertEquals(EnergyProvenance.MAC_MODEL, savings.energy.provenance)
                assertNull(savings.energy.totalJoules)
                assertTrue(checkNotNull(savings.energy.saving) > 0.5)
                assertEquals(0.1, engine.status().escalationRate)
                assertTrue(engine.summaryJson().contains("\"seen\":10"))
            }
        }

    @Test
    fun `the state outlives the engine`(
        @TempDir folder: Path,
    ) = runBlocking {
        val options = EngineOptions(stateFile = File(folder.toFile(), "state"))
        TestData.open(options).use { engine ->
            assertEquals(StateOrigin.Fresh, engine.stateOrigin)
            engine.classify(TestData.digits[0])
            engine.setMode(UserMode.SAVER)
            engine.saveState()
        }
        TestData.open(options).use { engine ->
            assertEquals(StateOrigin.Restored, engine.stateOrigin)
            assertEquals(1uL, engine.savings().frames.seen)
            assertEquals(LevelCause.USER_MODE, engine.status().levelCause)
        }
        File(folder.toFile(), "state").writeText("damaged")
        TestData.open(options).use { engine ->
            assertTrue(engine.stateOrigin is StateOrigin.SetAside)
        }
        assertNotEquals(0, folder.toFile().listFiles().orEmpty().size)
    }

    @Test
    fun `frames in YUV are answered as well`() =
        runBlocking {
            TestData.open().use { engine ->
                val gray = TestData.digits[0].planes
                // Android's interleaved chroma: planes that overlap, each without its last byte.
                val side = TestData.SIDE / 2
                val chroma = TestData.direct(ByteArray(2 * side * side) { 128.toByte() })
                val v = chroma.duplicate().also { it.position(1) }
                chroma.limit(chroma.capacity() - 1)
                val strides = 2 * side
                val planes = gray + Plane(chroma, strides, 2) + Plane(v, strides, 2)
                val yuv = Frame(PixelFormat.YUV420, TestData.SIDE, TestData.SIDE, planes)
                assertEquals("7", engine.classify(yuv).labelName)
            }
        }
}
