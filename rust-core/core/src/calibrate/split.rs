//! Three splits that never share a sample.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

/// What a sample may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// To choose networks, confidence, temperature and the order in which
    /// thresholds are tested.
    Tune,
    /// To certify a threshold, once.
    Calibrate,
    /// To judge the result.
    Test,
}

impl Split {
    /// All three, in order.
    pub const ALL: [Split; 3] = [Split::Tune, Split::Calibrate, Split::Test];

    /// `tune`, `calibrate` or `test`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Split::Tune => "tune",
            Split::Calibrate => "calibrate",
            Split::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How samples are divided: by a hash of their key, so that neither their order
/// nor what else is in the set changes where one belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SplitSpec {
    /// Another seed is another division.
    pub seed: u64,
    /// The percentage of keys for [`Split::Tune`].
    pub tune_percent: u8,
    /// The percentage of keys for [`Split::Calibrate`].
    pub calibrate_percent: u8,
    /// The percentage of keys for [`Split::Test`].
    pub test_percent: u8,
}

impl Default for SplitSpec {
    fn default() -> Self {
        SplitSpec { seed: 0, tune_percent: 20, calibrate_percent: 40, test_percent: 40 }
    }
}

impl SplitSpec {
    /// Checks that the percentages are all there is.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when they do not add up to 100.
    pub fn validate(&self) -> Result<()> {
        let parts = [self.tune_percent, self.calibrate_percent, self.test_percent];
        let sum: u32 = parts.iter().map(|part| u32::from(*part)).sum();
        if sum == 100 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("the splits take {parts:?} percent, which is {sum}: they must add up to 100"),
        ))
    }

    /// The split of the samples with this `key`: the group that must stay whole
    /// (a video clip, a person), else what tells the sample apart (the hash of
    /// its image).
    ///
    /// The first 64 bits of SHA-256 over `"biglittle split 1"`, the seed (8
    /// bytes, little-endian) and the key are taken as a fraction of 2^64 and
    /// compared with the percentages.
    #[must_use]
    pub fn assign(&self, key: &[u8]) -> Split {
        let mut hash = Sha256::new();
        hash.update(b"biglittle split 1");
        hash.update(self.seed.to_le_bytes());
        hash.update(key);
        let digest = hash.finalize();
        let first = digest.iter().take(8).fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let percent = ((u128::from(first) * 100) >> 64) as u8;
        if percent < self.tune_percent {
            Split::Tune
        } else if percent < self.tune_percent.saturating_add(self.calibrate_percent) {
            Split::Calibrate
        } else {
            Split::Test
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_kept_and_must_add_up() {
        let spec = SplitSpec::default();
        let mut counts = [0u32; 3];
        for key in 0..10_000u32 {
            counts[spec.assign(key.to_string().as_bytes()) as usize] += 1;
        }
        // 5 standard deviations of a binomial.
        for (count, percent) in counts.iter().zip([20.0, 40.0, 40.0f64]) {
            let (expected, sd) = (100.0 * percent, (percent * (100.0 - percent)).sqrt());
            assert!((f64::from(*count) - expected).abs() < 5.0 * sd, "{counts:?}");
        }
        let all = SplitSpec { tune_percent: 0, calibrate_percent: 100, test_percent: 0, ..spec };
        assert!((0..1000u32).all(|key| all.assign(&key.to_le_bytes()) == Split::Calibrate));
        assert!(all.validate().is_ok());
        let short = SplitSpec { tune_percent: 10, ..spec };
        assert!(short.validate().unwrap_err().to_string().contains("which is 90"));
    }

    #[test]
    fn a_key_belongs_where_it_always_did() {
        // From `sha256sum`, so that no change of code moves samples.
        let spec = SplitSpec::default();
        let splits = ["a", "b", "c", "clip 7"].map(|key| spec.assign(key.as_bytes()));
        assert_eq!(splits, GOLDEN);
        let other = SplitSpec { seed: 1, ..spec };
        let moved = (0..100u32).filter(|key| {
            let key = key.to_le_bytes();
            spec.assign(&key) != other.assign(&key)
        });
        assert!(moved.count() > 40);
    }

    const GOLDEN: [Split; 4] = [Split::Test, Split::Calibrate, Split::Test, Split::Test];
}
