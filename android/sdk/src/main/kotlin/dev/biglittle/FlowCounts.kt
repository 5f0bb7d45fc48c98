package dev.biglittle

import java.util.concurrent.atomic.AtomicLong

/**
 * What became of the frames of a flow that is classified. Once it is over,
 * `received == answered + reused + dropped`.
 */
public class FlowCounts {
    private val receivedFrames = AtomicLong()
    private val answeredFrames = AtomicLong()
    private val reusedFrames = AtomicLong()
    private val droppedFrames = AtomicLong()

    /** The frames that came. */
    public val received: Long get() = receivedFrames.get()

    /** The frames that networks answered. */
    public val answered: Long get() = answeredFrames.get()

    /** The frames that got the answer of an earlier one. */
    public val reused: Long get() = reusedFrames.get()

    /**
     * The frames without an answer: a newer one came first, the storm guard had no time, or the flow
     * ended while they were on their way.
     */
    public val dropped: Long get() = droppedFrames.get()

    internal fun countReceived() {
        receivedFrames.incrementAndGet()
    }

    internal fun countDropped() {
        droppedFrames.incrementAndGet()
    }

    internal fun count(outcome: Outcome) {
        when {
            outcome.status == AnswerStatus.DROPPED -> droppedFrames
            outcome.marks.reused -> reusedFrames
            else -> answeredFrames
        }.incrementAndGet()
    }

    override fun toString(): String =
        "FlowCounts(received=$received, answered=$answered, reused=$reused, dropped=$dropped)"
}
