package dev.biglittle.sample.camera

import org.junit.Assert.assertEquals
import org.junit.Test

class EscalationWindowTest {
    @Test
    fun onlyTheLastFramesCount() {
        val window = EscalationWindow()
        assertEquals(RateUi(0f, 0, emptyList()), window.rate())
        repeat(EscalationWindow.FRAMES) { window.add(true) }
        repeat(EscalationWindow.FRAMES / 4) { window.add(false) }
        val rate = window.rate()
        assertEquals(0.75f, rate.share)
        assertEquals(EscalationWindow.FRAMES, rate.frames)
        assertEquals(EscalationWindow.FRAMES, rate.history.size)
        assertEquals(0.25f, rate.history.last())
        assertEquals(75L, window.total)
    }
}
