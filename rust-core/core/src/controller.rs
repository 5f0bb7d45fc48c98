//! Holds the share of frames that run the big network at a target.
//!
//! Decides the threshold that would hold it, and knows the lowest share that a
//! floor permits. What the target is, and whether the threshold may be used, is
//! decided by [`policy`](crate::policy). Called by [`engine`](crate::engine)
//! after every frame. Pure, and the same on every platform.

use serde::{Deserialize, Serialize};

use crate::decision::Threshold;
use crate::error::{Error, ErrorKind, Result};

/// Over how many frames the share at the floor is remembered.
const MEMORY: f64 = 512.0;

/// Moves a threshold against the error of each frame:
///
/// `t <- clamp(t - step * (escalated - target), floor, ceiling)`
///
/// with `step` as a share of the range of scores. Where no clamp acts, the mean
/// escalation over `T` frames is within `(1 + step) / (step * T)` of the target,
/// whatever the scores, as long as all are finite and within the range: a
/// threshold above all scores makes the next frame escalate, one below all
/// scores makes it not. The ceiling never spoils the bound from above. Frames
/// that escalate for other reasons than their score, and the floor, do; then
/// [`RateController::lowest_rate`] says what is possible.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateController {
    step: f64,
    low: f64,
    high: f64,
    threshold: f64,
    frames: u64,
    lowest_rate: f64,
}

impl RateController {
    /// A controller for scores from `range.0` to `range.1`; `step`, the gain,
    /// is a share of that range, usually 0.01 to 0.02. It begins at the top,
    /// where nothing is saved.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] unless `step` is above 0 and at most 1 and
    /// the range rises and is finite.
    pub fn new(step: f64, range: (f32, f32)) -> Result<Self> {
        if !(step > 0.0 && step <= 1.0) {
            return Err(invalid(format!("rate_step is {step}: it must be above 0 to 1")));
        }
        let (low, high) = (f64::from(range.0), f64::from(range.1));
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(invalid(format!(
                "the scores are said to lie from {low} to {high}: give a finite range that rises"
            )));
        }
        Ok(RateController { step, low, high, threshold: high, frames: 0, lowest_rate: 0.0 })
    }

    /// The threshold that holds the rate.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        Threshold::new(self.threshold as f32).expect("it is clamped to finite bounds")
    }

    /// Takes the outcome of a frame that was judged.
    ///
    /// `lowest` is the least threshold allowed (infinite where every frame must
    /// escalate), `is_least` whether the frame would escalate even there.
    pub fn observe(&mut self, escalated: bool, target_rate: f64, lowest: f32, is_least: bool) {
        let span = self.high - self.low;
        let error = f64::from(u8::from(escalated)) - target_rate;
        // One step below the range, so that a floor at its bottom can be left
        // behind by the lowest scores too.
        let lowest = f64::from(lowest).clamp(self.low - self.step * span, self.high);
        let moved = self.threshold - self.step * span * error;
        self.threshold = moved.min(self.high + self.step * span).max(lowest);
        self.frames = self.frames.saturating_add(1);
        let weight = 1.0 / (self.frames as f64).min(MEMORY);
        self.lowest_rate += weight * (f64::from(u8::from(is_least)) - self.lowest_rate);
    }

    /// The share of recent frames that would escalate at the least threshold
    /// allowed, and two standard errors of it. Nothing before the first 100
    /// frames.
    #[must_use]
    pub fn lowest_rate(&self) -> Option<(f64, f64)> {
        let rate = self.lowest_rate;
        let samples = (self.frames as f64).min(MEMORY);
        (self.frames >= 100).then(|| (rate, 2.0 * libm::sqrt(rate * (1.0 - rate) / samples)))
    }

    /// Goes on from what was saved of a controller for the same scores.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when it contradicts itself or this one.
    pub fn restore(&mut self, saved: RateController) -> Result<()> {
        let margin = self.step * (self.high - self.low) * 1.001;
        let good = (saved.step, saved.low, saved.high) == (self.step, self.low, self.high)
            && (self.low - margin..=self.high + margin).contains(&saved.threshold)
            && (0.0..=1.0).contains(&saved.lowest_rate);
        if !good {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "the saved rate controller contradicts itself or these options: start without",
            ));
        }
        *self = saved;
        Ok(())
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NO_FLOOR: f32 = f32::NEG_INFINITY;

    /// Runs `scores` and returns the number that escalated.
    fn run(
        controller: &mut RateController,
        target: f64,
        floor: f32,
        count: usize,
        mut score: impl FnMut(usize, f32) -> f32,
    ) -> usize {
        let mut escalated = 0;
        for frame in 0..count {
            let threshold = controller.threshold();
            let score = score(frame, threshold.value());
            let floor_escalates = score <= floor;
            let escalates = !threshold.accepts(score) || floor_escalates;
            escalated += usize::from(escalates);
            controller.observe(escalates, target, floor, floor_escalates);
        }
        escalated
    }

    proptest! {
        /// Any scores in the range, chosen with the threshold in sight.
        #[test]
        fn within_its_bound_for_adversarial_scores(
            target in 0.0f64..=1.0,
            step in 0.005f64..0.1,
            choices in prop::collection::vec((0u8..6, 0.0f32..=1.0), 1..2000),
            range in prop_oneof![Just((0.0f32, 1.0f32)), Just((-2.3f32, 0.0f32))],
        ) {
            let mut controller = RateController::new(step, range).unwrap();
            let span = range.1 - range.0;
            let escalated = run(&mut controller, target, NO_FLOOR, choices.len(), |frame, t| {
                let (kind, value) = choices[frame];
                let score = match kind {
                    0 => t,
                    1 => f32::from_bits(t.to_bits() + 1),
                    2 => t + 0.001,
                    3 => range.1,
                    4 => range.0,
                    _ => range.0 + span * value,
                };
                score.clamp(range.0, range.1)
            });
            let frames = choices.len() as f64;
            let bound = (1.0 + step) / (step * frames);
            let error = (escalated as f64 / frames - target).abs();
            // Thresholds are compared in f32.
            prop_assert!(error <= bound * 1.001 + 1e-6, "{error} > {bound}");
        }

        /// From above the bound holds against a score that always loses by a
        /// hair, too.
        #[test]
        fn the_worst_adversary(target in 0.0f64..=1.0, count in 1usize..5000) {
            let mut controller = RateController::new(0.02, (0.0, 1.0)).unwrap();
            let escalated =
                run(&mut controller, target, NO_FLOOR, count, |_, t| t.clamp(0.0, 1.0));
            let bound = 1.02 / (0.02 * count as f64);
            prop_assert!(escalated as f64 / count as f64 - target <= bound * 1.001);
        }

        #[test]
        fn never_below_the_floor(
            floor in 0.0f32..1.0, scores in prop::collection::vec(0.0f32..1.0, 1..500)
        ) {
            let mut controller = RateController::new(0.02, (0.0, 1.0)).unwrap();
            for score in scores {
                controller.observe(score < 0.9, 0.0, floor, score <= floor);
                prop_assert!(controller.threshold().value() >= floor);
            }
        }
    }

    #[test]
    fn says_which_rate_a_floor_permits() {
        let mut controller = RateController::new(0.02, (0.0, 1.0)).unwrap();
        assert_eq!(controller.lowest_rate(), None);
        // Every third score lies below the floor.
        run(&mut controller, 0.05, 0.5, 3000, |frame, _| if frame % 3 == 0 { 0.3 } else { 0.9 });
        let (rate, error) = controller.lowest_rate().unwrap();
        assert!((rate - 1.0 / 3.0).abs() < error && error < 0.05, "{rate} {error}");
        let threshold = controller.threshold().value();
        assert!((0.5..0.505).contains(&threshold), "held at the floor: {threshold}");
    }

    #[test]
    fn comes_back_and_refuses_what_is_damaged() {
        let fresh = RateController::new(0.02, (0.0, 1.0)).unwrap();
        let mut saved = fresh;
        run(&mut saved, 0.1, 0.2, 300, |frame, _| (frame % 100) as f32 / 100.0);
        let json = serde_json::to_string(&saved).unwrap();
        let mut restored = fresh;
        restored.restore(serde_json::from_str(&json).unwrap()).unwrap();
        assert_eq!(restored, saved);
        for (field, value) in [("threshold", "7.0"), ("lowest_rate", "-1.0"), ("step", "0.5")] {
            let mut damaged: serde_json::Value = serde_json::from_str(&json).unwrap();
            damaged[field] = serde_json::from_str(value).unwrap();
            let damaged = serde_json::from_value(damaged).unwrap();
            assert_eq!(restored.restore(damaged).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        assert!(RateController::new(0.0, (0.0, 1.0)).is_err());
        assert!(RateController::new(0.01, (1.0, 1.0)).is_err());
    }
}
