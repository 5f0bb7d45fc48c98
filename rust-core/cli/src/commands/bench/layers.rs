//! What each layer of a network takes.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use biglittle::Result;
use biglittle::network::{LayerProfile, Profile};
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use super::subject::Subject;
use crate::commands::table::{count, duration, percent};

/// The layers of one network, with the clock read between them.
#[derive(Debug, Serialize)]
pub struct LayerFigures {
    runs: u64,
    /// All layers and the copies of input and output; means, in nanoseconds.
    total_ns: f64,
    /// Of it, the copies.
    transfer_ns: f64,
    peak_gflops: Option<f64>,
    layers: Vec<Layer>,
}

/// One layer; layers that were merged stand under one name.
#[derive(Debug, Serialize)]
struct Layer {
    name: String,
    /// How it is computed.
    kind: &'static str,
    macs: u64,
    /// The mean of a run, in nanoseconds.
    ns: f64,
    /// Of all layers and copies.
    share: f64,
    /// Two operations a multiply-accumulate, as commonly counted: Winograd
    /// needs fewer and may exceed the core's peak.
    gflops: f64,
}

impl LayerFigures {
    pub fn measure(
        subject: &mut Subject,
        mut profile: Profile,
        time: Duration,
        peak_gflops: Option<f64>,
    ) -> Result<Self> {
        let start = Instant::now();
        while profile.runs == 0 || start.elapsed() < time {
            subject.run_profiled(&mut profile)?;
        }
        Ok(Self::new(&profile, peak_gflops))
    }

    fn new(profile: &Profile, peak_gflops: Option<f64>) -> Self {
        let mean = |ns: u64| ns as f64 / profile.runs.max(1) as f64;
        let transfer_ns = mean(profile.transfer_ns);
        let sum: u64 = profile.layers.iter().map(|layer| layer.total_ns).sum();
        let total_ns = mean(sum) + transfer_ns;
        let layer = |layer: &LayerProfile| {
            let ns = mean(layer.total_ns);
            Layer {
                name: layer.name.clone(),
                kind: layer.kind,
                macs: layer.macs,
                ns,
                share: ns / total_ns.max(1.0),
                gflops: 2.0 * layer.macs as f64 / ns.max(1.0),
            }
        };
        let layers = profile.layers.iter().map(layer).collect();
        LayerFigures { runs: profile.runs, total_ns, transfer_ns, peak_gflops, layers }
    }

    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["layer", "kind", "MACs", "time", "share", "GFLOP/s", "of peak"]);
        let right = |text| Cell::new(text).set_alignment(CellAlignment::Right);
        for layer in &self.layers {
            let mut row = vec![Cell::new(&layer.name), Cell::new(layer.kind)];
            let [macs, gflops, of_peak] = match layer.macs {
                0 => Default::default(),
                macs => [
                    count(macs as f64),
                    format!("{:.1}", layer.gflops),
                    self.peak_gflops.map_or("-".to_owned(), |peak| percent(layer.gflops / peak, 0)),
                ],
            };
            let numbers = [macs, duration(layer.ns), percent(layer.share, 1), gflops, of_peak];
            row.extend(numbers.map(right));
            table.add_row(row);
        }
        writeln!(out, "{table}")?;
        writeln!(
            out,
            "{} a run with the clock read between layers, of which {} copies of input and output; \
             means of {} runs.",
            duration(self.total_ns),
            duration(self.transfer_ns),
            self.runs,
        )
    }
}
