package dev.biglittle

import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** Recorded devices give exactly the thresholds that the core's expected files hold. */
class DeviceReplayTest {
    private val certificates =
        listOf(0.001 to 0.95f, 0.005 to 0.8f, 0.01 to 0.6f, 0.05 to 0.2f)
            .map { (eps, threshold) -> CertifiedThreshold(eps, threshold) }

    private val recordings: List<File> =
        TestData.devices
            .listFiles { file -> file.name.endsWith(".jsonl") && !file.name.endsWith(".golden.jsonl") }
            .orEmpty()
            .sorted()

    @Test
    fun `all recordings are there`() {
        assertEquals(14, recordings.size)
    }

    @TestFactory
    fun `thresholds are those of the core`(): List<DynamicTest> =
        recordings.map { file -> DynamicTest.dynamicTest(file.name) { compare(file) } }

    private fun compare(file: File) {
        val trace = DeviceTrace.parse(file.readText())
        assertEquals(trace, DeviceTrace.parse(trace.toText()))
        val steps = trace.replay(certificates, promiseEps = 0.01, scores = listOf(0.9f, 0.3f))
        val golden = File(file.path.removeSuffix(".jsonl") + ".golden.jsonl").readLines()
        assertEquals(golden.size, steps.size)
        golden.zip(steps).forEachIndexed { index, (line, step) ->
            val at = "${file.name}:${index + 1}"
            assertEquals(field(line, "at_ms").toULong(), step.atMs, at)
            // To the last bit: the shortest decimal gives back the same float.
            assertEquals(threshold(line).toRawBits(), step.threshold.toRawBits(), at)
            assertEquals(field(line, "reason"), step.reason.name.lowercase(), at)
            assertEquals(field(line, "level").toUByte(), step.level, at)
            assertEquals(field(line, "level_cause"), step.levelCause.name.lowercase(), at)
            assertEquals(field(line, "target_rate").toDouble(), step.targetRate, 0.0, at)
            assertEquals(field(line, "frame_rate_factor").toDouble(), step.frameRateFactor, 0.0, at)
        }
    }

    private fun threshold(line: String): Float =
        when (val text = field(line, "threshold")) {
            "always_escalate" -> Float.POSITIVE_INFINITY
            "never_escalate" -> Float.NEGATIVE_INFINITY
            else -> text.toFloat()
        }

    private fun field(
        line: String,
        name: String,
    ): String =
        checkNotNull(Regex("\"$name\":\"?([^,\"}]+)").find(line)) { "no $name in $line" }.groupValues[1]
}
