//! The answer for a frame, in plain values.

use biglittle::clock::Times;
use biglittle::{AnswerStatus, EscalationReason, LevelReport, Marks, Outcome, Threshold};

#[uniffi::remote(Enum)]
pub enum AnswerStatus {
    Accepted,
    Unsure,
    Fallback,
    Dropped,
}

#[uniffi::remote(Enum)]
pub enum EscalationReason {
    LowScore,
    Tie,
    UnmappedClass,
    NotFinite,
    NotProbabilities,
    WrongLength,
    TooFewClasses,
    NetworkFailed,
}

#[uniffi::remote(Record)]
pub struct Marks {
    pub below_certificate: bool,
    pub reused: bool,
    pub degraded: bool,
    pub audited: bool,
}

#[uniffi::remote(Record)]
pub struct Times {
    pub wall_ns: u64,
    pub cpu_ns: u64,
}

#[uniffi::remote(Record)]
pub struct LevelReport {
    pub tier: u8,
    pub label: Option<u32>,
    pub score: f32,
    pub escalation: Option<EscalationReason>,
    pub times: Times,
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
