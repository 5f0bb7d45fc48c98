package dev.biglittle.internal

import dev.biglittle.BigLittleException
import java.io.File

/** Loads the Rust library into the virtual machine, once. */
internal object NativeLibrary {
    private const val NAME = "biglittle_ffi"

    // Kept, not thrown: what fails while an object is made is an error of the virtual machine.
    private val failure: UnsatisfiedLinkError? = try {
        load()
        null
    } catch (missing: UnsatisfiedLinkError) {
        missing
    }

    /** Returns once the library is there. */
    fun ensureLoaded() {
        val cause = failure ?: return
        throw BigLittleException.Io(
            "the library $NAME cannot be loaded: the app has to carry it for this phone's processor " +
                "(${cause.message})",
            cause,
        )
    }

    private fun load() {
        try {
            System.loadLibrary(NAME)
        } catch (missing: UnsatisfiedLinkError) {
            // Not on a phone: where JNA looks for it.
            val folders = System.getProperty("jna.library.path").orEmpty().split(File.pathSeparator)
            val file = folders.map { File(it, System.mapLibraryName(NAME)) }.firstOrNull(File::isFile)
            System.load((file ?: throw missing).absolutePath)
        }
    }
}
