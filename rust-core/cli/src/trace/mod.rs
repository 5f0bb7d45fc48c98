//! Traces: what every network made of every sample, once and for all.
//!
//! Decides the format, which `docs/traces.md` describes for readers in other
//! languages. [`record`] writes one; everything that calibrates, searches or
//! reports reads it and never runs a network.

mod answer;
mod block;
mod column;
mod meta;
mod parts;
mod reader;
pub mod record;
pub mod rows;
mod schema;
mod writer;

pub use answer::{Answer, Judge, LevelPlan};
pub use block::{Block, SCORES, ScoreKind};
pub use meta::{Skipped, TraceMeta, norm_order};
pub use reader::{Trace, Wanted};
pub use rows::Source;

use biglittle::{Error, ErrorKind};

pub fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}
