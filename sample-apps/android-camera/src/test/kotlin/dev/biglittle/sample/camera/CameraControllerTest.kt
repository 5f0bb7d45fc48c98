package dev.biglittle.sample.camera

import android.app.Application
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowCameraCharacteristics

@RunWith(RobolectricTestRunner::class)
class CameraControllerTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val manager = app.getSystemService(CameraManager::class.java)!!
    private val controller = CameraController(app)

    @Test
    fun theCameraThatLooksAwayIsTaken() {
        assertNull(controller.cameraId())
        addCamera("front", CameraCharacteristics.LENS_FACING_FRONT, sensor = 270)
        assertEquals("front", controller.cameraId())
        addCamera("back", CameraCharacteristics.LENS_FACING_BACK, sensor = 90)
        assertEquals("back", controller.cameraId())
    }

    @Test
    fun imagesAreTurnedUprightOnEveryDisplay() {
        addCamera("front", CameraCharacteristics.LENS_FACING_FRONT, sensor = 270)
        addCamera("back", CameraCharacteristics.LENS_FACING_BACK, sensor = 90)
        val displays = listOf(0, 90, 180, 270)
        assertEquals(listOf(90, 0, 270, 180), displays.map { controller.rotationDegrees("back", it) })
        assertEquals(listOf(270, 0, 90, 180), displays.map { controller.rotationDegrees("front", it) })
    }

    @Test
    fun aCameraIsOpenedForWhoCollectsAndClosedAfterwards() = runBlocking {
        addCamera("back", CameraCharacteristics.LENS_FACING_BACK, sensor = 90)
        // Nothing fills its images here: that it waits for one means that nothing failed.
        repeat(2) { assertNull(withTimeoutOrNull(500) { controller.images("back", null).first() }) }
    }

    @Test
    fun aCameraThatIsGoneIsOneKindOfError() {
        assertThrows(CameraException::class.java) { controller.rotationDegrees("gone", 0) }
        assertThrows(CameraException::class.java) { runBlocking { controller.images("gone", null).first() } }
    }

    @Test
    fun theGuideIsTheSameSquareInTheMiddleOfTheImage() {
        val upright = CameraGeometry(viewWidth = 758, viewHeight = 416, displayDegrees = 0).guide()
        assertEquals(CameraController.WIDTH, 2 * upright.x + upright.width)
        assertEquals(CameraController.HEIGHT, 2 * upright.y + upright.height)
        assertEquals(upright.width, upright.height)
        // 480 columns fill 758: the guide is 0.86 of 416 of these pixels.
        assertEquals(226, upright.width)
        val sideways = CameraGeometry(viewWidth = 758, viewHeight = 694, displayDegrees = 90).guide()
        assertTrue("$sideways", sideways.width in 400..480)
    }

    private fun addCamera(id: String, facing: Int, sensor: Int) {
        val characteristics = ShadowCameraCharacteristics.newCameraCharacteristics()
        shadowOf(characteristics).set(CameraCharacteristics.LENS_FACING, facing)
        shadowOf(characteristics).set(CameraCharacteristics.SENSOR_ORIENTATION, sensor)
        shadowOf(manager).addCamera(id, characteristics)
    }
}
