//! The one error type of the crate.
//!
//! Decides how a failure is described: a stable [`ErrorKind`] to branch on and
//! one sentence for people that states what was wrong, the value, the limit
//! and what to do. It does not decide how a failure is handled.

use std::error::Error as StdError;
use std::fmt;

/// A result whose error is biglittle's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in one sentence, and of which [kind](ErrorKind) it is.
///
/// The text of [`Display`](fmt::Display) is a lowercase fragment meant for
/// logs and error dialogs. It may change between versions; [`Error::kind`]
/// does not.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync + 'static>>,
}

/// The kinds of failure, told apart by what a caller can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file could not be read or written. Check the path, the permissions
    /// and the free space, then try again.
    Io,
    /// A bundle is incomplete, damaged or of another format version. Fetch or
    /// pack it again; nothing was loaded.
    InvalidBundle,
    /// A network file is malformed, hostile or beyond a limit. Export it again
    /// or raise the limit that the message names.
    InvalidModel,
    /// A frame's description does not fit its bytes. Correct the size, stride,
    /// rotation or crop that the message names.
    InvalidFrame,
    /// An option or argument is out of range. Correct the one that the message
    /// names.
    InvalidArgument,
    /// A data set or image could not be understood. Correct the file that the
    /// message names.
    InvalidData,
    /// A network could not be run. The engine stays usable; the next frame may
    /// succeed.
    Inference,
    /// The caller stopped the run by its
    /// [`CancelFlag`](crate::CancelFlag). Nothing is wrong.
    Cancelled,
}

impl Error {
    /// Makes an error of `kind` whose message is one lowercase sentence.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), source: None }
    }

    /// Attaches the lower-level error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts the name of the thing being worked on before the message:
    /// `"<what>: <message>"`.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// The stable kind to branch on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_goes_before_the_message_and_keeps_kind_and_source() {
        let io = std::io::Error::other("disk on fire");
        let error =
            Error::new(ErrorKind::Io, "cannot read 3 bytes").with_source(io).context("a.onnx");
        assert_eq!(error.to_string(), "a.onnx: cannot read 3 bytes");
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.source().unwrap().to_string(), "disk on fire");
    }
}
