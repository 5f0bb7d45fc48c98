package dev.biglittle.sample.camera

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.drawable.BitmapDrawable
import android.os.Bundle
import android.view.View
import dev.biglittle.ThermalLevel
import dev.biglittle.UserMode
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import kotlin.math.sin

/** The screen in each of its states, drawn and compared with the pictures in `src/test/screens`. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(qualifiers = PHONE)
class ScreensTest {
    @Test
    fun live() = compare("live", live)

    @Test
    fun escalated() = compare("escalated", escalated)

    @Test
    fun hot() = compare("hot", hot)

    @Test
    fun unsure() = compare("unsure", unsure)

    /** What the view for the camera would show lies behind it: only a phone's graphics processor draws it. */
    @Test
    fun camera() = compare("camera", live.copy(source = Source.CAMERA, frame = null)) { root ->
        val preview: View = root.view(R.id.preview)
        root.view<View>(R.id.camera).visibility = View.INVISIBLE
        preview.background = BitmapDrawable(root.resources, cameraPicture(0, preview.width, preview.height))
    }

    @Test
    fun starting() = compare("starting", CameraUiState())

    @Test
    fun noPermission() =
        compare("no_permission", CameraUiState(Stage.NeedsPermission(settings = false), Source.CAMERA))

    @Test
    fun failed() = compare(
        "failed",
        CameraUiState(Stage.Failed("little.onnx: the bytes do not match the manifest: fetch the bundle again")),
    )

    @Test
    @Config(qualifiers = "+night")
    fun dark() = compare("dark", escalated)

    @Test
    @Config(qualifiers = "+night")
    fun darkHot() = compare("dark_hot", hot)

    @Test
    @Config(qualifiers = "+w891dp-h411dp-land")
    fun landscape() = compare("landscape", live)

    @Test
    @Config(qualifiers = "w360dp-h640dp-port-notnight-xhdpi", fontScale = 1.3f)
    fun smallPhoneLargeText() = compare("small_large_text", unsure)

    @Test
    @Config(fontScale = 2f)
    fun largestText() = compare("largest_text", hot)

    @Test
    fun aChangedDigitIsSeen() {
        val other = live.copy(answer = live.answer?.copy(threshold = 0.58f))
        assertThrows(AssertionError::class.java) { StoredPicture("live").check(draw(other)) }
    }

    private fun compare(name: String, state: CameraUiState, change: (View) -> Unit = {}) =
        StoredPicture(name).compare(draw(state, change))

    private fun draw(state: CameraUiState, change: (View) -> Unit = {}): Bitmap {
        val activity = Robolectric.buildActivity(StillActivity::class.java).setup().get()
        activity.screen.show(state)
        val root = activity.window.decorView
        root.layOut()
        change(root)
        val drawn = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
        root.draw(Canvas(drawn))
        return drawn
    }

    /** The screen and nothing that moves it. */
    class StillActivity : Activity() {
        internal lateinit var screen: CameraScreen

        override fun onCreate(saved: Bundle?) {
            setTheme(R.style.Theme_BigLittle)
            super.onCreate(saved)
            setContentView(R.layout.camera_screen)
            screen = CameraScreen(window.decorView.view(R.id.screen), NoActions)
        }
    }

    private object NoActions : CameraScreen.Actions {
        override fun chooseMode(mode: UserMode) = Unit

        override fun simulateHeat(position: Int) = Unit

        override fun chooseSource(source: Source) = Unit

        override fun allowCamera() = Unit

        override fun retry() = Unit
    }

    internal companion object {
        private val history = List(40) { 0.22f + 0.14f * sin(it / 4f) }
        val live = CameraUiState(
            stage = Stage.Running,
            frame = digit(),
            answer = AnswerUi("7", Tier.LITTLE, margin = 0.97f, threshold = 0.57f),
            rate = RateUi(0.12f, 60, history.map { it - 0.08f }),
            device = DeviceUi(83, thermal = ThermalLevel.NONE, headroom = 0.35f),
            savedPercent = 84,
            heat = HeatUi(0, 180),
        )
        val escalated = live.copy(
            answer = AnswerUi("7", Tier.BIG, margin = 0.41f, threshold = 0.57f),
            rate = RateUi(0.31f, 60, history),
        )
        val hot = live.copy(
            answer = AnswerUi("7", Tier.LITTLE, margin = 0.48f, threshold = 0.31f, belowCertificate = true),
            rate = RateUi(0.05f, 60, history.mapIndexed { index, share -> share * (1 - index / 44f) }),
            device = DeviceUi(64, lowPower = true, thermal = ThermalLevel.SEVERE, headroom = 1.04f),
            savedPercent = 93,
            level = 3,
            mode = UserMode.SAVER,
            heat = HeatUi(138, 180, 23),
        )
        val unsure = live.copy(
            answer = AnswerUi("7", Tier.UNSURE, margin = 0.08f, threshold = 0.91f),
            mode = UserMode.PRECISE,
            device = DeviceUi(14, thermal = ThermalLevel.LIGHT, headroom = Float.NaN),
        )

        /** A seven of 28 x 28 pixels. */
        fun digit(): Bitmap = Bitmap.createBitmap(28, 28, Bitmap.Config.ARGB_8888).apply {
            eraseColor(Color.BLACK)
            for (x in 8..19) for (y in 6..8) setPixel(x, y, Color.rgb(230, 230, 230))
            for (y in 8..22) {
                for (x in 0..2) {
                    setPixel(
                        19 - (y - 6) / 2 + x - 1,
                        y,
                        Color.rgb(
                            245 - 30 * x,
                            245 - 30 * x,
                            245 - 30 * x,
                        ),
                    )
                }
            }
        }
    }
}

const val PHONE: String = "w411dp-h891dp-port-notnight-xhdpi"

/** As a window of the whole display does after something changed. */
internal fun View.layOut() {
    val metrics = resources.displayMetrics
    measure(
        View.MeasureSpec.makeMeasureSpec(metrics.widthPixels, View.MeasureSpec.EXACTLY),
        View.MeasureSpec.makeMeasureSpec(metrics.heightPixels, View.MeasureSpec.EXACTLY),
    )
    layout(0, 0, metrics.widthPixels, metrics.heightPixels)
}
