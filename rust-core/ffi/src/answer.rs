//! The answer for a frame, in plain values.

use biglittle::clock::Times;
use biglittle::{AnswerStatus, EscalationReason, LevelReport, Marks, Outcome, Threshold};

/// How far an answer can be trusted.
#[uniffi::remote(Enum)]
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

/// Why an answer was not accepted.
#[uniffi::remote(Enum)]
pub enum EscalationReason {
    /// The score is not above the threshold: the usual reason.
    LowScore,
    /// Several classes share the highest score.
    Tie,
    /// The best class has no label in this bundle.
    UnmappedClass,
    /// An output value or the score is NaN or infinite.
    NotFinite,
    /// A value said to be a probability is not between 0 and 1.
    NotProbabilities,
    /// The network delivered another number of values than its bundle says.
    WrongLength,
    /// There are fewer than two classes to tell apart.
    TooFewClasses,
    /// The network could not be run.
    NetworkFailed,
}

/// What the run-time parts of an engine did to an answer.
#[uniffi::remote(Record)]
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

/// A moment or a duration on two clocks at once, in nanoseconds.
#[uniffi::remote(Record)]
pub struct Times {
    /// On the wall: what a user waits for.
    pub wall_ns: u64,
    /// Of this thread on a processor: what drains the battery. Equal to wall
    /// time on systems without a clock for it.
    pub cpu_ns: u64,
}

/// What one level made of a frame, and what that took.
#[uniffi::remote(Record)]
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

/// The answer for a frame, and what it took.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Answer {
    /// The index of the bundle's label; nothing where the best class has none,
    /// or the frame was dropped.
    pub label: Option<u32>,
    /// The name of that label.
    pub label_name: Option<String>,
    /// How sure the answer is, in the unit of its level's confidence; NaN where
    /// there is none.
    pub score: f32,
    /// What the first level's score had to be above for this frame.
    pub threshold: Threshold,
    /// The level whose answer this is, 0 for the little network.
    pub tier: u8,
    /// How far the answer can be trusted.
    pub status: AnswerStatus,
    /// Whether a later level than the first ran for it.
    pub escalated: bool,
    /// Why the first level's answer did not stand, where it did not.
    pub reason: Option<EscalationReason>,
    /// What the run-time parts did to it.
    pub marks: Marks,
    /// The levels that ran, in order.
    pub levels: Vec<LevelReport>,
    /// The times of these levels together.
    pub times: Times,
    /// Their multiply-accumulates.
    pub macs: u64,
    /// Why a network could not be run, where one could not.
    pub failure: Option<String>,
}

impl Answer {
    pub(crate) fn new(outcome: &Outcome, labels: &[String]) -> Self {
        let name = outcome.label.and_then(|label| labels.get(label as usize)).cloned();
        Answer {
            label: outcome.label,
            label_name: name,
            score: outcome.score,
            threshold: outcome.threshold,
            tier: outcome.tier,
            status: outcome.status,
            escalated: outcome.levels.iter().any(|level| level.tier > 0),
            reason: outcome.levels.first().and_then(|level| level.escalation),
            marks: outcome.marks,
            levels: outcome.levels.to_vec(),
            times: outcome.times,
            macs: outcome.macs,
            failure: outcome.failure.as_ref().map(ToString::to_string),
        }
    }
}
