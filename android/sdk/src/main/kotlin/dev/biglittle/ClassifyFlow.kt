package dev.biglittle

import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

/**
 * Classifies frames in the order in which they come, and always the latest: a frame that waits while
 * a newer one comes is dropped.
 *
 * Every frame that comes is closed exactly once, as soon as it is answered or dropped. A frame that
 * cannot be classified ends the flow with its [BigLittleException].
 *
 * @param engine what answers; it is not closed.
 * @param counts is told what becomes of the frames.
 */
public fun Flow<Frame>.classify(
    engine: BigLittle,
    counts: FlowCounts = FlowCounts(),
): Flow<Outcome> {
    val frames = this
    return flow {
        coroutineScope {
            val latest =
                Channel<Frame>(1, BufferOverflow.DROP_OLDEST) { dropped ->
                    counts.countDropped()
                    dropped.close()
                }
            launch {
                // A failure of the frames ends the scope, and so this flow.
                frames.collect { frame ->
                    counts.countReceived()
                    latest.send(frame)
                    // Frames that come without a pause must not keep a shared thread to themselves.
                    yield()
                }
                latest.close()
            }
            try {
                for (frame in latest) emit(answer(engine, frame, counts))
            } finally {
                // What still waits is dropped.
                latest.cancel()
                coroutineContext.cancelChildren()
            }
        }
    }
}

private suspend fun answer(
    engine: BigLittle,
    frame: Frame,
    counts: FlowCounts,
): Outcome =
    frame.use {
        try {
            engine.classify(frame).also(counts::count)
        } catch (failure: Throwable) {
            counts.countDropped()
            throw failure
        }
    }
