//! Failures as apps see them: a kind to branch on and the core's sentence.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use biglittle::{Error, ErrorKind};

/// What went wrong. The message is one lowercase sentence: what was wrong, the
/// value, the limit and what to do.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Error)]
#[uniffi(flat_error)]
pub enum NativeError {
    /// A file could not be read or written. Check the path, the permissions and
    /// the free space.
    Io(String),
    /// A bundle is incomplete, damaged or of another format version.
    InvalidBundle(String),
    /// A network file is malformed, hostile or beyond a limit.
    InvalidModel(String),
    /// A frame's description does not fit its bytes.
    InvalidFrame(String),
    /// An option or argument is out of range.
    InvalidArgument(String),
    /// A recording or saved state could not be understood.
    InvalidData(String),
    /// A network could not be run. The engine stays usable.
    Inference(String),
    /// The run was stopped by `cancel`. Nothing is wrong.
    Cancelled(String),
    /// The engine was closed.
    Closed(String),
    /// Another thread is classifying with this engine.
    Busy(String),
    /// A defect of the library: please report it with the message.
    Internal(String),
}

impl NativeError {
    pub(crate) fn closed() -> Self {
        NativeError::Closed("the engine is closed: open another one".into())
    }

    pub(crate) fn busy() -> Self {
        NativeError::Busy(
            "another thread is classifying with this engine: wait for it, or open one engine a \
             thread"
                .into(),
        )
    }

    /// The name of the kind and the sentence.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            NativeError::Io(text) => ("Io", text),
            NativeError::InvalidBundle(text) => ("InvalidBundle", text),
            NativeError::InvalidModel(text) => ("InvalidModel", text),
            NativeError::InvalidFrame(text) => ("InvalidFrame", text),
            NativeError::InvalidArgument(text) => ("InvalidArgument", text),
            NativeError::InvalidData(text) => ("InvalidData", text),
            NativeError::Inference(text) => ("Inference", text),
            NativeError::Cancelled(text) => ("Cancelled", text),
            NativeError::Closed(text) => ("Closed", text),
            NativeError::Busy(text) => ("Busy", text),
            NativeError::Internal(text) => ("Internal", text),
        }
    }
}

impl fmt::Display for NativeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.parts().1)
    }
}

impl std::error::Error for NativeError {}

impl From<Error> for NativeError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error.kind() {
            ErrorKind::Io => NativeError::Io(text),
            ErrorKind::InvalidBundle => NativeError::InvalidBundle(text),
            ErrorKind::InvalidModel => NativeError::InvalidModel(text),
            ErrorKind::InvalidFrame => NativeError::InvalidFrame(text),
            ErrorKind::InvalidArgument => NativeError::InvalidArgument(text),
            ErrorKind::InvalidData => NativeError::InvalidData(text),
            ErrorKind::Inference => NativeError::Inference(text),
            ErrorKind::Cancelled => NativeError::Cancelled(text),
            other => {
                NativeError::Internal(format!("an unknown kind of failure, {other:?}: {text}"))
            }
        }
    }
}

/// What every exported function does: a panic becomes an error.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T, NativeError>) -> Result<T, NativeError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(NativeError::Internal(format!("biglittle stopped with `{text}`: please report it")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        let number = 3;
        let error = guarded::<()>(|| panic!("row {number}")).unwrap_err();
        assert_eq!(error.parts().0, "Internal");
        assert!(error.to_string().contains("row 3"), "{error}");
    }

    #[test]
    fn kinds_and_sentences_are_the_cores() {
        let error: NativeError = Error::new(ErrorKind::InvalidFrame, "width is 0").into();
        assert_eq!(error, NativeError::InvalidFrame("width is 0".into()));
        assert_eq!(error.to_string(), "width is 0");
    }
}
