package dev.biglittle.sample.camera

import android.Manifest
import android.app.Application
import android.content.pm.PackageManager
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.os.Looper
import android.view.TextureView
import android.view.View
import android.widget.TextView
import dev.biglittle.BigLittle
import dev.biglittle.android.CameraImageShadow
import dev.biglittle.android.Digits
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowCameraCharacteristics

/** The whole app on a camera: its images go through Camera2 and the real core to the screen. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE, shadows = [CameraReaderShadow::class, CameraImageShadow::class])
class CameraPathTest {
    private val app: Application = RuntimeEnvironment.getApplication()

    @Before
    fun aPhoneWithACameraThatMaySee() {
        val back = ShadowCameraCharacteristics.newCameraCharacteristics()
        shadowOf(back).set(CameraCharacteristics.LENS_FACING, CameraCharacteristics.LENS_FACING_BACK)
        shadowOf(back).set(CameraCharacteristics.SENSOR_ORIENTATION, 90)
        shadowOf(app.getSystemService(CameraManager::class.java)!!).addCamera("back", back)
        shadowOf(app.packageManager).setSystemFeature(PackageManager.FEATURE_CAMERA_ANY, true)
        shadowOf(app).grantPermissions(Manifest.permission.CAMERA)
    }

    @Test
    fun whatTheCameraSeesIsAnsweredOnTheScreen() {
        val activity = Robolectric.buildActivity(CameraActivity::class.java).setup()
        previewIsReady(activity)
        // More than the reader has room for: each image must have been given back.
        for (index in 0 until SHOTS) {
            CameraImageShadow.next =
                Digits.camera(index, CameraController.WIDTH, CameraController.HEIGHT, scale = SCALE)
            untilItSays(activity, expected[index])
        }
        val spoken = view<View>(activity, R.id.answer).contentDescription.toString()
        assertTrue(spoken, spoken.startsWith("Answer: ${expected[SHOTS - 1]}."))
        assertEquals(View.VISIBLE, view<View>(activity, R.id.camera).visibility)
        activity.pause().stop().destroy()
    }

    /** What the system says when the preview can be drawn on. */
    private fun previewIsReady(activity: ActivityController<CameraActivity>) {
        idle()
        val camera = view<TextureView>(activity, R.id.camera)
        camera.surfaceTextureListener!!.onSurfaceTextureAvailable(SurfaceTexture(0), camera.width, camera.height)
    }

    /** Fills image after image, as a camera does that looks at the same thing. */
    private fun untilItSays(activity: ActivityController<CameraActivity>, digit: String) {
        val end = System.nanoTime() + 60_000_000_000
        while (view<TextView>(activity, R.id.label).text.toString() != digit) {
            val message = view<TextView>(activity, R.id.message_text).text
            check(System.nanoTime() < end) { "no $digit was answered: $message" }
            CameraReaderShadow.fill()
            idle()
            Thread.sleep(5)
        }
    }

    private fun idle() = shadowOf(Looper.getMainLooper()).idle()

    private fun <T : View> view(activity: ActivityController<CameraActivity>, id: Int): T =
        activity.get().window.decorView.view(id)

    private companion object {
        const val SHOTS = 12

        /** 224 of the 226 pixels that the guide is wide. */
        const val SCALE = 8

        /** What the core says to the digits as they are. */
        val expected by lazy {
            runBlocking {
                BigLittle.open(Digits.bundle).use { engine ->
                    List(SHOTS) { engine.classify(Digits.frame(it)).labelName.orEmpty() }
                }
            }
        }
    }
}
