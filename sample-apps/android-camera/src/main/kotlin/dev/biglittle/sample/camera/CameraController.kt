package dev.biglittle.sample.camera

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.view.Surface
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** The camera failed; the message is a sentence for the user. */
internal class CameraException(message: String, cause: Throwable? = null) : Exception(message, cause)

/**
 * What Camera2 throws where a camera was taken, closed or turned away meanwhile: one thing to the
 * user. Its own checks are `IllegalArgumentException` (a surface that a rotation took away) and
 * `IllegalStateException` (a camera that was closed).
 */
internal inline fun <T> asCameraException(work: () -> T): T = try {
    work()
} catch (error: CameraAccessException) {
    throw CameraException("the camera cannot be opened: another app may be using it", error)
} catch (error: SecurityException) {
    throw CameraException("the camera is not allowed any more", error)
} catch (error: IllegalArgumentException) {
    throw CameraException("the camera cannot draw on this screen: try again", error)
} catch (error: IllegalStateException) {
    throw CameraException("the camera was closed: try again", error)
}

/** Opens a camera and gives its latest image, one at a time. */
internal class CameraController(context: Context) {
    private val manager = context.getSystemService(Context.CAMERA_SERVICE) as CameraManager

    /** The camera that looks away from the user, or any; `null` where there is none. */
    fun cameraId(): String? = asCameraException {
        val ids = manager.cameraIdList
        ids.firstOrNull { facing(it) == CameraCharacteristics.LENS_FACING_BACK } ?: ids.firstOrNull()
    }

    /** The clockwise turn that makes this camera's images upright on a display turned by [displayDegrees]. */
    fun rotationDegrees(id: String, displayDegrees: Int): Int = asCameraException {
        val sensor = manager.getCameraCharacteristics(id)[CameraCharacteristics.SENSOR_ORIENTATION] ?: 0
        val towardsUser = facing(id) == CameraCharacteristics.LENS_FACING_FRONT
        Math.floorMod(if (towardsUser) sensor + displayDegrees else sensor - displayDegrees, 360)
    }

    /**
     * The images of camera [id], newest only: those that come while one is looked at are let go. Who
     * collects closes each. The camera is open while this is collected and draws to [preview].
     */
    @SuppressLint("MissingPermission")
    fun images(id: String, preview: SurfaceTexture?): Flow<Image> = flow {
        // Its size is what keep-latest needs: one in hand, one waiting, one being filled.
        val latest = Channel<Image>(Channel.CONFLATED) { it.close() }
        val thread = HandlerThread("camera").apply { start() }
        val handler = Handler(thread.looper)
        val reader = ImageReader.newInstance(WIDTH, HEIGHT, ImageFormat.YUV_420_888, IMAGES)
        reader.setOnImageAvailableListener({ it.acquireLatestImage()?.let(latest::trySend) }, handler)
        preview?.setDefaultBufferSize(WIDTH, HEIGHT)
        val surfaces = listOfNotNull(reader.surface, preview?.let(::Surface))
        val opened = OpenedCamera(surfaces, handler) { latest.close(it) }
        try {
            asCameraException { manager.openCamera(id, opened, handler) }
            for (image in latest) emit(image)
        } finally {
            opened.close()
            latest.cancel()
            reader.close()
            surfaces.drop(1).forEach(Surface::release)
            thread.quitSafely()
        }
    }

    private fun facing(id: String) = manager.getCameraCharacteristics(id)[CameraCharacteristics.LENS_FACING]

    companion object {
        /** Enough for a network that looks at 28 x 28 pixels of it. */
        const val WIDTH = 640
        const val HEIGHT = 480
        private const val IMAGES = 3
    }
}

/** From an open camera to images that keep coming. */
private class OpenedCamera(
    private val surfaces: List<Surface>,
    private val handler: Handler,
    private val fail: (CameraException) -> Unit,
) : CameraDevice.StateCallback(),
    AutoCloseable {
    private var device: CameraDevice? = null
    private var closed = false

    // SessionConfiguration needs API 28.
    @Suppress("DEPRECATION")
    override fun onOpened(camera: CameraDevice): Unit = synchronized(this) {
        if (closed) return camera.close()
        device = camera
        guarded { camera.createCaptureSession(surfaces, Session(), handler) }
    }

    override fun onDisconnected(camera: CameraDevice) {
        camera.close()
        fail(CameraException("the camera was taken by another app"))
    }

    override fun onError(camera: CameraDevice, error: Int) {
        camera.close()
        fail(CameraException("the camera stopped with error $error"))
    }

    override fun close(): Unit = synchronized(this) {
        closed = true
        device?.close()
    }

    private fun guarded(work: () -> Unit) = try {
        asCameraException(work)
    } catch (error: CameraException) {
        fail(error)
    }

    private inner class Session : CameraCaptureSession.StateCallback() {
        override fun onConfigured(session: CameraCaptureSession) = guarded {
            val request = session.device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
            surfaces.forEach(request::addTarget)
            session.setRepeatingRequest(request.build(), null, handler)
        }

        override fun onConfigureFailed(session: CameraCaptureSession) =
            fail(
                CameraException(
                    "the camera does not give images of ${CameraController.WIDTH} x ${CameraController.HEIGHT}",
                ),
            )
    }
}
