package dev.biglittle.internal

import dev.biglittle.BigLittleException
import dev.biglittle.Frame
import dev.biglittle.Outcome
import kotlin.coroutines.Continuation
import kotlin.coroutines.cancellation.CancellationException
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext

/**
 * One frame on its way through the engine's thread. Cancelled before it began, it never begins;
 * cancelled while it runs, it ends before the next network.
 */
internal class ClassifyCall(private val frames: FrameRunner, private val frame: Frame) : Runnable {
    private var waiting: CancellableContinuation<Outcome>? = null
    private var isRunning = false
    private var isCancelled = false

    /** Who waits for the end of a run that was cancelled. */
    private var atEnd: Continuation<Unit>? = null

    suspend fun await(thread: EngineThread): Outcome =
        try {
            suspendCancellableCoroutine { continuation ->
                waiting = continuation
                continuation.invokeOnCancellation { cancel() }
                try {
                    thread.execute(this)
                } catch (closed: BigLittleException.Closed) {
                    continuation.resumeWithException(closed)
                }
            }
        } catch (cancelled: CancellationException) {
            // The bytes are the caller's again only when the core has let go of them.
            withContext(NonCancellable) { awaitEnd() }
            throw cancelled
        }

    override fun run() {
        synchronized(this) {
            if (isCancelled) return
            isRunning = true
        }
        val result = runCatching { frames.classify(frame) }
        val ended =
            synchronized(this) {
                isRunning = false
                atEnd
            }
        ended?.resume(Unit)
        val waiting = checkNotNull(waiting) { "it is set before the call is given to the thread" }
        result.fold(waiting::resume) { failure ->
            // Its own cancellation is known to the waiting already.
            waiting.resumeWithException(
                if (failure is CancellationException) {
                    BigLittleException.Internal("the run was cancelled by nobody", failure)
                } else {
                    failure
                },
            )
        }
    }

    private fun cancel() {
        synchronized(this) {
            isCancelled = true
            // Under the lock: so that the run that is stopped is this one.
            if (isRunning) frames.cancel()
        }
    }

    private suspend fun awaitEnd() {
        kotlin.coroutines.suspendCoroutine { continuation ->
            val isOver =
                synchronized(this) {
                    atEnd = continuation
                    !isRunning
                }
            if (isOver) continuation.resume(Unit)
        }
    }
}
