//! The table of `demo` and `evaluate`.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::measure::{Comparison, Figures};

/// Writes the three configurations and what the cascade saved.
pub fn write(out: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    let Comparison { samples, little, big, cascade } = comparison;
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["", "accuracy", "95 % interval", "escalated", "CPU/sample", "MACs/sample"]);
    let escalated = percent(cascade.escalation_rate, 2);
    for (name, figures, escalated) in [
        ("little alone", little, ""),
        ("big alone", big, ""),
        ("cascade", &cascade.figures, &*escalated),
    ] {
        table.add_row(row(name, figures, escalated));
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "{samples} samples. The cascade took {} less CPU time and {} fewer MACs than big alone, \
         and {} points of accuracy.",
        percent(cascade.cpu_saved, 1),
        percent(cascade.macs_saved, 1),
        points(cascade.figures.accuracy - big.accuracy),
    )?;
    match (cascade.energy_saved, &cascade.figures.energy) {
        (Some(saved), Some(energy)) => writeln!(
            out,
            "Energy, measured on the processor's rails (everything that ran included): {:.1} J for \
             the cascade, {} less than big alone.",
            energy.joules,
            percent(saved, 1)
        )?,
        _ => writeln!(out, "Energy was not measured: this machine has no counter for it.")?,
    }
    if cascade.unsure + cascade.fallback > 0 {
        writeln!(
            out,
            "{} answers are marked unsure, {} come from a smaller level because a bigger failed.",
            cascade.unsure, cascade.fallback
        )?;
    }
    Ok(())
}

fn row(name: &str, figures: &Figures, escalated: &str) -> Vec<Cell> {
    let [low, high] = figures.accuracy_ci95;
    let numbers = [
        percent(figures.accuracy, 2),
        format!("{:.2}-{:.2} %", low * 100.0, high * 100.0),
        escalated.to_owned(),
        duration(figures.cpu_ns_per_sample),
        count(figures.macs_per_sample),
    ];
    let right = |text| Cell::new(text).set_alignment(CellAlignment::Right);
    std::iter::once(Cell::new(name)).chain(numbers.into_iter().map(right)).collect()
}

/// A share as a percentage.
pub fn percent(share: f64, decimals: usize) -> String {
    format!("{:.decimals$} %", share * 100.0)
}

fn points(difference: f64) -> String {
    let points = difference * 100.0;
    if points >= 0.0 { format!("gained {points:.2}") } else { format!("lost {:.2}", -points) }
}

/// Nanoseconds in the unit that suits them.
pub fn duration(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

/// A count with its metric prefix.
pub fn count(value: f64) -> String {
    match value {
        value if value < 1e3 => format!("{value:.0}"),
        value if value < 1e6 => format!("{:.1} k", value / 1e3),
        value if value < 1e9 => format!("{:.2} M", value / 1e6),
        value => format!("{:.2} G", value / 1e9),
    }
}
