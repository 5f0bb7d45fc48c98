package dev.biglittle

import java.io.File

/**
 * How an engine opens a bundle.
 *
 * @property opening when the networks behind the first level are opened.
 * @property runtime battery, heat, budget, audits and guards, for bundles of two levels. With `null`
 *   thresholds stay as the bundle gives them and nothing is counted.
 * @property stateFile a file in which the run-time state outlives the app; needs [runtime], is
 *   written by [BigLittle.saveState] only, and belongs to one engine at a time.
 * @property threadPriority the priority of the engine's one thread, from [Thread.MIN_PRIORITY] to
 *   [Thread.MAX_PRIORITY].
 */
public class EngineOptions(
    public val opening: Opening = Opening.LAZY,
    public val runtime: RuntimeOptions? = RuntimeOptions(),
    public val stateFile: File? = null,
    public val threadPriority: Int = Thread.NORM_PRIORITY,
) {
    init {
        if (threadPriority !in Thread.MIN_PRIORITY..Thread.MAX_PRIORITY) {
            throw BigLittleException.InvalidArgument(
                "threadPriority is $threadPriority: it must be ${Thread.MIN_PRIORITY} to " +
                    "${Thread.MAX_PRIORITY}",
            )
        }
    }

    internal fun toNative() =
        dev.biglittle.core.EngineOptions(opening, runtime, stateFile?.path)
}
