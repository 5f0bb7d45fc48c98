//! The success checker: is a network's answer sure enough to stop?
//!
//! Decides what a network's raw output means ([`OutputSpec`]), how sure it is
//! ([`Confidence`]), and whether that is enough ([`Threshold`], [`Verdict`]).
//! The default confidence is the score margin of Park et al., "Big/Little Deep
//! Neural Network for Ultra Low Power Inference" (CODES+ISSS 2015). Called by
//! [`cascade`](crate::cascade) after every network, and by calibration on
//! recorded scores. All arithmetic is the same on every platform.

mod confidence;
mod histogram;
mod output;
mod scores;
mod tally;
mod threshold;
mod verdict;

pub use confidence::Confidence;
pub use histogram::{SCORE_BINS, ScoreHistogram};
pub use output::{OutputKind, OutputSpec};
pub use scores::Scores;
pub use tally::LabelTally;
pub use threshold::Threshold;
pub use verdict::{EscalationReason, Verdict, judge};
