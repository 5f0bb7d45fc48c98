package dev.biglittle.android

import android.media.Image
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowImageReader

/** The images of an `ImageReader` here have the planes of [next], as a camera's would. */
@Implements(className = "android.media.ImageReader\$SurfaceImage", isInAndroidSdk = false)
class CameraImageShadow : ShadowImageReader.ShadowSurfaceImage() {
    @Implementation
    fun getPlanes(): Array<Image.Plane> = next

    @Implementation
    fun getDataSpace(): Int = 0

    companion object {
        var next: Array<Image.Plane> = emptyArray()
    }
}
