//! What the policy is told once: certificates, levels and limits.

use serde::{Deserialize, Serialize};

use crate::decision::Threshold;
use crate::error::{Error, ErrorKind, Result};

/// The number of levels of saving.
pub const LEVELS: usize = 4;

/// A threshold of the first level that keeps a promise: with it, or any above
/// it, the mean loss is at most `eps`. Where it comes from is calibration's
/// work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertifiedThreshold {
    /// The largest mean loss, above 0 to 1. At 1 nothing is promised: this is
    /// how a threshold without a certificate is written.
    pub eps: f64,
    /// What a score has to be above.
    pub threshold: Threshold,
}

/// What happens at one level of saving.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavingLevel {
    /// Names the certificate in force by its `eps`.
    pub eps: f64,
    /// The share of frames that may run the big network, 0 to 1; as far as the
    /// certified floor lets it be kept.
    pub target_rate: f64,
    /// What the frame rate should be multiplied with, above 0 to 1: advice to
    /// the app.
    pub frame_rate_factor: f64,
}

/// The constants of the controller on Android's thermal headroom.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadroomOptions {
    /// The headroom to hold, 1 being the start of severe throttling.
    pub target: f64,
    /// The proportional gain, 0 or more.
    pub kp: f64,
    /// The integral gain a step, 0 or more.
    pub ki: f64,
    /// Errors smaller than this count as 0.
    pub dead_band: f64,
    /// The most that the rate rises in a step.
    pub rise: f64,
    /// The most that the rate falls in a step.
    pub fall: f64,
    /// The least time between two steps.
    pub step_ms: u64,
    /// How long the rate is held without a valid headroom; then the thermal
    /// level is used alone.
    pub hold_ms: u64,
}

impl Default for HeadroomOptions {
    fn default() -> Self {
        HeadroomOptions {
            target: 0.80,
            kp: 2.0,
            ki: 0.11,
            dead_band: 0.02,
            rise: 0.05,
            fall: 0.20,
            step_ms: 10_000,
            hold_ms: 30_000,
        }
    }
}

/// Everything that a [`Policy`](super::Policy) is told once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyOptions {
    /// The thresholds that may be named, in any order; at least one.
    pub certificates: Vec<CertifiedThreshold>,
    /// The promise to keep, as the `eps` of one of the certificates: its
    /// threshold is the floor.
    pub promise_eps: f64,
    /// Whether the threshold may go below the floor to save energy. Every
    /// answer that the floor would not have accepted is then marked.
    pub accuracy_may_drop: bool,
    /// What happens at each level, from all well to nearly off.
    pub levels: [SavingLevel; LEVELS],
    /// At or below which battery percentage the first level begins, below
    /// which the second and the third; falling.
    pub battery_percent: [f32; LEVELS - 1],
    /// How many battery points clear of such a limit a level is relaxed.
    pub battery_clear_percent: f32,
    /// How long a lower level must have been enough before one level is relaxed.
    pub relax_hold_ms: u64,
    /// How old a value may be. An older one counts as unknown.
    pub stale_after_ms: u64,
    /// The level where battery or heat is unknown: the safe mode.
    pub unknown_level: u8,
    /// The controller on thermal headroom.
    pub headroom: HeadroomOptions,
}

impl PolicyOptions {
    /// The usual options: from the strictest certificate when all is well, in
    /// even steps, to that of `promise_eps`, which is the floor.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the field, its value and the
    /// limit.
    pub fn new(certificates: Vec<CertifiedThreshold>, promise_eps: f64) -> Result<Self> {
        let mut options = PolicyOptions {
            certificates,
            promise_eps,
            accuracy_may_drop: false,
            levels: [1.0, 0.5, 0.2, 0.05].map(|target_rate| SavingLevel {
                eps: promise_eps,
                target_rate,
                frame_rate_factor: 1.0,
            }),
            battery_percent: [50.0, 20.0, 8.0],
            battery_clear_percent: 5.0,
            relax_hold_ms: 60_000,
            stale_after_ms: 120_000,
            unknown_level: 1,
            headroom: HeadroomOptions::default(),
        };
        options.levels[LEVELS - 1].frame_rate_factor = 0.5;
        options.certificates.sort_by(|a, b| a.eps.total_cmp(&b.eps));
        let floor = options.position("promise_eps", promise_eps)?;
        for (index, level) in options.levels.iter_mut().enumerate() {
            level.eps = options.certificates[floor * index / (LEVELS - 1)].eps;
        }
        options.validate()?;
        Ok(options)
    }

    /// Options for a threshold without a certificate: it is the floor, and
    /// nothing is promised about it.
    ///
    /// # Errors
    /// None for any threshold; as [`PolicyOptions::new`].
    pub fn uncertified(threshold: Threshold) -> Result<Self> {
        PolicyOptions::new(vec![CertifiedThreshold { eps: 1.0, threshold }], 1.0)
    }

    /// The place of the certificate that `field` names.
    pub(super) fn position(&self, field: &str, eps: f64) -> Result<usize> {
        self.certificates.iter().position(|certificate| certificate.eps == eps).ok_or_else(|| {
            invalid(format!(
                "{field} is {eps}: there is no certificate with that eps, so name one of those \
                 that there are"
            ))
        })
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the field, its value and the
    /// limit.
    pub fn validate(&self) -> Result<()> {
        if self.certificates.is_empty() {
            return Err(invalid("certificates is empty: give at least one".into()));
        }
        for CertifiedThreshold { eps, .. } in &self.certificates {
            check("certificates.eps", *eps, *eps > 0.0 && *eps <= 1.0, "above 0 to 1")?;
        }
        let mut sorted = self.certificates.clone();
        sorted.sort_by(|a, b| a.eps.total_cmp(&b.eps));
        for pair in sorted.windows(2) {
            if pair[0].eps == pair[1].eps || pair[0].threshold < pair[1].threshold {
                return Err(invalid(format!(
                    "certificates with eps {} and {} have the thresholds {} and {}: a smaller eps \
                     must have a threshold at least as high, and each eps be there once",
                    pair[0].eps, pair[1].eps, pair[0].threshold, pair[1].threshold
                )));
            }
        }
        self.position("promise_eps", self.promise_eps)?;
        for (index, level) in self.levels.iter().enumerate() {
            let name = |field: &str| format!("levels[{index}].{field}");
            self.position(&name("eps"), level.eps)?;
            let rate = level.target_rate;
            check(&name("target_rate"), rate, (0.0..=1.0).contains(&rate), "0 to 1")?;
            let factor = level.frame_rate_factor;
            let good = factor > 0.0 && factor <= 1.0;
            check(&name("frame_rate_factor"), factor, good, "above 0 to 1")?;
        }
        for pair in self.levels.windows(2) {
            let [lower, higher] = [pair[0], pair[1]];
            if higher.eps < lower.eps
                || higher.target_rate > lower.target_rate
                || higher.frame_rate_factor > lower.frame_rate_factor
            {
                return Err(invalid(
                    "levels do not save more and more: from one to the next, eps may not fall, \
                     and target_rate and frame_rate_factor may not rise"
                        .into(),
                ));
            }
        }
        let percent = self.battery_percent;
        if !(percent.iter().all(|value| (0.0..=100.0).contains(value))
            && percent.is_sorted_by(|a, b| a >= b))
        {
            return Err(invalid(format!(
                "battery_percent is {percent:?}: its values must fall and lie from 0 to 100"
            )));
        }
        let clear = f64::from(self.battery_clear_percent);
        check("battery_clear_percent", clear, (0.0..=100.0).contains(&clear), "0 to 100")?;
        let level = f64::from(self.unknown_level);
        check("unknown_level", level, level < LEVELS as f64, "0 to 3")?;
        self.headroom.validate()
    }
}

impl HeadroomOptions {
    fn validate(&self) -> Result<()> {
        for (name, value) in [
            ("headroom.target", self.target),
            ("headroom.kp", self.kp),
            ("headroom.ki", self.ki),
            ("headroom.dead_band", self.dead_band),
            ("headroom.rise", self.rise),
            ("headroom.fall", self.fall),
        ] {
            check(name, value, (0.0..=100.0).contains(&value), "0 to 100")?;
        }
        Ok(())
    }
}

fn check(field: &str, value: f64, good: bool, limit: &str) -> Result<()> {
    if good { Ok(()) } else { Err(invalid(format!("{field} is {value}: it must be {limit}"))) }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(eps: f64, threshold: f32) -> CertifiedThreshold {
        CertifiedThreshold { eps, threshold: Threshold::new(threshold).unwrap() }
    }

    #[test]
    fn levels_go_from_the_strictest_certificate_to_the_promise() {
        let certificates = vec![
            certificate(0.05, 0.2),
            certificate(0.01, 0.6),
            certificate(0.001, 0.95),
            certificate(0.005, 0.8),
        ];
        let options = PolicyOptions::new(certificates, 0.01).unwrap();
        assert_eq!(options.levels.map(|level| level.eps), [0.001, 0.001, 0.005, 0.01]);
        let alone = PolicyOptions::uncertified(Threshold::new(0.4).unwrap()).unwrap();
        assert_eq!(alone.levels.map(|level| level.eps), [1.0; 4]);
    }

    #[test]
    fn a_bad_field_is_named() {
        let good = PolicyOptions::new(vec![certificate(0.01, 0.5)], 0.01).unwrap();
        let bad = |change: &dyn Fn(&mut PolicyOptions)| {
            let mut options = good.clone();
            change(&mut options);
            let error = options.validate().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            error.to_string()
        };
        for (message, field) in [
            (bad(&|o| o.certificates.clear()), "certificates"),
            (bad(&|o| o.certificates.push(certificate(0.001, 0.4))), "certificates"),
            (bad(&|o| o.certificates.push(certificate(f64::NAN, 0.4))), "certificates.eps"),
            (bad(&|o| o.promise_eps = 0.02), "promise_eps is 0.02"),
            (bad(&|o| o.levels[1].target_rate = f64::NAN), "levels[1].target_rate is NaN"),
            (bad(&|o| o.levels[3].frame_rate_factor = 0.0), "levels[3].frame_rate_factor"),
            (bad(&|o| o.levels[3].target_rate = 0.9), "levels do not save"),
            (bad(&|o| o.battery_percent = [50.0, 60.0, 8.0]), "battery_percent"),
            (bad(&|o| o.battery_clear_percent = -1.0), "battery_clear_percent is -1"),
            (bad(&|o| o.unknown_level = 4), "unknown_level is 4"),
            (bad(&|o| o.headroom.kp = f64::INFINITY), "headroom.kp"),
        ] {
            assert!(message.contains(field), "{message}");
        }
    }
}
