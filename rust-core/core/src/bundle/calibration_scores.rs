//! How the first level's scores lay in calibration, as part of a manifest.

use serde::{Deserialize, Serialize};

use super::{Manifest, invalid};
use crate::decision::{Confidence, ScoreHistogram};
use crate::error::Result;

/// How the first level's scores lay on the samples that the bundle was
/// calibrated with: what drift on a device is measured against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CalibrationScores {
    /// What the scores are, as the first level has it.
    pub confidence: Confidence,
    /// The networks that gave them: [`Manifest::models_sha256`].
    pub models_sha256: String,
    /// The scores; those that were no number are in no bin.
    pub histogram: ScoreHistogram,
}

impl CalibrationScores {
    /// They are of this bundle's first level, or of nothing.
    pub(super) fn validate(&self, manifest: &Manifest, label_count: usize) -> Result<()> {
        const AGAIN: &str = "remove calibration_scores, or calibrate again";
        let models = manifest.models_sha256();
        if self.models_sha256 != models {
            return Err(invalid(format!(
                "are of models_sha256 {}, but the networks, inputs, outputs and levels here have \
                 {models}: {AGAIN}",
                self.models_sha256
            )));
        }
        if self.confidence != manifest.levels[0].confidence {
            return Err(invalid(format!(
                "are of another confidence than the first level has: {AGAIN}"
            )));
        }
        let (low, high) = manifest.score_range(0, label_count);
        let ScoreHistogram { low: own_low, high: own_high, counts } = &self.histogram;
        if (*own_low, *own_high) != (low, high) {
            return Err(invalid(format!(
                "lie from {own_low} to {own_high}, but this confidence from {low} to {high}: {AGAIN}"
            )));
        }
        match counts.iter().try_fold(0u64, |sum, count| sum.checked_add(*count)) {
            Some(0) => Err(invalid(format!("have no score in any bin: {AGAIN}"))),
            Some(_) => Ok(()),
            None => Err(invalid(format!("have more scores than there can be: {AGAIN}"))),
        }
    }
}
