package dev.biglittle

/**
 * The answer for a frame, and what it took.
 *
 * @property label the index of the bundle's label; `null` where the best class has none, or the
 *   frame was dropped.
 * @property labelName the name of that label.
 * @property score how sure the answer is, in the unit of its level's confidence; NaN where there is
 *   none.
 * @property threshold what the first level's score had to be above for this frame; infinite where
 *   every frame goes to the big network.
 * @property tier the level whose answer this is, 0 for the little network.
 * @property status how far the answer can be trusted.
 * @property reason why the first level's answer did not stand; `null` where it did.
 * @property marks what the run-time policy did to it.
 * @property levels the levels that ran, in order; empty for an answer that was reused.
 * @property times the times of these levels together.
 * @property macs their multiply-accumulates.
 * @property failure why a network could not be run, where one could not.
 */
public data class Outcome(
    val label: Int?,
    val labelName: String?,
    val score: Float,
    val threshold: Float,
    val tier: Int,
    val status: AnswerStatus,
    val reason: EscalationReason?,
    val marks: Marks,
    val levels: List<LevelReport>,
    val times: Times,
    val macs: Long,
    val failure: String?,
) {
    /** Whether a later level than the first ran for the answer. */
    val isEscalated: Boolean
        get() = levels.any { it.tier > 0u }
}
