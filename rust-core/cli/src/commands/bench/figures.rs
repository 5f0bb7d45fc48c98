//! Times of whole runs.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use biglittle::Result;
use biglittle::clock::Times;
use serde::Serialize;

use super::layers::LayerFigures;
use super::subject::Subject;
use crate::commands::table::{count, duration, percent};

/// The fewest runs a figure is made of.
const MIN_RUNS: usize = 10;

/// One network's figures; times of one run in nanoseconds.
#[derive(Debug, Serialize)]
pub struct NetworkFigures {
    network: String,
    /// What runs it on this machine, and why if it is not the kernels.
    runtime: String,
    /// The kernels' instruction set.
    instruction_set: Option<&'static str>,
    open_ns: u64,
    runs: usize,
    median_ns: u64,
    p95_ns: u64,
    p99_ns: u64,
    min_ns: u64,
    cpu_median_ns: u64,
    macs: u64,
    /// Two operations a multiply-accumulate, over the median, in 1e9 a second.
    gflops: f64,
    /// The most that this core did in float32, measured before; null for a network in
    /// int8.
    peak_gflops: Option<f64>,
    /// Where they were asked for and the kernels run the network.
    layers: Option<LayerFigures>,
    #[serde(skip)]
    profile_asked_for: bool,
}

/// Measures for `time`, then as long again for the layers if `profile`.
pub fn measure(
    mut subject: Subject,
    time: Duration,
    peak_gflops: Option<f64>,
    profile: bool,
) -> Result<NetworkFigures> {
    let mut runs: Vec<Times> = Vec::new();
    let start = Instant::now();
    while runs.len() < MIN_RUNS || start.elapsed() < time {
        runs.push(subject.run()?);
    }
    let layers = match subject.model.profile().filter(|_| profile) {
        Some(profile) => Some(LayerFigures::measure(&mut subject, profile, time, peak_gflops)?),
        None => None,
    };
    let quantiles = |ns: fn(&Times) -> u64| {
        let mut sorted: Vec<u64> = runs.iter().map(ns).collect();
        sorted.sort_unstable();
        move |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize]
    };
    let (wall, cpu) = (quantiles(|times| times.wall_ns), quantiles(|times| times.cpu_ns));
    let Subject { name, model, open, .. } = subject;
    let macs = model.summary().macs;
    Ok(NetworkFigures {
        network: name,
        runtime: model.runtime().to_string(),
        instruction_set: model.isa().map(|isa| isa.name()),
        open_ns: open.wall_ns,
        runs: runs.len(),
        median_ns: wall(0.5),
        p95_ns: wall(0.95),
        p99_ns: wall(0.99),
        min_ns: wall(0.0),
        cpu_median_ns: cpu(0.5),
        macs,
        gflops: 2.0 * macs as f64 / wall(0.5).max(1) as f64,
        peak_gflops,
        layers,
        profile_asked_for: profile,
    })
}

impl NetworkFigures {
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let ns = |value: u64| duration(value as f64);
        writeln!(
            out,
            "{}: median {}, p95 {}, p99 {} over {} runs; {} MACs, {:.1} {}; opened in {}; on {}",
            self.network,
            ns(self.median_ns),
            ns(self.p95_ns),
            ns(self.p99_ns),
            self.runs,
            count(self.macs as f64),
            self.gflops,
            match self.peak_gflops {
                Some(peak) => {
                    format!("GFLOP/s, {} of this core's {peak:.0}", percent(self.gflops / peak, 0))
                }
                None => "Gop/s".to_owned(),
            },
            ns(self.open_ns),
            self.runtime,
        )?;
        match &self.layers {
            Some(layers) => layers.write(out),
            None if self.profile_asked_for => {
                writeln!(out, "No profile: tract runs the network, and does not time its layers.")
            }
            None => Ok(()),
        }
    }
}
