package dev.biglittle.internal

import dev.biglittle.BigLittleException
import dev.biglittle.Frame
import dev.biglittle.Outcome
import dev.biglittle.core.NativeEngine
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.coroutines.cancellation.CancellationException

/** Runs frames on one engine, one at a time, without garbage but the answer. */
internal class FrameRunner(private val engine: NativeEngine, private val labels: List<String>) {
    private val handle = engine.jniHandle()
    private val layout = FrameNumbers()
    private val answer = AnswerNumbers()

    private val closed = AtomicBoolean()

    /** Ends the run in progress before its next network, and lets no other begin; false if it had before. */
    fun close(): Boolean {
        val first = closed.compareAndSet(false, true)
        if (first) cancel()
        return first
    }

    /** Throws where it was closed. */
    fun checkOpen() {
        if (closed.get()) throw BigLittleException.Closed("the engine is closed: open another one")
    }

    /** On the engine's thread only. */
    fun classify(frame: Frame): Outcome {
        checkOpen()
        frame.lease.begin()
        try {
            frame.checkBytes?.invoke()
            val planes = frame.planes
            if (planes.size > MAX_PLANES) {
                throw BigLittleException.InvalidFrame(
                    "the frame has ${planes.size} planes: give at most $MAX_PLANES",
                )
            }
            layout.set(frame)
            val failure =
                NativeFrames.classify(
                    handle,
                    planes.getOrNull(0)?.buffer,
                    planes.getOrNull(1)?.buffer,
                    planes.getOrNull(2)?.buffer,
                    layout.array,
                    answer.array,
                ) ?: return answer.outcome(labels, null)
            exceptionOf(failure)?.let {
                if (it is CancellationException) checkOpen()
                throw it
            }
            return answer.outcome(labels, failure.substringAfter('\n'))
        } finally {
            frame.lease.end()
        }
    }

    /** From any thread: stops the run in progress before its next network. */
    fun cancel() {
        translated { engine.cancel() }
    }

    private companion object {
        const val MAX_PLANES = 3
    }
}
