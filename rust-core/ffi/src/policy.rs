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

#[uniffi::remote(Record)]
pub struct CertifiedThreshold {
    pub eps: f64,
    pub threshold: Threshold,
}

#[uniffi::remote(Enum)]
pub enum LevelCause {
    AllWell,
    Unknown,
    Battery,
    LowPowerMode,
    Thermal,
    UserMode,
    Held,
}

#[uniffi::remote(Enum)]
pub enum FloorCause {
    Promise,
    AccuracyAlarm,
    PreciseMode,
}

#[uniffi::remote(Enum)]
pub enum RateCause {
    Level,
    Headroom,
    Budget,
}

#[uniffi::remote(Enum)]
pub enum ThresholdReason {
    Level,
    LevelRate,
    HeadroomRate,
    BudgetRate,
    CertifiedFloor,
    AccuracyAlarm,
    PreciseMode,
}

#[uniffi::remote(Record)]
pub struct BudgetInfeasible {
    pub allowed_rate: f64,
    pub nearest_rate: f64,
    pub suggested_frames_per_second: f64,
}

#[uniffi::remote(Record)]
pub struct ReadingFaults {
    pub ignored: u64,
    pub clamped: u64,
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
