//! An alarm when something rare becomes less rare.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// A Bernoulli CUSUM (Page 1954) that tells a rate of `expected` from one of
/// `alarming`:
///
/// `S <- max(0, S + (bad ? ln(d1/d0) : ln((1-d1)/(1-d0))))`, alarm at 5,
/// after which it begins anew.
///
/// From 1 % to 3 % it gives one false alarm in about 24,000 looks and takes
/// about 335 to notice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cusum {
    if_bad: f64,
    if_good: f64,
    sum: f64,
}

impl Cusum {
    /// Where the alarm is raised.
    pub const ALARM: f64 = 5.0;

    /// A watch for a rise from `expected` to `alarming`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] unless `0 < expected < alarming < 1`.
    pub fn new(expected: f64, alarming: f64) -> Result<Self> {
        if !(0.0 < expected && expected < alarming && alarming < 1.0) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "the rates to tell apart are {expected} and {alarming}: they must rise and \
                     lie between 0 and 1"
                ),
            ));
        }
        // From the `libm` crate: the same on every platform.
        let if_bad = libm::log(alarming / expected);
        let if_good = libm::log((1.0 - alarming) / (1.0 - expected));
        Ok(Cusum { if_bad, if_good, sum: 0.0 })
    }

    /// Takes one look. Returns whether it raises the alarm.
    pub fn observe(&mut self, is_bad: bool) -> bool {
        self.sum = (self.sum + if is_bad { self.if_bad } else { self.if_good }).max(0.0);
        let alarm = self.sum >= Self::ALARM;
        if alarm {
            self.sum = 0.0;
        }
        alarm
    }

    /// How far it is from 0 to [`Cusum::ALARM`].
    #[must_use]
    pub fn state(&self) -> CusumState {
        CusumState { sum: self.sum }
    }

    /// Goes on from what was saved.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when it is not between 0 and the alarm.
    pub fn restore(&mut self, state: CusumState) -> Result<()> {
        if !(0.0..Self::ALARM).contains(&state.sum) {
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!("the saved alarm stands at {}: it must be 0 to 5", state.sum),
            ));
        }
        self.sum = state.sum;
        Ok(())
    }
}

/// What a [`Cusum`] remembers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CusumState {
    sum: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    /// The mean number of looks until the alarm.
    fn run_length(random: &mut Rng, rate: f64, runs: u32) -> f64 {
        let mut cusum = Cusum::new(0.01, 0.03).unwrap();
        let looks: u64 = (0..runs)
            .map(|_| (1..).find(|_| cusum.observe(random.f64() < rate)).unwrap_or(u64::MAX))
            .sum();
        looks as f64 / f64::from(runs)
    }

    #[test]
    fn false_alarms_and_delay_are_as_published() {
        let mut random = Rng::with_seed(3);
        let between = run_length(&mut random, 0.01, 400);
        assert!((20_000.0..28_500.0).contains(&between), "{between} looks to a false alarm");
        let delay = run_length(&mut random, 0.03, 4_000);
        assert!((315.0..355.0).contains(&delay), "{delay} looks to notice");
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        for (expected, alarming) in
            [(0.0, 0.1), (0.1, 0.1), (0.2, 0.1), (0.1, 1.0), (f64::NAN, 0.5)]
        {
            assert!(Cusum::new(expected, alarming).is_err(), "{expected} {alarming}");
        }
        let mut cusum = Cusum::new(0.01, 0.03).unwrap();
        for sum in [-1.0, 5.0, f64::NAN] {
            assert!(cusum.restore(CusumState { sum }).is_err());
        }
    }
}
