package dev.biglittle.android

import android.graphics.Bitmap
import dev.biglittle.BigLittleException
import dev.biglittle.Crop
import dev.biglittle.Frame
import dev.biglittle.PixelFormat
import java.nio.ByteBuffer

/**
 * A copy of this bitmap as a frame, which may be changed or recycled afterwards. Any configuration
 * but `ARGB_8888` is converted to it first, which is a second copy. For pictures; a camera's frames
 * come as `Image` without any.
 *
 * @param rotationDegrees the clockwise turn that makes the bitmap upright: 0, 90, 180 or 270.
 * @param crop the part to look at, before rotation.
 * @throws BigLittleException.InvalidFrame when the bitmap was recycled.
 */
public fun Bitmap.toFrame(rotationDegrees: Int = 0, crop: Crop? = null): Frame {
    if (isRecycled) throw BigLittleException.InvalidFrame("the bitmap is recycled: make the frame before")
    val pixels = if (config == Bitmap.Config.ARGB_8888) this else copy(Bitmap.Config.ARGB_8888, false)
    val bytes = ByteBuffer.allocateDirect(pixels.rowBytes * pixels.height)
    pixels.copyPixelsToBuffer(bytes.duplicate())
    // ARGB_8888 is a name for a whole number; its bytes lie as red, green, blue, alpha.
    return Frame(PixelFormat.RGBA8, width, height, bytes, pixels.rowBytes, rotationDegrees, crop)
}
