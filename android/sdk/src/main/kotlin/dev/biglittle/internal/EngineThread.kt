package dev.biglittle.internal

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

    /** Does [task] after those that came before. */
    fun execute(task: Runnable) {
        try {
            executor.execute(task)
        } catch (_: RejectedExecutionException) {
            // After the end; the engine is closed, so this only says so.
            task.run()
        }
    }

    /** Does [work] and waits for it without blocking. A cancelled caller does not wait. */
    suspend fun <T> run(work: () -> T): T =
        suspendCancellableCoroutine { waiting ->
            execute {
                if (waiting.isActive) {
                    val done = runCatching(work)
                    done.fold(waiting::resume, waiting::resumeWithException)
                }
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
