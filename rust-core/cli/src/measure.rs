//! Little alone, big alone and the cascade on the same samples, in one run.
//!
//! Decides what is counted and in which order the three take turns. Measures
//! CPU time of this thread, from the frame to the verdict; decoding files is
//! not counted. Used by `demo` and `evaluate`.

use biglittle::calibrate::clopper_pearson;
use biglittle::{AnswerStatus, Engine, Error, ErrorKind, FrameView, Outcome, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::data::{DataSet, Sample};
use crate::energy::{Energy, EnergyCounters, Reading, Unmeasured};

/// Samples that one configuration runs before the next takes its turn: long
/// enough that each works from its own caches, short enough that a slow phase
/// of the machine hits all three alike.
const BLOCK_SAMPLES: usize = 100;
/// Decoded pixels that end a block early, so that large images fit in memory.
const BLOCK_BYTES: usize = 64 << 20;

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
    /// Why there is no energy in the figures; null where it was measured.
    pub energy_unmeasured: Option<Unmeasured>,
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
    /// The first failure of a network, with the sample's name; null where none
    /// failed.
    pub first_failure: Option<String>,
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
    let counters = EnergyCounters::find();
    let tally = || Tally { joules: counters.is_ok().then_some(0.0), ..Tally::default() };
    let mut configurations = [
        (Configuration::Level(0), tally()),
        (Configuration::Level(levels - 1), tally()),
        (Configuration::Cascade, tally()),
    ];
    let mut answers = Answers { by_level: vec![0; levels], ..Answers::default() };
    let bar = progress_bar(data.len(), progress);
    let (mut start, mut blocks) = (0, 0);
    while start < data.len() {
        let samples = block(data, start)?;
        let frames = (start..)
            .zip(&samples)
            .map(|(index, sample)| sample.frame().map_err(|e| e.context(data.name(index))))
            .collect::<Result<Vec<_>>>()?;
        for turn in order(blocks) {
            let (configuration, tally) = &mut configurations[turn];
            let before = counters.as_ref().ok().and_then(EnergyCounters::read);
            for (index, frame) in (start..).zip(&frames) {
                let outcome = configuration
                    .run(engine, frame)
                    .map_err(|error| error.context(data.name(index)))?;
                let label = data.label(index);
                let label = label.expect("only labelled data is compared");
                tally.add(&outcome, label);
                if let Configuration::Cascade = configuration {
                    answers.add(&outcome, || data.name(index));
                    observer(index, label, &outcome);
                }
            }
            tally.add_energy(counters.as_ref().ok(), before);
        }
        start += samples.len();
        blocks += 1;
        bar.set_position(start as u64);
    }
    bar.finish_and_clear();
    // Energy of only some of the three would compare nothing.
    let measured = configurations.iter().all(|(_, tally)| tally.joules.is_some());
    let energy_unmeasured = match counters {
        Err(why) => Some(why),
        Ok(_) => (!measured).then_some(Unmeasured::Unreadable),
    };
    let escalated = configurations[2].1.escalated as usize;
    let [little, big, cascade] = configurations.map(|(_, tally)| tally.figures(measured));
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
            answered_by_level: answers.by_level.iter().map(|count| share(*count)).collect(),
            unsure: answers.unsure,
            fallback: answers.fallback,
            first_failure: answers.first_failure,
            figures: cascade,
        },
        little,
        big,
        energy_unmeasured,
    })
}

/// The samples from `start` that run before the next configuration takes its
/// turn.
fn block(data: &DataSet, start: usize) -> Result<Vec<Sample<'_>>> {
    let mut samples = Vec::new();
    let mut bytes = 0;
    while start + samples.len() < data.len() && !is_full(samples.len(), bytes) {
        let sample = data.sample(start + samples.len())?;
        bytes += sample.bytes();
        samples.push(sample);
    }
    Ok(samples)
}

fn is_full(samples: usize, bytes: usize) -> bool {
    samples == BLOCK_SAMPLES || bytes >= BLOCK_BYTES
}

/// The order of the three configurations in a block: forwards, then backwards,
/// so that what drifts within blocks hits the first and the last alike.
fn order(block: usize) -> [usize; 3] {
    if block.is_multiple_of(2) { [0, 1, 2] } else { [2, 1, 0] }
}

enum Configuration {
    Level(usize),
    Cascade,
}

impl Configuration {
    fn run(&self, engine: &mut Engine, frame: &FrameView<'_>) -> Result<Outcome> {
        match self {
            Configuration::Level(level) => alone(engine, *level, frame),
            Configuration::Cascade => engine.classify(frame),
        }
    }
}

/// The answer of `level` itself: that of another one would be no baseline.
fn alone(engine: &mut Engine, level: usize, frame: &FrameView<'_>) -> Result<Outcome> {
    let outcome = engine.classify_at(level, frame)?;
    if usize::from(outcome.tier) == level {
        return Ok(outcome);
    }
    let report = outcome.levels.iter().find(|report| usize::from(report.tier) == level);
    let why = match (&outcome.failure, report.and_then(|report| report.escalation)) {
        (Some(failure), _) => failure.to_string(),
        (None, Some(reason)) => reason.to_string(),
        (None, None) => "it has no usable answer".to_owned(),
    };
    let name = &engine.bundle().manifest().levels[level].name;
    let message = format!("level {name:?} alone cannot be measured: {why}");
    Err(Error::new(ErrorKind::Inference, message))
}

/// How the cascade came to its answers.
#[derive(Debug, Default)]
struct Answers {
    by_level: Vec<usize>,
    unsure: usize,
    fallback: usize,
    first_failure: Option<String>,
}

impl Answers {
    fn add(&mut self, outcome: &Outcome, name: impl FnOnce() -> String) {
        self.by_level[usize::from(outcome.tier)] += 1;
        self.unsure += usize::from(outcome.status == AnswerStatus::Unsure);
        self.fallback += usize::from(outcome.status == AnswerStatus::Fallback);
        if let (None, Some(failure)) = (&self.first_failure, &outcome.failure) {
            self.first_failure = Some(format!("{}: {failure}", name()));
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
    /// `None` where it is not measured.
    joules: Option<f64>,
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
        // One block that was not measured spoils the sum.
        self.joules = (|| {
            let (counters, before) = (counters?, before?);
            Some(self.joules? + counters.between(&before, &counters.read()?))
        })();
    }

    fn figures(self, energy: bool) -> Figures {
        let each = |sum: u64| sum as f64 / self.samples as f64;
        Figures {
            accuracy: each(self.right),
            accuracy_ci95: clopper_pearson(self.right, self.samples, 0.05),
            cpu_ns_per_sample: each(self.cpu_ns),
            wall_ns_per_sample: each(self.wall_ns),
            macs_per_sample: each(self.macs),
            energy: self.joules.filter(|_| energy).map(Energy::measured),
        }
    }
}

fn progress_bar(samples: usize, show: bool) -> ProgressBar {
    // indicatif draws on standard error, and only where that is a terminal.
    let bar = if show { ProgressBar::new(samples as u64) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} samples, {eta} left");
    bar.with_style(style.expect("the template is well-formed"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use biglittle::bundle::sha256_hex;
    use biglittle::{EngineOptions, ModelBundle, PixelFormat, Threshold};

    use super::*;

    /// The MNIST bundle as a committee whose big network cannot be opened.
    fn broken_engine() -> Engine {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mnist/bundle");
        let read = |name: &str| (name.to_owned(), fs::read(folder.join(name)).unwrap());
        let mut files: Vec<_> = ["labels.txt", "little.onnx", "big.onnx"].map(read).into();
        let manifest = String::from_utf8(read("manifest.json").1).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        for key in ["certificates", "calibration_scores"] {
            manifest.as_object_mut().unwrap().remove(key);
        }
        manifest["networks"][1]["input"]["width"] = 32.into();
        manifest["levels"][1]["answer"] = "committee".into();
        let manifest = manifest.to_string();
        let sum = format!("{}  manifest.json\n", sha256_hex(manifest.as_bytes()));
        files.push(("manifest.sha256".into(), sum.into_bytes()));
        files.push(("manifest.json".into(), manifest.into_bytes()));
        let bundle = ModelBundle::from_memory(files).unwrap();
        let mut engine = Engine::open(bundle, &EngineOptions::default()).unwrap();
        engine.set_threshold(0, Threshold::ALWAYS_ESCALATE).unwrap();
        engine
    }

    #[test]
    fn a_baseline_is_never_another_levels_answer() {
        let mut engine = broken_engine();
        let pixels = [0; 28 * 28];
        let frame = FrameView::packed(PixelFormat::Gray8, 28, 28, &pixels, 28).unwrap();
        assert_eq!(engine.classify_at(1, &frame).unwrap().tier, 0, "this is what is refused");
        let text = alone(&mut engine, 1, &frame).unwrap_err().to_string();
        assert!(text.starts_with("level \"big\" alone cannot be measured: network"), "{text}");
        assert_eq!(alone(&mut engine, 0, &frame).unwrap().tier, 0);
    }

    #[test]
    fn the_first_failure_is_kept_with_its_sample() {
        let mut engine = broken_engine();
        let pixels = [0; 28 * 28];
        let frame = FrameView::packed(PixelFormat::Gray8, 28, 28, &pixels, 28).unwrap();
        let mut answers = Answers { by_level: vec![0; 2], ..Answers::default() };
        for name in ["a.png", "b.png"] {
            answers.add(&engine.classify(&frame).unwrap(), || name.to_owned());
        }
        assert_eq!((answers.fallback, &answers.by_level[..]), (2, &[2, 0][..]));
        let failure = answers.first_failure.unwrap();
        assert!(failure.starts_with("a.png: network \"big\""), "{failure}");
    }

    #[test]
    fn blocks_end_at_samples_or_bytes_and_turn_around() {
        assert!(!is_full(99, 1000) && is_full(100, 1000) && is_full(1, 64 << 20));
        assert_eq!([order(0), order(1), order(2)], [[0, 1, 2], [2, 1, 0], [0, 1, 2]]);
    }

    #[test]
    fn energy_is_none_once_a_block_was_not_measured() {
        let mut tally = Tally { samples: 1, joules: Some(1.0), ..Tally::default() };
        tally.add_energy(None, None);
        assert_eq!(tally.figures(true).energy, None);
    }
}
