//! Random audits: the big network looks at a frame that it need not have seen.

use std::hash::{BuildHasher, Hasher, RandomState};

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::decision::SCORE_BINS;
use crate::error::{Error, ErrorKind, Result};

/// The weight 1 in the whole numbers in which weights are summed, so that sums
/// of many phones are the same in any order.
const UNIT: f64 = (1u64 << 20) as f64;

/// How often frames are audited.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditOptions {
    /// The probability of an audit, 0 (never) to 1. Audits are charged to the
    /// budget and to every other limit of the rate: fewer frames escalate
    /// instead. They go on where the rate is below this probability, and at any
    /// heat.
    pub probability: f64,
    /// The probability after a drift alarm, not less.
    pub raised_probability: f64,
    /// For how many frames it is raised.
    pub raised_frames: u32,
    /// Where the random numbers begin, for runs that are to be repeated; a worker
    /// begins elsewhere. Left out, they begin elsewhere in every session.
    pub seed: Option<u64>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        AuditOptions {
            probability: 0.01,
            raised_probability: 0.05,
            raised_frames: 20_000,
            seed: None,
        }
    }
}

/// Draws which frames are audited, whatever is on them: the draw comes before
/// the frame is looked at.
#[derive(Debug, Clone)]
pub struct Auditor {
    options: AuditOptions,
    random: Rng,
    raised_for: u32,
}

impl Auditor {
    /// An auditor.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when a probability is not one.
    pub fn new(options: AuditOptions) -> Result<Self> {
        for (name, value, least) in [
            ("audit.probability", options.probability, 0.0),
            ("audit.raised_probability", options.raised_probability, options.probability),
        ] {
            if !(least..=1.0).contains(&value) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("{name} is {value}: it must be {least} to 1"),
                ));
            }
        }
        let elsewhere = || RandomState::new().build_hasher().finish();
        let random = Rng::with_seed(options.seed.unwrap_or_else(elsewhere));
        Ok(Auditor { options, random, raised_for: 0 })
    }

    /// The probability with which the next frame is drawn.
    #[must_use]
    pub fn probability(&self) -> f64 {
        match self.raised_for {
            0 => self.options.probability,
            _ => self.options.raised_probability,
        }
    }

    /// Draws for the next frame: the probability with which it was chosen, or
    /// nothing where it was not.
    pub fn draw(&mut self) -> Option<f64> {
        let probability = self.probability();
        self.raised_for = self.raised_for.saturating_sub(1);
        (self.random.f64() < probability).then_some(probability)
    }

    /// Scores have drifted: look more closely for a while.
    pub fn raise(&mut self) {
        self.raised_for = self.options.raised_frames;
    }

    /// What it remembers: the state of the random numbers, and for how many
    /// frames it still looks more closely.
    #[must_use]
    pub fn state(&self) -> (u64, u32) {
        (self.random.get_seed(), self.raised_for)
    }

    /// Goes on from what was saved.
    pub fn restore(&mut self, (seed, raised_for): (u64, u32)) {
        self.random = Rng::with_seed(seed);
        self.raised_for = raised_for.min(self.options.raised_frames);
    }
}

/// An estimate of how often accepted answers differ from the big network's:
///
/// `R(t) = (1/N) sum(w * [answers differ] * [score > t])` over all N frames,
/// where w is 1 for a frame that escalated anyway, `1/p` for one that was
/// audited with probability `p`, and 0 for the others (Horvitz and Thompson
/// 1952). It is unbiased at any `t`, above or below those in force. Frames that
/// were dropped count in N only.
///
/// Sums are whole numbers: merging is the same in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditEstimate {
    /// All frames that the little network judged.
    pub frames: u64,
    /// Those drawn for an audit, where the big network answered.
    pub drawn: u64,
    /// Those drawn whose accepted answer differed.
    pub drawn_bad: u64,
    /// The weights of accepted answers that differed, in 2^-20.
    accepted: u64,
    /// The sum of `(1 - p) / p^2` over them, in 2^-20.
    variance: u64,
    /// The weights of answers that differed, by score, in 2^-20.
    by_score: [u64; SCORE_BINS],
}

/// An estimated share with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The share of all frames whose accepted answer differs from the big
    /// network's.
    pub share: f64,
    /// Normal approximation; where no audit has found a difference, up to 3 in
    /// the number of audits (the rule of three).
    pub ci95: [f64; 2],
}

impl AuditEstimate {
    /// Nothing seen yet.
    pub const EMPTY: AuditEstimate = AuditEstimate {
        frames: 0,
        drawn: 0,
        drawn_bad: 0,
        accepted: 0,
        variance: 0,
        by_score: [0; SCORE_BINS],
    };

    /// Takes a frame that the little network judged. `drawn` is the result of
    /// [`Auditor::draw`]; `differs` whether its answer differs from the big
    /// network's, known for those that escalated or were audited; `bin` that of
    /// [`ScoreHistogram::bin`](crate::decision::ScoreHistogram::bin), nothing for a score that is not finite.
    pub fn observe(
        &mut self,
        bin: Option<usize>,
        accepted: bool,
        drawn: Option<f64>,
        differs: Option<bool>,
    ) {
        self.frames = self.frames.saturating_add(1);
        let audited = drawn.is_some() && differs.is_some();
        self.drawn = self.drawn.saturating_add(u64::from(audited));
        if differs != Some(true) {
            return;
        }
        let weight = match (accepted, drawn) {
            (false, _) => 1.0,
            (true, Some(probability)) => {
                let variance = (1.0 - probability) / (probability * probability);
                self.variance = self.variance.saturating_add((variance * UNIT) as u64);
                self.drawn_bad = self.drawn_bad.saturating_add(1);
                1.0 / probability
            }
            (true, None) => return,
        };
        let weight = libm::round(weight * UNIT) as u64;
        if accepted {
            self.accepted = self.accepted.saturating_add(weight);
        }
        if let Some(sum) = bin.and_then(|bin| self.by_score.get_mut(bin)) {
            *sum = sum.saturating_add(weight);
        }
    }

    /// The share of frames whose accepted answer differs from the big
    /// network's, at the thresholds that were in force. Nothing before the first
    /// audit.
    #[must_use]
    pub fn disagreement(&self) -> Option<Disagreement> {
        if self.drawn == 0 {
            return None;
        }
        let frames = self.frames as f64;
        let share = self.accepted as f64 / UNIT / frames;
        let half = 1.96 * libm::sqrt(self.variance as f64 / UNIT) / frames;
        let high = if self.accepted == 0 { 3.0 / self.drawn as f64 } else { share + half };
        Some(Disagreement { share, ci95: [(share - half).max(0.0), high.min(1.0)] })
    }

    /// The share of frames whose answer would differ from the big network's if
    /// every score in `bin` and above were accepted.
    #[must_use]
    pub fn share_from_bin(&self, bin: usize) -> f64 {
        let sum = self.by_score.iter().skip(bin).fold(0u64, |sum, w| sum.saturating_add(*w));
        if self.frames == 0 { 0.0 } else { sum as f64 / UNIT / self.frames as f64 }
    }

    /// Adds the frames of another session or phone.
    pub fn merge(&mut self, other: &AuditEstimate) {
        for (sum, more) in [
            (&mut self.frames, other.frames),
            (&mut self.drawn, other.drawn),
            (&mut self.drawn_bad, other.drawn_bad),
            (&mut self.accepted, other.accepted),
            (&mut self.variance, other.variance),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (sum, more) in self.by_score.iter_mut().zip(other.by_score) {
            *sum = sum.saturating_add(more);
        }
    }
}

/// A frame drawn for an audit, as recalibration needs it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The little network's score; `None` where it can never be accepted.
    pub score: Option<f32>,
    /// Whether its answer differs from the big network's.
    pub differs: bool,
}

/// Collects drawn frames until there are enough for a fresh certificate. They
/// are a uniform sample of all frames, since every frame is drawn with the same
/// probability whatever is on it, and each row is used once.
#[derive(Debug, Clone)]
pub struct AuditRows {
    rows: Vec<AuditRow>,
    needed: usize,
}

impl AuditRows {
    /// Room for `needed` rows.
    #[must_use]
    pub fn new(needed: usize) -> Self {
        AuditRows { rows: Vec::with_capacity(needed), needed }
    }

    /// Takes a row. Returns whether there are enough now.
    pub fn push(&mut self, row: AuditRow) -> bool {
        if self.rows.len() < self.needed {
            self.rows.push(row);
        }
        self.rows.len() == self.needed && self.needed > 0
    }

    /// The rows so far.
    #[must_use]
    pub fn rows(&self) -> &[AuditRow] {
        &self.rows
    }

    /// Forgets them: they were used, or what they show is over.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// Goes on from what was saved, as far as there is room.
    pub fn restore(&mut self, rows: &[AuditRow]) {
        self.rows.clear();
        self.rows.extend(rows.iter().take(self.needed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::ScoreHistogram;

    /// One session of frames with scores evenly from 0 to 1: above 0.5 they are
    /// accepted, and the answer differs in `1/5` of those under 0.6.
    fn session(auditor: &mut Auditor, world: &mut Rng, frames: u32) -> AuditEstimate {
        let histogram = ScoreHistogram::empty((0.0, 1.0));
        let mut estimate = AuditEstimate::EMPTY;
        for _ in 0..frames {
            let drawn = auditor.draw();
            let score = world.f32();
            let differs = score < 0.6 && world.f64() < 0.2;
            let accepted = score > 0.5;
            let known = (!accepted || drawn.is_some()).then_some(differs);
            estimate.observe(histogram.bin(score), accepted, drawn, known);
        }
        estimate
    }

    #[test]
    fn the_estimate_is_unbiased_over_ten_thousand_sessions() {
        let sessions = 10_000;
        let mut world = Rng::with_seed(1);
        let (mut sum, mut squares, mut lower, mut covered) = (0.0, 0.0, 0.0, 0);
        for seed in 0..sessions {
            let options = AuditOptions {
                probability: 0.02,
                raised_probability: 0.1,
                raised_frames: 200,
                seed: Some(seed),
            };
            let mut auditor = Auditor::new(options).unwrap();
            // The probability changes within the session.
            let mut estimate = session(&mut auditor, &mut world, 300);
            auditor.raise();
            estimate.merge(&session(&mut auditor, &mut world, 300));
            let found = estimate.disagreement().map_or(0.0, |found| found.share);
            sum += found;
            squares += found * found;
            lower += estimate.share_from_bin(8);
            let ci = estimate.disagreement().map_or([0.0, 1.0], |found| found.ci95);
            covered += u32::from((ci[0]..=ci[1]).contains(&0.02));
        }
        let mean = sum / sessions as f64;
        let error = ((squares / sessions as f64 - mean * mean) / sessions as f64).sqrt();
        // 0.1 of the frames lie from 0.5 to 0.6, and a fifth of them differs.
        assert!((mean - 0.02).abs() < 3.5 * error, "{mean} with standard error {error}");
        assert!(error < 0.0004, "{error}");
        // From 0.25 on, below the threshold in force: 0.35 / 5.
        assert!((lower / sessions as f64 - 0.07).abs() < 0.001, "{}", lower / sessions as f64);
        assert!(covered > 8_000, "{covered} of {sessions} intervals hold the truth");
    }

    #[test]
    fn the_draw_follows_its_probability_and_its_seed() {
        let options =
            AuditOptions { raised_frames: 1_000, seed: Some(0), ..AuditOptions::default() };
        let mut auditor = Auditor::new(options).unwrap();
        let count = (0..100_000).filter(|_| auditor.draw().is_some()).count();
        assert!((850..1150).contains(&count), "{count}");
        auditor.raise();
        let mut again = Auditor::new(options).unwrap();
        again.restore(auditor.state());
        let draws: Vec<_> = (0..2_000).map(|_| auditor.draw()).collect();
        assert!(draws[..1_000].iter().flatten().all(|p| *p == 0.05));
        assert!(draws[1_000..].iter().flatten().all(|p| *p == 0.01));
        assert!((0..2_000).all(|frame| again.draw() == draws[frame]));
    }

    #[test]
    fn without_a_seed_every_session_draws_other_frames() {
        let options = AuditOptions { probability: 0.5, ..AuditOptions::default() };
        let draws = |_| {
            let mut auditor =
                Auditor::new(AuditOptions { raised_probability: 0.5, ..options }).unwrap();
            (0..200).map(|_| auditor.draw().is_some()).collect::<Vec<_>>()
        };
        let sessions: std::collections::HashSet<_> = (0..20).map(draws).collect();
        assert_eq!(sessions.len(), 20);
    }

    #[test]
    fn merging_is_the_same_in_any_order() {
        let mut world = Rng::with_seed(2);
        let parts: Vec<_> = (0..3)
            .map(|seed| {
                let mut auditor = Auditor::new(AuditOptions {
                    seed: Some(seed),
                    probability: 0.03,
                    ..Default::default()
                })
                .unwrap();
                session(&mut auditor, &mut world, 5_000)
            })
            .collect();
        let merge = |order: [usize; 3]| {
            let mut sum = AuditEstimate::EMPTY;
            order.into_iter().for_each(|part| sum.merge(&parts[part]));
            sum
        };
        assert_eq!(merge([0, 1, 2]), merge([2, 0, 1]));
        assert_eq!(merge([0, 1, 2]).frames, 15_000);
    }

    #[test]
    fn a_bad_probability_is_named() {
        for (options, field) in [
            (AuditOptions { probability: f64::NAN, ..Default::default() }, "audit.probability"),
            (
                AuditOptions { raised_probability: 0.001, ..Default::default() },
                "audit.raised_probability is 0.001",
            ),
        ] {
            assert!(Auditor::new(options).unwrap_err().to_string().contains(field));
        }
    }
}
