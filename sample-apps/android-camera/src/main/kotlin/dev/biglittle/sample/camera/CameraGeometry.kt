package dev.biglittle.sample.camera

import android.graphics.Matrix
import android.graphics.RectF
import dev.biglittle.Crop

/** Where things of the camera's image are on the screen. The preview fills its view; the middle of it is seen. */
internal class CameraGeometry(
    private val viewWidth: Int,
    private val viewHeight: Int,
    private val displayDegrees: Int,
) {
    /** How a TextureView has to draw: it stretches the image, which the system turned for an upright phone. */
    fun transform(): Matrix {
        val view = RectF(0f, 0f, viewWidth.toFloat(), viewHeight.toFloat())
        val image = RectF(0f, 0f, CameraController.HEIGHT.toFloat(), CameraController.WIDTH.toFloat())
        image.offset(view.centerX() - image.centerX(), view.centerY() - image.centerY())
        return Matrix().apply {
            setRectToRect(view, image, Matrix.ScaleToFit.FILL)
            postScale(scale(), scale(), view.centerX(), view.centerY())
            postRotate(-displayDegrees.toFloat(), view.centerX(), view.centerY())
        }
    }

    /** The square inside the guide, in the image's own pixels. In the middle, so rotation changes nothing. */
    fun guide(): Crop {
        val side = (PreviewLayout.GUIDE_SHARE * minOf(viewWidth, viewHeight) / scale()).toInt()
            .coerceIn(1, CameraController.HEIGHT)
        return Crop(
            x = (CameraController.WIDTH - side) / 2,
            y = (CameraController.HEIGHT - side) / 2,
            width = side,
            height = side,
        )
    }

    private fun scale(): Float {
        val sideways = displayDegrees % 180 != 0
        val wide = if (sideways) CameraController.WIDTH else CameraController.HEIGHT
        val high = if (sideways) CameraController.HEIGHT else CameraController.WIDTH
        return maxOf(viewWidth.toFloat() / wide, viewHeight.toFloat() / high)
    }
}
