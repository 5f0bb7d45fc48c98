package dev.biglittle.sample.camera

import android.content.res.AssetManager
import android.graphics.Bitmap
import dev.biglittle.PixelFormat
import dev.biglittle.ReplayFrames
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext
import java.nio.ByteBuffer

/** Digits of the MNIST test set, 28 x 28 pixels, one byte each, white on black, over and over. */
internal class RecordedDigits(private val pixels: ByteArray) {
    private val frames = ReplayFrames(direct(pixels), PixelFormat.GRAY8, SIDE, SIDE)

    val count: Int get() = frames.size

    /** [perSecond] digits a second, without end. */
    fun shots(perSecond: Int): Flow<Shot> = flow {
        var index = 0
        while (true) {
            emit(Shot(frames[index], picture(index)))
            index = (index + 1) % count
            delay(MILLISECONDS / perSecond)
        }
    }

    /** The digit as the screen shows it. */
    fun picture(index: Int): Bitmap {
        val colours = IntArray(BYTES) {
            val grey = pixels[index * BYTES + it].toInt() and 0xff
            (0xff shl 24) or (grey shl 16) or (grey shl 8) or grey
        }
        return Bitmap.createBitmap(colours, SIDE, SIDE, Bitmap.Config.ARGB_8888)
    }

    companion object {
        private const val SIDE = 28
        private const val BYTES = SIDE * SIDE
        private const val MILLISECONDS = 1_000L

        /** The digits of the app, read when they are first wanted. */
        fun shots(assets: AssetManager, perSecond: Int): Flow<Shot> = flow {
            emitAll(withContext(Dispatchers.IO) { of(assets) }.shots(perSecond))
        }

        fun of(assets: AssetManager): RecordedDigits =
            RecordedDigits(assets.open("digits.gray8").use { it.readBytes() })

        private fun direct(bytes: ByteArray): ByteBuffer =
            ByteBuffer.allocateDirect(bytes.size).also { it.duplicate().put(bytes) }
    }
}
