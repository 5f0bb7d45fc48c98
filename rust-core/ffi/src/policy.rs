//! Mirrors of what the run-time policy decides, and the status for the app.

use biglittle::Threshold;
use biglittle::engine::Runtime;
use biglittle::policy::{
    BudgetInfeasible, CertifiedThreshold, FloorCause, LevelCause, RateCause, ReadingFaults,
    ThresholdReason,
};

uniffi::custom_type!(Threshold, f32, {
    remote,
    lower: |threshold| threshold.value(),
    try_lift: |value| Ok(Threshold::new(value)?),
});

/// A threshold of the first level that keeps a promise: with it, or any above
/// it, the mean loss is at most `eps`. Where it comes from is calibration's
/// work.
#[uniffi::remote(Record)]
pub struct CertifiedThreshold {
    /// The largest mean loss, above 0 to 1. At 1 nothing is promised: this is
    /// how a threshold without a certificate is written.
    pub eps: f64,
    /// What a score has to be above.
    pub threshold: Threshold,
}

/// What the level of saving is due to.
#[uniffi::remote(Enum)]
pub enum LevelCause {
    /// Nothing is to be saved.
    AllWell,
    /// Battery or heat is unknown: the safe mode.
    Unknown,
    /// The battery is low.
    Battery,
    /// The phone's low-power mode is on.
    LowPowerMode,
    /// The phone is warm.
    Thermal,
    /// The user chose to save.
    UserMode,
    /// A higher level was needed a short while ago.
    Held,
}

/// What the certified floor is due to.
#[uniffi::remote(Enum)]
pub enum FloorCause {
    /// The certificate that the app promises to keep.
    Promise,
    /// An accuracy alarm: a stricter certificate, or a fresh one.
    AccuracyAlarm,
    /// The user chose the strictest certificate.
    PreciseMode,
}

/// What the share of the big network is due to.
#[uniffi::remote(Enum)]
pub enum RateCause {
    /// The level of saving.
    Level,
    /// The thermal headroom.
    Headroom,
    /// The app's budget.
    Budget,
}

/// Which of the demands decided the threshold.
#[uniffi::remote(Enum)]
pub enum ThresholdReason {
    /// The certificate of the level of saving.
    Level,
    /// The level's share of the big network.
    LevelRate,
    /// The share of the big network that thermal headroom allows.
    HeadroomRate,
    /// The share of the big network that the budget allows.
    BudgetRate,
    /// The promise: less was wanted.
    CertifiedFloor,
    /// A floor raised by an accuracy alarm: less was wanted.
    AccuracyAlarm,
    /// The user's wish for precision: less was wanted.
    PreciseMode,
}

/// A budget that the certified floor does not let be kept.
#[uniffi::remote(Record)]
pub struct BudgetInfeasible {
    /// The share of frames that the budget allows the big network.
    pub allowed_rate: f64,
    /// The lowest share that is possible at the floor.
    pub nearest_rate: f64,
    /// The frame rate at which the same is spent in a second as the budget
    /// would spend at the present one.
    pub suggested_frames_per_second: f64,
}

/// What was wrong with readings, counted.
#[uniffi::remote(Record)]
pub struct ReadingFaults {
    /// Values that are no measurement, such as a battery of -1 % or a headroom
    /// of NaN: taken as missing.
    pub ignored: u64,
    /// Values beyond the range: taken as its end.
    pub clamped: u64,
    /// Times before an earlier one: no time was taken to have passed.
    pub backwards: u64,
}

/// What is in force now, and why.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct EngineStatus {
    /// What the first level's score has to be above; infinite where every frame
    /// goes to the big network.
    pub threshold: Threshold,
    /// Which of the demands decided that.
    pub reason: ThresholdReason,
    /// The certified floor: the threshold is not below it unless the app lets
    /// accuracy drop.
    pub floor: Threshold,
    /// What the floor is due to.
    pub floor_cause: FloorCause,
    /// The level of saving, 0 (all well) to 3 (nearly off).
    pub level: u8,
    /// What the level is due to.
    pub level_cause: LevelCause,
    /// The share of frames that may run the big network, 0 to 1.
    pub target_rate: f64,
    /// What that share is due to.
    pub rate_cause: RateCause,
    /// The share of frames so far that ran the big network for their answer, 0
    /// to 1; 0 before the first frame.
    pub escalation_rate: f64,
    /// The frames a second that arrive.
    pub frames_per_second: f64,
    /// Advice: what the frame rate should be multiplied with, above 0 to 1.
    pub frame_rate_factor: f64,
    /// What to do where the certified floor does not let the budget be kept.
    pub budget_infeasible: Option<BudgetInfeasible>,
    /// By how many certificates accuracy alarms have raised the floor.
    pub floor_raised_by: u8,
    /// What was wrong with readings.
    pub faults: ReadingFaults,
}

impl EngineStatus {
    pub(crate) fn of(runtime: &Runtime) -> Self {
        let status = runtime.status();
        let frames = runtime.summary().accounting.frames;
        EngineStatus {
            threshold: status.effective.threshold,
            reason: status.effective.reason,
            floor: status.effective.floor,
            floor_cause: status.demand.floor_cause,
            level: status.demand.level,
            level_cause: status.demand.level_cause,
            target_rate: status.demand.target_rate,
            rate_cause: status.demand.rate_cause,
            escalation_rate: frames.big as f64 / frames.seen.max(1) as f64,
            frames_per_second: status.frames_per_second,
            frame_rate_factor: status.demand.frame_rate_factor,
            budget_infeasible: status.budget_infeasible,
            floor_raised_by: status.floor_raised_by,
            faults: status.faults,
        }
    }
}
