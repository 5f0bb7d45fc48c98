import BigLittleBindings
import Foundation

/// What went wrong: a kind to branch on, and one lowercase sentence of the core's
/// that says what was wrong, the value, the limit and what to do.
///
/// A task that was cancelled gets `CancellationError` instead.
public enum BigLittleError: Error, Equatable, Sendable {
  /// A file could not be read or written. Check the path, the permissions and the
  /// free space.
  case io(String)
  /// A bundle is incomplete, damaged or of another format version. Fetch it again.
  case invalidBundle(String)
  /// A network file is malformed, hostile or beyond a limit.
  case invalidModel(String)
  /// A frame's description does not fit its bytes. The engine stays usable.
  case invalidFrame(String)
  /// An option or argument is out of range.
  case invalidArgument(String)
  /// A recording or a saved state could not be understood.
  case invalidData(String)
  /// A network could not be run. The engine stays usable.
  case inference(String)
  /// The engine was closed. Open another one.
  case closed(String)
  /// Another thread runs this engine. The actor lets that happen to nobody.
  case busy(String)
  /// A defect of the library: please report it with the sentence.
  case `internal`(String)

  /// What was wrong, the value, the limit and what to do.
  public var message: String {
    switch self {
    case .io(let text), .invalidBundle(let text), .invalidModel(let text),
      .invalidFrame(let text), .invalidArgument(let text), .invalidData(let text),
      .inference(let text), .closed(let text), .busy(let text), .internal(let text):
      text
    }
  }
}

extension BigLittleError: LocalizedError {
  /// ``message``, for `localizedDescription`. The core's sentences are English.
  public var errorDescription: String? { message }
}

/// Calls the core and turns its failures into the SDK's.
func calling<Result>(_ call: () throws -> Result) throws -> Result {
  do {
    return try call()
  } catch let error as NativeError {
    switch error {
    case .Io(let text): throw BigLittleError.io(text)
    case .InvalidBundle(let text): throw BigLittleError.invalidBundle(text)
    case .InvalidModel(let text): throw BigLittleError.invalidModel(text)
    case .InvalidFrame(let text): throw BigLittleError.invalidFrame(text)
    case .InvalidArgument(let text): throw BigLittleError.invalidArgument(text)
    case .InvalidData(let text): throw BigLittleError.invalidData(text)
    case .Inference(let text): throw BigLittleError.inference(text)
    case .Cancelled: throw CancellationError()
    case .Closed(let text): throw BigLittleError.closed(text)
    case .Busy(let text): throw BigLittleError.busy(text)
    case .Internal(let text): throw BigLittleError.internal(text)
    }
  } catch let error as BigLittleError {
    throw error
  } catch let error as CancellationError {
    throw error
  } catch {
    // What the bindings throw when Rust and Swift do not fit together.
    throw BigLittleError.internal("the core could not be called: \(error)")
  }
}
