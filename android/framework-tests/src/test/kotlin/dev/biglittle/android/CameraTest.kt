package dev.biglittle.android

import android.app.Application
import android.graphics.ImageFormat
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.media.ImageReader
import android.os.Handler
import android.os.Looper
import dev.biglittle.BigLittle
import dev.biglittle.Crop
import dev.biglittle.Frame
import dev.biglittle.Outcome
import dev.biglittle.classify
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.consumeAsFlow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowCameraCharacteristics

/** Camera2's own classes, from an opened camera to answers of the real core. */
@RunWith(RobolectricTestRunner::class)
class CameraTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val manager = app.getSystemService(CameraManager::class.java)!!
    private val main = shadowOf(Looper.getMainLooper())

    @Test
    fun imagesOfACameraAreAnswered() = runBlocking {
        shadowOf(manager).addCamera("0", ShadowCameraCharacteristics.newCameraCharacteristics())
        val reader = ImageReader.newInstance(WIDTH, HEIGHT, ImageFormat.YUV_420_888, 3)
        val handler = Handler(Looper.getMainLooper())
        val frames = Channel<Frame>(Channel.UNLIMITED)
        reader.setOnImageAvailableListener({ frames.trySend(it.acquireLatestImage().toFrame(90, MIDDLE)) }, handler)
        val camera = Camera(reader, handler)
        manager.openCamera("0", camera, handler)
        main.idle()
        assertTrue("the camera runs", camera.isRunning)

        val outcomes = mutableListOf<Outcome>()
        BigLittle.open(Digits.bundle).use { engine ->
            val expected = (0 until SHOTS).map { engine.classify(Digits.frame(it)).label }
            for (index in 0 until SHOTS) {
                CameraImageShadow.next = Digits.camera(index, WIDTH, HEIGHT, scale = 8)
                reader.surface.unlockCanvasAndPost(reader.surface.lockCanvas(null))
                main.idle()
                // More than the reader has room for: each image must have been given back.
                frames.receive().use { outcomes += engine.classify(it) }
            }
            frames.close()
            assertTrue(
                "nothing came that was not looked at",
                frames.consumeAsFlow().classify(engine).toList().isEmpty(),
            )
            assertEquals(expected, outcomes.map { it.label })
        }
        camera.device?.close()
        reader.close()
    }

    /** Opens a session and lets it run. */
    private class Camera(private val reader: ImageReader, private val handler: Handler) : CameraDevice.StateCallback() {
        var device: CameraDevice? = null
        var isRunning = false

        @Suppress("DEPRECATION")
        override fun onOpened(camera: CameraDevice) {
            device = camera
            val session = object : CameraCaptureSession.StateCallback() {
                override fun onConfigured(session: CameraCaptureSession) {
                    val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
                    request.addTarget(reader.surface)
                    session.setRepeatingRequest(request.build(), null, handler)
                    isRunning = true
                }

                override fun onConfigureFailed(session: CameraCaptureSession) = error("not configured")
            }
            camera.createCaptureSession(listOf(reader.surface), session, handler)
        }

        override fun onDisconnected(camera: CameraDevice) = error("disconnected")

        override fun onError(camera: CameraDevice, error: Int) = error("error $error")
    }

    private companion object {
        const val WIDTH = 640
        const val HEIGHT = 480
        const val SHOTS = 12
        val MIDDLE = Crop(208, 128, 224, 224)
    }
}
