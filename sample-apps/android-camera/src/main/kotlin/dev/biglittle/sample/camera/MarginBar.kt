package dev.biglittle.sample.camera

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.text.Layout
import android.util.AttributeSet
import android.view.View

/**
 * How sure the little network is, from 0 to 1, and the threshold that it has to
 * exceed: the mark moves with heat, battery and mode.
 */
internal class MarginBar(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val brushes = Brushes(context)
    private val bar = Paint(Paint.ANTI_ALIAS_FLAG)
    private val thickness = brushes.dp(12f)
    private val gap = brushes.dp(8f)
    private val overhang = brushes.dp(5f)
    private val title = context.getString(R.string.margin)
    private var answer: AnswerUi? = null
    private var score = ""
    private var needs = ""

    /** The title and what is needed, as they are laid out for the view's width. */
    internal var texts: List<Layout> = emptyList()
        private set

    fun show(value: AnswerUi?) {
        if (answer == value && contentDescription != null) return
        answer = value
        score = value?.let { "%.2f".format(it.margin) } ?: context.getString(R.string.unknown)
        needs = value?.let(::needs).orEmpty()
        contentDescription = value?.let { context.getString(R.string.margin_spoken, it.margin, it.threshold) }
            ?: context.getString(R.string.margin_none)
        val before = contentHeight
        layOut(width)
        if (contentHeight != before) requestLayout()
        invalidate()
    }

    private fun needs(value: AnswerUi): String = if (value.threshold.isFinite()) {
        context.getString(R.string.margin_needs, value.threshold)
    } else {
        context.getString(R.string.margin_never)
    }

    override fun onMeasure(width: Int, height: Int) {
        val wide = getDefaultSize(suggestedMinimumWidth, width)
        layOut(wide)
        setMeasuredDimension(wide, resolveSize((contentHeight + paddingTop + paddingBottom).toInt() + 1, height))
    }

    private fun layOut(width: Int) {
        val wide = (width - paddingLeft - paddingRight).toFloat()
        texts = listOf(
            brushes.text.wrap(title, wide - brushes.value.measureText(score) - gap),
            brushes.caption.wrap(needs, wide),
        )
    }

    private val contentHeight: Float
        get() = texts.sumOf { it.height } + gap + overhang + thickness + overhang + gap / 2

    override fun onDraw(canvas: Canvas) {
        val (head, foot) = texts
        val left = paddingLeft.toFloat()
        val right = (width - paddingRight).toFloat()
        head.draw(canvas, left, paddingTop.toFloat())
        canvas.drawText(
            score,
            right - brushes.value.measureText(score),
            paddingTop - brushes.text.fontMetrics.ascent,
            brushes.value,
        )
        val y = paddingTop + head.height + gap + overhang

        bar.color = brushes.color(R.color.track)
        canvas.drawRoundRect(left, y, right, y + thickness, thickness / 2, thickness / 2, bar)
        val shown = answer ?: return
        val filled = (right - left) * shown.margin.coerceIn(0f, 1f)
        bar.color = brushes.color(shown.tier.look.color)
        canvas.save()
        canvas.clipRect(left, y, left + filled, y + thickness)
        canvas.drawRoundRect(left, y, right, y + thickness, thickness / 2, thickness / 2, bar)
        canvas.restore()

        val mark = left + (right - left) * shown.threshold.coerceIn(0f, 1f)
        val half = brushes.dp(1.5f)
        bar.color = brushes.color(R.color.surface)
        canvas.drawRect(mark - 2 * half, y, mark + 2 * half, y + thickness, bar)
        bar.color = brushes.color(R.color.ink)
        canvas.drawRoundRect(mark - half, y - overhang, mark + half, y + thickness + overhang, half, half, bar)
        val from = (mark - foot.widest / 2).coerceAtMost(right - foot.widest).coerceAtLeast(left)
        foot.draw(canvas, from, y + thickness + overhang + gap / 2)
    }
}
