//! What the run-time parts are told once.

use crate::bundle::{Manifest, ModelBundle};
use crate::calibrate::{Certificate, Target, samples_needed};
use crate::decision::{ScoreHistogram, Threshold};
use crate::error::{Error, ErrorKind, Result};
use crate::gate::GateOptions;
use crate::monitor::{AuditOptions, Cusum, DriftOptions};
use crate::policy::{Budget, CertifiedThreshold, PolicyOptions};
use crate::storm::StormOptions;

/// What the run-time parts of an engine are told once. Each part but policy and
/// accounting is off where its options are missing.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeOptions {
    /// How battery, heat and user move the threshold.
    pub policy: PolicyOptions,
    /// The gain of the rate controller as a share of the range of scores, above
    /// 0 to 1.
    pub rate_step: f64,
    /// What may be spent on the big network.
    pub budget: Option<Budget>,
    /// Random looks at accepted answers.
    pub audit: Option<AuditOptions>,
    /// When audits raise the accuracy alarm; needs `audit`.
    pub accuracy_alarm: Option<AlarmOptions>,
    /// A fresh certificate of the promise after an accuracy alarm, from audited
    /// frames; needs `audit` and `accuracy_alarm`.
    pub recalibration: Option<RecalibrationOptions>,
    /// A watch on how scores lie.
    pub drift: Option<DriftReference>,
    /// Answers of earlier frames of a video for frames that look the same.
    pub gate: Option<GateOptions>,
    /// A guard against bursts of unsure frames.
    pub storm: Option<StormOptions>,
}

/// The most audited frames for a fresh certificate.
const MOST_ROWS: u32 = 100_000;

/// Which rates of audited answers that differ are told apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlarmOptions {
    /// The rate that is expected: of audited frames those whose answer was
    /// accepted and differs from the big network's. Between 0 and 1.
    pub expected: f64,
    /// The rate that must not go unnoticed, larger.
    pub alarming: f64,
}

/// How a fresh certificate is made on the device: by the exact rule on audited
/// frames, with the loss "differs from the big network's answer".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecalibrationOptions {
    /// How many audited frames it takes, at most 100,000 and no fewer than
    /// [`samples_needed`](crate::calibrate::samples_needed) of the promise; each is
    /// used once.
    pub rows: u32,
    /// The largest probability that it is broken, between 0 and 1.
    pub delta: f64,
}

/// What scores are compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftReference {
    /// When a drift is one.
    pub options: DriftOptions,
    /// How scores lay when the bundle was calibrated.
    pub calibration: ScoreHistogram,
}

impl RuntimeOptions {
    /// Policy and accounting, and nothing else.
    #[must_use]
    pub fn new(policy: PolicyOptions) -> Self {
        RuntimeOptions {
            policy,
            rate_step: 0.02,
            budget: None,
            audit: None,
            accuracy_alarm: None,
            recalibration: None,
            drift: None,
            gate: None,
            storm: None,
        }
    }

    /// As [`RuntimeOptions::new`], for a threshold without a certificate.
    ///
    /// # Errors
    /// As [`PolicyOptions::uncertified`].
    pub fn uncertified(threshold: Threshold) -> Result<Self> {
        Ok(RuntimeOptions::new(PolicyOptions::uncertified(threshold)?))
    }

    /// As [`RuntimeOptions::new`], with the certificates of a bundle of two
    /// levels. The promise is that of the threshold in use; where that has no
    /// certificate, it is the floor and nothing is promised. Where the bundle says
    /// how scores lay in calibration, drift is watched for.
    ///
    /// # Errors
    /// None for a bundle that was checked; as [`PolicyOptions::new`].
    pub fn of_bundle(bundle: &ModelBundle) -> Result<Self> {
        let manifest = bundle.manifest();
        let used = manifest.levels[0].threshold.unwrap_or(Threshold::NEVER_ESCALATE);
        let policy = match manifest.certificate_in_use() {
            Some(promise) => PolicyOptions::new(of_same_kind(manifest, promise), promise.eps)?,
            None => PolicyOptions::uncertified(used)?,
        };
        let drift = manifest.calibration_scores.as_ref().map(|scores| DriftReference {
            options: DriftOptions::default(),
            calibration: scores.histogram,
        });
        Ok(RuntimeOptions { drift, ..RuntimeOptions::new(policy) })
    }

    /// The accuracy alarm, and the promise that is certified anew.
    pub(super) fn checked_watch(&self) -> Result<(Option<Cusum>, Option<Target>)> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        let alarm = match self.accuracy_alarm {
            Some(_) if self.audit.is_none() => {
                return invalid(
                    "accuracy_alarm is set without audit, whose looks it counts: set both".into(),
                );
            }
            Some(AlarmOptions { expected, alarming }) => Some(
                Cusum::new(expected, alarming)
                    .map_err(|error| in_field("accuracy_alarm", &error))?,
            ),
            None => None,
        };
        let Some(RecalibrationOptions { rows, delta }) = self.recalibration else {
            return Ok((alarm, None));
        };
        if alarm.is_none() {
            return invalid(
                "recalibration is set without accuracy_alarm, after which it certifies anew: set \
                 both"
                    .into(),
            );
        }
        let eps = self.policy.promise_eps;
        let target = Target::new(eps, delta).map_err(|error| in_field("recalibration", &error))?;
        let needed = samples_needed(eps, delta);
        if u64::from(rows) < needed || rows > MOST_ROWS {
            return invalid(format!(
                "recalibration.rows is {rows}: it must be {needed} to {MOST_ROWS} to certify \
                 {eps} with confidence 1 - {delta}"
            ));
        }
        Ok((alarm, Some(target)))
    }
}

fn in_field(field: &str, error: &Error) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{field}: {error}"))
}

/// The thresholds of certificates of the same kind of promise, the loosest first.
fn of_same_kind(manifest: &Manifest, promise: &Certificate) -> Vec<CertifiedThreshold> {
    let mut all: Vec<_> = manifest
        .certificates
        .iter()
        .filter(|certificate| certificate.loss == promise.loss)
        .filter_map(|certificate| match certificate.thresholds[..] {
            [threshold] => Some(CertifiedThreshold { eps: certificate.eps, threshold }),
            _ => None,
        })
        .collect();
    all.sort_by(|a, b| b.eps.total_cmp(&a.eps));
    all.dedup_by(|next, first| {
        // A higher threshold keeps a promise too.
        if next.threshold < first.threshold {
            next.threshold = first.threshold;
        }
        let same = next.eps == first.eps;
        if same {
            first.threshold = next.threshold;
        }
        same
    });
    all
}
