//! Accept or escalate.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::confidence::Confidence;
use super::output::OutputSpec;
use super::scores::Scores;
use super::threshold::Threshold;

/// What the success checker made of one answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The bundle's label, if the answer has one.
    pub label: Option<u32>,
    /// The confidence of the answer; NaN where there is none.
    pub score: f32,
    /// Why a bigger network has to look, or nothing where the answer stands.
    pub escalation: Option<EscalationReason>,
}

/// Why an answer was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl fmt::Display for EscalationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EscalationReason::LowScore => "score not above the threshold",
            EscalationReason::Tie => "several classes share the highest score",
            EscalationReason::UnmappedClass => "the best class has no label in this bundle",
            EscalationReason::NotFinite => "a value is NaN or infinite",
            EscalationReason::NotProbabilities => "a probability is not between 0 and 1",
            EscalationReason::WrongLength => "another number of values than the bundle says",
            EscalationReason::TooFewClasses => "fewer than two classes",
            EscalationReason::NetworkFailed => "the network could not be run",
        })
    }
}

/// Judges `scores` by `confidence` against `threshold`: accepted if and only if
/// the answer is one mapped class on its own and `score > threshold`.
#[must_use]
pub fn judge(
    scores: &Scores,
    spec: &OutputSpec,
    confidence: Confidence,
    threshold: Threshold,
) -> Verdict {
    let Some((class, alone)) = scores.top_class() else {
        return Verdict { label: None, score: f32::NAN, escalation: scores.flaw() };
    };
    let label = spec.label_of(class);
    let score = confidence.of(scores);
    let escalation = if !score.is_finite() {
        Some(EscalationReason::NotFinite)
    } else if label.is_none() {
        Some(EscalationReason::UnmappedClass)
    } else if !alone {
        Some(EscalationReason::Tie)
    } else if !threshold.accepts(score) {
        Some(EscalationReason::LowScore)
    } else {
        None
    };
    Verdict { label, score, escalation }
}

#[cfg(test)]
mod tests;
