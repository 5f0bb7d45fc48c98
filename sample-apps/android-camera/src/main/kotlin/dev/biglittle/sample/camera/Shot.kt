package dev.biglittle.sample.camera

import android.graphics.Bitmap
import dev.biglittle.Frame

/** A frame, and what the screen shows of it where the screen has no preview of its own. */
internal class Shot(val frame: Frame, val picture: Bitmap? = null)
