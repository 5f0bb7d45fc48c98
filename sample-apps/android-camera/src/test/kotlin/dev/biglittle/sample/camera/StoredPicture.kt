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
 * renderers round differently: in at most [MAX_IN_BLOCK] pixels of every square of [BLOCK] a side.
 * With `-Dscreens.update=true` it is stored instead of compared.
 */
internal class StoredPicture(private val name: String) {
    private val stored = File("src/test/screens/$name.png")

    fun compare(drawn: Bitmap) {
        if (System.getProperty("screens.update") == "true") {
            write(drawn, stored)
            return
        }
        check(drawn)
    }

    /** Fails where [drawn] is another picture. */
    fun check(drawn: Bitmap) {
        assertTrue("${stored.path} is not there: draw it with -Dscreens.update=true and look at it", stored.exists())
        val expected = stored.readBytes().let { BitmapFactory.decodeByteArray(it, 0, it.size) }
        assertEquals("width of $name", expected.width, drawn.width)
        assertEquals("height of $name", expected.height, drawn.height)
        val block = differentBlock(expected, drawn)
        if (block != null) {
            val seen = File(System.getProperty("biglittle.root"), "target/android/screens/$name.png")
            write(drawn, seen)
            throw AssertionError("$name differs from ${stored.path} around $block: see ${seen.path}")
        }
    }

    /** The first square of the picture that is not as expected, so that one digit cannot hide in a screen. */
    private fun differentBlock(expected: Bitmap, drawn: Bitmap): String? {
        val wide = expected.width
        val one = IntArray(wide * expected.height).also { expected.getPixels(it, 0, wide, 0, 0, wide, expected.height) }
        val other = IntArray(wide * expected.height).also { drawn.getPixels(it, 0, wide, 0, 0, wide, expected.height) }
        val perRow = (wide + BLOCK - 1) / BLOCK
        val different = IntArray(perRow * ((expected.height + BLOCK - 1) / BLOCK))
        for (at in one.indices) {
            if (distance(one[at], other[at]) > MAX_DISTANCE) different[at / wide / BLOCK * perRow + at % wide / BLOCK]++
        }
        val block = different.indexOfFirst { it > MAX_IN_BLOCK }
        return if (block < 0) null else "x ${block % perRow * BLOCK}, y ${block / perRow * BLOCK}"
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
        const val BLOCK = 16

        /** Of the 256 pixels of a block. */
        const val MAX_IN_BLOCK = 12
    }
}
