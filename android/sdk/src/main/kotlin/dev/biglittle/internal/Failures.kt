package dev.biglittle.internal

import dev.biglittle.BigLittleException
import dev.biglittle.core.InternalException
import dev.biglittle.core.NativeException
import kotlin.coroutines.cancellation.CancellationException

/** Calls the core; what goes wrong there is thrown as a [BigLittleException]. */
internal inline fun <T> translated(call: () -> T): T =
    try {
        call()
    } catch (failure: NativeException) {
        throw exceptionOf(failure)
    } catch (failure: InternalException) {
        throw BigLittleException.Internal(failure.message.orEmpty(), failure)
    }

internal fun exceptionOf(failure: NativeException): Exception {
    val text = failure.message.orEmpty()
    return when (failure) {
        is NativeException.Io -> BigLittleException.Io(text, failure)

        is NativeException.InvalidBundle -> BigLittleException.InvalidBundle(text, failure)

        is NativeException.InvalidModel -> BigLittleException.InvalidModel(text, failure)

        is NativeException.InvalidFrame -> BigLittleException.InvalidFrame(text, failure)

        is NativeException.InvalidArgument -> BigLittleException.InvalidArgument(text, failure)

        is NativeException.InvalidData -> BigLittleException.InvalidData(text, failure)

        is NativeException.Inference -> BigLittleException.Inference(text, failure)

        is NativeException.Cancelled -> CancellationException(text)

        is NativeException.Closed -> BigLittleException.Closed(text, failure)

        // Frames run on one thread: a second one is a defect.
        is NativeException.Busy -> BigLittleException.Internal(text, failure)

        is NativeException.Internal -> BigLittleException.Internal(text, failure)
    }
}

/** The failure that [NativeFrames.classify] describes; nothing for a fallback, which is an answer. */
internal fun exceptionOf(failure: String): Exception? {
    val text = failure.substringAfter('\n')
    return when (failure.substringBefore('\n')) {
        FALLBACK -> null
        "Io" -> BigLittleException.Io(text)
        "InvalidBundle" -> BigLittleException.InvalidBundle(text)
        "InvalidModel" -> BigLittleException.InvalidModel(text)
        "InvalidFrame" -> BigLittleException.InvalidFrame(text)
        "InvalidArgument" -> BigLittleException.InvalidArgument(text)
        "InvalidData" -> BigLittleException.InvalidData(text)
        "Inference" -> BigLittleException.Inference(text)
        "Cancelled" -> CancellationException(text)
        "Closed" -> BigLittleException.Closed(text)
        else -> BigLittleException.Internal(text)
    }
}

private const val FALLBACK = "Fallback"
