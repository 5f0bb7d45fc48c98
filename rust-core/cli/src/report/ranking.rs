//! How well scores tell right answers from wrong ones.

use biglittle::calibrate::{RiskPoint, aurc, clopper_pearson, risk_coverage};

use super::thinned;
use crate::rows::Rows;
use crate::trace::{SCORES, ScoreKind};

/// The bins of a histogram of scores.
const BINS: usize = 40;
/// The bins of the expected calibration error, as is customary.
const ECE_BINS: usize = 15;
/// The most points of a curve, about.
const POINTS: usize = 300;

/// How well a level's score ranks its answers.
#[derive(Debug)]
pub struct Ranking {
    pub level: usize,
    /// Some points of the risk-coverage curve, the last among them.
    pub points: Vec<RiskPoint>,
    /// The area under all of it, for each score that the trace has; the one in
    /// use first.
    pub aurc: Vec<(ScoreKind, f64)>,
    /// The area where all wrong answers came last: no score can do better.
    pub best_aurc: f64,
}

impl Ranking {
    pub fn of(rows: &Rows, level: usize) -> Option<Self> {
        let wrong: Vec<bool> = (0..rows.len()).map(|row| !rows.is_right(row, level)).collect();
        let scored = |kind: ScoreKind| -> Vec<(f32, bool)> {
            rows.scores(level, kind).iter().copied().zip(wrong.iter().copied()).collect()
        };
        let in_use = rows.kinds.get(level).copied().unwrap_or(ScoreKind::MaxProbability);
        let there = |kind: &ScoreKind| rows.left_out.scores[*kind as usize];
        let mut kinds: Vec<_> = SCORES.into_iter().filter(there).collect();
        kinds.sort_by_key(|kind| *kind != in_use);
        let first = *kinds.first()?;
        let points = risk_coverage(&scored(first));
        // All right answers, in any order, before all wrong ones.
        let count = wrong.len();
        let right = wrong.iter().filter(|wrong| !**wrong).count();
        let risk = |rank: usize| rank.saturating_sub(right) as f64 / rank as f64;
        let best_aurc = (1..=count).map(risk).sum::<f64>() / count.max(1) as f64;
        Some(Ranking {
            level,
            points: thinned(points.len(), POINTS).into_iter().map(|at| points[at]).collect(),
            aurc: kinds.into_iter().map(|kind| (kind, aurc(&scored(kind)))).collect(),
            best_aurc,
        })
    }
}

/// Scores of the first level in bins of equal width.
#[derive(Debug)]
pub struct Histogram {
    pub low: f64,
    pub high: f64,
    /// Rows whose answer may stand.
    pub good: Vec<usize>,
    /// Rows where letting it stand is a loss.
    pub bad: Vec<usize>,
    /// Rows without a score, which always escalate: good ones and bad ones.
    pub unscored: [usize; 2],
}

impl Histogram {
    pub fn of(rows: &Rows) -> Self {
        let scores = || (0..rows.len()).map(|row| f64::from(rows.score(row, 0)));
        let finite = || scores().filter(|score| score.is_finite());
        let (mut low, mut high) = match rows.kinds[0] {
            ScoreKind::Margin | ScoreKind::MaxProbability => (0.0, 1.0),
            _ => (f64::INFINITY, f64::NEG_INFINITY),
        };
        (low, high) = finite().fold((low, high), |(low, high), s| (low.min(s), high.max(s)));
        if low >= high {
            // All the same, or none.
            let middle = if low.is_finite() { low } else { 0.0 };
            (low, high) = (middle - 0.5, middle + 0.5);
        }
        let (mut good, mut bad) = (vec![0; BINS], vec![0; BINS]);
        let mut unscored = [0; 2];
        for (row, score) in scores().enumerate() {
            let is_bad = rows.is_bad(row, 0);
            if score.is_finite() {
                let bin = ((score - low) / (high - low) * BINS as f64) as usize;
                let bins = if is_bad { &mut bad } else { &mut good };
                bins[bin.min(BINS - 1)] += 1;
            } else {
                unscored[usize::from(is_bad)] += 1;
            }
        }
        Histogram { low, high, good, bad, unscored }
    }
}

/// Whether a level's largest probability is what it says.
#[derive(Debug)]
pub struct Reliability {
    pub level: usize,
    /// The bins that have rows.
    pub bins: Vec<Bin>,
    /// The expected calibration error: the mean over rows of the distance
    /// between a bin's accuracy and its mean probability (Guo et al., "On
    /// Calibration of Modern Neural Networks", 2017).
    pub ece: f64,
}

/// Rows of a level whose largest probability lies close together.
#[derive(Debug, Clone, Copy)]
pub struct Bin {
    pub count: usize,
    pub probability: f64,
    pub accuracy: f64,
    /// The exact (Clopper-Pearson) 95 % interval of the accuracy.
    pub interval: [f64; 2],
}

impl Reliability {
    /// `None` where the trace has no probabilities of the level.
    pub fn of(rows: &Rows, level: usize) -> Option<Self> {
        let probabilities = rows.scores(level, ScoreKind::MaxProbability);
        let mut sums = [(0u64, 0.0, 0u64); ECE_BINS];
        for (row, probability) in probabilities.iter().enumerate() {
            let p = f64::from(*probability);
            if (0.0..=1.0).contains(&p) {
                // Each bin with its upper end.
                let bin = ((p * ECE_BINS as f64).ceil() as usize).clamp(1, ECE_BINS) - 1;
                let (count, sum, right) = &mut sums[bin];
                *count += 1;
                *sum += p;
                *right += u64::from(rows.is_right(row, level));
            }
        }
        let bin = |(count, sum, right): &(u64, f64, u64)| {
            let n = *count as f64;
            Bin {
                count: *count as usize,
                probability: sum / n,
                accuracy: *right as f64 / n,
                interval: clopper_pearson(*right, *count, 0.05),
            }
        };
        let bins: Vec<Bin> = sums.iter().filter(|(count, ..)| *count > 0).map(bin).collect();
        let all: usize = bins.iter().map(|bin| bin.count).sum();
        let gap = |bin: &Bin| bin.count as f64 * (bin.accuracy - bin.probability).abs();
        let ece = bins.iter().map(gap).sum::<f64>() / all.max(1) as f64;
        (all > 0).then_some(Reliability { level, bins, ece })
    }
}
