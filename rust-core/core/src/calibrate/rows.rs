//! Scored rows of a cascade, column by column.

use super::loss::Loss;
use crate::decision::Threshold;

/// What one level made of every row.
#[derive(Debug, Clone, Default)]
pub struct LevelRows {
    /// The level's answers; `None` where it has none.
    pub answers: Vec<Option<u32>>,
    /// How sure it is; not finite where the answer can never be accepted. Not
    /// read of the last level.
    pub scores: Vec<f32>,
}

/// Rows of a cascade of two levels or more: all columns have the same length.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The levels, the little one first.
    pub levels: Vec<LevelRows>,
    /// The true labels, where they are known.
    pub labels: Vec<Option<u32>>,
    /// The group of each row, from 0 on without gaps, or empty where each row
    /// stands alone.
    pub groups: Vec<u32>,
}

impl Rows {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether some rows belong together, and so count as one sample.
    #[must_use]
    pub fn has_groups(&self) -> bool {
        self.groups.iter().max().is_some_and(|last| (*last as usize) + 1 < self.len())
    }

    /// The level whose answer stands for a row: the first whose score is above
    /// its threshold, else the last.
    #[must_use]
    pub fn answering_level(&self, row: usize, thresholds: &[Threshold]) -> usize {
        let last = self.levels.len() - 1;
        let mut levels = self.levels.iter().zip(thresholds);
        levels
            .position(|(level, threshold)| threshold.accepts(level.scores[row]))
            .map_or(last, |level| level.min(last))
    }

    /// Whether accepting the answer of `level` is bad for a row.
    #[must_use]
    pub fn is_bad(&self, row: usize, level: usize, loss: Loss) -> bool {
        let reference = self.levels[self.levels.len() - 1].answers[row];
        loss.is_bad(self.levels[level].answers[row], reference, self.labels[row])
    }

    /// The loss and the work at `thresholds`, one for each level but the last.
    #[must_use]
    pub fn evaluate(&self, thresholds: &[Threshold], loss: Loss) -> Evaluation {
        let mut reached = vec![0; self.levels.len()];
        let mut bad = Tally::new(&self.groups);
        let mut right = 0;
        for row in 0..self.len() {
            let level = self.answering_level(row, thresholds);
            reached[..=level].iter_mut().for_each(|count| *count += 1);
            bad.add(row, self.is_bad(row, level, loss));
            let label = self.labels[row];
            right += u64::from(label.is_some() && self.levels[level].answers[row] == label);
        }
        Evaluation { rows: self.len() as u64, reached, right, losses: bad.finish(self.len()) }
    }
}

/// What a setting of thresholds does to rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The number of rows.
    pub rows: u64,
    /// For each level, the rows that reached it.
    pub reached: Vec<u64>,
    /// Rows whose answer is their label.
    pub right: u64,
    /// The losses.
    pub losses: Losses,
}

/// The sum of losses between 0 and 1 over independent samples, without a
/// rounding error: a sample is a row, or the mean over the rows of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Losses {
    /// The number of samples.
    pub n: u64,
    /// The sum of their losses.
    pub sum: f64,
    /// That sum, rounded up: exact where the sum is an integer.
    pub whole: u64,
    /// Whether a loss can only be 0 or 1: every sample is one row.
    pub is_binary: bool,
}

impl Losses {
    /// The mean loss; 0 of no samples.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.sum / self.n as f64 }
    }
}

/// Bad rows by group.
struct Tally<'a> {
    groups: &'a [u32],
    bad: Vec<(u32, u32)>,
    total: u64,
}

impl<'a> Tally<'a> {
    fn new(groups: &'a [u32]) -> Self {
        let count = groups.iter().max().map_or(0, |last| *last as usize + 1);
        Tally { groups, bad: vec![(0, 0); count], total: 0 }
    }

    fn add(&mut self, row: usize, is_bad: bool) {
        self.total += u64::from(is_bad);
        if let Some(group) = self.groups.get(row) {
            let (bad, rows) = &mut self.bad[*group as usize];
            *bad += u32::from(is_bad);
            *rows += 1;
        }
    }

    fn finish(mut self, rows: usize) -> Losses {
        if self.groups.is_empty() {
            let (n, sum) = (rows as u64, self.total as f64);
            return Losses { n, sum, whole: self.total, is_binary: true };
        }
        let is_binary = self.bad.iter().all(|(_, rows)| *rows == 1);
        let n = self.bad.len() as u64;
        let sum = self.bad.iter().map(|(bad, rows)| f64::from(*bad) / f64::from(*rows)).sum();
        // Fractions of the same denominator are added as integers.
        self.bad.retain(|(bad, _)| *bad > 0);
        self.bad.sort_unstable_by_key(|(_, rows)| *rows);
        let fractions = self.bad.chunk_by(|a, b| a.1 == b.1).map(|same| {
            let bad: u64 = same.iter().map(|(bad, _)| u64::from(*bad)).sum();
            (bad, u64::from(same[0].1))
        });
        Losses { n, sum, whole: ceiling(fractions), is_binary }
    }
}

/// The sum of fractions, rounded up; one too many at most, where denominators
/// are too odd to be added exactly.
fn ceiling(fractions: impl Iterator<Item = (u64, u64)>) -> u64 {
    let mut whole = 0u64;
    let (mut over, mut under) = (0u128, 1u128);
    let mut rest = 0.0f64;
    for (bad, rows) in fractions {
        whole += bad / rows;
        let (bad, rows) = (u128::from(bad % rows), u128::from(rows));
        let common = under / gcd(under, rows);
        match (common.checked_mul(rows), over.checked_mul(rows)) {
            (Some(least), Some(_)) if least < 1 << 96 => {
                over = over * (least / under) + bad * (least / rows);
                under = least;
            }
            // Rounded up, so that the sum is never too small.
            _ => rest += (bad as f64 / rows as f64) * (1.0 + 1e-9),
        }
    }
    whole += (over / under) as u64;
    let exact = over % under;
    if rest == 0.0 {
        whole + u64::from(exact > 0)
    } else {
        whole + libm::ceil(rest + (exact as f64 / under as f64) * (1.0 + 1e-9)) as u64
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What the exact rule rests on: with two levels, a row that is bad at a
        /// threshold is bad at every lower one.
        #[test]
        fn the_loss_of_each_row_only_falls_as_the_threshold_rises(
            row in (prop_oneof![Just(f32::NAN), -1.0..1.0f32], 0..3u32, 0..3u32, 0..3u32),
            (a, b) in (-1.0..1.0f32, -1.0..1.0f32),
        ) {
            let (score, answer, reference, label) = row;
            let level = |answer| LevelRows { answers: vec![Some(answer)], scores: vec![score] };
            let rows = Rows {
                levels: vec![level(answer), level(reference)],
                labels: vec![Some(label)],
                groups: Vec::new(),
            };
            for loss in [Loss::Harm, Loss::Disagree] {
                let at = |threshold: f32| {
                    rows.evaluate(&[Threshold::new(threshold).unwrap()], loss).losses.whole
                };
                prop_assert!(at(a.max(b)) <= at(a.min(b)));
                prop_assert_eq!(at(f32::INFINITY), 0);
                prop_assert!(rows.evaluate(&[Threshold::new(a).unwrap()], Loss::Harm).losses.whole
                    <= rows.evaluate(&[Threshold::new(a).unwrap()], Loss::Disagree).losses.whole);
            }
        }
    }

    #[test]
    fn sums_of_fractions_are_rounded_up_exactly() {
        // 0.1 + 0.2 + 0.7 is above 1 in floating point.
        assert_eq!(ceiling([(1, 10), (2, 10), (7, 10)].into_iter()), 1);
        assert_eq!(ceiling([(1, 3), (1, 7), (11, 21)].into_iter()), 1);
        assert_eq!(ceiling([(1, 3), (1, 7), (12, 21)].into_iter()), 2);
        assert_eq!(ceiling([(7, 2)].into_iter()), 4);
        assert_eq!(ceiling(std::iter::empty()), 0);
        // Denominators without a common one that fits.
        let primes = [4_294_967_291u64, 4_294_967_279, 4_294_967_231, 4_294_967_197];
        assert!((4..=5).contains(&ceiling(primes.into_iter().map(|p| (p - 1, p)))));
    }

    #[test]
    fn a_group_is_one_sample() {
        let level = |answers: &[u32], scores: &[f32]| LevelRows {
            answers: answers.iter().map(|answer| Some(*answer)).collect(),
            scores: scores.to_vec(),
        };
        let mut rows = Rows {
            levels: vec![level(&[1, 1, 1, 0], &[0.9, 0.9, 0.1, 0.9]), level(&[0; 4], &[0.0; 4])],
            labels: vec![Some(0); 4],
            groups: vec![0, 0, 0, 1],
        };
        let threshold = [Threshold::new(0.5).unwrap()];
        let found = rows.evaluate(&threshold, Loss::Harm);
        assert!(rows.has_groups());
        assert_eq!((found.losses.n, found.losses.whole), (2, 1));
        assert!((found.losses.sum - 2.0 / 3.0).abs() < 1e-15 && !found.losses.is_binary);
        assert_eq!((found.reached, found.right), (vec![4, 1], 2));
        rows.groups.clear();
        let found = rows.evaluate(&threshold, Loss::Harm);
        assert_eq!((found.losses.n, found.losses.whole, found.losses.is_binary), (4, 2, true));
        let never = rows.evaluate(&[Threshold::ALWAYS_ESCALATE], Loss::Harm);
        assert_eq!((never.losses.whole, never.right), (0, 4));
    }
}
