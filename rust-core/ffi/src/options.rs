//! How an engine is opened: the options that apps set, in plain values.

use biglittle::device::UserMode;
use biglittle::engine::{self, Opening};
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

#[uniffi::remote(Enum)]
pub enum Opening {
    Lazy,
    Eager,
    WarmUp,
}

#[uniffi::remote(Record)]
pub struct Budget {
    pub kind: BudgetKind,
    #[uniffi(default = None)]
    pub costs: Option<FrameCosts>,
}

#[uniffi::remote(Enum)]
pub enum BudgetKind {
    BigShare(f64),
    EnergyPerFrame(f64),
    BatteryUntil {
        until_ms: u64,
        reserve_percent: f64,
        capacity_joules: f64,
        other_milliwatts: f64,
    },
}

#[uniffi::remote(Record)]
pub struct FrameCosts {
    pub little_millijoules: f64,
    pub big_millijoules: f64,
}

#[uniffi::remote(Record)]
pub struct GateOptions {
    pub mean_difference: f32,
    pub cell_difference: u8,
    pub max_age_ms: u64,
}

#[uniffi::remote(Record)]
pub struct StormOptions {
    pub runs_per_second: f64,
    pub burst: f64,
    pub deadline_ms: f64,
    pub priority: StormPriority,
}

#[uniffi::remote(Record)]
pub struct AuditOptions {
    #[uniffi(default = 0.01)]
    pub probability: f64,
    #[uniffi(default = 0.05)]
    pub raised_probability: f64,
    #[uniffi(default = 20000)]
    pub raised_frames: u32,
    #[uniffi(default = 0)]
    pub seed: u64,
}

#[uniffi::remote(Enum)]
pub enum StormPriority {
    CertificateFirst,
    LatencyFirst,
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
        options.gate = self.gate;
        options.storm = self.storm;
        Ok(options)
    }
}
