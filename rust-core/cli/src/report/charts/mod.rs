//! What the charts of a report show.

mod histogram;
mod views;

pub use histogram::histogram;
pub use views::{FEWEST, escalation, front, latency, macs, reliability, risk};
