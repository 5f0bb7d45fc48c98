package dev.biglittle.android

import android.graphics.ImageFormat
import android.media.Image
import java.nio.ByteBuffer

/** An image that behaves as a camera's: once closed it refuses everything. */
class FakeImage(
    private val width: Int,
    private val height: Int,
    private val planes: Array<Image.Plane>,
    private val format: Int = ImageFormat.YUV_420_888,
    private val dataSpace: Int = 0,
) : Image() {
    var closings = 0
        private set

    init {
        mIsImageValid = true
    }

    override fun getWidth(): Int = open { width }

    override fun getHeight(): Int = open { height }

    override fun getFormat(): Int = open { format }

    override fun getPlanes(): Array<Plane> = open { planes }

    override fun getDataSpace(): Int = open { dataSpace }

    override fun getTimestamp(): Long = 0

    override fun getTransform(): Int = 0

    override fun getScalingMode(): Int = 0

    override fun close() {
        closings++
        mIsImageValid = false
    }

    private fun <T> open(value: () -> T): T {
        check(closings == 0) { "Image is already closed" }
        return value()
    }
}

class FakePlane(private val bytes: ByteBuffer, private val row: Int, private val pixel: Int) : Image.Plane() {
    override fun getBuffer(): ByteBuffer = bytes

    override fun getRowStride(): Int = row

    override fun getPixelStride(): Int = pixel
}
