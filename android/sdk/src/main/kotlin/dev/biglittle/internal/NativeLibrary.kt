package dev.biglittle.internal

import java.io.File

/** Loads the Rust library into the virtual machine, once. */
internal object NativeLibrary {
    private const val NAME = "biglittle_ffi"

    init {
        try {
            System.loadLibrary(NAME)
        } catch (missing: UnsatisfiedLinkError) {
            // Not on a phone: where JNA looks for it.
            val folders = System.getProperty("jna.library.path").orEmpty().split(File.pathSeparator)
            val file = folders.map { File(it, System.mapLibraryName(NAME)) }.firstOrNull(File::isFile)
            System.load((file ?: throw missing).absolutePath)
        }
    }

    /** Returns once the library is there. */
    fun ensureLoaded() = Unit
}
