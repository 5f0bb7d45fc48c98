package dev.biglittle.sample.camera

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.text.Layout
import android.text.TextPaint
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
    private val value = TextPaint(brushes.value)
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

    /** Name, value and caption, as they are laid out for the tile's width. */
    internal var texts: List<Layout> = emptyList()
        private set

    fun show(next: Content) {
        if (content == next) return
        content = next
        contentDescription =
            next.spoken ?: context.getString(R.string.tile_spoken, next.name, next.value, next.caption)
        val before = textHeight
        layOut(width)
        if (textHeight != before) requestLayout()
        invalidate()
    }

    override fun onMeasure(width: Int, height: Int) {
        val wide = getDefaultSize(suggestedMinimumWidth, width)
        layOut(wide)
        setMeasuredDimension(wide, resolveSize((textHeight + paddingTop + paddingBottom).toInt() + 1, height))
    }

    override fun onDraw(canvas: Canvas) {
        val shown = content ?: return
        value.color = brushes.color(shown.colour)
        val left = paddingLeft.toFloat()
        var y = paddingTop.toFloat()
        for (text in texts) {
            text.draw(canvas, left, y)
            if (text.paint === value && text.lineCount == 1 && shown.history.size > 1) {
                val taken = text.widest + brushes.dp(12f)
                sparkline(canvas, shown.history, left + taken, y, text.width - taken, text.height.toFloat())
            }
            y += text.height + gap
        }
    }

    private fun layOut(width: Int) {
        val wide = (width - paddingLeft - paddingRight).toFloat()
        texts = listOf(
            brushes.caption.wrap(content?.name.orEmpty(), wide),
            value.wrap(content?.value.orEmpty(), wide),
            brushes.caption.wrap(content?.caption.orEmpty(), wide),
        )
    }

    private val textHeight: Float get() = texts.sumOf { it.height } + 2 * gap

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
