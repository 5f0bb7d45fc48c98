//! How much of the big network the phone's thermal headroom allows.

use serde::{Deserialize, Serialize};

use super::options::HeadroomOptions;

/// A velocity-form PI controller: with the error `e = target - headroom`, each
/// step moves the rate by `kp * (e - e_before) + ki * e`, within its slew
/// limits, and the rate stays within 0 to 1. Nothing winds up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeadroomControl {
    /// The share of frames that may run the big network.
    rate: f64,
    error: Option<f64>,
    /// Times on the policy's own clock, which never runs backwards.
    stepped_ms: Option<u64>,
    valid_ms: Option<u64>,
}

impl HeadroomControl {
    pub const START: HeadroomControl =
        HeadroomControl { rate: 1.0, error: None, stepped_ms: None, valid_ms: None };

    /// The share of frames that may run the big network.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Takes a finite headroom of at least 0.
    pub fn observe(&mut self, options: &HeadroomOptions, headroom: f32, now_ms: u64) {
        self.valid_ms = Some(now_ms);
        if self.stepped_ms.is_some_and(|then| now_ms - then < options.step_ms) {
            return;
        }
        let error = options.target - f64::from(headroom);
        let error = if error.abs() < options.dead_band { 0.0 } else { error };
        let change = options.kp * (error - self.error.unwrap_or(error)) + options.ki * error;
        self.rate = (self.rate + change.clamp(-options.fall, options.rise)).clamp(0.0, 1.0);
        self.error = Some(error);
        self.stepped_ms = Some(now_ms);
    }

    /// Lets time pass. Long without a valid headroom, the rate rises as fast as
    /// it may, if the thermal level is known and so watches alone.
    pub fn advance(&mut self, options: &HeadroomOptions, now_ms: u64, level_is_known: bool) {
        if self.valid_ms.is_none_or(|then| now_ms - then <= options.hold_ms) {
            return;
        }
        self.error = None;
        let since = self.stepped_ms.map_or(0, |then| now_ms - then);
        if level_is_known && since >= options.step_ms {
            self.rate = (self.rate + options.rise).min(1.0);
            self.stepped_ms = Some(now_ms);
        }
    }

    pub fn is_valid(&self, now_ms: u64) -> bool {
        let past = |at: Option<u64>| at.is_none_or(|at| at <= now_ms);
        (0.0..=1.0).contains(&self.rate)
            && self.error.is_none_or(f64::is_finite)
            && past(self.stepped_ms)
            && past(self.valid_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_by_the_formula() {
        let options = HeadroomOptions::default();
        let mut control = HeadroomControl::START;
        let mut rates = vec![];
        for (step, headroom) in [0.7f32, 0.75, 0.75, 0.85, 0.95, 0.95].into_iter().enumerate() {
            control.observe(&options, headroom, step as u64 * 10_000);
            // Within the same ten seconds nothing moves.
            control.observe(&options, 3.0, step as u64 * 10_000 + 9_999);
            rates.push(control.rate());
        }
        // 1 + .011 (clipped); -.1 + .0055; +.0055; -.2 - .0055 (slew); the same; -.0165.
        let expected = [1.0, 0.9055, 0.911, 0.711, 0.511, 0.4945];
        for (rate, expected) in rates.iter().zip(expected) {
            assert!((rate - expected).abs() < 1e-6, "{rates:?}");
        }
    }

    #[test]
    fn held_then_released_only_if_the_level_watches() {
        let options = HeadroomOptions::default();
        let mut control = HeadroomControl::START;
        for step in 0..10 {
            control.observe(&options, 1.2, step * 10_000);
        }
        let hot = control.rate();
        assert!(hot < 0.6, "{hot}");
        control.advance(&options, 120_000, true);
        assert_eq!(control.rate(), hot, "held for 30 s");
        control.advance(&options, 121_000, false);
        assert_eq!(control.rate(), hot, "nobody else watches");
        control.advance(&options, 121_000, true);
        control.advance(&options, 122_000, true);
        assert_eq!(control.rate(), hot + 0.05);
    }

    proptest! {
        /// From the same state, a hotter reading never leaves a higher rate.
        #[test]
        fn hotter_is_never_more(
            past in prop::collection::vec(0.0f32..2.0, 0..20), cooler in 0.0f32..2.0, by in 0.0f32..1.0
        ) {
            let options = HeadroomOptions::default();
            let mut control = HeadroomControl::START;
            for (step, headroom) in (0..).zip(&past) {
                control.observe(&options, *headroom, step * 10_000);
            }
            let (mut a, mut b) = (control, control);
            a.observe(&options, cooler, 1_000_000);
            b.observe(&options, cooler + by, 1_000_000);
            prop_assert!(b.rate() <= a.rate());
            prop_assert!((0.0..=1.0).contains(&a.rate()));
        }
    }
}
