package dev.biglittle.sample.camera

import android.app.Activity
import android.graphics.Color
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import kotlin.math.pow

@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
class AccessibilityTest {
    @Test
    fun whatCanBeTouchedIsBigEnoughAndSaysWhatItIs() {
        val activity = Robolectric.buildActivity(ScreensTest.StillActivity::class.java).setup().get()
        activity.screen.show(CameraUiState(Stage.Running, heat = HeatUi(0, 180)))
        val root = activity.window.decorView
        root.layOut()
        val density = activity.resources.displayMetrics.density
        val touched = views(root).filter { it.isShown && (it.isClickable || it.id == R.id.simulate) }
        assertTrue("found ${touched.size}", touched.size >= 5)
        for (view in touched) {
            val name = activity.resources.getResourceEntryName(view.id)
            assertTrue("$name is ${view.height / density} dp high", view.height >= 48 * density)
            assertTrue("$name is ${view.width / density} dp wide", view.width >= 48 * density)
            val spoken = view.contentDescription ?: (view as? TextView)?.text
            assertFalse("$name says nothing", spoken.isNullOrBlank())
        }
        for (id in listOf(R.id.answer, R.id.margin, R.id.rate, R.id.saved, R.id.battery, R.id.heat, R.id.preview)) {
            val view: View = root.view(id)
            assertFalse(activity.resources.getResourceEntryName(id), view.contentDescription.isNullOrBlank())
        }
    }

    @Test
    fun textStandsOutByDay() = contrasts()

    @Test
    @Config(qualifiers = "+night")
    fun textStandsOutAtNight() = contrasts()

    private fun contrasts() {
        val activity = Robolectric.buildActivity(Activity::class.java).setup().get()
        val pairs = listOf(
            R.color.ink to R.color.ground,
            R.color.ink to R.color.surface,
            R.color.ink_soft to R.color.ground,
            R.color.ink_soft to R.color.surface,
            R.color.ink_soft to R.color.track,
            R.color.little to R.color.ground,
            R.color.little to R.color.surface,
            R.color.little to R.color.little_tint,
            R.color.big to R.color.big_tint,
            R.color.unsure to R.color.unsure_tint,
            R.color.hot to R.color.surface,
        )
        for ((text, ground) in pairs) {
            val contrast = contrast(activity.getColor(text), activity.getColor(ground))
            assertTrue("${activity.resources.getResourceEntryName(text)} has $contrast", contrast >= 4.5)
        }
    }

    /** By WCAG 2.1. */
    private fun contrast(one: Int, other: Int): Double {
        val (low, high) = listOf(luminance(one), luminance(other)).sorted()
        return (high + 0.05) / (low + 0.05)
    }

    private fun luminance(color: Int): Double {
        fun part(value: Int) = (value / 255.0).let {
            if (it <=
                0.03928
            ) {
                it / 12.92
            } else {
                ((it + 0.055) / 1.055).pow(2.4)
            }
        }
        return 0.2126 * part(Color.red(color)) + 0.7152 * part(Color.green(color)) + 0.0722 * part(Color.blue(color))
    }

    private fun views(view: View): List<View> =
        listOf(view) +
            if (view is ViewGroup) (0 until view.childCount).flatMap { views(view.getChildAt(it)) } else emptyList()
}
