package dev.biglittle.android

import android.graphics.Bitmap
import android.graphics.Color
import dev.biglittle.BigLittle
import dev.biglittle.BigLittleException
import dev.biglittle.PixelFormat
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.GraphicsMode

/** With Android's own graphics library: only there bitmaps have the bytes of a phone's. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class BitmapFramesTest {
    @Test
    fun aBitmapGivesTheDigitsAnswerInEveryConfiguration() = runBlocking {
        BigLittle.open(Digits.bundle).use { engine ->
            for (config in listOf(Bitmap.Config.ARGB_8888, Bitmap.Config.RGB_565, Bitmap.Config.RGBA_F16)) {
                for (index in 0 until 5) {
                    val outcome = engine.classify(bitmap(index, config).toFrame())
                    assertEquals("$config, digit $index", engine.classify(Digits.frame(index)).label, outcome.label)
                }
            }
        }
    }

    @Test
    fun aBitmapsBytesAreRedGreenBlueAlpha() {
        val red = Bitmap.createBitmap(1, 1, Bitmap.Config.ARGB_8888).apply { eraseColor(Color.RED) }
        val frame = red.toFrame()
        assertEquals(PixelFormat.RGBA8, frame.format)
        assertEquals(1, frame.planes.size)
        assertEquals(4, frame.planes[0].rowStride)
    }

    @Test
    fun aRecycledBitmapIsATypedError() {
        val bitmap = bitmap(0, Bitmap.Config.ARGB_8888)
        bitmap.recycle()
        assertThrows(BigLittleException.InvalidFrame::class.java) { bitmap.toFrame() }
    }

    private fun bitmap(index: Int, config: Bitmap.Config): Bitmap {
        val side = Digits.SIDE
        val colours = IntArray(side * side) {
            val grey = Digits.grey(index, it / side, it % side).toInt() and 0xff
            Color.rgb(grey, grey, grey)
        }
        return Bitmap.createBitmap(colours, side, side, Bitmap.Config.ARGB_8888).copy(config, true)
    }
}
