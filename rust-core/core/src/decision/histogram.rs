//! How scores lie, counted in bins: what drift is measured against.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// The number of bins of a [`ScoreHistogram`].
pub const SCORE_BINS: usize = 32;

/// How the little network's scores lie, in bins of equal width.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ScoreHistogram {
    /// The least score.
    pub low: f32,
    /// The largest score.
    pub high: f32,
    /// How many scores lie in each bin, from the least on; those beyond the
    /// range in the outer bins.
    pub counts: [u64; SCORE_BINS],
}

impl ScoreHistogram {
    /// No scores yet; `range` is that of the confidence.
    #[must_use]
    pub fn empty((low, high): (f32, f32)) -> Self {
        ScoreHistogram { low, high, counts: [0; SCORE_BINS] }
    }

    /// The bin of a finite score; nothing for others.
    #[must_use]
    pub fn bin(&self, score: f32) -> Option<usize> {
        if !score.is_finite() {
            return None;
        }
        let place = (score - self.low) / (self.high - self.low) * SCORE_BINS as f32;
        // The cast saturates: scores beyond the range are in the outer bins.
        Some((place as usize).min(SCORE_BINS - 1))
    }

    /// Takes a score, if it is finite.
    pub fn add(&mut self, score: f32) {
        if let Some(bin) = self.bin(score) {
            self.counts[bin] = self.counts[bin].saturating_add(1);
        }
    }

    /// Adds the scores of another session or phone.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when its bins are others.
    pub fn merge(&mut self, other: &ScoreHistogram) -> Result<()> {
        if (self.low, self.high) != (other.low, other.high) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "histograms from {} to {} and from {} to {} cannot be added: merge those of \
                     one confidence",
                    self.low, self.high, other.low, other.high
                ),
            ));
        }
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        Ok(())
    }
}
