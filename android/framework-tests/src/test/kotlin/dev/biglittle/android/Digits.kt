package dev.biglittle.android

import android.media.Image
import dev.biglittle.Frame
import dev.biglittle.PixelFormat
import java.io.File
import java.nio.ByteBuffer
import java.util.zip.GZIPInputStream

/** The test digits that ship with the repository, and cameras that look at them. */
object Digits {
    const val SIDE = 28
    private const val BYTES = SIDE * SIDE
    private const val HEADER = 16
    private val root = File(checkNotNull(System.getProperty("biglittle.root")))
    private val pixels: ByteArray by lazy {
        GZIPInputStream(root.resolve("models/mnist/t10k-images-idx3-ubyte.gz").inputStream()).use { stream ->
            stream.readBytes().copyOfRange(HEADER, HEADER + 100 * BYTES)
        }
    }

    val bundle: File = root.resolve("models/mnist/bundle")

    fun grey(index: Int, row: Int, column: Int): Byte = pixels[index * BYTES + row * SIDE + column]

    /** Digit [index] as it is. */
    fun frame(
        index: Int,
    ): Frame = Frame(PixelFormat.GRAY8, SIDE, SIDE, direct(BYTES) { pixels[index * BYTES + it] }, SIDE)

    /**
     * Digit [index] in the middle of a dark picture of [width] x [height], [scale] times as big, as a
     * camera gives it that is mounted a quarter turn to the left: interleaved chroma whose last byte is
     * missing, rows that are longer than the picture, and nothing after the last pixel of luma.
     */
    fun camera(index: Int, width: Int, height: Int, scale: Int): Array<Image.Plane> {
        val row = width + PADDING
        val side = SIDE * scale
        val luma = direct(row * (height - 1) + width) { at ->
            val x = at % row - (width - side) / 2
            val y = at / row - (height - side) / 2
            if (x in 0 until side && y in 0 until side) grey(index, x / scale, SIDE - 1 - y / scale) else 0
        }
        val chroma = direct(row * (height / 2 - 1) + width) { NEUTRAL }
        val u = chroma.duplicate().apply { limit(limit() - 1) }.slice()
        val v = chroma.duplicate().apply { position(1) }.slice()
        return arrayOf(FakePlane(luma, row, 1), FakePlane(u, row, 2), FakePlane(v, row, 2))
    }

    private fun direct(size: Int, byte: (Int) -> Byte): ByteBuffer {
        val bytes = ByteBuffer.allocateDirect(size)
        for (at in 0 until size) bytes.put(at, byte(at))
        return bytes
    }

    private const val PADDING = 32
    private const val NEUTRAL = 128.toByte()
}
