package dev.biglittle

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.DataInputStream
import java.io.File

/** Apps that are compiled for Java 8 can use the SDK: no class is for a newer one. */
class ClassVersionTest {
    @Test
    fun everyClassIsForJava8() {
        val built = File(checkNotNull(System.getProperty("biglittle.root")), "target/android")
        val classes = listOf("biglittle-android", "biglittle-bindings").flatMap { module ->
            built.resolve("$module/classes").walk().filter { it.extension == "class" }.toList()
        }
        assertTrue(classes.size > 100, "only ${classes.size} classes in $built")
        assertEquals(emptyList<File>(), classes.filter { version(it) != JAVA_8 })
    }

    /** The class file's major version, after its magic number and minor version. */
    private fun version(file: File): Int = DataInputStream(file.inputStream()).use { bytes ->
        bytes.readInt()
        bytes.readUnsignedShort()
        bytes.readUnsignedShort()
    }

    private companion object {
        const val JAVA_8 = 52
    }
}
