//! The cascade at every threshold of its first level, the later ones as they
//! are.

use biglittle::calibrate::{EscalationCurve, ScoredPair, escalation_curve};
use biglittle::decision::Threshold;

use super::thinned;
use crate::rows::{Cost, Rows};

/// The most steps of a slider, about.
const STEPS: usize = 400;

/// What the cascade does at one threshold: exact counts and means over all
/// rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The first level's threshold: from here to the next step all is the same.
    pub threshold: f32,
    /// Rows that the first level does not answer.
    pub escalated: usize,
    /// Rows whose answer is right.
    pub right: usize,
    /// Rows whose answer is a loss (harm or disagreement).
    pub bad: usize,
    /// The share of the last level's MACs that is spent.
    pub macs_share: f64,
    /// The same of its measured CPU time.
    pub cpu_share: f64,
}

/// All steps that are shown.
#[derive(Debug)]
pub struct Sweep {
    pub rows: usize,
    /// From all standing to all escalating.
    pub steps: Vec<Step>,
    /// How many there were before they were thinned out.
    pub all_steps: usize,
    /// The number of the step that is in use.
    pub current: usize,
    /// The number of the first step that is promised something, if any is.
    pub certified: Option<usize>,
    /// What chance and foresight would make of it.
    pub curve: EscalationCurve,
}

/// Sums over the rows that are accepted so far, and those that are not.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    bad: usize,
    macs: f64,
    cpu_ns: f64,
}

impl Sweep {
    /// `reference` is what is saved against: the levels that run for the last
    /// level's answer alone. `certified` is the lowest threshold of a promise.
    pub fn new(rows: &Rows, reference: &[usize], certified: Option<Threshold>) -> Self {
        let pairs: Vec<ScoredPair> = (0..rows.len())
            .map(|row| {
                let rest = rows.answering_level(row, 1);
                (rows.score(row, 0), rows.is_right(row, 0), rows.is_right(row, rest))
            })
            .collect();
        let curve = escalation_curve(&pairs).expect("a report has rows");
        let sums = sums(rows);
        let [alone_macs, alone_cpu_ns] = [Cost::Macs, Cost::CpuNs]
            .map(|cost| reference.iter().map(|level| rows.mean(*level, cost)).sum::<f64>());
        let count = rows.len() as f64;
        let share = |sum: f64, alone: f64| if alone > 0.0 { sum / count / alone } else { 0.0 };
        let step = |(point, sums): (&biglittle::calibrate::EscalationPoint, &Sums)| Step {
            threshold: point.threshold,
            escalated: (point.escalation * count).round() as usize,
            right: (point.accuracy * count).round() as usize,
            bad: sums.bad,
            macs_share: share(sums.macs, alone_macs),
            cpu_share: share(sums.cpu_ns, alone_cpu_ns),
        };
        let mut all: Vec<Step> = curve.points.iter().zip(&sums).map(step).collect();
        // From the highest score on, all escalate.
        let highest = (0..rows.len()).map(|row| rows.score(row, 0)).filter(|s| s.is_finite());
        if let (Some(highest), Some(last)) = (highest.max_by(f32::total_cmp), all.last_mut()) {
            last.threshold = highest;
        }
        let in_use = rows.thresholds[0].value();
        let (current, certified) = {
            let at = |threshold: f32| {
                // The last step that is not above it does the same.
                all.partition_point(|step| step.threshold <= threshold).saturating_sub(1)
            };
            (at(in_use), certified.map(|threshold| at(threshold.value())))
        };
        all[current].threshold = in_use;
        let mut kept = thinned(all.len(), STEPS);
        kept.extend([Some(current), certified].into_iter().flatten());
        kept.sort_unstable();
        kept.dedup();
        let place = |step: usize| kept.binary_search(&step).expect("it was just put there");
        Sweep {
            rows: rows.len(),
            current: place(current),
            certified: certified.map(place),
            steps: kept.iter().map(|step| all[*step]).collect(),
            all_steps: all.len(),
            curve,
        }
    }

    pub fn in_use(&self) -> &Step {
        &self.steps[self.current]
    }

    /// `count` as a share of all rows.
    pub fn share(&self, count: usize) -> f64 {
        count as f64 / self.rows as f64
    }
}

/// For each point of the curve, from all standing to all escalating, what is
/// lost and spent.
fn sums(rows: &Rows) -> Vec<Sums> {
    let (macs, cpu_ns) = (Cost::Macs, Cost::CpuNs);
    let cost = |cost: Cost, row: usize, levels: std::ops::RangeInclusive<usize>| {
        let of = |level| cost.of(&rows.block, level).get(row).copied().unwrap_or(0);
        levels.map(of).sum::<u64>() as f64
    };
    let of = |row: usize, first: usize| {
        let level = rows.answering_level(row, first);
        Sums {
            bad: usize::from(rows.is_bad(row, level)),
            macs: cost(macs, row, 1..=level),
            cpu_ns: cost(cpu_ns, row, 1..=level),
        }
    };
    let mut sum = Sums::default();
    for row in 0..rows.len() {
        let rest = of(row, 1);
        sum.bad += rest.bad;
        sum.macs += rest.macs + cost(macs, row, 0..=0);
        sum.cpu_ns += rest.cpu_ns + cost(cpu_ns, row, 0..=0);
    }
    let mut order: Vec<_> = (0..rows.len()).filter(|r| rows.score(*r, 0).is_finite()).collect();
    order.sort_by(|a, b| rows.score(*b, 0).total_cmp(&rows.score(*a, 0)));
    let mut points = vec![sum];
    for same in order.chunk_by(|a, b| rows.score(*a, 0) == rows.score(*b, 0)) {
        for row in same {
            let rest = of(*row, 1);
            sum.bad = sum.bad + usize::from(rows.is_bad(*row, 0)) - rest.bad;
            sum.macs -= rest.macs;
            sum.cpu_ns -= rest.cpu_ns;
        }
        points.push(sum);
    }
    points.reverse();
    points
}
