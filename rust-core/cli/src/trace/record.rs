//! Running every network on every sample, once.

use std::path::Path;
use std::time::{Duration, Instant};

use biglittle::bundle::sha256_hex;
use biglittle::calibrate::SplitSpec;
use biglittle::clock::{Clock, Times};
use biglittle::decision::OutputSpec;
use biglittle::engine::{SystemClock, open_network};
use biglittle::network::OpenOptions;
use biglittle::{Engine, EngineOptions, Error, ErrorKind, FrameView, ModelBundle, Opening, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::answer::{Judge, LevelPlan};
use super::block::Block;
use super::meta::{Skipped, TraceMeta, check_names};
use super::parts::Parts;
use crate::data::DataSet;

/// What ends a part: so much is lost at most when the run is killed.
const PART_ROWS: usize = 4_096;
const PART_VALUES: usize = 2 << 20;
const PART_TIME: Duration = Duration::from_secs(20);

/// How a trace is recorded.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub split: SplitSpec,
    /// Whether rows have the raw values of the networks.
    pub outputs: bool,
    /// The largest share of samples that may be skipped, in percent.
    pub skipped_percent: f64,
    pub progress: bool,
}

/// Records the trace at `target`, or the rest of it.
///
/// # Errors
/// When a network cannot be opened, too many samples cannot be decoded, or the
/// trace cannot be written; what is recorded by then is kept for the next run.
pub fn record(
    bundle: ModelBundle,
    data: &DataSet,
    target: &Path,
    options: Options,
) -> Result<TraceMeta> {
    options.split.validate()?;
    check_names(bundle.manifest())?;
    let manifest = bundle.manifest().clone();
    let labels = bundle.labels().len();
    let runtimes = runtimes(&bundle)?;
    let samples = data.len() as u64;
    let meta = TraceMeta::new(&bundle, runtimes, options.outputs, samples, options.split);
    let orders = meta.norm_orders.clone();
    let mut parts =
        Parts::open(target, meta, &identity(data)).map_err(|e| e.context(target.display()))?;
    let opening = EngineOptions { opening: Opening::WarmUp, ..EngineOptions::default() };
    let mut recorder = Recorder {
        engine: Engine::open(bundle, &opening)?,
        judge: Judge::new(labels),
        specs: manifest.networks.iter().map(|network| network.output.clone()).collect(),
        plans: LevelPlan::of(&manifest)?,
        orders,
        outputs: vec![Vec::new(); manifest.networks.len()],
        times: vec![Times::default(); manifest.networks.len()],
        clock: SystemClock::new(),
    };
    let widths: Vec<_> = recorder.specs.iter().map(|spec| spec.output_count(labels)).collect();
    let mut block = Block::new(recorder.plans.len(), &widths);
    let mut skipped = Vec::new();
    let bar = progress_bar(data.len(), parts.done, options.progress);
    let mut begun = Instant::now();
    for index in parts.done..data.len() {
        let sample = data.sample_and_sha256(index);
        let frame = sample.as_ref().map(|(sample, sum)| (sample.frame(), sum));
        match frame {
            Ok((Ok(frame), sum)) => {
                let key = data.group(index).unwrap_or(sum);
                block.samples.push(data.key(index));
                block.image_sha256.push(sum.clone());
                block.groups.push(data.group(index).map(str::to_owned));
                block.labels.push(data.label(index));
                block.splits.push(options.split.assign(key.as_bytes()));
                recorder.run(&frame, &mut block, options.outputs);
            }
            Ok((Err(error), _)) => skipped.push(skip(data, index, &error)),
            Err(error) => skipped.push(skip(data, index, error)),
        }
        let count = parts.skipped.len() + skipped.len();
        let most = (options.skipped_percent / 100.0 * data.len() as f64).floor();
        if count as f64 > most {
            let last = skipped.pop().expect("the count has just risen");
            parts.add(&block, skipped, index).map_err(|e| e.context(target.display()))?;
            return Err(too_many(count, most, &last, options.skipped_percent));
        }
        bar.set_position(index as u64 + 1);
        let values: usize = block.networks.iter().map(|network| network.outputs.len()).sum();
        if block.rows >= PART_ROWS || values >= PART_VALUES || begun.elapsed() >= PART_TIME {
            let skipped = std::mem::take(&mut skipped);
            parts.add(&block, skipped, index + 1).map_err(|e| e.context(target.display()))?;
            block.clear();
            begun = Instant::now();
        }
    }
    bar.finish_and_clear();
    let finish = || {
        parts.add(&block, skipped, data.len())?;
        parts.finish()
    };
    finish().map_err(|error: Error| error.context(target.display()))
}

fn skip(data: &DataSet, index: usize, error: &Error) -> Skipped {
    Skipped { sample: data.key(index), reason: error.to_string() }
}

fn too_many(count: usize, most: f64, last: &Skipped, percent: f64) -> Error {
    Error::new(
        ErrorKind::InvalidData,
        format!(
            "{}: more samples than the {most} that may be skipped ({percent} %) cannot be decoded, \
             {count} so far: mend or remove them, or raise --allow-skipped; what is recorded is \
             kept",
            last.reason
        ),
    )
}

/// What tells this data set apart before its images are read.
fn identity(data: &DataSet) -> String {
    let mut all = String::new();
    for index in 0..data.len() {
        let (group, label) = (data.group(index), data.label(index));
        all += &format!("{:?} {group:?} {label:?}\n", data.key(index));
    }
    sha256_hex(all.as_bytes())
}

fn runtimes(bundle: &ModelBundle) -> Result<Vec<String>> {
    let networks = bundle.manifest().networks.iter();
    let runtime = |spec| {
        let model = open_network(bundle, spec, OpenOptions::default(), &mut |_| {});
        model.map(|model| model.runtime().to_string())
    };
    networks
        .map(|spec| runtime(spec).map_err(|e| e.context(format!("network {:?}", spec.id))))
        .collect()
}

/// Runs the levels and puts what they make of a frame in a block.
struct Recorder {
    engine: Engine,
    judge: Judge,
    specs: Vec<OutputSpec>,
    plans: Vec<LevelPlan>,
    orders: Vec<f32>,
    /// Of the last frame, by network.
    outputs: Vec<Vec<f32>>,
    times: Vec<Times>,
    clock: SystemClock,
}

impl Recorder {
    fn run(&mut self, frame: &FrameView<'_>, block: &mut Block, keep_outputs: bool) {
        let Recorder { engine, judge, specs, plans, orders, outputs, times, clock } = self;
        let order: Vec<usize> = plans.iter().flat_map(|plan| &plan.own).copied().collect();
        let mut before = clock.now();
        let reports = engine.run_all(frame, &mut |position, output| {
            let (network, now) = (order[position], clock.now());
            outputs[network].clear();
            outputs[network].extend_from_slice(output);
            times[network] = now - before;
            before = now;
        });
        let specs: Vec<_> = specs.iter().collect();
        block.rows += 1;
        for (number, report) in reports.iter().enumerate() {
            let answer = judge.answer(&plans[number], &specs, |n| &outputs[n], orders[number]);
            let level = &mut block.levels[number];
            level.answers.push(answer.label);
            level.flaws.push(answer.flaw);
            for (scores, score) in level.scores.iter_mut().zip(answer.scores) {
                scores.push(score);
            }
            level.macs.push(report.macs);
            level.cpu_ns.push(report.times.cpu_ns);
            level.wall_ns.push(report.times.wall_ns);
        }
        for ((network, output), times) in block.networks.iter_mut().zip(outputs).zip(times) {
            network.cpu_ns.push(times.cpu_ns);
            network.wall_ns.push(times.wall_ns);
            if keep_outputs {
                // One that failed has no values: lists have the same length all the same.
                output.resize(network.width, f32::NAN);
                network.outputs.extend_from_slice(output);
            }
        }
    }
}

fn progress_bar(samples: usize, done: usize, show: bool) -> ProgressBar {
    // indicatif draws on standard error, and only where that is a terminal.
    let bar = if show { ProgressBar::new(samples as u64) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} samples, {eta} left");
    let bar = bar.with_style(style.expect("the template is well-formed"));
    bar.set_position(done as u64);
    bar.reset_eta();
    bar
}
