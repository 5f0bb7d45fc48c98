package dev.biglittle

import dev.biglittle.internal.NativeLibrary
import dev.biglittle.core.Recording
import dev.biglittle.core.parseRecording
import dev.biglittle.core.replayThresholds
import dev.biglittle.core.writeRecording
import dev.biglittle.internal.translated

/**
 * A recorded device: what a phone said about itself, in order. As text it is JSON Lines, the same for
 * the core, the command line, Kotlin and Swift.
 *
 * @property name a short name.
 * @property description what happens in it, in a sentence.
 * @property events what happened.
 */
public data class DeviceTrace(val name: String, val description: String, val events: List<TraceEvent>) {
    /** The recording as text, as [parse] reads it. */
    public fun toText(): String {
        NativeLibrary.ensureLoaded()
        return translated { writeRecording(recording()) }
    }

    /**
     * Puts the recording through policy and rate controller without networks: after each event come
     * frames with the given [scores] of the first level, 0 to 1, at its time. The same input gives
     * the same steps, bit for bit, on every platform.
     *
     * @param certificates the thresholds that may be named.
     * @param promiseEps the promise to keep, as the `eps` of one of them.
     */
    public fun replay(
        certificates: List<CertifiedThreshold>,
        promiseEps: Double,
        scores: List<Float>,
    ): List<ReplayStep> {
        NativeLibrary.ensureLoaded()
        return translated { replayThresholds(recording(), certificates, promiseEps, scores) }
    }

    private fun recording() = Recording(name, description, events)

    public companion object {
        /**
         * Reads a recording.
         *
         * @throws BigLittleException.InvalidData with the number of the line that is wrong.
         */
        public fun parse(text: String): DeviceTrace {
            NativeLibrary.ensureLoaded()
            val recording = translated { parseRecording(text) }
            return DeviceTrace(recording.name, recording.description, recording.events)
        }
    }
}
