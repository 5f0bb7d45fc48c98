package dev.biglittle.sample.camera

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.RectF
import dev.biglittle.android.Digits

/** What a preview of [width] x [height] shows of a camera that looks at digit [index]. */
internal fun cameraPicture(index: Int, width: Int, height: Int): Bitmap {
    val wide = CameraController.WIDTH
    val high = CameraController.HEIGHT
    val luma = Digits.camera(index, wide, high, scale = 8)[0]
    val image = Bitmap.createBitmap(wide, high, Bitmap.Config.ARGB_8888)
    for (y in 0 until high) {
        for (x in 0 until wide) {
            val grey = luma.buffer[y * luma.rowStride + x].toInt() and 0xff
            image.setPixel(x, y, Color.rgb(grey, grey, grey))
        }
    }
    // The system turns the image upright and stretches it over the view; then comes the app's matrix.
    val upright = Bitmap.createBitmap(image, 0, 0, wide, high, Matrix().apply { postRotate(90f) }, true)
    val whole = RectF(0f, 0f, upright.width.toFloat(), upright.height.toFloat())
    val view = RectF(0f, 0f, width.toFloat(), height.toFloat())
    val shown = Matrix().apply {
        setRectToRect(whole, view, Matrix.ScaleToFit.FILL)
        postConcat(CameraGeometry(width, height, displayDegrees = 0).transform())
    }
    return Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888).also {
        Canvas(it).drawBitmap(upright, shown, Paint(Paint.FILTER_BITMAP_FLAG))
    }
}
