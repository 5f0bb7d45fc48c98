//! How `simulate` writes a day on a terminal.

use std::io::{self, Write};

use biglittle::calibrate::Loss;
use biglittle::monitor::{EnergyReport, Saving};
use biglittle::policy::{LEVELS, ReadingFaults, ThresholdReason};
use comfy_table::{Cell, CellAlignment, Table, presets};

use super::compare::{Ended, Who, loss_name};
use super::summary::{Comparison, DaySummary, Saved, Setting, Share};
use crate::commands::table::{percent, plural};

/// "2 h 05 min", "3 min 20 s".
pub fn span(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, minutes) => format!("{minutes} min {rest:02} s"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

/// "12,345".
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(",")
}

/// A threshold as people say it.
pub fn threshold_name(value: f32) -> String {
    match value {
        f32::INFINITY => "always big".into(),
        f32::NEG_INFINITY => "never big".into(),
        value => crate::page::words::number(value),
    }
}

pub fn range_name([low, high]: [f32; 2]) -> String {
    if low == high {
        return threshold_name(low);
    }
    format!("{} to {}", threshold_name(low), threshold_name(high))
}

/// What decided a threshold, in words.
pub fn reason_name(reason: ThresholdReason) -> &'static str {
    match reason {
        ThresholdReason::Level => "the certificate of the level of saving",
        ThresholdReason::LevelRate => "the level's share of the big network",
        ThresholdReason::HeadroomRate => "the share that thermal headroom allows",
        ThresholdReason::BudgetRate => "the share that the budget allows",
        ThresholdReason::CertifiedFloor => "the certified floor: less was wanted",
        ThresholdReason::AccuracyAlarm => "an accuracy alarm's floor: less was wanted",
        ThresholdReason::PreciseMode => "the user's wish for precision: less was wanted",
    }
}

impl DaySummary {
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Setting { bundle, rows, split, seed, order, .. } = &self.setting;
        let frames = &self.frames;
        writeln!(out, "{bundle} on {}: {}", self.device, self.description)?;
        let how =
            if *order == "sample" { format!("drawn with seed {seed}") } else { "in turn".into() };
        write!(
            out,
            "{}: {} frames at {} a second, {how} from {} of the split {split}",
            span(self.seconds),
            thousands(frames.seen),
            self.setting.frames_per_second,
            plural(*rows, "row"),
        )?;
        match self.asleep_seconds {
            0.0 => writeln!(out)?,
            asleep => writeln!(out, "; asleep for {}", span(asleep))?,
        }
        writeln!(
            out,
            "answered     little {}, big {}, reused {}, degraded {}; dropped {}, audited {}",
            thousands(frames.little),
            thousands(frames.big),
            thousands(frames.reused),
            thousands(frames.degraded),
            thousands(frames.dropped),
            thousands(frames.audited),
        )?;
        writeln!(out, "escalated    {}", percent(self.escalation, 2))?;
        self.write_accuracy(out)?;
        let levels: Vec<_> = (0..LEVELS)
            .filter(|level| self.seconds_at_level[*level] > 0.0)
            .map(|level| format!("{level}: {}", span(self.seconds_at_level[level])))
            .collect();
        writeln!(out, "levels       {}", levels.join(", "))?;
        if let (Some(thresholds), Some(floors)) = (self.thresholds, self.floors) {
            writeln!(
                out,
                "threshold    {} (floor {})",
                range_name(thresholds),
                range_name(floors)
            )?;
        }
        for (reason, count) in &self.reasons {
            let share = *count as f64 / frames.seen.max(1) as f64;
            writeln!(
                out,
                "             {} of frames by {}",
                percent(share, 1),
                reason_name(*reason)
            )?;
        }
        self.write_saved(out)?;
        if let Some(found) = &self.budget_infeasible {
            writeln!(
                out,
                "budget       not possible for {}: {} of frames allowed, {} needed at the floor; at \
                 {:.2} frames a second it would be",
                span(self.budget_infeasible_seconds),
                percent(found.allowed_rate, 1),
                percent(found.nearest_rate, 1),
                found.suggested_frames_per_second
            )?;
        }
        let ReadingFaults { ignored, clamped, backwards } = self.faults;
        if ignored + clamped + backwards > 0 {
            writeln!(
                out,
                "readings     {ignored} values ignored, {clamped} clamped, {backwards} jumps back"
            )?;
        }
        if self.accuracy_alarms + self.drift_alarms > 0 {
            writeln!(
                out,
                "alarms       accuracy {}, drift {}",
                self.accuracy_alarms, self.drift_alarms
            )?;
        }
        Ok(())
    }

    fn write_accuracy(&self, out: &mut dyn Write) -> io::Result<()> {
        let loss = self.setting.loss;
        if let Some(Share { share, ci95: [low, high], n, .. }) = self.accuracy {
            writeln!(
                out,
                "{:12} {} (n = {}, 95 % {} to {})",
                if loss == Loss::Harm { "accuracy" } else { "agreement" },
                percent(share, 2),
                thousands(n),
                percent(low, 2),
                percent(high, 2)
            )?;
        }
        if let Some(Share { share, ci95: [low, high], .. }) = self.bad {
            write!(
                out,
                "{:12} {} of answers are {} (95 % {} to {})",
                if loss == Loss::Harm { "harm" } else { "disagreement" },
                percent(share, 3),
                loss_name(loss),
                percent(low, 3),
                percent(high, 3)
            )?;
            match self.setting.promised {
                Some(eps) => writeln!(
                    out,
                    ", promised at most {}; {} outside of the certificate",
                    percent(eps, 3),
                    thousands(self.outside_certificate)
                )?,
                None => writeln!(out, "; nothing is promised")?,
            }
        }
        Ok(())
    }

    fn write_saved(&self, out: &mut dyn Write) -> io::Result<()> {
        let Saved { cpu, mac_ratio, cpu_provenance, estimate, energy } = &self.saved;
        if let Some(cpu) = cpu {
            writeln!(
                out,
                "saved        {} against big alone on the same frames ({cpu_provenance})",
                percent(*cpu, 1)
            )?;
        }
        if let Some(Saving { share, ci95: Some([low, high]) }) = estimate {
            writeln!(
                out,
                "             {} by the phone's own books, 95 % {} to {} from audits",
                percent(*share, 1),
                percent(*low, 1),
                percent(*high, 1)
            )?;
        }
        if let Some(EnergyReport { joules: Some([little, big, overhead, total]), saving, .. }) =
            energy
        {
            let saving = saving.map_or(String::new(), |s| format!(", {} saved", percent(s, 1)));
            writeln!(
                out,
                "energy       {total:.1} J: little {little:.1}, big {big:.1}, audits and all else \
                 {overhead:.1}{saving} (table of power times processor time)"
            )?;
        }
        if let Some(ratio) = mac_ratio {
            writeln!(
                out,
                "MAC ratio    {ratio:.4} of big alone's multiply-accumulates (no energy)"
            )?;
        }
        Ok(())
    }
}

impl Comparison<'_> {
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Setting { bundle, rows, split, frames_per_second, loss, promised, .. } = &self.setting;
        writeln!(
            out,
            "{bundle} on the modelled phone {}: {}",
            self.phone.name, self.phone.description
        )?;
        writeln!(
            out,
            "{frames_per_second} frames a second out of {} of the split {split}; every policy has the \
             same",
            plural(*rows, "row")
        )?;
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["", "lasted", "hottest", "severe", "slowed", "right", "outside", "mJ"]);
        let hours = |seconds: f64| format!("{:.1} h", seconds / 3_600.0);
        for figures in &self.policies {
            let severe: f64 = figures.seconds_at_thermal_level[3..].iter().sum();
            let cells = [
                hours(figures.hours * 3_600.0),
                format!("{:.1} °C", figures.hottest_celsius),
                hours(severe),
                hours(figures.throttled_seconds),
                percent(figures.accuracy, 2),
                thousands(figures.below_certificate),
                format!("{:.2}", figures.millijoules_per_answer),
            ];
            let right = |text| Cell::new(text).set_alignment(CellAlignment::Right);
            let name = std::iter::once(Cell::new(figures.policy.name()));
            table.add_row(name.chain(cells.into_iter().map(right)));
        }
        writeln!(out, "{table}")?;
        writeln!(
            out,
            "severe: time at that thermal level or a hotter one; slowed: with a throttled processor; \
             outside: answers outside of the certificate{}; mJ: of networks, an answer. Battery, heat \
             and energy are modelled, not measured.",
            promised.map_or(" (there is none)".into(), |eps| {
                format!(" ({loss} at most {})", percent(eps, 3))
            })
        )?;
        for figures in self.policies.iter().filter(|figures| figures.ended != Ended::BatteryEmpty) {
            let left = percent(figures.battery_percent_left / 100.0, 0);
            match figures.ended {
                Ended::TooHot => writeln!(
                    out,
                    "{}: the phone switched itself off, too hot, with {left} of its battery left.",
                    figures.policy.name()
                )?,
                _ => writeln!(
                    out,
                    "{}: {left} of the battery was left in the end.",
                    figures.policy.name()
                )?,
            }
        }
        for figures in self.policies.iter().filter(|figures| figures.missed > 0) {
            writeln!(
                out,
                "{}: {} frames came while a network was still running and were not looked at.",
                figures.policy.name(),
                thousands(figures.missed)
            )?;
        }
        let own = self.policies.iter().find(|figures| figures.policy == Who::Biglittle);
        if let Some(own) = own {
            writeln!(
                out,
                "biglittle escalated {} of its frames; {} of its answers are {}.",
                percent(own.escalation, 2),
                percent(own.loss, 3),
                loss_name(*loss)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        assert_eq!(span(59.6), "1 min 00 s");
        assert_eq!(span(7_512.0), "2 h 05 min");
        assert_eq!(span(3.0), "3 s");
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(123_456), "123,456");
        assert_eq!(range_name([0.5, f32::INFINITY]), "0.5 to always big");
    }
}
