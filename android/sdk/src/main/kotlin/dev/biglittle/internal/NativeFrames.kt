package dev.biglittle.internal

import java.nio.ByteBuffer

/** The way of frames to the core: `rust-core/ffi/src/jni/frames.rs` says what the numbers are. */
internal object NativeFrames {
    init {
        NativeLibrary.ensureLoaded()
    }

    /**
     * Classifies a frame on the calling thread. Gives nothing where that went well, or the kind and
     * the sentence of what went wrong, with a line feed between them. Reads the buffers during the
     * call only, and never copies them.
     */
    @JvmStatic
    external fun classify(
        engine: Long,
        plane0: ByteBuffer?,
        plane1: ByteBuffer?,
        plane2: ByteBuffer?,
        layout: IntArray,
        answer: LongArray,
    ): String?
}
