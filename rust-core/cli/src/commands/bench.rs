//! `bench`: how long networks take to open and to run, on one core, and how long
//! a bundle takes to open.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use biglittle::clock::{Clock, Times};
use biglittle::engine::SystemClock;
use biglittle::network::{Model, ModelLimits, Session};
use biglittle::{
    Engine, EngineOptions, Error, ErrorKind, InputTensor, ModelBundle, Opening, Result,
};
use serde::Serialize;

use super::table::{count, duration};
use crate::args::BenchArgs;
use crate::target::Target;

/// The fewest runs a figure is made of.
const MIN_RUNS: usize = 10;
/// Runs before counting begins.
const WARM_UP_RUNS: usize = 3;

/// How often a bundle is opened in each way.
const OPENINGS: usize = 7;

/// What was measured, for `--json`.
#[derive(Debug, Serialize)]
struct Report {
    networks: Vec<NetworkFigures>,
    /// `None` for an ONNX file.
    open: Option<OpenFigures>,
}

/// Times to read and check a bundle and to open an engine for it, in
/// nanoseconds on the wall: the medians of so many runs each.
#[derive(Debug, Serialize)]
struct OpenFigures {
    /// With the networks of the first level.
    lazy_median_ns: u64,
    /// With all networks.
    eager_median_ns: u64,
    runs: usize,
}

/// One network's figures; times of one run in nanoseconds.
#[derive(Debug, Serialize)]
struct NetworkFigures {
    network: String,
    /// What runs it on this machine, and why if it is not the kernels.
    runtime: String,
    open_ns: u64,
    runs: usize,
    median_ns: u64,
    p95_ns: u64,
    p99_ns: u64,
    min_ns: u64,
    cpu_median_ns: u64,
    macs: u64,
    gmacs_per_second: f64,
}

pub fn run(args: &BenchArgs) -> Result<()> {
    let out = args.out;
    let target = Target::read(&args.target)?;
    let is_bundle = matches!(target, Target::Bundle(_));
    let networks: Vec<(String, Vec<u8>)> = match target {
        Target::Network(bytes) => vec![(args.target.display().to_string(), bytes)],
        Target::Bundle(bundle) => {
            let bytes = |spec| bundle.network_bytes(spec).map(|bytes| bytes.to_vec());
            let networks = bundle.manifest().networks.iter();
            networks.filter_map(|spec| Some((spec.id.clone(), bytes(spec)?))).collect()
        }
    };
    let time = Duration::from_secs_f64(args.seconds);
    let networks = networks
        .iter()
        .map(|(name, bytes)| measure(name, bytes, time).map_err(|error| error.context(name)))
        .collect::<Result<Vec<_>>>()?;
    let open = is_bundle.then(|| measure_open(&args.target)).transpose()?;
    let report = Report { networks, open };
    out.print(&report, |out| {
        report.networks.iter().try_for_each(|figures| write(out, figures))?;
        report.open.as_ref().map_or(Ok(()), |figures| write_open(out, &args.target, figures))
    })
}

/// Opens a bundle lazily and eagerly in turn.
fn measure_open(path: &Path) -> Result<OpenFigures> {
    let clock = SystemClock::new();
    let time = |opening: Opening| {
        let before = clock.now();
        let bundle = ModelBundle::open(path)?;
        let engine = Engine::open(bundle, &EngineOptions { opening, ..EngineOptions::default() })
            .map_err(|error| error.context(path.display()))?;
        let took = clock.now() - before;
        // Closing is not opening.
        drop(engine);
        Ok::<u64, Error>(took.wall_ns)
    };
    let (mut lazy, mut eager) = ([0; OPENINGS], [0; OPENINGS]);
    for (lazy, eager) in lazy.iter_mut().zip(&mut eager) {
        *lazy = time(Opening::Lazy)?;
        *eager = time(Opening::Eager)?;
    }
    let median = |mut times: [u64; OPENINGS]| {
        times.sort_unstable();
        times[OPENINGS / 2]
    };
    Ok(OpenFigures { lazy_median_ns: median(lazy), eager_median_ns: median(eager), runs: OPENINGS })
}

fn measure(name: &str, bytes: &[u8], time: Duration) -> Result<NetworkFigures> {
    let clock = SystemClock::new();
    let before = clock.now();
    let model = Model::open(bytes, &ModelLimits::default())?;
    let mut session = Session::new(&model)?;
    let open = clock.now() - before;
    let mut input = image_input(&model)?;
    for (index, value) in input.data_mut().iter_mut().enumerate() {
        // Any numbers will do, but not zeros: they would be fast on some CPUs.
        *value = (index % 255) as f32 / 127.5 - 1.0;
    }
    let mut output = Vec::new();
    for _ in 0..WARM_UP_RUNS {
        session.run(input.data(), &mut output)?;
    }
    let mut runs: Vec<Times> = Vec::new();
    let start = Instant::now();
    while runs.len() < MIN_RUNS || start.elapsed() < time {
        let before = clock.now();
        session.run(input.data(), &mut output)?;
        runs.push(clock.now() - before);
    }
    let quantiles = |ns: fn(&Times) -> u64| {
        let mut sorted: Vec<u64> = runs.iter().map(ns).collect();
        sorted.sort_unstable();
        move |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize]
    };
    let (wall, cpu) = (quantiles(|times| times.wall_ns), quantiles(|times| times.cpu_ns));
    Ok(NetworkFigures {
        network: name.to_owned(),
        runtime: model.runtime().to_string(),
        open_ns: open.wall_ns,
        runs: runs.len(),
        median_ns: wall(0.5),
        p95_ns: wall(0.95),
        p99_ns: wall(0.99),
        min_ns: wall(0.0),
        cpu_median_ns: cpu(0.5),
        macs: model.summary().macs,
        gmacs_per_second: model.summary().macs as f64 / wall(0.5) as f64,
    })
}

fn image_input(model: &Model) -> Result<InputTensor> {
    let shape = &model.summary().input_shape;
    let sides: Vec<u32> = shape.iter().filter_map(|side| u32::try_from(*side).ok()).collect();
    match sides[..] {
        [1, channels, height, width] => InputTensor::new(channels, height, width),
        _ => Err(Error::new(
            ErrorKind::InvalidModel,
            format!(
                "the input has shape {shape:?}: an image of [1, channels, height, width] is needed"
            ),
        )),
    }
}

fn write(out: &mut dyn Write, figures: &NetworkFigures) -> io::Result<()> {
    let ns = |value: u64| duration(value as f64);
    writeln!(
        out,
        "{}: median {}, p95 {}, p99 {} over {} runs; {} MACs, {:.2} GMAC/s; opened in {}; on {}",
        figures.network,
        ns(figures.median_ns),
        ns(figures.p95_ns),
        ns(figures.p99_ns),
        figures.runs,
        count(figures.macs as f64),
        figures.gmacs_per_second,
        ns(figures.open_ns),
        figures.runtime,
    )
}

fn write_open(out: &mut dyn Write, path: &Path, figures: &OpenFigures) -> io::Result<()> {
    let OpenFigures { lazy_median_ns, eager_median_ns, runs } = figures;
    writeln!(
        out,
        "{}: bundle opened in {} with its first level, in {} with all networks (medians of {runs})",
        path.display(),
        duration(*lazy_median_ns as f64),
        duration(*eager_median_ns as f64),
    )
}
