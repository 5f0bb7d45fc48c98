//! Little alone, big alone and the cascade on the same samples, in one run.
//!
//! Decides what is counted and in which order the three take turns. Measures
//! CPU time of this thread, from the frame to the verdict; decoding files is
//! not counted. Used by `demo` and `evaluate`.

use biglittle::{AnswerStatus, Engine, FrameView, Outcome, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use statrs::distribution::{Beta, ContinuousCDF};

use crate::data::DataSet;
use crate::energy::{Energy, EnergyCounters, Reading};

/// Samples that one configuration runs before the next takes its turn: long
/// enough that each works from its own caches, short enough that a slow phase
/// of the machine hits all three alike.
const BLOCK: usize = 100;

/// What was measured; `evaluate --json` and `demo --json` print it.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The number of samples that each configuration answered.
    pub samples: usize,
    /// The first level alone.
    pub little: Figures,
    /// The last level alone.
    pub big: Figures,
    /// The cascade.
    pub cascade: CascadeFigures,
}

/// One configuration's figures.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// The share of samples answered with their label.
    pub accuracy: f64,
    /// The exact (Clopper-Pearson) 95 % interval of the accuracy.
    pub accuracy_ci95: [f64; 2],
    /// CPU time a sample, in nanoseconds.
    pub cpu_ns_per_sample: f64,
    /// Wall time a sample, in nanoseconds.
    pub wall_ns_per_sample: f64,
    /// Multiply-accumulates a sample.
    pub macs_per_sample: f64,
    /// Energy, where the machine counts it; null means not measured.
    pub energy: Option<Energy>,
}

/// The cascade's figures.
#[derive(Debug, Serialize)]
pub struct CascadeFigures {
    #[serde(flatten)]
    pub figures: Figures,
    /// The share of samples that the first level did not answer.
    pub escalation_rate: f64,
    /// The share of big alone's CPU time that was saved.
    pub cpu_saved: f64,
    /// The share of big alone's multiply-accumulates that was saved.
    pub macs_saved: f64,
    /// The share of big alone's energy that was saved; null means not measured.
    pub energy_saved: Option<f64>,
    /// The share of samples that each level answered, the first level first.
    pub answered_by_level: Vec<f64>,
    /// Answers marked as unsure.
    pub unsure: usize,
    /// Answers given by an earlier level because a later one failed.
    pub fallback: usize,
}

/// What a caller may want to know of each of the cascade's answers: the
/// sample's index, its label and the outcome.
pub type Observer<'a> = dyn FnMut(usize, u32, &Outcome) + 'a;

/// Runs `engine` over `data` in all three configurations.
pub fn compare(
    engine: &mut Engine,
    data: &DataSet,
    progress: bool,
    observer: &mut Observer<'_>,
) -> Result<Comparison> {
    let levels = engine.bundle().manifest().levels.len();
    let mut configurations = [
        (Configuration::Level(0), Tally::default()),
        (Configuration::Level(levels - 1), Tally::default()),
        (Configuration::Cascade, Tally::default()),
    ];
    let mut by_level = vec![0usize; levels];
    let (mut unsure, mut fallback) = (0, 0);
    let counters = EnergyCounters::find();
    let bar = progress_bar(data.len(), progress);
    for start in (0..data.len()).step_by(BLOCK) {
        let end = data.len().min(start + BLOCK);
        let samples = (start..end).map(|index| data.sample(index)).collect::<Result<Vec<_>>>()?;
        let frames = (start..)
            .zip(&samples)
            .map(|(index, sample)| sample.frame().map_err(|e| e.context(data.name(index))))
            .collect::<Result<Vec<_>>>()?;
        for (configuration, tally) in &mut configurations {
            let before = counters.as_ref().and_then(EnergyCounters::read);
            for (index, frame) in (start..end).zip(&frames) {
                let outcome = configuration.run(engine, frame)?;
                let label = data.label(index);
                tally.add(&outcome, label);
                if let Configuration::Cascade = configuration {
                    by_level[usize::from(outcome.tier)] += 1;
                    unsure += usize::from(outcome.status == AnswerStatus::Unsure);
                    fallback += usize::from(outcome.status == AnswerStatus::Fallback);
                    observer(index, label, &outcome);
                }
            }
            tally.add_energy(counters.as_ref(), before);
        }
        bar.set_position(end as u64);
    }
    bar.finish_and_clear();
    let escalated = configurations[2].1.escalated as usize;
    let [little, big, cascade] = configurations.map(|(_, tally)| tally.figures());
    let saved = |cascade: f64, big: f64| if big > 0.0 { 1.0 - cascade / big } else { 0.0 };
    let energy_saved = cascade.energy.zip(big.energy).map(|(c, b)| saved(c.joules, b.joules));
    let share = |count: usize| count as f64 / data.len() as f64;
    Ok(Comparison {
        samples: data.len(),
        cascade: CascadeFigures {
            escalation_rate: share(escalated),
            cpu_saved: saved(cascade.cpu_ns_per_sample, big.cpu_ns_per_sample),
            macs_saved: saved(cascade.macs_per_sample, big.macs_per_sample),
            energy_saved,
            answered_by_level: by_level.iter().map(|count| share(*count)).collect(),
            unsure,
            fallback,
            figures: cascade,
        },
        little,
        big,
    })
}

enum Configuration {
    Level(usize),
    Cascade,
}

impl Configuration {
    fn run(&self, engine: &mut Engine, frame: &FrameView<'_>) -> Result<Outcome> {
        match self {
            Configuration::Level(level) => engine.classify_at(*level, frame),
            Configuration::Cascade => engine.classify(frame),
        }
    }
}

/// Sums over one configuration's outcomes.
#[derive(Debug, Default)]
struct Tally {
    samples: u64,
    right: u64,
    escalated: u64,
    cpu_ns: u64,
    wall_ns: u64,
    macs: u64,
    energy: Option<Energy>,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome, label: u32) {
        self.samples += 1;
        self.right += u64::from(outcome.label == Some(label));
        self.escalated += u64::from(outcome.levels.len() > 1);
        self.cpu_ns += outcome.times.cpu_ns;
        self.wall_ns += outcome.times.wall_ns;
        self.macs += outcome.macs;
    }

    fn add_energy(&mut self, counters: Option<&EnergyCounters>, before: Option<Reading>) {
        let Some((counters, before)) = counters.zip(before) else { return };
        let Some(after) = counters.read() else { return };
        let block = counters.between(&before, &after);
        let sum = self.energy.map_or(0.0, |energy| energy.joules) + block.joules;
        self.energy = Some(Energy { joules: sum, ..block });
    }

    fn figures(self) -> Figures {
        let each = |sum: u64| sum as f64 / self.samples as f64;
        Figures {
            accuracy: each(self.right),
            accuracy_ci95: clopper_pearson_95(self.right, self.samples),
            cpu_ns_per_sample: each(self.cpu_ns),
            wall_ns_per_sample: each(self.wall_ns),
            macs_per_sample: each(self.macs),
            energy: self.energy,
        }
    }
}

/// The exact two-sided 95 % interval of a proportion (Clopper and Pearson 1934).
fn clopper_pearson_95(successes: u64, trials: u64) -> [f64; 2] {
    let (k, n) = (successes as f64, trials as f64);
    let quantile = |a: f64, b: f64, p: f64| {
        Beta::new(a, b).expect("both shapes are at least 1").inverse_cdf(p)
    };
    let low = if successes == 0 { 0.0 } else { quantile(k, n - k + 1.0, 0.025) };
    let high = if successes == trials { 1.0 } else { quantile(k + 1.0, n - k, 0.975) };
    [low, high]
}

fn progress_bar(samples: usize, show: bool) -> ProgressBar {
    // indicatif draws on standard error, and only where that is a terminal.
    let bar = if show { ProgressBar::new(samples as u64) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} samples, {eta} left");
    bar.with_style(style.expect("the template is well-formed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_agree_with_scipy() {
        // scipy.stats.binomtest(k, n).proportion_ci(0.95, "exact")
        for (k, n, low, high) in [
            (9965, 10_000, 0.9951356771, 0.9975609475),
            (0, 10, 0.0, 0.3084971),
            (10, 10, 0.6915029, 1.0),
            (1, 1, 0.025, 1.0),
        ] {
            let [l, h] = clopper_pearson_95(k, n);
            assert!((l - low).abs() < 1e-6 && (h - high).abs() < 1e-6, "{k}/{n}: {l} {h}");
        }
    }
}
