package dev.biglittle.sample.camera

import android.text.Layout
import android.view.View
import android.view.ViewGroup
import android.widget.ScrollView
import android.widget.TextView
import dev.biglittle.ThermalLevel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** No text is cut off, however large a person has made the letters. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
class LargeTextTest {
    @Test
    fun usual() = nothingIsCutOff()

    @Test
    @Config(fontScale = 1.3f)
    fun large() = nothingIsCutOff()

    @Test
    @Config(fontScale = 2f)
    fun largest() = nothingIsCutOff()

    @Test
    @Config(qualifiers = "w360dp-h640dp-port-notnight-xhdpi", fontScale = 1.3f)
    fun largeOnASmallPhone() = nothingIsCutOff()

    @Test
    @Config(qualifiers = "w360dp-h640dp-port-notnight-xhdpi", fontScale = 2f)
    fun largestOnASmallPhone() = nothingIsCutOff()

    @Test
    @Config(qualifiers = "+w891dp-h411dp-land", fontScale = 2f)
    fun largestSideways() = nothingIsCutOff()

    @Test
    @Config(fontScale = 2f)
    fun whatIsCutOffIsSeen() {
        val activity = Robolectric.buildActivity(ScreensTest.StillActivity::class.java).setup().get()
        val root = activity.window.decorView
        activity.screen.show(ScreensTest.hot)
        val badge: View = root.view(R.id.badge)
        badge.layoutParams.height = (24 * activity.resources.displayMetrics.density).toInt()
        badge.requestLayout()
        root.layOut()
        assertEquals(1, cutOff(root).size)
    }

    private fun nothingIsCutOff() {
        val activity = Robolectric.buildActivity(ScreensTest.StillActivity::class.java).setup().get()
        val root = activity.window.decorView
        for (state in states) {
            activity.screen.show(state)
            root.layOut()
            assertTrue(cutOff(root).joinToString("\n", "$state:\n"), cutOff(root).isEmpty())
        }
    }

    private fun cutOff(view: View): List<String> {
        if (!view.isShown) return emptyList()
        val children = if (view is ViewGroup) (0 until view.childCount).map(view::getChildAt) else emptyList()
        val outside = children.filter {
            view !is ScrollView && it.isShown &&
                (it.bottom > view.height || it.right > view.width)
        }
        return outside.map { "${name(it)} is outside of ${name(view)}" } + texts(view) + children.flatMap(::cutOff)
    }

    /** What is wrong with the texts of a view. */
    private fun texts(view: View): List<String> {
        val (layouts, room) = when (view) {
            is TextView -> listOfNotNull(view.layout) to
                view.height - view.compoundPaddingTop - view.compoundPaddingBottom

            is StatTile -> view.texts to view.height - view.paddingTop - view.paddingBottom

            is MarginBar -> view.texts to view.height - view.paddingTop - view.paddingBottom

            else -> return emptyList()
        }
        val high = layouts.sumOf { it.height }
        val low = if (high > room) listOf("${name(view)} has $room pixels for $high of text") else emptyList()
        return low + layouts.filter(::isBroken).map { "${name(view)} breaks a word of `${it.text}`" }
    }

    /** Whether there is an ellipsis, or a line that ends inside a word. */
    private fun isBroken(layout: Layout) = (0 until layout.lineCount).any { line ->
        val end = layout.getLineEnd(line)
        layout.getEllipsisCount(line) > 0 || (end < layout.text.length && !layout.text[end - 1].isWhitespace())
    }

    private fun name(view: View) =
        if (view.id == View.NO_ID) view.javaClass.simpleName else view.resources.getResourceName(view.id)

    private companion object {
        val states = listOf(
            CameraUiState(),
            ScreensTest.hot,
            ScreensTest.escalated.copy(source = Source.CAMERA),
            ScreensTest.live.copy(
                answer = AnswerUi("7", Tier.DROPPED, margin = 0.1f, threshold = Float.POSITIVE_INFINITY),
                device = DeviceUi(100, charging = true, thermal = ThermalLevel.EMERGENCY),
                savedPercent = null,
            ),
            CameraUiState(Stage.NeedsPermission(settings = false), Source.CAMERA),
            CameraUiState(Stage.NeedsPermission(settings = true), Source.CAMERA),
            CameraUiState(Stage.Failed("the camera cannot be opened: another app may be using it"), Source.CAMERA),
        )
    }
}
