package dev.biglittle

import java.nio.ByteBuffer

/**
 * One plane of a frame: the bytes from the buffer's position to its limit, which are looked at when
 * the plane is made. Later changes of position and limit make no difference.
 *
 * @param buffer a direct buffer. It is not copied, so its bytes must stay as they are until the frame
 *   is answered. The last row may end right after its last sample.
 * @property rowStride the bytes from the start of one row to the start of the next.
 * @property pixelStride the bytes from the start of one sample to the start of the next.
 */
public class Plane(buffer: ByteBuffer, public val rowStride: Int, public val pixelStride: Int) {
    internal val buffer: ByteBuffer = buffer
    internal val offset: Int = buffer.position()
    internal val length: Int = buffer.remaining()
}
