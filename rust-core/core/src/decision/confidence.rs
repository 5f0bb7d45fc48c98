//! How sure an answer is, as one number: higher is surer.

use serde::{Deserialize, Serialize};

use super::output::OutputKind;
use super::scores::Scores;
use super::threshold::Threshold;
use crate::error::{Error, ErrorKind, Result};

/// A measure of how sure an answer is; higher is surer for each.
///
/// For a network of one sigmoid output with probability `p`, [`Margin`](Self::Margin)
/// is `|2p - 1|`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Confidence {
    /// The score margin: the largest probability minus the second largest, 0
    /// to 1 (Park et al. 2015, taken on softmax probabilities).
    #[default]
    Margin,
    /// The largest probability, 0 to 1.
    MaxProbability,
    /// `sum(p * ln p)`, from `-ln(classes)` to 0.
    NegativeEntropy,
    /// `max(z) / ||z||_p` over the logits `z`, at most 1. Needs logits.
    MaxLogitPNorm {
        /// The order of the norm, at least 1; tuned on held-out data.
        p: f32,
    },
}

impl Confidence {
    /// Checks the parameters, and that logits are there where they are needed.
    /// `kind` is that of the one network that is judged, or nothing where the
    /// judgement is on probabilities by label.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that says which.
    pub fn validate(self, kind: Option<OutputKind>) -> Result<()> {
        let Confidence::MaxLogitPNorm { p } = self else { return Ok(()) };
        if !(p.is_finite() && p >= 1.0) {
            return Err(invalid(format!(
                "max_logit_p_norm has p = {p}: it must be a finite number of at least 1"
            )));
        }
        if kind != Some(OutputKind::Logits) {
            return Err(invalid(
                "max_logit_p_norm needs one logit a class: choose another confidence for \
                 probabilities, binary outputs, committees and label maps that merge classes"
                    .into(),
            ));
        }
        Ok(())
    }

    /// The least and the largest value that it can take over `classes` classes.
    #[must_use]
    pub fn range(self, classes: usize) -> (f32, f32) {
        match self {
            Confidence::Margin | Confidence::MaxProbability => (0.0, 1.0),
            Confidence::NegativeEntropy => (-libm::logf(classes as f32), 0.0),
            Confidence::MaxLogitPNorm { .. } => (-1.0, 1.0),
        }
    }

    /// Checks that `threshold` can tell answers over `classes` classes apart.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when it is a number outside
    /// [`Confidence::range`].
    pub fn validate_threshold(self, threshold: Threshold, classes: usize) -> Result<()> {
        let (low, high) = self.range(classes);
        let value = threshold.value();
        if value.is_infinite() || (low..=high).contains(&value) {
            return Ok(());
        }
        Err(invalid(format!(
            "threshold is {value}, but this confidence lies between {low} and {high}: give a value \
             between, or \"always_escalate\" or \"never_escalate\" if that is meant"
        )))
    }

    /// The confidence of `scores`; NaN where it is not defined, which no
    /// threshold accepts.
    #[must_use]
    pub fn of(self, scores: &Scores) -> f32 {
        if scores.flaw().is_some() {
            return f32::NAN;
        }
        let probabilities = scores.probabilities();
        match self {
            Confidence::Margin => {
                let (first, second) = two_largest(probabilities);
                first - second
            }
            Confidence::MaxProbability => two_largest(probabilities).0,
            Confidence::NegativeEntropy => {
                probabilities.iter().map(|p| if *p > 0.0 { p * libm::logf(*p) } else { 0.0 }).sum()
            }
            Confidence::MaxLogitPNorm { p } => max_logit_p_norm(scores.logits(), p),
        }
    }
}

fn two_largest(values: &[f32]) -> (f32, f32) {
    let mut largest = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    for value in values {
        if *value > largest.0 {
            largest = (*value, largest.0);
        } else if *value > largest.1 {
            largest.1 = *value;
        }
    }
    largest
}

/// Scaled by the largest absolute logit, so that high orders do not overflow.
fn max_logit_p_norm(logits: &[f32], p: f32) -> f32 {
    let scale = logits.iter().fold(0.0f32, |scale, logit| scale.max(logit.abs()));
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| libm::powf(logit.abs() / scale, p)).sum();
    (max / scale) / libm::powf(sum, 1.0 / p)
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
