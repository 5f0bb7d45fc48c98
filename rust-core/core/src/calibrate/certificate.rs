//! What a bundle says about a threshold that keeps a promise.

use serde::{Deserialize, Serialize};

use super::exact::Target;
use super::loss::Loss;
use super::split::SplitSpec;
use crate::decision::{Confidence, Threshold};
use crate::error::{Error, ErrorKind, Result};

/// A promise about thresholds, and what it rests on.
///
/// With probability at least `1 - delta / family` over the drawing of the
/// calibration samples, the mean loss of the cascade at `thresholds` (or at
/// higher ones, with two levels) is at most `eps` on samples drawn like those.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// What is bounded.
    pub loss: Loss,
    /// The largest mean loss, between 0 and 1.
    pub eps: f64,
    /// The largest probability that any certificate of the family is broken.
    pub delta: f64,
    /// How many certificates were made together and share `delta`.
    pub family: u32,
    /// How it was proven.
    pub method: Method,
    /// The calibration samples: rows, or groups where rows belong together.
    pub n: u64,
    /// By the exact rule the most bad samples that may be accepted, else the
    /// sum of losses at `thresholds`, rounded up.
    pub k: u64,
    /// What the scores of each level but the last have to be above.
    pub thresholds: Vec<Threshold>,
    /// The confidence of each level but the last.
    pub confidences: Vec<Confidence>,
    /// When it was made, `YYYY-MM-DD`, as the caller said.
    pub date: String,
    /// What it holds for: [`Manifest::models_sha256`](crate::bundle::Manifest::models_sha256).
    pub models_sha256: String,
    /// The networks that it was made with.
    pub networks: Vec<CertifiedNetwork>,
    /// The data that it was made with.
    pub data: CertifiedData,
    /// What came of it on the test split; left out where that was empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<TestResult>,
    /// The version of biglittle that made it.
    pub tool_version: String,
}

/// How a certificate was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Two levels, the binomial tail.
    Exact,
    /// Fixed-sequence testing with the binomial tail.
    SequenceBinomial,
    /// Fixed-sequence testing with the bound of Hoeffding and Bentkus.
    SequenceHoeffdingBentkus,
}

/// A network that a certificate was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CertifiedNetwork {
    /// Its id in the manifest.
    pub id: String,
    /// The SHA-256 of its file.
    pub sha256: String,
}

/// The data that a certificate was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CertifiedData {
    /// The SHA-256 of the data, as the trace gives it.
    pub sha256: String,
    /// How it was divided.
    pub split: SplitSpec,
    /// The rows for tuning, calibration and test.
    pub rows: [u64; 3],
    /// Calibration rows that an earlier certificate had used for calibration or
    /// test: above 0 the promise does not hold as it stands.
    #[serde(default)]
    pub reused_rows: u64,
}

/// What came of a certificate on samples that chose nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TestResult {
    /// The test samples.
    pub n: u64,
    /// The sum of their losses, rounded up.
    pub bad: u64,
    /// Their mean loss.
    pub loss: f64,
    /// The exact (Clopper-Pearson) 95 % interval of the mean loss; left out
    /// where a loss is not 0 or 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_ci95: Option<[f64; 2]>,
    /// The share of rows that the first level did not answer.
    pub escalation: f64,
    /// The accuracy of the cascade; left out where rows have no labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// The accuracy of the last level alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_accuracy: Option<f64>,
}

impl Certificate {
    /// Checks what can be checked without the bundle.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the field, its value and the
    /// limit.
    pub fn validate(&self) -> Result<()> {
        Target::new(self.eps, self.delta)?;
        self.data.split.validate()?;
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if self.family == 0 {
            return invalid("family is 0: it must be at least 1".into());
        }
        if self.thresholds.len() != self.confidences.len() {
            return invalid(format!(
                "there are {} thresholds and {} confidences: there must be one of each a level",
                self.thresholds.len(),
                self.confidences.len()
            ));
        }
        check_date(&self.date)
    }

    /// What is wrong with it that its reader must know: nothing, or that rows
    /// were used twice.
    #[must_use]
    pub fn caveat(&self) -> Option<String> {
        let reused = self.data.reused_rows;
        (reused > 0).then(|| {
            format!(
                "{reused} of its calibration rows had been used before, or recorded for the test, which \
                 voids the promise"
            )
        })
    }
}

/// Checks that `date` is a day, `YYYY-MM-DD`.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] when it is not.
pub fn check_date(date: &str) -> Result<()> {
    let parts: Vec<&str> = date.split('-').collect();
    let number = |at: usize, digits: usize| {
        let part = parts.get(at).filter(|part| part.len() == digits)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
    };
    let day_exists = |year: u32, month: u32, day: u32| {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        (1..=days).contains(&day)
    };
    match (parts.len(), number(0, 4), number(1, 2), number(2, 2)) {
        (3, Some(year), Some(month), Some(day)) if day_exists(year, month, day) => Ok(()),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("date is {date:?}: it must be a day in the form YYYY-MM-DD"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days() {
        for good in ["2026-11-23", "2024-02-29", "2000-02-29", "0001-12-31"] {
            assert!(check_date(good).is_ok(), "{good}");
        }
        for bad in [
            "2026-2-03",
            "2026-02-30",
            "2023-02-29",
            "1900-02-29",
            "26-11-23",
            "2026-13-01",
            "2026-11-23T00",
            "",
            "2026-11-00",
            "+026-11-23",
        ] {
            assert!(check_date(bad).is_err(), "{bad}");
        }
    }
}
