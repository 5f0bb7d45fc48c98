package dev.biglittle.internal

import dev.biglittle.AnswerStatus
import dev.biglittle.EscalationReason
import dev.biglittle.LevelReport
import dev.biglittle.Marks
import dev.biglittle.Outcome
import dev.biglittle.Times

/** An answer as the core writes it, in an array that is used again. */
internal class AnswerNumbers {
    val array = LongArray(ANSWER + MAX_LEVELS * LEVEL)

    /** The answer in the array. */
    fun outcome(
        labels: List<String>,
        failure: String?,
    ): Outcome {
        val label = array[0].toInt().takeIf { it >= 0 }
        val levels = ArrayList<LevelReport>(array[10].toInt())
        for (index in 0 until array[10].toInt()) levels += level(ANSWER + index * LEVEL)
        return Outcome(
            label = label,
            labelName = label?.let(labels::getOrNull),
            score = score(1),
            threshold = score(2),
            tier = array[3].toInt(),
            status = STATUSES[array[4].toInt()],
            reason = reason(5),
            marks = marks(array[6].toInt()),
            levels = levels,
            times = times(7),
            macs = array[9],
            failure = failure,
        )
    }

    private fun level(at: Int) =
        LevelReport(
            tier = array[at].toUByte(),
            label = array[at + 1].takeIf { it >= 0 }?.toUInt(),
            score = score(at + 2),
            escalation = reason(at + 3),
            times = times(at + 4),
            macs = array[at + 6].toULong(),
        )

    private fun score(at: Int) = Float.fromBits(array[at].toInt())

    private fun reason(at: Int) = REASONS.getOrNull(array[at].toInt())

    private fun times(at: Int) = Times(wallNs = array[at].toULong(), cpuNs = array[at + 1].toULong())

    private fun marks(bits: Int): Marks =
        if (bits == 0) {
            UNMARKED
        } else {
            Marks(
                belowCertificate = bits and 1 != 0,
                reused = bits and 2 != 0,
                degraded = bits and 4 != 0,
                audited = bits and 8 != 0,
            )
        }

    private companion object {
        const val ANSWER = 11
        const val LEVEL = 7
        const val MAX_LEVELS = 8
        val STATUSES = AnswerStatus.entries
        val REASONS = EscalationReason.entries
        val UNMARKED = Marks(belowCertificate = false, reused = false, degraded = false, audited = false)
    }
}
