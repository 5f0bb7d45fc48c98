package dev.biglittle.android
import android.content.Context
import android.os.PowerManager
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows

@RunWith(RobolectricTestRunner::class)
class SmokeTest {
    @Test
    fun runs() {
        val app: Context = RuntimeEnvironment.getApplication()
        val power = app.getSystemService(PowerManager::class.java)!!
        Shadows.shadowOf(power).setCurrentThermalStatus(3)
        assertEquals(3, power.currentThermalStatus)
    }
}
