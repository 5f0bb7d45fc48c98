package dev.biglittle.sample.camera

import android.media.ImageReader
import android.view.Surface
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowImageReader

/**
 * An `ImageReader` without buffers, also where screens are drawn by Android's graphics library. That
 * one's own reader has buffers of colours only, and no YUV: its images cannot be given back.
 */
@Implements(ImageReader::class)
class CameraReaderShadow : ShadowImageReader() {
    override fun nativeGetSurface(): Surface = super.nativeGetSurface().also { last = it }

    companion object {
        @Volatile
        private var last: Surface? = null

        /** What the camera does when it has filled an image; nothing where none was opened yet. */
        fun fill() {
            last?.run { unlockCanvasAndPost(lockCanvas(null)) }
        }
    }
}
