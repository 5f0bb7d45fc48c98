package dev.biglittle.internal

import dev.biglittle.BigLittleException

/** What is given back once: when it was closed and nobody uses it any more. */
internal class Lease(private val onClose: (() -> Unit)?) {
    private var users = 0
    private var closed = false

    /** Begins to use it; every call is followed by one of [end]. */
    fun begin() {
        synchronized(this) {
            if (closed) {
                throw BigLittleException.InvalidFrame(
                    "the frame was closed: classify it before it is closed",
                )
            }
            users += 1
        }
    }

    /** Ends to use it. */
    fun end() {
        val isOver = synchronized(this) { --users == 0 && closed }
        if (isOver) onClose?.invoke()
    }

    /** Gives it back, now or at the last [end]; a second time does nothing. */
    fun close() {
        val isOver =
            synchronized(this) {
                val first = !closed
                closed = true
                first && users == 0
            }
        if (isOver) onClose?.invoke()
    }
}
