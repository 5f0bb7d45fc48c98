//! Calibration: from scored rows to thresholds with a guarantee.
//!
//! Decides which samples may be used for what ([`SplitSpec`]). Pure: no file,
//! no network, no clock. Called by the command line on traces.

mod split;

pub use split::{Split, SplitSpec};
