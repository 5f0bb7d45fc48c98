package dev.biglittle

import dev.biglittle.internal.ClassifyCall
import dev.biglittle.internal.EngineThread
import dev.biglittle.internal.FrameRunner
import dev.biglittle.internal.NativeLibrary
import dev.biglittle.core.NativeEngine
import dev.biglittle.core.initLogging
import dev.biglittle.internal.translated
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext

/**
 * Classifies frames with the cascade of one bundle: the little network first, the big one only when
 * the little one is unsure.
 *
 * Every engine has one thread of its own, on which networks are opened and run; nothing runs on the
 * caller's thread. Any thread may call any function. [push], [setMode], [setBudget] and [close] never
 * wait for a frame in progress, the suspending functions do without blocking.
 *
 * ```
 * val engine = BigLittle.open(File(filesDir, "mnist.biglittle"))
 * val outcome = engine.classify(frame)
 * println("${outcome.labelName} by level ${outcome.tier}")
 * engine.close()
 * ```
 *
 * Every failure is a [BigLittleException]; after [close] it is [BigLittleException.Closed].
 */
public class BigLittle private constructor(private val native: NativeEngine, private val thread: EngineThread) :
    AutoCloseable {
    /** The names of the answers, in the order of their indices. */
    public val labels: List<String> = translated { native.labels() }

    /** What the bundle says about itself. */
    public val bundle: BundleInfo = translated { native.describe() }

    /** What the run-time state began with. */
    public val stateOrigin: StateOrigin = translated { native.stateOrigin() }

    private val frames = FrameRunner(native, labels)

    /**
     * Classifies one frame.
     *
     * Frames of several callers are answered one after the other. When the caller is cancelled, the
     * run ends before its next network; only then is the cancellation thrown, so the bytes of the
     * frame are free as soon as this returns in whatever way.
     *
     * @throws BigLittleException.InvalidFrame when the frame's description does not fit its bytes.
     * @throws BigLittleException.Inference when no level had a usable answer.
     * @throws BigLittleException.Closed when the engine was closed, before or meanwhile.
     */
    public suspend fun classify(frame: Frame): Outcome {
        frames.checkOpen()
        return ClassifyCall(frames, frame).await(thread)
    }

    /** Takes a reading of the device; without [EngineOptions.runtime] it changes nothing. */
    public fun push(reading: DeviceReading) {
        frames.checkOpen()
        translated { native.pushReading(reading) }
    }

    /** Sets what the user prefers. Needs [EngineOptions.runtime]. */
    public fun setMode(mode: UserMode) {
        frames.checkOpen()
        translated { native.setMode(mode) }
    }

    /** Sets what may be spent on the big network. Needs [EngineOptions.runtime]. */
    public fun setBudget(budget: Budget?) {
        frames.checkOpen()
        translated { native.setBudget(budget) }
    }

    /** What is in force now, and why. Needs [EngineOptions.runtime]. */
    public suspend fun status(): EngineStatus = ask { status() }

    /** What was spent and saved so far; energy by [model]. Needs [EngineOptions.runtime]. */
    public suspend fun savings(model: EnergyModel = dev.biglittle.core.EnergyModel.MacModel): SavingsReport =
        ask { savings(model) }

    /**
     * The sums of this session as JSON, as `biglittle report` reads them: no image, no answer,
     * nothing that tells one phone from another. Needs [EngineOptions.runtime].
     */
    public suspend fun summaryJson(): String = ask { summaryJson() }

    /** Writes the run-time state to [EngineOptions.stateFile]; call it when the app is put away. */
    public suspend fun saveState() {
        ask { saveState() }
    }

    private suspend fun <T> ask(question: NativeEngine.() -> T): T {
        frames.checkOpen()
        return thread.run { translated { native.question() } }
    }

    /**
     * Ends the frame in progress before its next network and frees the networks on the engine's
     * thread. Frames that wait end with [BigLittleException.Closed]. A second time does nothing.
     */
    override fun close() {
        if (frames.close()) {
            thread.execute { translated { native.shutdown() } }
            thread.end()
        }
    }

    public companion object {
        /**
         * Opens a bundle: a folder or a `.biglittle` file.
         *
         * @throws BigLittleException.Io when it cannot be read.
         * @throws BigLittleException.InvalidBundle when a byte is changed, missing or too much.
         * @throws BigLittleException.InvalidModel when a network cannot be used.
         */
        public suspend fun open(
            file: File,
            options: EngineOptions = EngineOptions(),
        ): BigLittle = open(options) { NativeEngine.openPath(file.path, it) }

        /** Opens a bundle from the bytes of a `.biglittle` file. */
        public suspend fun open(
            bytes: ByteArray,
            options: EngineOptions = EngineOptions(),
        ): BigLittle = open(options) { NativeEngine.openBytes(direct(bytes), it) }

        /**
         * Opens a bundle from a direct buffer with the bytes of a `.biglittle` file, from its
         * position to its limit. It may be let go afterwards.
         */
        public suspend fun open(
            bytes: ByteBuffer,
            options: EngineOptions = EngineOptions(),
        ): BigLittle {
            if (!bytes.isDirect) {
                throw BigLittleException.InvalidArgument(
                    "the buffer is not direct: allocate it with ByteBuffer.allocateDirect",
                )
            }
            return open(options) { NativeEngine.openBytes(bytes.slice(), it) }
        }

        /** Opens a bundle from a stream of a `.biglittle` file, such as an asset; closes it. */
        public suspend fun open(
            stream: InputStream,
            options: EngineOptions = EngineOptions(),
        ): BigLittle =
            open(options) {
                val bytes =
                    try {
                        stream.use { it.readBytes() }
                    } catch (failure: IOException) {
                        throw BigLittleException.Io("the stream cannot be read: $failure", failure)
                    }
                NativeEngine.openBytes(direct(bytes), it)
            }

        /**
         * Begins to log at [level], with the tag `biglittle`: to logcat on a phone, to standard error
         * elsewhere. Without it nothing is logged.
         */
        public fun startLogging(level: LogLevel) {
            NativeLibrary.ensureLoaded()
            translated { initLogging(level) }
        }

        private suspend fun open(
            options: EngineOptions,
            open: (dev.biglittle.core.EngineOptions) -> NativeEngine,
        ): BigLittle {
            val thread = EngineThread(options.threadPriority)
            val engine =
                try {
                    withContext(NonCancellable) {
                        thread.run {
                            NativeLibrary.ensureLoaded()
                            translated { BigLittle(open(options.toNative()), thread) }
                        }
                    }
                } catch (failure: Throwable) {
                    thread.end()
                    throw failure
                }
            try {
                kotlin.coroutines.coroutineContext.ensureActive()
            } catch (cancelled: Exception) {
                engine.close()
                throw cancelled
            }
            return engine
        }

        private fun direct(bytes: ByteArray): ByteBuffer =
            ByteBuffer.allocateDirect(bytes.size).also { it.duplicate().put(bytes) }
    }
}
