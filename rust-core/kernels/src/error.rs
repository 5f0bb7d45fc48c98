//! The one error type of this crate.
//!
//! Decides how a failure is worded: a lowercase fragment that names the node,
//! the value and the limit. Knows nothing of graphs or plans; everything that
//! can fail uses it.

use std::fmt;

/// What went wrong, for a caller that wants to act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The graph is not a network: a shape, a parameter or a weight count does
    /// not fit. Fix the graph.
    InvalidGraph,
    /// The graph is well formed but larger than a limit of this crate or of
    /// [`Options`](crate::Options). Raise the limit or shrink the network.
    LimitExceeded,
    /// The instruction set asked for is not on this machine.
    IsaUnavailable,
    /// A slice given to a run has the wrong length.
    WrongLength,
    /// The model cannot do this in its precision: bytes for a float model, or
    /// values of a model that was not compiled to show them.
    WrongPrecision,
    /// The network cannot run in int8: an operator has no int8 form, a sum
    /// could overflow, or a range is missing or not a range. Keep it in f32.
    NotQuantizable,
}

/// An error with a stable [kind](Error::kind) and a message that states the
/// offending value and the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn graph(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidGraph, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::LimitExceeded, message)
    }

    pub(crate) fn int8(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotQuantizable, message)
    }

    /// The same error with the node it is about in front.
    pub(crate) fn at_node(self, name: &str) -> Self {
        Self { kind: self.kind, message: format!("node '{name}': {}", self.message) }
    }

    /// What kind of failure this is.
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

impl std::error::Error for Error {}
