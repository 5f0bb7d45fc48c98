//! `search`: which networks, in which order, judged how.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::PathBuf;

use biglittle::calibrate::Target;
use biglittle::{Error, ErrorKind, Result};
use comfy_table::{Cell, CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};

use super::table::{count, duration, percent, plural};
use crate::args::SearchArgs;
use crate::search::{Candidate, Cost, Found, Pool, Request, search};
use crate::trace::Trace;

pub fn run(args: &SearchArgs) -> Result<()> {
    let out = args.out;
    let target = Target::new(args.eps, args.delta)?;
    once(&args.traces)?;
    let traces = args.traces.iter().map(|path| Trace::open(path)).collect::<Result<Vec<_>>>()?;
    let pool = Pool::open(&traces)?;
    let request = Request { loss: args.loss.into(), target, cost: args.cost };
    let bar = if out.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} ways, {eta} left");
    let bar = bar.with_style(style.expect("the template is well-formed"));
    let found = search(&pool, request, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    out.print(&found, |out| write(out, &found, args.top))
}

/// Refuses a file that is there twice, under whatever name.
fn once(paths: &[PathBuf]) -> Result<()> {
    let mut seen = HashSet::new();
    for path in paths {
        // One that is not there is said when it is opened.
        if let Ok(file) = path.canonicalize()
            && !seen.insert(file)
        {
            let message = "is given twice: give each trace once";
            return Err(Error::new(ErrorKind::InvalidArgument, message).context(path.display()));
        }
    }
    Ok(())
}

fn write(out: &mut dyn Write, found: &Found, top: usize) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let cost = match found.cost {
        Cost::Macs => "MACs/sample",
        Cost::Cpu => "CPU/sample",
    };
    table.set_header([
        "",
        "networks",
        "score",
        "above",
        "escalated",
        cost,
        "saved",
        "accuracy",
        "loss",
    ]);
    let shown = |(rank, candidate): &(usize, &Candidate)| *rank < top || candidate.on_front;
    for (rank, candidate) in found.candidates.iter().enumerate().filter(shown) {
        table.add_row(row(rank, candidate, found.cost));
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "\n{} on {} test rows, the cheapest first; * nothing is cheaper and as accurate. {cost} is {}. \
         Each threshold keeps {} at most {} against the way's own last level with {} confidence by \
         {} calibration rows. The choice among many is not covered by that: certify \
         the winner on new data.",
        plural(found.candidates.len(), "way"),
        found.test_rows,
        match found.cost {
            Cost::Macs => "counted, not measured",
            Cost::Cpu => "measured where the traces were recorded",
        },
        found.loss,
        percent(found.eps, 2),
        percent(1.0 - found.delta, 1),
        found.calibration_rows,
    )
}

fn row(rank: usize, candidate: &Candidate, cost: Cost) -> Vec<Cell> {
    let levels = candidate.levels.iter().map(|level| {
        let networks = level.networks.join(" + ");
        if level.committee { format!("mean with {networks}") } else { networks }
    });
    let cost = |value: f64| match cost {
        Cost::Macs => count(value),
        Cost::Cpu => duration(value),
    };
    let thresholds: Vec<_> = candidate
        .thresholds
        .iter()
        .map(|threshold| match threshold.value() {
            value if value.is_finite() => format!("{value:.4}"),
            _ => threshold.to_string(),
        })
        .collect();
    let numbers = [
        thresholds.join(", "),
        percent(candidate.escalation, 2),
        cost(candidate.cost),
        percent(1.0 - candidate.cost / candidate.reference_cost, 1),
        candidate.accuracy.map_or("?".into(), |accuracy| percent(accuracy, 2)),
        percent(candidate.loss, 3),
    ];
    let right = |text| Cell::new(text).set_alignment(CellAlignment::Right);
    let star = if candidate.on_front { "*" } else { "" };
    let words = [
        format!("{}{star}", rank + 1),
        levels.collect::<Vec<_>>().join(" -> "),
        candidate.confidence.unwrap_or("alone").to_owned(),
    ];
    words.into_iter().map(Cell::new).chain(numbers.into_iter().map(right)).collect()
}
