//! A day of a phone, much faster than it passes: recorded frames and readings of
//! the device through the core's run-time parts.
//!
//! Decides when frames come, what becomes of each, and what is counted.
//! [`replay`] follows a recording of a phone; [`phone`] makes one up, whose battery
//! and heat answer to what the networks do ([`compare`]). No network runs: scores,
//! answers and times are those of a trace. Called by the command `simulate`.

mod app;
pub mod args;
pub mod compare;
mod day;
pub mod page;
pub mod phone;
pub mod replay;
mod samples;
pub mod summary;
pub mod text;

pub use samples::{Draw, Order, Samples};

use biglittle::{Error, ErrorKind};

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}

fn bad_argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
