//! An early warning without audits: scores no longer lie as they did.

use serde::{Deserialize, Serialize};

use crate::decision::{SCORE_BINS, ScoreHistogram};
use crate::error::{Error, ErrorKind, Result};

/// When a drift is one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftOptions {
    /// One score in so many is looked at, at least 1: frames that follow each
    /// other are much alike.
    pub every: u32,
    /// A shift of the mean, in the unit from 0 to 1 of the calibration's
    /// distribution, that is tolerated.
    pub tolerance: f64,
    /// How much more than that has to add up.
    pub alarm: f64,
}

impl Default for DriftOptions {
    fn default() -> Self {
        DriftOptions { every: 10, tolerance: 0.05, alarm: 10.0 }
    }
}

/// Page-Hinkley tests (Page 1954, Hinkley 1971) for a drift of scores from the
/// calibration's. Each score is taken as its place in the calibration's
/// distribution, which without a drift is uniform from 0 to 1; its mean is
/// watched in both directions for a shift, and its distance from the middle for
/// a widening or narrowing. An alarm says that scores lie otherwise, not that
/// answers are worse.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftWatch {
    options: DriftOptions,
    histogram: ScoreHistogram,
    /// The middle of each bin in the calibration's distribution.
    places: [f64; SCORE_BINS],
    /// The mean distance from the middle over the calibration's bins.
    mean_distance: f64,
    state: DriftState,
}

/// What a [`DriftWatch`] remembers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftState {
    seen: u32,
    sums: [f64; 4],
}

impl DriftWatch {
    /// A watch for a drift from `calibration`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the histogram is empty or an option
    /// out of range.
    pub fn new(options: DriftOptions, calibration: &ScoreHistogram) -> Result<Self> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        let total: f64 = calibration.counts.iter().map(|count| *count as f64).sum();
        let range_is_good =
            calibration.low < calibration.high && (calibration.high - calibration.low).is_finite();
        if total == 0.0 || !range_is_good {
            return invalid(
                "the calibration's histogram of scores is empty or has no range".into(),
            );
        }
        if options.every == 0 {
            return invalid("drift.every is 0: it must be at least 1".into());
        }
        let DriftOptions { tolerance, alarm, .. } = options;
        if !((0.0..0.5).contains(&tolerance) && alarm > 0.0 && alarm.is_finite()) {
            return invalid(format!(
                "drift.tolerance is {tolerance} and drift.alarm {alarm}: they must be 0 to 0.5, \
                 and above 0"
            ));
        }
        let mut below = 0.0;
        let mut mean_distance = 0.0;
        let places = calibration.counts.map(|count| {
            let share = count as f64 / total;
            let place = below + share / 2.0;
            below += share;
            mean_distance += share * distance(place);
            place
        });
        let state = DriftState::default();
        Ok(DriftWatch { options, histogram: *calibration, places, mean_distance, state })
    }

    /// Takes the score of the next frame. Returns whether it raises the alarm,
    /// after which the watch begins anew.
    pub fn observe(&mut self, score: f32) -> bool {
        self.state.seen += 1;
        if self.state.seen < self.options.every {
            return false;
        }
        self.state.seen = 0;
        let Some(bin) = self.histogram.bin(score) else { return false };
        let place = self.places[bin];
        let shift = place - 0.5;
        let spread = distance(place) - self.mean_distance;
        for (sum, value) in self.state.sums.iter_mut().zip([shift, -shift, spread, -spread]) {
            *sum = (*sum + value - self.options.tolerance).max(0.0);
        }
        let alarm = self.state.sums.iter().any(|sum| *sum >= self.options.alarm);
        if alarm {
            self.state = DriftState::default();
        }
        alarm
    }

    /// What it remembers.
    #[must_use]
    pub fn state(&self) -> DriftState {
        self.state
    }

    /// Goes on from what was saved.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when it is out of range.
    pub fn restore(&mut self, state: DriftState) -> Result<()> {
        let good = state.sums.iter().all(|sum| (0.0..self.options.alarm).contains(sum));
        if !(good && state.seen < self.options.every) {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "the saved watch for drift contradicts its options: start without",
            ));
        }
        self.state = state;
        Ok(())
    }
}

/// From the middle, 0 to 1.
fn distance(place: f64) -> f64 {
    (2.0 * place - 1.0).abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    /// A score that is mostly high, as margins are.
    fn score(random: &mut Rng) -> f32 {
        1.0 - random.f32() * random.f32()
    }

    fn watch() -> DriftWatch {
        let mut random = Rng::with_seed(5);
        let mut calibration = ScoreHistogram::empty((0.0, 1.0));
        (0..20_000).for_each(|_| calibration.add(score(&mut random)));
        let options = DriftOptions { every: 1, ..DriftOptions::default() };
        DriftWatch::new(options, &calibration).unwrap()
    }

    fn looks_to_alarm(draw: impl Fn(&mut Rng) -> f32) -> f64 {
        let mut random = Rng::with_seed(6);
        let mut watch = watch();
        let runs = 200;
        let looks: u32 = (0..runs)
            .map(|_| (1..).find(|_| watch.observe(draw(&mut random))).unwrap_or(u32::MAX))
            .sum();
        f64::from(looks) / f64::from(runs)
    }

    #[test]
    fn is_quiet_without_a_drift() {
        let mut random = Rng::with_seed(7);
        let mut watch = watch();
        let alarms = (0..1_000_000).filter(|_| watch.observe(score(&mut random))).count();
        assert!(alarms <= 2, "{alarms} in a million");
    }

    #[test]
    fn notices_lower_higher_wider_and_narrower() {
        let lower = looks_to_alarm(|random| score(random) - 0.15);
        let higher = looks_to_alarm(|random| score(random).max(score(random)).max(score(random)));
        let narrower = looks_to_alarm(|random| 0.75 + 0.1 * random.f32());
        let wider = looks_to_alarm(|random| if random.bool() { 0.01 } else { 0.999 });
        for looks in [lower, higher, narrower, wider] {
            assert!((10.0..200.0).contains(&looks), "{lower} {higher} {narrower} {wider}");
        }
    }

    #[test]
    fn scores_that_are_none_change_nothing() {
        let mut watch = watch();
        let before = watch.state();
        assert!(!watch.observe(f32::NAN) && !watch.observe(f32::INFINITY));
        assert_eq!(watch.state(), before);
        assert!(
            DriftWatch::new(DriftOptions::default(), &ScoreHistogram::empty((0.0, 1.0))).is_err()
        );
        let bad = DriftState { seen: 0, sums: [f64::NAN; 4] };
        assert_eq!(watch.restore(bad).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
