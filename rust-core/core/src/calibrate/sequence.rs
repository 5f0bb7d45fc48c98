//! Fixed-sequence testing: any number of levels, any loss between 0 and 1.

use super::binomial::{binomial_cdf, hoeffding_bentkus};
use super::exact::Target;
use super::loss::Loss;
use super::rows::{LevelRows, Losses, Rows};
use crate::decision::Threshold;
use crate::error::{Error, ErrorKind, Result};

/// The most steps of a sequence.
const STEPS: usize = 200;
/// The most rows that a sequence is ordered by: more change nothing much.
const MOST_ROWS: usize = 20_000;

/// A p-value for "the mean loss is above `eps`": the binomial tail where every
/// loss is 0 or 1, else Hoeffding and Bentkus.
#[must_use]
pub fn p_value(losses: &Losses, eps: f64) -> f64 {
    if losses.is_binary {
        binomial_cdf(losses.whole, losses.n, eps)
    } else {
        hoeffding_bentkus(losses.n, losses.sum, losses.whole, eps)
    }
}

/// The last setting of a sequence that keeps the promise.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceThresholds {
    /// One for each level but the last.
    pub thresholds: Vec<Threshold>,
    /// The losses of calibration at these thresholds.
    pub losses: Losses,
    /// The settings that were tested, the one that failed included.
    pub tested: usize,
}

/// Tests `sequence`, from the safest setting to the cheapest, on `rows`: stops
/// at the first whose p-value is above delta and returns the one before it
/// (Angelopoulos et al., "Learn then test", 2021, with Bauer's fixed-sequence
/// procedure). The sequence must have been made without `rows`.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] when not even the first keeps the promise,
/// because there are too few samples.
pub fn fixed_sequence(
    rows: &Rows,
    loss: Loss,
    target: Target,
    sequence: &[Vec<Threshold>],
) -> Result<SequenceThresholds> {
    let mut best = None;
    for (index, thresholds) in sequence.iter().enumerate() {
        let losses = rows.evaluate(thresholds, loss).losses;
        let tested = index + 1;
        if p_value(&losses, target.eps()) > target.delta() {
            let Some(best) = best else { return Err(target.too_few(losses.n)) };
            return Ok(SequenceThresholds { tested, ..best });
        }
        best = Some(SequenceThresholds { thresholds: thresholds.clone(), losses, tested });
    }
    best.ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "there is no setting to be tested"))
}

/// Orders thresholds from the safest setting (always escalate) to the cheapest
/// by what they do to the rows of the tuning split: step by step, the level
/// whose threshold is lowered is the one that saves the most for what it adds
/// to the loss. `costs` are those of reaching each level, in any one unit.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] when there are no rows to go by.
pub fn order_thresholds(rows: &Rows, loss: Loss, costs: &[f64]) -> Result<Vec<Vec<Threshold>>> {
    if rows.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "the tuning split is empty: with more than two levels, or with groups, it decides in \
             which order thresholds are tested",
        ));
    }
    let levels = rows.levels.len() - 1;
    let stride = rows.len().div_ceil(MOST_ROWS);
    let rows = &thin_out(rows, stride);
    let steps: Vec<Vec<Threshold>> =
        rows.levels[..levels].iter().map(|level| steps(&level.scores)).collect();
    let mut next = vec![0; levels];
    let mut now = vec![Threshold::ALWAYS_ESCALATE; levels];
    let mut sequence = vec![now.clone()];
    let state = |thresholds: &[Threshold]| {
        let found = rows.evaluate(thresholds, loss);
        let reached = found.reached.iter().zip(costs);
        let cost: f64 = reached.map(|(rows, cost)| *rows as f64 * cost).sum();
        (cost, found.losses.sum)
    };
    let (mut cost, mut sum) = state(&now);
    loop {
        let mut best: Option<(f64, usize, f64, f64)> = None;
        for level in 0..levels {
            let Some(threshold) = steps[level].get(next[level]) else { continue };
            let kept = std::mem::replace(&mut now[level], *threshold);
            let (new_cost, new_sum) = state(&now);
            now[level] = kept;
            // A thousandth of a sample: what adds nothing is taken by what it saves.
            let added = (new_sum - sum).max(0.0) + 1e-3;
            let worth = (cost - new_cost) / added;
            if best.is_none_or(|(most, ..)| worth > most) {
                best = Some((worth, level, new_cost, new_sum));
            }
        }
        let Some((_, level, new_cost, new_sum)) = best else { return Ok(sequence) };
        now[level] = steps[level][next[level]];
        next[level] += 1;
        (cost, sum) = (new_cost, new_sum);
        sequence.push(now.clone());
    }
}

/// Thresholds to step down through: equally many rows lie between them.
fn steps(scores: &[f32]) -> Vec<Threshold> {
    let mut sorted: Vec<f32> = scores.iter().copied().filter(|score| score.is_finite()).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let quantile = |step: usize| sorted.get(step * sorted.len() / STEPS).copied();
    let mut steps: Vec<f32> = (1..STEPS).filter_map(quantile).collect();
    steps.dedup();
    let steps = steps.into_iter().filter_map(|score| Threshold::new(score).ok());
    steps.chain([Threshold::NEVER_ESCALATE]).collect()
}

/// Every `stride`-th row.
fn thin_out(rows: &Rows, stride: usize) -> Rows {
    fn every<T: Copy>(column: &[T], stride: usize) -> Vec<T> {
        column.iter().step_by(stride).copied().collect()
    }
    let level = |level: &LevelRows| LevelRows {
        answers: every(&level.answers, stride),
        scores: every(&level.scores, stride),
    };
    Rows {
        levels: rows.levels.iter().map(level).collect(),
        labels: every(&rows.labels, stride),
        // The order of settings does not depend on who belongs together.
        groups: Vec::new(),
    }
}
