package dev.biglittle.sample.camera

import android.Manifest
import android.app.Application
import android.content.pm.PackageManager
import android.os.Looper
import android.view.View
import android.widget.Button
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config

/** The whole app, as the system starts, turns and ends it. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
class CameraActivityTest {
    private val app: Application = RuntimeEnvironment.getApplication()

    @Test
    fun withoutACameraItShowsRecordedDigitsAlsoAfterARotation() {
        val activity = Robolectric.buildActivity(CameraActivity::class.java).setup()
        untilAnswered(activity)
        RuntimeEnvironment.setQualifiers("+land")
        activity.configurationChange()
        untilAnswered(activity)
        activity.pause().stop().destroy()
        assertEquals("receivers are left", emptyList<Any>(), shadowOf(app).registeredReceivers)
    }

    @Test
    fun withoutPermissionItExplainsAndDigitsAreOneTouchAway() {
        shadowOf(app.packageManager).setSystemFeature(PackageManager.FEATURE_CAMERA_ANY, true)
        val activity = Robolectric.buildActivity(CameraActivity::class.java).setup()
        idle()
        assertEquals(View.VISIBLE, view<View>(activity, R.id.message).visibility)
        assertEquals(View.GONE, view<View>(activity, R.id.panel).visibility)

        view<Button>(activity, R.id.message_action).performClick()
        val asked = shadowOf(activity.get()).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.CAMERA), asked.requestedPermissions.toList())
        activity.get().onRequestPermissionsResult(
            asked.requestCode,
            asked.requestedPermissions,
            intArrayOf(PackageManager.PERMISSION_DENIED),
        )
        idle()
        assertEquals(app.getString(R.string.permission_settings), view<Button>(activity, R.id.message_action).text)

        view<Button>(activity, R.id.message_other).performClick()
        untilAnswered(activity)
        activity.pause().stop().destroy()
    }

    @Test
    fun aPhoneWithoutACameraSaysSoWhenItIsAskedForOne() {
        shadowOf(app).grantPermissions(Manifest.permission.CAMERA)
        val activity = Robolectric.buildActivity(CameraActivity::class.java).setup()
        untilAnswered(activity)
        view<View>(activity, R.id.source).performClick()
        idle()
        val text = view<TextView>(activity, R.id.message_text).text.toString()
        assertTrue(text, text.startsWith("This phone has no camera"))
        activity.pause().stop().destroy()
    }

    private fun untilAnswered(activity: ActivityController<CameraActivity>) {
        val end = System.nanoTime() + 60_000_000_000
        while (view<TextView>(activity, R.id.label).text.toString().toIntOrNull() == null) {
            check(System.nanoTime() < end) { "no digit was answered" }
            idle()
            Thread.sleep(5)
        }
    }

    private fun idle() = shadowOf(Looper.getMainLooper()).idle()

    private fun <T : View> view(activity: ActivityController<CameraActivity>, id: Int): T =
        activity.get().window.decorView.view(id)
}
