package dev.biglittle.sample.camera

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.util.AttributeSet
import android.widget.FrameLayout

/** The picture, in rounded corners, with the square that the networks look at. */
internal class PreviewLayout(context: Context, attributes: AttributeSet?) : FrameLayout(context, attributes) {
    private val brushes = Brushes(context)
    private val radius = brushes.dp(20f)
    private val outline = Path()
    private val guide = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = brushes.dp(3f)
        strokeCap = Paint.Cap.ROUND
        color = brushes.color(R.color.guide)
    }

    override fun onSizeChanged(width: Int, height: Int, oldWidth: Int, oldHeight: Int) {
        super.onSizeChanged(width, height, oldWidth, oldHeight)
        outline.rewind()
        outline.addRoundRect(0f, 0f, width.toFloat(), height.toFloat(), radius, radius, Path.Direction.CW)
    }

    override fun draw(canvas: Canvas) {
        canvas.save()
        canvas.clipPath(outline)
        super.draw(canvas)
        canvas.restore()
    }

    override fun dispatchDraw(canvas: Canvas) {
        super.dispatchDraw(canvas)
        val half = minOf(width, height) * GUIDE_SHARE / 2
        val arm = half / 4
        val x = width / 2f
        val y = height / 2f
        for (side in intArrayOf(-1, 1)) {
            for (edge in intArrayOf(-1, 1)) {
                val cornerX = x + side * half
                val cornerY = y + edge * half
                canvas.drawLine(cornerX, cornerY, cornerX - side * arm, cornerY, guide)
                canvas.drawLine(cornerX, cornerY, cornerX, cornerY - edge * arm, guide)
            }
        }
    }

    companion object {
        /** The side of the square that is looked at, as a share of the picture's shorter side. */
        const val GUIDE_SHARE: Float = 0.86f
    }
}
