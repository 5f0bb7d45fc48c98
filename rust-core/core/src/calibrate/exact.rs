//! The exact rule for two levels: one threshold, one pass, little memory.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use super::binomial::{MAX_TRIALS, most_bad, samples_needed};
use crate::decision::Threshold;
use crate::error::{Error, ErrorKind, Result};

/// What is promised: with probability at least `1 - delta` over the drawing of
/// the calibration samples, the mean loss is at most `eps`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Target {
    eps: f64,
    delta: f64,
}

impl Target {
    /// A promise of `eps` with confidence `1 - delta`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] unless both lie strictly between 0 and 1.
    pub fn new(eps: f64, delta: f64) -> Result<Self> {
        for (name, value) in [("eps", eps), ("delta", delta)] {
            if !(value > 0.0 && value < 1.0) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("{name} is {value}: it must be between 0 and 1, such as 0.01"),
                ));
            }
        }
        Ok(Target { eps, delta })
    }

    /// The largest mean loss.
    #[must_use]
    pub fn eps(self) -> f64 {
        self.eps
    }

    /// The largest probability that the promise is broken.
    #[must_use]
    pub fn delta(self) -> f64 {
        self.delta
    }

    /// The error of `n` samples, which are too few.
    #[must_use]
    pub fn too_few(self, n: u64) -> Error {
        let needed = samples_needed(self.eps, self.delta);
        Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "{n} calibration samples are too few to promise {:?} with confidence 1 - {:?}: at \
                 least {needed} are needed even if none of them is bad; add samples, or raise eps \
                 or delta",
                self.eps, self.delta
            ),
        )
    }
}

/// A threshold by the exact rule, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExactThreshold {
    /// Accepted if and only if the score is above it.
    pub threshold: Threshold,
    /// The number of samples.
    pub n: u64,
    /// The most bad samples that may be accepted: the largest k with
    /// `BinomCDF(k; n, eps) <= delta`.
    pub k: u64,
    /// The bad samples that could be accepted at all.
    pub bad: u64,
    /// Samples whose score is not finite: they always escalate.
    pub unusable: u64,
}

/// Collects samples one at a time and keeps only what the rule needs: how many
/// there are and the largest scores of the bad ones.
///
/// With `c` the scores of bad samples in descending order, the threshold is
/// `c[k]` (counted from 0), or minus infinity where there are at most `k`. At
/// most `k` bad samples lie strictly above it. The bad samples above a
/// threshold can only become fewer as it rises, so this is the cheapest
/// threshold for which `BinomCDF(bad accepted; n, eps) <= delta`. The order of
/// the samples changes nothing.
#[derive(Debug, Clone)]
pub struct ExactRule {
    target: Target,
    keep: usize,
    n: u64,
    bad: u64,
    unusable: u64,
    largest: BinaryHeap<Reverse<Score>>,
}

impl ExactRule {
    /// A rule for `target` over at most `at_most` samples: it keeps about
    /// `eps * at_most` scores.
    #[must_use]
    pub fn new(target: Target, at_most: u64) -> Self {
        let k = most_bad(at_most.min(MAX_TRIALS), target.eps, target.delta);
        let keep = usize::try_from(k.unwrap_or(0)).unwrap_or(usize::MAX).saturating_add(1);
        ExactRule { target, keep, n: 0, bad: 0, unusable: 0, largest: BinaryHeap::new() }
    }

    /// Adds a sample: the little network's score, not finite where its answer
    /// can never be accepted, and whether accepting it would be bad.
    pub fn push(&mut self, score: f32, is_bad: bool) {
        self.n += 1;
        if !score.is_finite() {
            self.unusable += 1;
        } else if is_bad {
            self.bad += 1;
            // Minus zero is zero to whoever compares.
            let score = Reverse(Score(score + 0.0));
            if self.largest.len() < self.keep {
                self.largest.push(score);
            } else if let Some(mut least) = self.largest.peek_mut()
                && score < *least
            {
                *least = score;
            }
        }
    }

    /// The threshold.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when there were too few samples, which
    /// says how many are needed, or more than were announced.
    pub fn finish(self) -> Result<ExactThreshold> {
        let Some(k) = most_bad(self.n, self.target.eps, self.target.delta) else {
            return Err(self.target.too_few(self.n));
        };
        if k >= self.keep as u64 {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("there were {} samples, which is more than was announced", self.n),
            ));
        }
        // Ascending in `Reverse`: the largest score first.
        let largest = self.largest.into_sorted_vec();
        let threshold = match largest.get(k as usize) {
            Some(Reverse(Score(score))) => Threshold::new(*score)?,
            None => Threshold::NEVER_ESCALATE,
        };
        Ok(ExactThreshold { threshold, n: self.n, k, bad: self.bad, unusable: self.unusable })
    }
}

/// A finite score, to be sorted.
#[derive(Debug, Clone, Copy)]
struct Score(f32);

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(target: Target, samples: &[(f32, bool)]) -> Result<ExactThreshold> {
        let mut rule = ExactRule::new(target, samples.len() as u64);
        samples.iter().for_each(|(score, is_bad)| rule.push(*score, *is_bad));
        rule.finish()
    }

    /// The rule as it is written down.
    fn by_definition(target: Target, samples: &[(f32, bool)]) -> Option<Threshold> {
        let k = most_bad(samples.len() as u64, target.eps(), target.delta())? as usize;
        let bad = samples.iter().filter(|(score, bad)| *bad && score.is_finite());
        let mut bad: Vec<f32> = bad.map(|(score, _)| *score).collect();
        bad.sort_by(|a, b| b.total_cmp(a));
        Some(bad.get(k).map_or(Threshold::NEVER_ESCALATE, |score| Threshold::new(*score).unwrap()))
    }

    fn samples() -> impl Strategy<Value = Vec<(f32, bool)>> {
        // Few different scores, so that there are ties, and some that are none.
        let score = prop_oneof![
            8 => (0..40u8).prop_map(|score| f32::from(score) / 40.0),
            1 => prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(-0.0f32)],
        ];
        prop::collection::vec((score, prop::bool::weighted(0.3)), 1..400)
    }

    proptest! {
        #[test]
        fn it_is_the_rule_and_order_changes_nothing(
            samples in samples(), eps in 0.01..0.4f64, delta in 0.01..0.3f64, seed in any::<u64>(),
        ) {
            let target = Target::new(eps, delta).unwrap();
            let found = run(target, &samples);
            prop_assert_eq!(found.as_ref().ok().map(|t| t.threshold), by_definition(target, &samples));
            let Ok(found) = found else { return Ok(()) };
            // At most k bad ones are accepted, ties or not.
            let accepted = |threshold: Threshold| samples.iter()
                .filter(|(score, bad)| *bad && threshold.accepts(*score)).count() as u64;
            prop_assert!(accepted(found.threshold) <= found.k);
            // No cheaper threshold among the scores does that.
            for (score, bad) in &samples {
                if *bad && score.is_finite() && *score < found.threshold.value() {
                    prop_assert!(accepted(Threshold::new(*score).unwrap()) > found.k);
                }
            }
            let mut shuffled = samples.clone();
            let mut state = seed | 1;
            for last in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                shuffled.swap(last, (state >> 33) as usize % (last + 1));
            }
            let again = run(target, &shuffled).unwrap();
            prop_assert_eq!(again.threshold.value().to_bits(), found.threshold.value().to_bits());
            prop_assert_eq!(again, found);
        }

        #[test]
        fn a_stricter_promise_never_lowers_the_threshold(samples in samples(), eps in 0.05..0.4f64) {
            let loose = run(Target::new(eps, 0.1).unwrap(), &samples);
            let tight = run(Target::new(eps * 0.7, 0.1).unwrap(), &samples);
            if let (Ok(loose), Ok(tight)) = (loose, tight) {
                prop_assert!(tight.threshold >= loose.threshold);
            }
        }
    }

    #[test]
    fn too_few_samples_say_how_many_are_needed() {
        let target = Target::new(0.01, 0.05).unwrap();
        let few = run(target, &[(0.9, false); 298]).unwrap_err().to_string();
        assert!(few.contains("298") && few.contains("at least 299 are needed"), "{few}");
        let enough = run(target, &[(0.9, false); 299]).unwrap();
        assert_eq!((enough.threshold, enough.k), (Threshold::NEVER_ESCALATE, 0));
        // One bad sample: only what is surer than it stands.
        let mut samples = vec![(0.9, false); 298];
        samples.push((0.5, true));
        assert_eq!(run(target, &samples).unwrap().threshold, Threshold::new(0.5).unwrap());
        for (eps, delta) in [(0.0, 0.1), (1.0, 0.1), (0.1, f64::NAN), (-0.1, 0.1), (0.1, 1.0)] {
            assert!(Target::new(eps, delta).is_err());
        }
    }

    #[test]
    fn more_samples_than_announced_are_refused() {
        let mut rule = ExactRule::new(Target::new(0.1, 0.1).unwrap(), 30);
        (0..1_000).for_each(|_| rule.push(0.5, true));
        assert!(rule.finish().unwrap_err().to_string().contains("more than was announced"));
    }
}
