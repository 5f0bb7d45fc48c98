package dev.biglittle

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/**
 * All 10,000 test digits through Kotlin: the same answers, by the same levels, as the command line
 * gives.
 *
 * `mnist-by-the-cli.txt` has the label of each digit on its first line and the level on its second. It
 * is made of the trace of `biglittle trace -b models/mnist/bundle -d models/mnist`: level 0 where
 * `levels.little.margin` is above the bundle's threshold, else 1, and the `answer` of that level.
 */
class AccuracyTest {
    @Test
    fun `every digit is answered as by the command line`() =
        runBlocking {
            val (labels, tiers) =
                checkNotNull(javaClass.getResource("/mnist-by-the-cli.txt")).readText().trim().split('\n')
            var right = 0
            var escalated = 0
            TestData.open(EngineOptions(Opening.EAGER, runtime = null)).use { engine ->
                for (index in 0 until TestData.digits.size) {
                    val outcome = engine.classify(TestData.digits[index])
                    assertEquals(labels[index].digitToInt(), outcome.label, "digit $index")
                    assertEquals(tiers[index].digitToInt(), outcome.tier, "digit $index")
                    if (outcome.label == TestData.labels[index].toInt()) right += 1
                    if (outcome.isEscalated) escalated += 1
                }
            }
            // As `biglittle evaluate` says of the bundle.
            assertEquals(9_968, right)
            assertEquals(92, escalated)
        }
}
