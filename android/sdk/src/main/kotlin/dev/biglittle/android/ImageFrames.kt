package dev.biglittle.android

import android.annotation.TargetApi
import android.graphics.ImageFormat.YUV_420_888
import android.graphics.PixelFormat.RGBA_8888
import android.hardware.DataSpace
import android.media.Image
import android.os.Build
import dev.biglittle.BigLittleException
import dev.biglittle.Crop
import dev.biglittle.Frame
import dev.biglittle.PixelFormat
import dev.biglittle.Plane
import dev.biglittle.YuvMatrix
import dev.biglittle.YuvRange

/**
 * This image as a frame, without a copy: from Camera2's `ImageReader`, or `ImageProxy.image` of
 * CameraX. Closing the frame closes the image, when it is no longer looked at; do not close the image
 * yourself then (for CameraX give [onClose] `proxy::close`).
 *
 * `YUV_420_888` is taken with whatever strides the camera has, and `RGBA_8888`. From API 33 on the
 * image says which matrix and range its colours have; where it does not, BT.601 in full range is
 * taken, which is what cameras give.
 *
 * @param rotationDegrees the clockwise turn that makes the image upright: 0, 90, 180 or 270.
 * @param crop the part to look at, before rotation; by default the image's own `cropRect`.
 * @param onClose what closing the frame does.
 * @throws BigLittleException.InvalidFrame when the image was closed or has another format.
 */
public fun Image.toFrame(
    rotationDegrees: Int = 0,
    crop: Crop? = null,
    onClose: () -> Unit = ::close,
): Frame = refusingClosed {
    val frame = Frame(
        format = pixelFormat(),
        width = width,
        height = height,
        planes = planes.map { Plane(it.buffer, it.rowStride, it.pixelStride) },
        rotationDegrees = rotationDegrees,
        crop = crop ?: ownCrop(),
        matrix = matrix(),
        range = range(),
        onClose = onClose,
    )
    frame.checkBytes = { refusingClosed { width } }
    frame
}

/** Every property of an image that was closed throws. */
private inline fun <T> refusingClosed(look: () -> T): T = try {
    look()
} catch (closed: IllegalStateException) {
    throw BigLittleException.InvalidFrame(
        "the image is closed: make the frame before, and close the frame instead of the image",
        closed,
    )
}

private fun Image.pixelFormat() = when (val format = format) {
    YUV_420_888 -> PixelFormat.YUV420

    RGBA_8888 -> PixelFormat.RGBA8

    else -> throw BigLittleException.InvalidFrame(
        "the image has format $format: give YUV_420_888 ($YUV_420_888) or RGBA_8888 ($RGBA_8888)",
    )
}

private fun Image.ownCrop(): Crop? {
    val rect = cropRect
    val whole = rect.left == 0 && rect.top == 0 && rect.right == width && rect.bottom == height
    return if (whole || rect.isEmpty) null else Crop(rect.left, rect.top, rect.width(), rect.height())
}

@TargetApi(Build.VERSION_CODES.TIRAMISU)
private fun Image.matrix(): YuvMatrix {
    val known = Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU
    val isBt709 = known && DataSpace.getStandard(dataSpace) == DataSpace.STANDARD_BT709
    return if (isBt709) YuvMatrix.BT709 else YuvMatrix.BT601
}

@TargetApi(Build.VERSION_CODES.TIRAMISU)
private fun Image.range(): YuvRange {
    val known = Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU
    val isLimited = known && DataSpace.getRange(dataSpace) == DataSpace.RANGE_LIMITED
    return if (isLimited) YuvRange.LIMITED else YuvRange.FULL
}
