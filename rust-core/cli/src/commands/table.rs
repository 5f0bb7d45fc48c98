//! The table of `demo` and `evaluate`.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::energy::Unmeasured;
use crate::measure::{Comparison, Figures};

/// Writes the three configurations and what the cascade saved.
pub fn write(out: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    let Comparison { samples, little, big, cascade, energy_unmeasured } = comparison;
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
        "{}. The cascade took {} less CPU time and {} fewer MACs than big alone, \
         and {} points of accuracy.",
        plural(*samples, "sample"),
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
        _ => {
            let why = energy_unmeasured.unwrap_or(Unmeasured::NoCounter);
            writeln!(out, "Energy was not measured: {why}.")?;
        }
    }
    if cascade.unsure + cascade.fallback > 0 {
        writeln!(
            out,
            "Marked unsure: {}. From a smaller level because a bigger one failed: {}.",
            plural(cascade.unsure, "answer"),
            plural(cascade.fallback, "answer"),
        )?;
    }
    if let Some(failure) = &cascade.first_failure {
        writeln!(out, "The first failure: {failure}.")?;
    }
    Ok(())
}

fn row(name: &str, figures: &Figures, escalated: &str) -> Vec<Cell> {
    let [low, high] = figures.accuracy_ci95;
    let numbers = [
        percent(figures.accuracy, 2),
        format!("{:.2}-{:.2}", low * 100.0, high * 100.0),
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

/// "1 sample", "2 samples".
pub fn plural(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::CascadeFigures;

    fn figures() -> Figures {
        Figures {
            accuracy: 1.0,
            accuracy_ci95: [0.9638, 1.0],
            cpu_ns_per_sample: 999_900.0,
            wall_ns_per_sample: 0.0,
            macs_per_sample: 999.99e6,
            energy: None,
        }
    }

    fn text(samples: usize, why: Unmeasured, first_failure: Option<&str>) -> String {
        let cascade = CascadeFigures {
            figures: figures(),
            escalation_rate: 1.0,
            cpu_saved: 0.5,
            macs_saved: 0.5,
            energy_saved: None,
            answered_by_level: vec![0.0, 1.0],
            unsure: 1,
            fallback: 2,
            first_failure: first_failure.map(str::to_owned),
        };
        let (little, big) = (figures(), figures());
        let energy_unmeasured = Some(why);
        let comparison = Comparison { samples, little, big, cascade, energy_unmeasured };
        let mut out = Vec::new();
        write(&mut out, &comparison).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_widest_table_has_80_columns() {
        let text = text(1, Unmeasured::NoCounter, None);
        let (table, below) = text.split_once("1 sample. ").unwrap();
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(
            below.contains("no counter for it.") && !below.contains("first failure"),
            "{below}"
        );
        assert!(below.contains("unsure: 1 answer. ") && below.contains("failed: 2 answers."));
    }

    #[test]
    fn what_went_wrong_is_said() {
        let text = text(2, Unmeasured::Unreadable, Some("a.png: network \"big\": bad"));
        assert!(text.contains("2 samples. "), "{text}");
        assert!(text.contains("cannot be read: run as root."), "{text}");
        assert!(text.contains("The first failure: a.png: network \"big\": bad."), "{text}");
    }
}
