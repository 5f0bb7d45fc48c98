//! The numbers that a report begins with; `report --json` prints them.

use biglittle::calibrate::{Loss, clopper_pearson};
use serde::Serialize;

use super::ranking::{Ranking, Reliability};
use super::sweep::Sweep;
use crate::rows::{Chosen, Cost, Rows};

/// What a cascade is worth on the rows of a trace.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The split that the rows are of.
    pub split: &'static str,
    /// The number of rows.
    pub rows: usize,
    /// `harm` where the truth is a label, `disagree` where it is the last
    /// level's answer.
    pub loss: Loss,
    /// The first level's threshold; null means minus infinity.
    pub threshold: Option<f32>,
    /// The share of rows that the first level does not answer.
    pub escalation: f64,
    /// Rows without a usable score, which always escalate.
    pub unscored: usize,
    /// The cascade's share of right answers.
    pub accuracy: Share,
    /// The same of each level alone.
    pub levels: Vec<LevelFigures>,
    /// The share of rows whose answer is a loss.
    pub bad: Share,
    /// MACs and CPU time as shares of those of the last level alone; null where
    /// the trace has none.
    pub macs_share: Option<f64>,
    pub cpu_share: Option<f64>,
    /// CPU time of a row.
    pub latency: Vec<Latency>,
}

/// A share of all rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    pub count: usize,
    pub share: f64,
    /// The exact (Clopper-Pearson) 95 % interval.
    pub ci95: [f64; 2],
}

impl Share {
    pub fn of(count: usize, rows: usize) -> Self {
        let ci95 = clopper_pearson(count as u64, rows as u64, 0.05);
        Share { count, share: count as f64 / rows as f64, ci95 }
    }
}

/// What a level is worth alone.
#[derive(Debug, Serialize)]
pub struct LevelFigures {
    pub name: String,
    pub accuracy: Share,
    /// The area under its risk-coverage curve, by the score in use.
    pub aurc: Option<f64>,
    /// Its expected calibration error over 15 bins; null where the trace has no
    /// largest probabilities.
    pub ece: Option<f64>,
}

/// Percentiles by nearest rank.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latency {
    pub name: String,
    pub p50_ns: u64,
    pub p95_ns: u64,
    pub p99_ns: u64,
    pub mean_ns: f64,
}

impl Latency {
    fn of(name: &str, mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let count = values.len();
        let rank = |percent: usize| values[(count * percent).div_ceil(100).max(1) - 1];
        Latency {
            name: name.to_owned(),
            p50_ns: rank(50),
            p95_ns: rank(95),
            p99_ns: rank(99),
            mean_ns: values.iter().map(|v| *v as f64).sum::<f64>() / count as f64,
        }
    }
}

impl Summary {
    pub fn new(
        rows: &Rows,
        chosen: Chosen,
        names: &[&str],
        sweep: &Sweep,
        rankings: &[Option<Ranking>],
        reliabilities: &[Option<Reliability>],
    ) -> Self {
        let count = rows.len();
        let step = sweep.in_use();
        let right = |level: usize| (0..count).filter(|row| rows.is_right(*row, level)).count();
        let level = |(level, name): (usize, &&str)| LevelFigures {
            name: (*name).to_owned(),
            accuracy: Share::of(right(level), count),
            aurc: rankings[level].as_ref().map(|ranking| ranking.aurc[0].1),
            ece: reliabilities[level].as_ref().map(|reliability| reliability.ece),
        };
        let cost = |share: f64| rows.left_out.has_costs.then_some(share);
        Summary {
            split: chosen.name(),
            rows: count,
            loss: rows.loss,
            threshold: Some(step.threshold).filter(|threshold| threshold.is_finite()),
            escalation: sweep.share(step.escalated),
            unscored: (0..count).filter(|row| !rows.score(*row, 0).is_finite()).count(),
            accuracy: Share::of(step.right, count),
            levels: names.iter().enumerate().map(level).collect(),
            bad: Share::of(step.bad, count),
            macs_share: cost(step.macs_share),
            cpu_share: cost(step.cpu_share),
            latency: if rows.left_out.has_costs { latency(rows, names) } else { Vec::new() },
        }
    }
}

/// Of each level's own networks, and of the cascade: the levels that ran.
fn latency(rows: &Rows, names: &[&str]) -> Vec<Latency> {
    let of = |level: usize| Cost::CpuNs.of(&rows.block, level);
    let levels = names.iter().enumerate().map(|(level, name)| Latency::of(name, of(level).into()));
    let cascade = |row: usize| (0..=rows.answering_level(row, 0)).map(|l| of(l)[row]).sum();
    let cascade = Latency::of("cascade", (0..rows.len()).map(cascade).collect());
    levels.chain([cascade]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let latency = Latency::of("x", (1..=200).rev().collect());
        assert_eq!((latency.p50_ns, latency.p95_ns, latency.p99_ns), (100, 190, 198));
        assert_eq!(latency.mean_ns, 100.5);
        let one = Latency::of("x", vec![7]);
        assert_eq!((one.p50_ns, one.p95_ns, one.p99_ns), (7, 7, 7));
    }
}
