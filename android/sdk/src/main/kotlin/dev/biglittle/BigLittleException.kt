package dev.biglittle

/**
 * What went wrong, in one lowercase sentence of the core: what was wrong, the value, the limit and
 * what to do. The subclasses are told apart by what an app can do about them.
 */
public sealed class BigLittleException(override val message: String, cause: Throwable? = null) :
    RuntimeException(message, cause) {
    /** A file could not be read or written. Check the path, the permissions and the free space. */
    public class Io(message: String, cause: Throwable? = null) : BigLittleException(message, cause)

    /** A bundle is incomplete, damaged or of another format version. Fetch or pack it again. */
    public class InvalidBundle(message: String, cause: Throwable? = null) : BigLittleException(message, cause)

    /** A network file is malformed, hostile or beyond a limit. */
    public class InvalidModel(message: String, cause: Throwable? = null) : BigLittleException(message, cause)

    /** A frame's description does not fit its bytes, or the frame was closed. */
    public class InvalidFrame(message: String, cause: Throwable? = null) : BigLittleException(message, cause)

    /** An option or argument is out of range. */
    public class InvalidArgument(message: String, cause: Throwable? = null) : BigLittleException(message, cause)

    /** A recording or saved state could not be understood. */
    public class InvalidData(message: String, cause: Throwable? = null) : BigLittleException(message, cause)

    /** A network could not be run. The engine stays usable; the next frame may succeed. */
    public class Inference(message: String, cause: Throwable? = null) : BigLittleException(message, cause)

    /** The engine was closed, before the call or while it ran. */
    public class Closed(message: String, cause: Throwable? = null) : BigLittleException(message, cause)

    /** A defect of the library: please report it with the message. */
    public class Internal(message: String, cause: Throwable? = null) : BigLittleException(message, cause)
}
