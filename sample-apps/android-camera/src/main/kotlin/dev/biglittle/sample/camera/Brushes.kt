package dev.biglittle.sample.camera

import android.content.Context
import android.graphics.Paint
import android.graphics.Typeface
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

/** The height of a line of text. */
internal val Paint.lineHeight: Float get() = fontMetrics.descent - fontMetrics.ascent
