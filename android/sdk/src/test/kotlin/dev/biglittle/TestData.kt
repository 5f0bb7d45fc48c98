package dev.biglittle

import java.io.File
import java.nio.ByteBuffer
import java.util.zip.GZIPInputStream

/** The repository's digits bundle, its test digits and recorded devices. */
internal object TestData {
    private val root = File(checkNotNull(System.getProperty("biglittle.root")) { "set by the build" })

    val mnist: File = File(root, "models/mnist")
    val bundle: File = File(mnist, "bundle")
    val devices: File = File(root, "rust-core/core/tests/data/devices")

    const val SIDE = 28

    /** All 10,000 test digits. */
    val digits: ReplayFrames by lazy {
        val pixels = idx("t10k-images-idx3-ubyte.gz", 16)
        ReplayFrames(direct(pixels), PixelFormat.GRAY8, SIDE, SIDE)
    }

    /** What they are. */
    val labels: ByteArray by lazy { idx("t10k-labels-idx1-ubyte.gz", 8) }

    private fun idx(
        name: String,
        header: Int,
    ): ByteArray {
        val bytes = GZIPInputStream(File(mnist, name).inputStream()).use { it.readBytes() }
        return bytes.copyOfRange(header, bytes.size)
    }

    fun direct(bytes: ByteArray): ByteBuffer {
        val buffer = ByteBuffer.allocateDirect(bytes.size)
        buffer.put(bytes)
        buffer.position(0)
        return buffer
    }

    /** A digit that the little network is unsure of at the bundle's threshold, or sure of. */
    fun digit(escalated: Boolean): Frame = digits[if (escalated) UNSURE_DIGIT else 0]

    const val UNSURE_DIGIT = 247

    /** Opens the bundle, both networks at once. */
    suspend fun open(options: EngineOptions = EngineOptions(Opening.EAGER)): BigLittle =
        BigLittle.open(bundle, options)
}
