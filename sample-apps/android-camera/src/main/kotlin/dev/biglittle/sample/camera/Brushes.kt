package dev.biglittle.sample.camera

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Typeface
import android.text.Layout
import android.text.StaticLayout
import android.text.TextPaint
import android.util.TypedValue

/** Paints and lengths that the drawn views share with the layouts' type scale. */
internal class Brushes(private val context: Context) {
    private val metrics = context.resources.displayMetrics

    val text = paint(15f, R.color.ink)
    val value = paint(20f, R.color.ink, medium)
    val caption = paint(13f, R.color.ink_soft)
    val strong = paint(13f, R.color.ink, medium)

    fun dp(value: Float): Float = value * metrics.density

    fun color(id: Int): Int = context.getColor(id)

    private fun paint(sp: Float, color: Int, face: Typeface = Typeface.DEFAULT) = TextPaint(
        Paint.ANTI_ALIAS_FLAG,
    ).apply {
        textSize = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, sp, metrics)
        typeface = face
        this.color = color(color)
    }

    private companion object {
        val medium: Typeface = Typeface.create("sans-serif-medium", Typeface.NORMAL)
    }
}

/** [text] in lines of at most [width] pixels: large letters take more lines, none is lost. */
internal fun TextPaint.wrap(text: String, width: Float): Layout =
    StaticLayout.Builder.obtain(text, 0, text.length, this, width.toInt().coerceAtLeast(0)).setIncludePad(false).build()

/** The width of its longest line. */
internal val Layout.widest: Float get() = (0 until lineCount).maxOf(::getLineWidth)

internal fun Layout.draw(canvas: Canvas, x: Float, y: Float) {
    canvas.save()
    canvas.translate(x, y)
    draw(canvas)
    canvas.restore()
}
