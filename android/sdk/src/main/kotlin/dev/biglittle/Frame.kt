package dev.biglittle

import dev.biglittle.internal.Lease
import java.nio.ByteBuffer

/**
 * A camera frame: bytes that are borrowed, and what they are. Whether both fit is checked when the
 * frame is classified; a frame that does not fit is a [BigLittleException.InvalidFrame] that names
 * the plane, the value and the limit.
 *
 * A frame whose bytes have to be given back (`android.media.Image`) is given [onClose]. Closing a
 * frame while it is being classified takes effect when that is over, so nothing is read that was
 * given back; classifying a closed frame is an error. What [onClose] gives back must not be given
 * back elsewhere: the bytes of an image that is closed behind a frame's back may be gone, and reading
 * them ends the process.
 *
 * @property format how the bytes encode the pixels.
 * @property width the columns of the buffer, before rotation and crop.
 * @property height the rows of the buffer, before rotation and crop.
 * @property planes the planes that the format has, in its order.
 * @property rotationDegrees the clockwise turn that makes the frame upright: 0, 90, 180 or 270.
 * @property crop the part of the buffer to look at; `null` for all of it.
 * @property matrix the weights of the colours in luma, for YUV formats.
 * @property range the bytes that stand for black and white, for YUV formats.
 * @param onClose called once, by the thread that lets go of the frame last.
 */
public class Frame(
    public val format: PixelFormat,
    public val width: Int,
    public val height: Int,
    public val planes: List<Plane>,
    public val rotationDegrees: Int = 0,
    public val crop: Crop? = null,
    public val matrix: YuvMatrix = YuvMatrix.BT601,
    public val range: YuvRange = YuvRange.FULL,
    onClose: (() -> Unit)? = null,
) : AutoCloseable {
    internal val lease = Lease(onClose)

    /** Throws where the bytes were given back behind the frame's back and that can be told. */
    internal var checkBytes: (() -> Unit)? = null

    /** A frame in one plane whose pixels lie side by side in a direct [buffer]. */
    public constructor(
        format: PixelFormat,
        width: Int,
        height: Int,
        buffer: ByteBuffer,
        rowStride: Int,
        rotationDegrees: Int = 0,
        crop: Crop? = null,
    ) : this(
        format,
        width,
        height,
        listOf(Plane(buffer, rowStride, bytesPerPixel(format))),
        rotationDegrees,
        crop,
    )

    /** Gives the bytes back: now, or when the frame has been classified. */
    override fun close() {
        lease.close()
    }

    private companion object {
        fun bytesPerPixel(format: PixelFormat) =
            when (format) {
                PixelFormat.RGB8 -> 3
                PixelFormat.RGBA8, PixelFormat.BGRA8 -> 4
                PixelFormat.GRAY8, PixelFormat.YUV420, PixelFormat.NV12, PixelFormat.NV21 -> 1
            }
    }
}
