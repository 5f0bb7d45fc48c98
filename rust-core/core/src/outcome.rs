//! What the caller gets for a frame: plain data, no behaviour.

use std::sync::Arc;

use arrayvec::ArrayVec;

use crate::clock::Times;
use crate::decision::{EscalationReason, Threshold};
use crate::error::Error;

/// The largest number of levels in a cascade.
pub const MAX_LEVELS: usize = 8;

/// The answer for one frame, and what it took.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The index of the bundle's label. `None` where the best class of the last
    /// level has no label in this bundle.
    pub label: Option<u32>,
    /// The confidence of the answer, in the unit of its level's
    /// [`Confidence`](crate::decision::Confidence).
    pub score: f32,
    /// What the first level's score had to be above for this frame.
    pub threshold: Threshold,
    /// The level whose answer this is, 0 for the little network.
    pub tier: u8,
    /// How far the answer can be trusted.
    pub status: AnswerStatus,
    /// The levels that ran, in order, each with what it took.
    pub levels: ArrayVec<LevelReport, MAX_LEVELS>,
    /// The times of all levels together: the sum over `levels`, to the
    /// nanosecond.
    pub times: Times,
    /// The multiply-accumulates of all levels together.
    pub macs: u64,
    /// The first error of a network that could not be run, if there was one.
    pub failure: Option<Arc<Error>>,
    /// What the run-time parts did to this answer: nothing where they are off.
    pub marks: Marks,
}

/// What the run-time parts of an engine did to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Marks {
    /// The first level answered, less surely than the certified floor asks:
    /// outside the certificate, by the app's leave.
    pub below_certificate: bool,
    /// The answer is that of an earlier frame that looked nearly the same. Its
    /// `levels` are empty: nothing ran.
    pub reused: bool,
    /// The first level was unsure, and answered for want of time: outside the
    /// certificate, by the app's leave.
    pub degraded: bool,
    /// The last level ran as well, to check the first. Its time is not in
    /// `times`, and the answer is not changed by it.
    pub audited: bool,
}

/// How far an answer can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerStatus {
    /// Its level accepted it.
    Accepted,
    /// The last level answered, but not surely: its score is not above the
    /// threshold that the bundle gives it, classes tie, or the best class has no
    /// label. Better said to the user as "not sure".
    Unsure,
    /// A bigger level was wanted but could not answer; this is the answer of
    /// the last level that could.
    Fallback,
    /// A bigger level was wanted, but the storm guard had no time for it: there
    /// is no answer, so that those that are given keep the certificate.
    Dropped,
}

/// What one level made of a frame, and what that took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelReport {
    /// Which level, 0 for the little network.
    pub tier: u8,
    /// The bundle's label that the level would answer, if it has one.
    pub label: Option<u32>,
    /// The level's confidence; NaN where it has no usable answer.
    pub score: f32,
    /// Why the level's answer was not accepted, or nothing where it was. On
    /// the last level: why it is unsure.
    pub escalation: Option<EscalationReason>,
    /// From the end of the level before (or the start) to its own verdict:
    /// preprocessing, networks and success checker.
    pub times: Times,
    /// The multiply-accumulates of the networks that it ran.
    pub macs: u64,
}
