package dev.biglittle.sample.camera

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Color
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import java.io.File
import kotlin.math.abs

/**
 * A picture in `src/test/screens`. What is drawn may differ a little, as
 * renderers round differently: in at most [MAX_SHARE] of the pixels. With
 * `-Dscreens.update=true` it is stored instead of compared.
 */
internal class StoredPicture(private val name: String) {
    private val stored = File("src/test/screens/$name.png")

    fun compare(drawn: Bitmap) {
        if (System.getProperty("screens.update") == "true") {
            write(drawn, stored)
            return
        }
        assertTrue("${stored.path} is not there: draw it with -Dscreens.update=true and look at it", stored.exists())
        val expected = BitmapFactory.decodeFile(stored.path)
        assertEquals("width of $name", expected.width, drawn.width)
        assertEquals("height of $name", expected.height, drawn.height)
        val share = different(expected, drawn)
        if (share > MAX_SHARE) {
            val seen = File(System.getProperty("biglittle.root"), "target/android/screens/$name.png")
            write(drawn, seen)
            throw AssertionError("$name: ${share * 100} % of the pixels differ from ${stored.path}: see ${seen.path}")
        }
    }

    private fun different(expected: Bitmap, drawn: Bitmap): Double {
        val pixels = expected.width * expected.height
        val one = IntArray(pixels).also {
            expected.getPixels(it, 0, expected.width, 0, 0, expected.width, expected.height)
        }
        val other = IntArray(pixels).also { drawn.getPixels(it, 0, drawn.width, 0, 0, drawn.width, drawn.height) }
        return one.indices.count { distance(one[it], other[it]) > MAX_DISTANCE }.toDouble() / pixels
    }

    private fun distance(one: Int, other: Int): Int = maxOf(
        abs(Color.red(one) - Color.red(other)),
        abs(Color.green(one) - Color.green(other)),
        abs(Color.blue(one) - Color.blue(other)),
    )

    private fun write(picture: Bitmap, file: File) {
        file.parentFile?.mkdirs()
        file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    private companion object {
        /** Of 255, in the colour that differs most. */
        const val MAX_DISTANCE = 24
        const val MAX_SHARE = 0.002
    }
}
