//! What a simulated day comes to; `simulate --json` prints it.

use biglittle::bundle::Manifest;
use biglittle::calibrate::{Certificate, Loss, clopper_pearson};
use biglittle::monitor::{
    Disagreement, EnergyModel, EnergyReport, FleetSummary, FrameCounts, Saving,
};
use biglittle::policy::{BudgetInfeasible, LEVELS, ReadingFaults, ThresholdReason};
use serde::Serialize;

use super::compare::{Lived, PolicyFigures};
use super::day::{Day, Happening, Sums};
use super::phone::Phone;
use super::replay::Replayed;
use super::samples::{Order, Samples};

/// What a day is made of.
#[derive(Debug, Clone, Serialize)]
pub struct Setting {
    /// The bundle's name and version.
    pub bundle: String,
    /// Rows of the trace that frames were taken from, and their split.
    pub rows: usize,
    pub split: &'static str,
    pub order: &'static str,
    pub seed: u64,
    pub frames_per_second: f64,
    /// `harm` where the truth is a label, `disagree` where it is big's answer.
    pub loss: Loss,
    /// The promise of the floor, where there is one.
    pub promised: Option<f64>,
}

impl Setting {
    pub fn promise(manifest: &Manifest) -> Option<f64> {
        manifest.certificate_in_use().map(|certificate: &Certificate| certificate.eps)
    }

    pub fn order_name(order: Order) -> &'static str {
        match order {
            Order::Sample => "sample",
            Order::Cycle => "cycle",
        }
    }
}

/// A share of answers, with an interval that knows that rows come again.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Share {
    pub share: f64,
    /// Of how many answers.
    pub answers: u64,
    /// Clopper-Pearson 95 %, as if each row of the trace had come once at most.
    pub ci95: [f64; 2],
    /// The number of rows that the interval counts.
    pub n: u64,
}

impl Share {
    pub fn of(count: u64, answers: u64, rows: usize) -> Option<Self> {
        let share = Sums::share(count, answers)?;
        let n = answers.min(rows as u64);
        let ci95 = clopper_pearson((share * n as f64).round() as u64, n, 0.05);
        Some(Share { share, answers, ci95, n })
    }
}

/// What was saved against the big network alone on the same frames.
#[derive(Debug, Clone, Serialize)]
pub struct Saved {
    /// Of processor time as the trace has it; null where it has none.
    pub cpu: Option<f64>,
    /// Multiply-accumulates as a share of big alone's. A ratio, not energy.
    pub mac_ratio: Option<f64>,
    /// Where `cpu` comes from.
    pub cpu_provenance: &'static str,
    /// What the books on the phone say, from audits.
    pub estimate: Option<Saving>,
    /// Joules, only with `--milliwatts`.
    pub energy: Option<EnergyReport>,
}

/// A replayed day.
#[derive(Debug, Clone, Serialize)]
pub struct DaySummary {
    #[serde(flatten)]
    pub setting: Setting,
    /// The recording's name and description.
    pub device: String,
    pub description: String,
    /// From the first event to the last.
    pub seconds: f64,
    /// Of those, without the app.
    pub asleep_seconds: f64,
    pub frames: FrameCounts,
    pub escalation: f64,
    pub accuracy: Option<Share>,
    /// Answers of little that are a loss.
    pub bad: Option<Share>,
    /// Answers outside of the certificate: below the floor by leave, or degraded.
    pub outside_certificate: u64,
    pub seconds_at_level: [f64; LEVELS],
    /// Frames by what decided their threshold.
    pub reasons: Vec<(ThresholdReason, u64)>,
    /// Null means plus or minus infinity: always or never the big network.
    pub thresholds: Option<[f32; 2]>,
    pub floors: Option<[f32; 2]>,
    pub saved: Saved,
    pub budget_infeasible_seconds: f64,
    pub budget_infeasible: Option<BudgetInfeasible>,
    pub audited_disagreement: Option<Disagreement>,
    pub accuracy_alarms: u64,
    pub drift_alarms: u64,
    pub faults: ReadingFaults,
    pub happenings: Vec<Happening>,
}

impl DaySummary {
    pub fn new(
        setting: Setting,
        names: (&str, &str),
        samples: &Samples,
        replayed: &Replayed,
        milliwatts: Option<[f64; 2]>,
    ) -> Self {
        let Replayed { day, summary, .. } = replayed;
        let rows = samples.all.len();
        let sums = &day.sums;
        DaySummary {
            device: names.0.into(),
            description: names.1.into(),
            seconds: day.span_s,
            asleep_seconds: replayed.asleep_s,
            frames: summary.accounting.frames,
            escalation: Sums::share(sums.escalated, sums.frames).unwrap_or(0.0),
            accuracy: Share::of(sums.right, sums.answered, rows),
            bad: Share::of(sums.bad, sums.answered, rows),
            outside_certificate: outside(summary),
            seconds_at_level: day.seconds_at_level,
            reasons: replayed.reasons.clone(),
            thresholds: day.thresholds,
            floors: day.floors,
            saved: saved(samples, day, summary, milliwatts),
            budget_infeasible_seconds: replayed.infeasible_s,
            budget_infeasible: replayed.infeasible,
            audited_disagreement: summary.audit.disagreement(),
            accuracy_alarms: summary.accuracy_alarms,
            drift_alarms: summary.drift_alarms,
            faults: replayed.faults,
            happenings: day.happenings.clone(),
            setting,
        }
    }
}

fn outside(summary: &FleetSummary) -> u64 {
    let frames = summary.accounting.frames;
    frames.below_certificate + frames.degraded
}

fn saved(
    samples: &Samples,
    day: &Day,
    summary: &FleetSummary,
    milliwatts: Option<[f64; 2]>,
) -> Saved {
    let books = &summary.accounting;
    let energy = milliwatts.filter(|_| samples.has_times).map(|[little, big]| {
        let model = EnergyModel::TableXLatency { little_milliwatts: little, big_milliwatts: big };
        books.energy(&model, samples.big_alone_macs())
    });
    Saved {
        cpu: day.sums.cpu_saved(),
        mac_ratio: day.sums.mac_ratio(),
        cpu_provenance: "processor time, measured when the trace was recorded",
        estimate: books.saving().filter(|saving| saving.ci95.is_some()),
        energy,
    }
}

/// A comparison of policies on a modelled phone.
#[derive(Debug, Serialize)]
pub struct Comparison<'a> {
    #[serde(flatten)]
    pub setting: Setting,
    pub phone: &'a Phone,
    /// Always the word `modelled`: no joule here was measured.
    pub energy_provenance: &'static str,
    pub policies: Vec<PolicyFigures>,
}

impl<'a> Comparison<'a> {
    pub fn new(setting: Setting, phone: &'a Phone, lived: &[Lived]) -> Self {
        let policies = lived.iter().map(PolicyFigures::of).collect();
        Comparison { setting, phone, energy_provenance: "modelled", policies }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_come_again_do_not_narrow_the_interval() {
        let once = Share::of(95, 100, 100).unwrap();
        let often = Share::of(95_000, 100_000, 100).unwrap();
        assert_eq!((once.ci95, often.ci95, often.n), (once.ci95, once.ci95, 100));
        assert!(Share::of(0, 0, 100).is_none());
    }
}
