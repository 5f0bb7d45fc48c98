package dev.biglittle.sample.camera

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.text.TextUtils
import android.util.AttributeSet
import android.view.View

/** A number with its name above and where it comes from below; on the right, if given, how it went. */
internal class StatTile(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    /** What a tile shows. [colour] is that of the value; [history] is drawn as a line, 0 to 1. */
    data class Content(
        val name: String,
        val value: String,
        val caption: String,
        val colour: Int = R.color.ink,
        val history: List<Float> = emptyList(),
        val spoken: String? = null,
    )

    private val brushes = Brushes(context)
    private val gap = brushes.dp(4f)
    private val value = Paint(brushes.value)
    private val caption = brushes.caption
    private val line = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = brushes.dp(2f)
        strokeJoin = Paint.Join.ROUND
        strokeCap = Paint.Cap.ROUND
        color = brushes.color(R.color.big)
    }
    private val area = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = brushes.color(R.color.big_tint) }
    private val curve = Path()
    private var content: Content? = null

    fun show(next: Content) {
        if (content == next) return
        content = next
        contentDescription =
            next.spoken ?: context.getString(R.string.tile_spoken, next.name, next.value, next.caption)
        invalidate()
    }

    override fun onMeasure(width: Int, height: Int) {
        val text = 2 * brushes.caption.lineHeight + brushes.value.lineHeight + 2 * gap
        setMeasuredDimension(
            getDefaultSize(suggestedMinimumWidth, width),
            resolveSize((text + paddingTop + paddingBottom).toInt() + 1, height),
        )
    }

    override fun onDraw(canvas: Canvas) {
        val shown = content ?: return
        val left = paddingLeft.toFloat()
        val wide = (width - paddingLeft - paddingRight).toFloat()
        var y = paddingTop - caption.fontMetrics.ascent
        text(canvas, shown.name, left, y, wide)
        y = paddingTop + caption.lineHeight + gap
        value.color = brushes.color(shown.colour)
        canvas.drawText(shown.value, left, y - value.fontMetrics.ascent, value)
        val taken = value.measureText(shown.value) + brushes.dp(12f)
        if (shown.history.size > 1) sparkline(canvas, shown.history, left + taken, y, wide - taken, value.lineHeight)
        y += value.lineHeight + gap
        text(canvas, shown.caption, left, y - caption.fontMetrics.ascent, wide)
    }

    private fun text(canvas: Canvas, text: String, x: Float, y: Float, wide: Float) {
        val fitting = TextUtils.ellipsize(text, caption, wide, TextUtils.TruncateAt.END)
        canvas.drawText(fitting, 0, fitting.length, x, y, caption)
    }

    private fun sparkline(canvas: Canvas, history: List<Float>, x: Float, y: Float, wide: Float, high: Float) {
        val step = wide / (history.size - 1)
        val inset = line.strokeWidth
        val top = maxOf(history.max(), LOWEST_TOP)
        curve.rewind()
        history.forEachIndexed { index, share ->
            val at = y + inset + (high - 2 * inset) * (1 - share.coerceIn(0f, 1f) / top)
            if (index == 0) curve.moveTo(x, at) else curve.lineTo(x + index * step, at)
        }
        canvas.save()
        val under = Path(curve).apply {
            lineTo(x + wide, y + high)
            lineTo(x, y + high)
            close()
        }
        canvas.drawPath(under, area)
        canvas.drawPath(curve, line)
        canvas.restore()
    }

    private companion object {
        /** The top of the line is its highest share, but at least this: noise is not to look like a mountain. */
        const val LOWEST_TOP = 0.2f
    }
}
