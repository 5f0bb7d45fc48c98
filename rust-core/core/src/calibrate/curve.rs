//! Curves over all thresholds at once.

/// One point of [`escalation_curve`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EscalationPoint {
    /// The share of rows that escalate.
    pub escalation: f64,
    /// The accuracy of the cascade.
    pub accuracy: f64,
    /// The threshold at which that is so; minus infinity where all stand.
    pub threshold: f32,
}

/// The accuracy of a cascade of two levels against the share of rows that
/// escalate, beside what chance and foresight would make of it.
#[derive(Debug, Clone, PartialEq)]
pub struct EscalationCurve {
    /// From all standing to all escalating, a point for each score that occurs.
    pub points: Vec<EscalationPoint>,
    /// Little's accuracy and big's: the ends of the straight line on which a
    /// score that knows nothing lies.
    pub random: [f64; 2],
    /// The corner of the line of an oracle that escalates only where big mends
    /// little: up from little's accuracy at 0 to this escalation and accuracy,
    /// level until only rows that escalating harms are left, then down to big's.
    pub oracle: [EscalationPoint; 4],
}

/// A row of two levels: little's score (not finite: it always escalates),
/// whether little is right, whether big is.
pub type ScoredPair = (f32, bool, bool);

/// The curve over `rows`; `None` of no rows.
#[must_use]
pub fn escalation_curve(rows: &[ScoredPair]) -> Option<EscalationCurve> {
    if rows.is_empty() {
        return None;
    }
    let share = |count: usize| count as f64 / rows.len() as f64;
    let mut sorted: Vec<ScoredPair> = rows.to_vec();
    sorted.sort_by(|a, b| rank(b.0).total_cmp(&rank(a.0)));
    let right_big = rows.iter().filter(|row| row.2).count();
    let mut right = right_big;
    let mut points =
        vec![EscalationPoint { escalation: 1.0, accuracy: share(right), threshold: f32::INFINITY }];
    let mut accepted = 0;
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        if !same[0].0.is_finite() {
            break;
        }
        accepted += same.len();
        right += same.iter().filter(|row| row.1).count();
        right -= same.iter().filter(|row| row.2).count();
        points.push(EscalationPoint {
            escalation: share(rows.len() - accepted),
            accuracy: share(right),
            threshold: sorted.get(accepted).map_or(f32::NEG_INFINITY, |row| rank(row.0)),
        });
    }
    points.reverse();
    let right_little = rows.iter().filter(|row| row.1).count();
    let mended = rows.iter().filter(|row| !row.1 && row.2).count();
    let harmed = rows.iter().filter(|row| row.1 && !row.2).count();
    let corner = |escalation: f64, right: usize| EscalationPoint {
        escalation,
        accuracy: share(right),
        threshold: f32::NAN,
    };
    Some(EscalationCurve {
        points,
        random: [share(right_little), share(right_big)],
        oracle: [
            corner(0.0, right_little),
            corner(share(mended), right_little + mended),
            corner(1.0 - share(harmed), right_little + mended),
            corner(1.0, right_big),
        ],
    })
}

/// Below every score where it is none.
fn rank(score: f32) -> f32 {
    if score.is_finite() { score } else { f32::NEG_INFINITY }
}

/// One point of [`risk_coverage`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskPoint {
    /// The share of rows that are answered, the surest first.
    pub coverage: f64,
    /// The share of wrong ones among them.
    pub risk: f64,
}

/// The risk-coverage curve of `rows`, each a score and whether the answer is
/// wrong; a point for each score that occurs. Scores that are not finite come
/// last.
#[must_use]
pub fn risk_coverage(rows: &[(f32, bool)]) -> Vec<RiskPoint> {
    let mut points = Vec::new();
    walk(rows, |answered, wrong| {
        points.push(RiskPoint {
            coverage: answered as f64 / rows.len() as f64,
            risk: wrong as f64 / answered as f64,
        });
    });
    points
}

/// The area under the risk-coverage curve: the mean over all rows of the risk
/// among those at least as sure (Geifman, Uziel and El-Yaniv, "Bias-reduced
/// uncertainty estimation for deep neural classifiers", 2019). Rows of the same
/// score count with their mean, so their order changes nothing. 0 of no rows.
#[must_use]
pub fn aurc(rows: &[(f32, bool)]) -> f64 {
    let mut sum = 0.0;
    let (mut before, mut wrong_before) = (0, 0);
    walk(rows, |answered, wrong| {
        let slope = (wrong - wrong_before) as f64 / (answered - before) as f64;
        for rank in before + 1..=answered {
            let expected = wrong_before as f64 + slope * (rank - before) as f64;
            sum += expected / rank as f64;
        }
        (before, wrong_before) = (answered, wrong);
    });
    if rows.is_empty() { 0.0 } else { sum / rows.len() as f64 }
}

/// Goes through `rows` from the surest down; after each score says how many
/// rows there are so far, and how many of them wrong.
fn walk(rows: &[(f32, bool)], mut each: impl FnMut(usize, usize)) {
    let mut sorted: Vec<(f32, bool)> =
        rows.iter().map(|(score, wrong)| (rank(*score), *wrong)).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut answered, mut wrong) = (0, 0);
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        answered += same.len();
        wrong += same.iter().filter(|row| row.1).count();
        each(answered, wrong);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_ends_at_little_and_big_and_the_oracle_is_above_it() {
        let rows: [ScoredPair; 6] = [
            (0.9, true, true),
            (0.8, true, false),
            (0.8, false, true),
            (0.5, false, true),
            (0.2, false, false),
            (f32::NAN, false, true),
        ];
        let curve = escalation_curve(&rows).unwrap();
        let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
        // The row without a score escalates at any threshold.
        assert_eq!((first.escalation, first.accuracy), (1.0 / 6.0, 3.0 / 6.0));
        assert_eq!(first.threshold, f32::NEG_INFINITY);
        assert_eq!(
            (last.escalation, last.accuracy, last.threshold),
            (1.0, 4.0 / 6.0, f32::INFINITY)
        );
        assert_eq!(curve.random, [2.0 / 6.0, 4.0 / 6.0]);
        assert_eq!(curve.oracle[1].accuracy, 5.0 / 6.0);
        for point in &curve.points {
            let is_accepted = |row: &&ScoredPair| row.0.is_finite() && row.0 > point.threshold;
            let accepted = rows.iter().filter(is_accepted).count();
            assert!((point.escalation - (1.0 - accepted as f64 / 6.0)).abs() < 1e-12, "{point:?}");
            let right = rows.iter().filter(|row| if is_accepted(row) { row.1 } else { row.2 });
            assert_eq!(point.accuracy, right.count() as f64 / 6.0);
            assert!(point.accuracy <= 5.0 / 6.0);
        }
        assert!(escalation_curve(&[]).is_none());
    }

    #[test]
    fn a_score_that_ranks_well_has_the_smaller_area() {
        let good: Vec<_> = (0..100).map(|i| (i as f32, i < 20)).collect();
        let bad: Vec<_> = (0..100).map(|i| (i as f32, i >= 80)).collect();
        let same: Vec<_> = (0..100).map(|i| (1.0, i < 20)).collect();
        assert!(aurc(&good) < aurc(&same) && aurc(&same) < aurc(&bad));
        assert!((aurc(&same) - 0.2).abs() < 1e-12, "what knows nothing has the base rate");
        let turned: Vec<_> = good.iter().rev().copied().collect();
        assert_eq!(aurc(&good), aurc(&turned));
        let points = risk_coverage(&good);
        assert_eq!((points.len(), points[99]), (100, RiskPoint { coverage: 1.0, risk: 0.2 }));
        assert_eq!((aurc(&[]), risk_coverage(&[]).len()), (0.0, 0));
    }
}
