package dev.biglittle.android

import android.graphics.ImageFormat
import android.graphics.Rect
import android.hardware.DataSpace
import dev.biglittle.BigLittle
import dev.biglittle.BigLittleException
import dev.biglittle.Crop
import dev.biglittle.YuvMatrix
import dev.biglittle.YuvRange
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class ImageFramesTest {
    @Test
    fun aCamerasImageGivesTheDigitsAnswer() = runBlocking {
        BigLittle.open(Digits.bundle).use { engine ->
            for (index in 0 until 20) {
                val image = image(index)
                val outcome = engine.classify(image.toFrame(rotationDegrees = 90, crop = middle))
                val plain = engine.classify(Digits.frame(index))
                assertEquals("digit $index", plain.label, outcome.label)
                assertEquals("digit $index", plain.levels[0].score, outcome.levels[0].score, 0.1f)
            }
        }
    }

    @Test
    fun theImagesOwnCropIsTaken() {
        val image = image(0)
        assertNull(image.toFrame().crop)
        image.cropRect = Rect(208, 128, 432, 352)
        assertEquals(middle, image.toFrame().crop)
        assertEquals(Crop(1, 2, 3, 4), image.toFrame(crop = Crop(1, 2, 3, 4)).crop)
    }

    @Test
    fun theImageSaysWhatItsColoursAre() {
        val hd = DataSpace.pack(DataSpace.STANDARD_BT709, DataSpace.TRANSFER_SMPTE_170M, DataSpace.RANGE_LIMITED)
        image(0, dataSpace = hd).toFrame().let {
            assertEquals(YuvMatrix.BT709, it.matrix)
            assertEquals(YuvRange.LIMITED, it.range)
        }
        image(0).toFrame().let {
            assertEquals(YuvMatrix.BT601, it.matrix)
            assertEquals(YuvRange.FULL, it.range)
        }
    }

    @Test
    fun anImageThatWasClosedIsATypedError() {
        val image = image(0)
        image.close()
        val error = assertThrows(BigLittleException.InvalidFrame::class.java) { image.toFrame() }
        assertTrue(error.message, error.message.startsWith("the image is closed"))
    }

    @Test
    fun anImageThatIsClosedUnderItsFrameIsATypedErrorAndIsNotRead() = runBlocking {
        BigLittle.open(Digits.bundle).use { engine ->
            val image = image(0)
            val frame = image.toFrame()
            image.close()
            val error = assertThrows(BigLittleException.InvalidFrame::class.java) {
                runBlocking { engine.classify(frame) }
            }
            assertTrue(error.message, error.message.startsWith("the image is closed"))
            assertEquals("the engine is still good", "7", engine.classify(Digits.frame(0)).labelName)
        }
    }

    @Test
    fun closingTheFrameClosesTheImageOnceAndItIsNotReadAfterwards() = runBlocking {
        BigLittle.open(Digits.bundle).use { engine ->
            val image = image(0)
            val frame = image.toFrame()
            frame.close()
            frame.close()
            assertEquals(1, image.closings)
            assertThrows(BigLittleException.InvalidFrame::class.java) { runBlocking { engine.classify(frame) } }
            assertEquals("the engine is still good", "7", engine.classify(Digits.frame(0)).labelName)
        }
    }

    @Test
    fun anImageOfAnotherFormatIsATypedError() {
        val image = FakeImage(640, 480, Digits.camera(0, 640, 480, 8), ImageFormat.JPEG)
        val error = assertThrows(BigLittleException.InvalidFrame::class.java) { image.toFrame() }
        assertTrue(error.message, error.message.contains("format ${ImageFormat.JPEG}"))
    }

    private fun image(index: Int, dataSpace: Int = 0) =
        FakeImage(640, 480, Digits.camera(index, 640, 480, 8), dataSpace = dataSpace)

    private companion object {
        val middle = Crop(208, 128, 224, 224)
    }
}
