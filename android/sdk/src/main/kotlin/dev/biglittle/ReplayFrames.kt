package dev.biglittle

import java.nio.Buffer
import java.nio.ByteBuffer
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * A camera that shows the same frames again: for tests, and for a desk without a camera. The frames
 * lie one after the other in one direct buffer, without gaps, and are not copied.
 *
 * @param pixels a direct buffer with whole frames from its position to its limit.
 * @property format a format of one plane.
 * @property width the columns of a frame.
 * @property height the rows of a frame.
 */
public class ReplayFrames(
    pixels: ByteBuffer,
    public val format: PixelFormat,
    public val width: Int,
    public val height: Int,
) {
    private val pixels = pixels.slice()
    private val rowBytes = width.toLong() * bytesPerPixel(format)
    private val frameBytes = rowBytes * height

    /** The number of frames. */
    public val size: Int

    init {
        if (width <= 0 || height <= 0 || frameBytes > Int.MAX_VALUE) {
            throw BigLittleException.InvalidArgument(
                "frames are $width by $height: both sides must be above 0 and a frame below 2 GB",
            )
        }
        val length = this.pixels.remaining()
        if (length % frameBytes != 0L) {
            throw BigLittleException.InvalidArgument(
                "the buffer has $length bytes: give whole frames of $frameBytes",
            )
        }
        size = (length / frameBytes).toInt()
    }

    /** The frame at [index], from 0. */
    public operator fun get(index: Int): Frame {
        if (index !in 0 until size) {
            throw BigLittleException.InvalidArgument("there is no frame $index: there are $size")
        }
        val bytes = pixels.duplicate()
        bound(bytes, (index * frameBytes).toInt(), ((index + 1) * frameBytes).toInt())
        return Frame(format, width, height, bytes, rowBytes.toInt())
    }

    /**
     * The frames in order, [framesPerSecond] of them a second and without a pause where that is
     * infinite; from the start again after the last one if [repeat].
     */
    public fun frames(
        framesPerSecond: Double = Double.POSITIVE_INFINITY,
        repeat: Boolean = false,
    ): Flow<Frame> {
        if (framesPerSecond.isNaN() || framesPerSecond <= 0.0) {
            throw BigLittleException.InvalidArgument(
                "framesPerSecond is $framesPerSecond: it must be above 0",
            )
        }
        val pauseMs = (MILLISECONDS / framesPerSecond).toLong()
        return flow {
            do {
                for (index in 0 until size) {
                    emit(get(index))
                    delay(pauseMs)
                }
            } while (repeat && size > 0)
        }
    }

    private companion object {
        const val MILLISECONDS = 1_000.0

        /** As a [Buffer]: a `ByteBuffer` has functions of its own for this that Android 8 has not. */
        fun bound(bytes: Buffer, from: Int, to: Int) {
            bytes.limit(to)
            bytes.position(from)
        }

        fun bytesPerPixel(format: PixelFormat): Int =
            when (format) {
                PixelFormat.GRAY8 -> 1

                PixelFormat.RGB8 -> 3

                PixelFormat.RGBA8, PixelFormat.BGRA8 -> 4

                else -> throw BigLittleException.InvalidArgument(
                    "$format has several planes: give one of GRAY8, RGB8, RGBA8 and BGRA8",
                )
            }
    }
}
