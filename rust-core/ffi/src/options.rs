//! How an engine is opened: the options that apps set, in plain values.

use biglittle::device::UserMode;
use biglittle::engine::{self, AlarmOptions, Opening, RecalibrationOptions};
use biglittle::gate::GateOptions;
use biglittle::monitor::AuditOptions;
use biglittle::policy::{Budget, BudgetKind, FrameCosts};
use biglittle::storm::{StormOptions, StormPriority};
use biglittle::{ModelBundle, ModelLimits};

use crate::error::NativeError;

/// What the run-time parts of an engine began with.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum StateOrigin {
    /// Nothing: no file was there, or none was asked for.
    Fresh,
    /// What the file had.
    Restored,
    /// Nothing, since the file could not be used. It was kept.
    SetAside {
        /// The new path of the file.
        kept_as: String,
        /// What was wrong with it.
        reason: String,
    },
    /// Nothing, since the file could not be read, or not be set aside. It stays
    /// as it is.
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl From<&engine::StateOrigin> for StateOrigin {
    fn from(origin: &engine::StateOrigin) -> Self {
        match origin {
            engine::StateOrigin::Fresh => StateOrigin::Fresh,
            engine::StateOrigin::Restored => StateOrigin::Restored,
            engine::StateOrigin::SetAside { kept_as, reason } => StateOrigin::SetAside {
                kept_as: kept_as.display().to_string(),
                reason: reason.clone(),
            },
            engine::StateOrigin::Unavailable { reason } => {
                StateOrigin::Unavailable { reason: reason.clone() }
            }
        }
    }
}

/// When the networks behind the first level are opened.
#[uniffi::remote(Enum)]
pub enum Opening {
    /// When they are first needed: opening costs least, the first escalation
    /// waits for it, and a network that cannot be opened shows only then, as
    /// `Fallback`.
    Lazy,
    /// Together with the first: nothing waits later.
    Eager,
    /// As `Eager`, and every network runs once on an empty input, so that the
    /// first frames are not slower than the rest.
    WarmUp,
}

/// A budget, and what frames cost where it is one of energy.
#[uniffi::remote(Record)]
pub struct Budget {
    /// What may be spent.
    pub kind: BudgetKind,
    /// What a frame costs; needed unless the budget is a share.
    #[uniffi(default = None)]
    pub costs: Option<FrameCosts>,
}

/// What may be spent.
#[uniffi::remote(Enum)]
pub enum BudgetKind {
    /// This share of frames may run the big network, 0 to 1.
    BigShare(f64),
    /// A frame may cost this many millijoules in the mean, above 0.
    EnergyPerFrame(f64),
    /// The battery is to last.
    BatteryUntil {
        /// Until when, on the clock of the readings.
        until_ms: u64,
        /// The percentage that is to be left then, 0 to 100.
        reserve_percent: f64,
        /// What the full battery holds, in joules, above 0.
        capacity_joules: f64,
        /// What everything else on the phone takes, in milliwatts.
        other_milliwatts: f64,
    },
}

/// What one frame costs, in millijoules.
#[uniffi::remote(Record)]
pub struct FrameCosts {
    /// The little network with everything that happens for every frame, 0 or
    /// more.
    pub little_millijoules: f64,
    /// The big network, above 0.
    pub big_millijoules: f64,
}

/// When an earlier answer is good enough.
#[uniffi::remote(Record)]
pub struct GateOptions {
    /// The largest mean difference of brightness over the picture, 0 to 255.
    pub mean_difference: f32,
    /// The largest difference of any of its 256 cells, 0 to 255: something small
    /// that moves.
    pub cell_difference: u8,
    /// How old the answer may be.
    pub max_age_ms: u64,
}

/// How much of the big network is allowed at once, and what happens else.
#[uniffi::remote(Record)]
pub struct StormOptions {
    /// Runs of the big network a second in the long run, above 0.
    pub runs_per_second: f64,
    /// Runs that may be saved up for a burst, at least 1.
    pub burst: f64,
    /// The longest time from a frame's arrival to its answer, by how long the
    /// big network took lately. 0 for no deadline.
    pub deadline_ms: f64,
    /// What gives way.
    pub priority: StormPriority,
}

/// How often frames are audited.
#[uniffi::remote(Record)]
pub struct AuditOptions {
    /// The probability of an audit, 0 (never) to 1.
    #[uniffi(default = 0.01)]
    pub probability: f64,
    /// The probability after a drift alarm, not less.
    #[uniffi(default = 0.05)]
    pub raised_probability: f64,
    /// For how many frames it is raised.
    #[uniffi(default = 20000)]
    pub raised_frames: u32,
    /// Where the random numbers begin, for runs that are to be repeated. Left out,
    /// they begin elsewhere in every session.
    #[uniffi(default = None)]
    pub seed: Option<u64>,
}

/// What happens to an unsure frame for which the big network may not run.
#[uniffi::remote(Enum)]
pub enum StormPriority {
    /// It is dropped and counted: every answer that is given is within the
    /// certificate.
    CertificateFirst,
    /// The little network's answer is given, marked degraded and counted apart:
    /// it is outside the certificate.
    LatencyFirst,
}

/// Which rates of audited answers that differ are told apart.
#[uniffi::remote(Record)]
pub struct AlarmOptions {
    /// The rate that is expected: of audited frames those whose answer was
    /// accepted and differs from the big network's. Between 0 and 1.
    pub expected: f64,
    /// The rate that must not go unnoticed, larger.
    pub alarming: f64,
}

/// How a fresh certificate is made on the device, from audited frames.
#[uniffi::remote(Record)]
pub struct RecalibrationOptions {
    /// How many audited frames it takes; each is used once. At most 100,000.
    pub rows: u32,
    /// The largest probability that it is broken, between 0 and 1.
    pub delta: f64,
}

/// How an engine opens a bundle.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct EngineOptions {
    /// When the networks behind the first level are opened.
    pub opening: Opening,
    /// Battery, heat, budget, audits and guards, for bundles of two levels. Left
    /// out, thresholds stay as the bundle gives them and nothing is counted.
    #[uniffi(default = None)]
    pub runtime: Option<RuntimeOptions>,
    /// A file in which the run-time state outlives the app; needs `runtime`. It
    /// is written by `save_state` only. One engine at a time may use it.
    #[uniffi(default = None)]
    pub state_path: Option<String>,
}

/// What the run-time policy is told once. A part whose settings are left out is
/// off.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct RuntimeOptions {
    /// What the user prefers; left out, what the saved state says, or balanced.
    #[uniffi(default = None)]
    pub mode: Option<UserMode>,
    /// Whether the threshold may go below the certified floor to save energy.
    /// Every answer that the floor would not have accepted is then marked.
    #[uniffi(default = false)]
    pub accuracy_may_drop: bool,
    /// What may be spent on the big network.
    #[uniffi(default = None)]
    pub budget: Option<Budget>,
    /// Random looks at accepted answers: what the saving and the disagreement
    /// are estimated from.
    #[uniffi(default = None)]
    pub audit: Option<AuditOptions>,
    /// When audits raise the accuracy alarm, and with it the floor; needs `audit`.
    #[uniffi(default = None)]
    pub accuracy_alarm: Option<AlarmOptions>,
    /// A fresh certificate after an accuracy alarm, from audited frames; needs
    /// `audit` and `accuracy_alarm`.
    #[uniffi(default = None)]
    pub recalibration: Option<RecalibrationOptions>,
    /// Answers of earlier frames of a video for frames that look the same.
    #[uniffi(default = None)]
    pub gate: Option<GateOptions>,
    /// A guard against bursts of unsure frames.
    #[uniffi(default = None)]
    pub storm: Option<StormOptions>,
}

impl EngineOptions {
    pub(crate) fn for_bundle(
        &self,
        bundle: &ModelBundle,
    ) -> Result<engine::EngineOptions, NativeError> {
        let runtime = match &self.runtime {
            Some(options) => Some(options.for_bundle(bundle)?),
            None => None,
        };
        let state_path = self.state_path.as_ref().map(Into::into);
        let limits = ModelLimits::default();
        Ok(engine::EngineOptions { opening: self.opening, limits, runtime, state_path })
    }
}

impl RuntimeOptions {
    fn for_bundle(&self, bundle: &ModelBundle) -> Result<engine::RuntimeOptions, NativeError> {
        let mut options = engine::RuntimeOptions::of_bundle(bundle)?;
        options.policy.accuracy_may_drop = self.accuracy_may_drop;
        options.budget = self.budget;
        options.audit = self.audit;
        options.accuracy_alarm = self.accuracy_alarm;
        options.recalibration = self.recalibration;
        options.gate = self.gate;
        options.storm = self.storm;
        Ok(options)
    }
}
