//! On-device vision that costs almost nothing until it has to.
#![forbid(unsafe_code)]

mod error;
pub mod network;

pub use error::{Error, ErrorKind, Result};
