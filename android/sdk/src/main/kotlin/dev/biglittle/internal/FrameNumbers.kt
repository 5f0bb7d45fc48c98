package dev.biglittle.internal

import dev.biglittle.Frame

/** A frame's description as the core reads it, in an array that is used again. */
internal class FrameNumbers {
    val array = IntArray(FRAME + 3 * PLANE)

    fun set(frame: Frame) {
        array[0] = frame.format.ordinal
        array[1] = frame.width
        array[2] = frame.height
        array[3] = frame.rotationDegrees
        val crop = frame.crop
        array[4] = if (crop == null) 0 else 1
        array[5] = crop?.x ?: 0
        array[6] = crop?.y ?: 0
        array[7] = crop?.width ?: 0
        array[8] = crop?.height ?: 0
        array[9] = frame.matrix.ordinal
        array[10] = frame.range.ordinal
        for (index in 0 until 3) {
            val plane = frame.planes.getOrNull(index)
            val at = FRAME + index * PLANE
            array[at] = plane?.offset ?: 0
            array[at + 1] = plane?.length ?: 0
            array[at + 2] = plane?.rowStride ?: 0
            array[at + 3] = plane?.pixelStride ?: 0
        }
    }

    private companion object {
        const val FRAME = 11
        const val PLANE = 4
    }
}
