package dev.biglittle.internal

import dev.biglittle.BigLittleException
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.suspendCancellableCoroutine

/** The one thread that an engine's work is done on. It ends when it has long had nothing to do. */
internal class EngineThread(private val priority: Int) {
    private val executor =
        ThreadPoolExecutor(1, 1, IDLE_SECONDS, TimeUnit.SECONDS, LinkedBlockingQueue()) { task ->
            Thread(task, "biglittle-engine").also {
                it.isDaemon = true
                it.priority = priority
            }
        }.also { it.allowCoreThreadTimeOut(true) }

    /** Does [task] after those that came before; throws where it has ended. */
    fun execute(task: Runnable) {
        try {
            executor.execute(task)
        } catch (rejected: RejectedExecutionException) {
            throw BigLittleException.Closed("the engine is closed: open another one", rejected)
        }
    }

    /** Does [work] and waits for it without blocking. A cancelled caller does not wait. */
    suspend fun <T> run(work: () -> T): T =
        suspendCancellableCoroutine { waiting ->
            try {
                execute {
                    if (waiting.isActive) {
                        val done = runCatching(work)
                        done.fold(waiting::resume, waiting::resumeWithException)
                    }
                }
            } catch (closed: BigLittleException.Closed) {
                waiting.resumeWithException(closed)
            }
        }

    /** Takes no more work; what was given is still done. */
    fun end() {
        executor.shutdown()
    }

    private companion object {
        const val IDLE_SECONDS = 10L
    }
}
