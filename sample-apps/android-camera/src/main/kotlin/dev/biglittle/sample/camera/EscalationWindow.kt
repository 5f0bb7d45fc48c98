package dev.biglittle.sample.camera

/** Which of the last frames went to the big network. */
internal class EscalationWindow {
    private val escalated = ArrayDeque<Boolean>()
    private val shares = ArrayDeque<Float>()

    /** All frames there ever were. */
    var total = 0L
        private set

    fun add(isEscalated: Boolean) {
        total++
        escalated.addLast(isEscalated)
        if (escalated.size > FRAMES) escalated.removeFirst()
        shares.addLast(escalated.takeLast(SMOOTHED).let { last -> last.count { it }.toFloat() / last.size })
        if (shares.size > FRAMES) shares.removeFirst()
    }

    fun rate(): RateUi {
        val share = if (escalated.isEmpty()) 0f else escalated.count { it }.toFloat() / escalated.size
        return RateUi(share, escalated.size, shares.toList())
    }

    companion object {
        const val FRAMES = 60

        /** The frames behind each point of the line. */
        const val SMOOTHED = 20
    }
}
