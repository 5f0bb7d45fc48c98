//! What the cascade saved, in plain values.

use biglittle::clock::Times;
use biglittle::engine::Runtime;
use biglittle::monitor::{EnergyModel, EnergyProvenance, FrameCounts, Spent};

/// Frames by how they were answered.
#[uniffi::remote(Record)]
pub struct FrameCounts {
    /// All frames: the sum of the six below.
    pub seen: u64,
    /// Answered by the first level.
    pub little: u64,
    /// Answered by a later level, or as a fallback for it.
    pub big: u64,
    /// Answered with the answer of an earlier frame.
    pub reused: u64,
    /// Answered by the unsure first level for want of time.
    pub degraded: u64,
    /// Dropped for want of time, or cancelled.
    pub dropped: u64,
    /// Without any usable answer.
    pub failed: u64,
    /// Audited as well.
    pub audited: u64,
    /// Of those answered by the first level: not sure enough for the certified
    /// floor.
    pub below_certificate: u64,
}

/// Time and multiply-accumulates.
#[uniffi::remote(Record)]
pub struct Spent {
    /// On both clocks.
    pub times: Times,
    /// The multiply-accumulates of networks.
    pub macs: u64,
}

/// Where a figure of energy comes from.
#[uniffi::remote(Enum)]
pub enum EnergyProvenance {
    /// A power rail was measured.
    MeasuredRail,
    /// The battery's own counter, for the whole phone.
    BatteryCounter,
    /// A table of the phone's power times measured processor time.
    TableXLatency,
    /// Multiply-accumulates: ratios only, never joules.
    MacModel,
}

/// What turns the books into energy.
#[uniffi::remote(Enum)]
pub enum EnergyModel {
    /// A power rail gave this many joules for the whole session; they are
    /// divided by processor time.
    MeasuredRail { joules: f64 },
    /// The battery's counter gave this many joules for the whole session; they
    /// are divided by processor time.
    BatteryCounter { joules: f64 },
    /// Milliwatts above idle while networks run, times processor time.
    TableXLatency { little_milliwatts: f64, big_milliwatts: f64 },
    /// Multiply-accumulates: no joules.
    MacModel,
}

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Energy, or where there are no joules only the ratio.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct Energy {
    /// Where it comes from.
    pub provenance: EnergyProvenance,
    /// The joules of the first level; nothing from multiply-accumulates.
    pub little_joules: Option<f64>,
    /// The joules of the later levels.
    pub big_joules: Option<f64>,
    /// The joules of all else.
    pub overhead_joules: Option<f64>,
    /// Their sum.
    pub total_joules: Option<f64>,
    /// The share saved against the big network alone on the same frames, below
    /// 1; in multiply-accumulates where there are no joules.
    pub saving: Option<f64>,
}

/// What was spent on what, and what that saved against the big network alone.
/// `little + big + overhead = total` holds to the last unit.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct SavingsReport {
    /// Frames by how they were answered.
    pub frames: FrameCounts,
    /// Frames at each level of saving, 0 to 3.
    pub frames_at_level: Vec<u64>,
    /// The first level, with preprocessing and success checker.
    pub little: Spent,
    /// The later levels, where they ran for an answer.
    pub big: Spent,
    /// All else: audits, comparing frames, policy and accounting itself.
    pub overhead: Spent,
    /// From the frames' arrival to their answers.
    pub total: Spent,
    /// The part of `overhead` that audits took.
    pub audits: Spent,
    /// The share of processor time saved, below 1, negative where it cost more;
    /// nothing before the big network was seen to run.
    pub time_saving: Option<f64>,
    /// Its 95 % interval; missing with fewer than two audits.
    pub time_saving_ci95: Option<Interval>,
    /// The share of frames whose accepted answer differs from the big network's,
    /// by audits; nothing without.
    pub disagreement: Option<f64>,
    /// Its 95 % interval.
    pub disagreement_ci95: Option<Interval>,
    /// The energy by the model that was asked for.
    pub energy: Energy,
}

impl SavingsReport {
    pub(crate) fn of(runtime: &Runtime, model: &EnergyModel, big_macs: u64) -> Self {
        let summary = runtime.summary();
        let books = &summary.accounting;
        let saving = books.saving();
        let disagreement = summary.audit.disagreement();
        let interval = |[low, high]: [f64; 2]| Interval { low, high };
        let energy = books.energy(model, big_macs);
        let joules = |part: usize| energy.joules.map(|joules| joules[part]);
        SavingsReport {
            frames: books.frames,
            frames_at_level: summary.frames_at_level.to_vec(),
            little: books.little,
            big: books.big,
            overhead: books.overhead,
            total: books.total,
            audits: books.audits,
            time_saving: saving.map(|saving| saving.share),
            time_saving_ci95: saving.and_then(|saving| saving.ci95).map(interval),
            disagreement: disagreement.map(|estimate| estimate.share),
            disagreement_ci95: disagreement.map(|estimate| interval(estimate.ci95)),
            energy: Energy {
                provenance: energy.provenance,
                little_joules: joules(0),
                big_joules: joules(1),
                overhead_joules: joules(2),
                total_joules: joules(3),
                saving: energy.saving,
            },
        }
    }
}
