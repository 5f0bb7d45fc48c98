package dev.biglittle.android

import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiTools
import org.junit.Assert.assertEquals
import org.junit.Test
import java.io.File

/**
 * The public interface of the SDK is what `sdk/api/sdk.api` says. A change of it is made with
 * `ci/android maven -Dapi.update=true`, looked at, and committed.
 */
class ApiTest {
    @Test
    fun theInterfaceIsTheStoredOne() {
        val root = File(checkNotNull(System.getProperty("biglittle.root")))
        val classes =
            root.resolve("target/android/biglittle-android/classes").walk().filter { it.extension == "class" } +
                generated(root)
        val dump = StringBuilder()
        AbiTools.getInstance(javaClass.classLoader).printJvmDump(dump, classes.asIterable(), AbiFilters.EMPTY)
        val stored = root.resolve("android/sdk/api/sdk.api")
        if (System.getProperty("api.update") == "true") {
            stored.parentFile.mkdirs()
            stored.writeText(dump.toString())
        }
        assertEquals("the SDK's public interface changed", stored.readText(), dump.toString())
    }

    /** The generated types that have a name in the SDK: as much its interface as what is written by hand. */
    private fun generated(root: File): Sequence<File> {
        val aliases = root.resolve("android/sdk/src/main/kotlin/dev/biglittle/CoreTypes.kt").readText()
        val names = Regex("""= dev\.biglittle\.core\.(\w+)""").findAll(aliases).map { it.groupValues[1] }.toSet()
        return root.resolve("target/android/biglittle-bindings/classes/dev/biglittle/core").walk()
            .filter { it.extension == "class" && it.name.substringBefore('$').substringBefore('.') in names }
    }
}
