//! The composition root: a bundle in, an answer a frame out.
//!
//! Decides when networks are opened and joins preprocessing, networks, cascade
//! and clock. Everything it joins can be used without it. Apps come in here.

mod clock;
mod inputs;
mod replay;
mod runtime;
mod saved;
mod stage;
mod watched;

pub use clock::SystemClock;
pub use replay::{DeviceReplay, ReplayStep};
pub use runtime::{
    AlarmOptions, DriftReference, Frame, Plan, RecalibrationOptions, Runtime, RuntimeOptions,
    RuntimeStatus,
};
pub use saved::StateOrigin;
pub use stage::{open_network, takes_pixels};

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrayvec::ArrayVec;

use crate::bundle::{LevelAnswer, LevelSpec, Manifest, ModelBundle};
use crate::cancel::CancelFlag;
use crate::cascade::{Cascade, Level, Member};
use crate::decision::Threshold;
use crate::error::{Error, ErrorKind, Result};
use crate::frame::FrameView;
use crate::network::ModelLimits;
use crate::outcome::{LevelReport, MAX_LEVELS, Outcome};
use crate::state_file::StateFile;
use inputs::Inputs;
use saved::SavedState;
use stage::{SharedModel, Stage};
use watched::Watch;

/// When the networks behind the first level are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opening {
    /// When they are first needed: opening costs least, the first escalation
    /// waits for it, and a network that cannot be opened shows only then, as
    /// [`AnswerStatus::Fallback`](crate::AnswerStatus::Fallback).
    #[default]
    Lazy,
    /// Together with the first: nothing waits later.
    Eager,
    /// As `Eager`, and every network runs once on an empty input, so that the
    /// first frames are not slower than the rest.
    WarmUp,
}

/// How an [`Engine`] opens a bundle.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// When the networks behind the first level are opened.
    pub opening: Opening,
    /// What a network file may ask for.
    pub limits: ModelLimits,
    /// Battery, heat, budget, audits and guards, for bundles of two levels. Left
    /// out, thresholds stay as the bundle gives them and nothing is counted.
    pub runtime: Option<RuntimeOptions>,
    /// Where the run-time state outlives the app; needs `runtime`. A file that is
    /// there is gone on from; one that cannot be used is set aside, never deleted
    /// ([`Engine::state_origin`]). It is written by [`Engine::save_state`] only.
    pub state_path: Option<PathBuf>,
}

/// Classifies frames with the cascade of one bundle.
///
/// One engine serves one thread at a time. [`Engine::worker`] makes more that
/// share the opened networks.
#[derive(Debug)]
pub struct Engine {
    bundle: Arc<ModelBundle>,
    models: Vec<Arc<SharedModel>>,
    inputs: Inputs,
    cascade: Cascade<Stage>,
    clock: SystemClock,
    options: Option<RuntimeOptions>,
    /// How many workers this engine and its workers have made.
    workers: Arc<AtomicU64>,
    watch: Option<Watch>,
    saved: Option<SavedState>,
}

impl Engine {
    /// Opens the cascade of `bundle`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidModel`] when a network that is opened now cannot be,
    /// [`ErrorKind::InvalidBundle`] when one is not what the manifest says,
    /// [`ErrorKind::InvalidArgument`] when a
    /// run-time option is out of range or the bundle has not two levels for it.
    /// A state file that cannot be used is none: see [`Engine::state_origin`].
    pub fn open(bundle: impl Into<Arc<ModelBundle>>, options: &EngineOptions) -> Result<Self> {
        let bundle = bundle.into();
        let models = SharedModel::all_of(&bundle, &options.limits);
        let mut engine = Engine::assemble(bundle, models, options.runtime.clone())?;
        if let Some(path) = &options.state_path {
            let Some(watch) = &mut engine.watch else {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "state_path is given, but the run-time parts are off: set \
                     EngineOptions::runtime, or leave it out",
                ));
            };
            engine.saved = Some(SavedState::open(StateFile::new(path), watch.runtime_mut()));
        }
        let little = engine.bundle.manifest().levels[0].networks.len();
        for (index, stage) in engine.cascade.classifiers_mut().enumerate() {
            match options.opening {
                Opening::Lazy if index >= little => {}
                Opening::Lazy | Opening::Eager => stage.open()?,
                Opening::WarmUp => stage.warm_up()?,
            }
        }
        Ok(engine)
    }

    /// Another engine for another thread, which shares this one's networks:
    /// each is opened once and held in memory once. Its run-time parts begin
    /// anew, without a state file: give it readings of its own.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn worker(&self) -> Result<Engine> {
        let mut options = self.options.clone();
        if let Some(seed) = audit_seed(&mut options) {
            let number = 1 + self.workers.fetch_add(1, Ordering::Relaxed);
            *seed = seed.wrapping_add(number);
        }
        let mut worker = Engine::assemble(self.bundle.clone(), self.models.clone(), options)?;
        worker.options.clone_from(&self.options);
        worker.workers = self.workers.clone();
        // A policy of its own sets the first.
        let first = usize::from(self.watch.is_some());
        for (index, level) in self.cascade.levels().iter().enumerate().skip(first) {
            worker.cascade.set_threshold(index, level.threshold)?;
        }
        Ok(worker)
    }

    fn assemble(
        bundle: Arc<ModelBundle>,
        models: Vec<Arc<SharedModel>>,
        options: Option<RuntimeOptions>,
    ) -> Result<Self> {
        let mut inputs = Inputs::default();
        let levels = make_levels(bundle.manifest(), &models, &mut inputs)?;
        let cascade = Cascade::new(levels, bundle.labels().len())?;
        let watch = options.as_ref().map(|options| Watch::open(&bundle, options)).transpose()?;
        let clock = SystemClock::new();
        let workers = Arc::default();
        Ok(Engine { bundle, models, inputs, cascade, clock, options, workers, watch, saved: None })
    }

    /// Classifies one frame: little first, bigger only when unsure.
    ///
    /// # Errors
    /// [`ErrorKind::Inference`] when no level had a usable answer. A big
    /// network that fails is no error: the little one's answer comes back as
    /// [`AnswerStatus::Fallback`](crate::AnswerStatus::Fallback) with the
    /// failure in it. [`ErrorKind::Cancelled`] when
    /// [`Engine::cancel_flag`] is set before the answer is there.
    pub fn classify(&mut self, frame: &FrameView<'_>) -> Result<Outcome> {
        self.cascade.cancel_flag().check()?;
        let shot = self.inputs.shot(frame);
        match &mut self.watch {
            Some(watch) => watch.classify(&mut self.cascade, &self.clock, &shot),
            None => self.cascade.run(&shot, &self.clock),
        }
    }

    /// Answers one frame with one level alone, whatever its score: the baseline
    /// that the cascade is compared with. A committee level runs the levels
    /// before it too, since their networks are part of its answer.
    ///
    /// # Errors
    /// As [`Engine::classify`], and
    /// [`ErrorKind::InvalidArgument`] when
    /// there is no such level.
    pub fn classify_at(&mut self, level: usize, frame: &FrameView<'_>) -> Result<Outcome> {
        self.cascade.run_level(level, &self.inputs.shot(frame), &self.clock)
    }

    /// Runs every level on one frame, whatever the scores: what a trace
    /// records. `observe` gets each network's number, in the order in which the
    /// levels name them, and its raw values, right after it ran; a network that
    /// failed has none.
    pub fn run_all(
        &mut self,
        frame: &FrameView<'_>,
        observe: &mut impl FnMut(usize, &[f32]),
    ) -> ArrayVec<LevelReport, MAX_LEVELS> {
        self.cascade.run_all(&self.inputs.shot(frame), &self.clock, observe)
    }

    /// Sets what the score of `level` has to beat from the next frame on. With
    /// run-time parts, that of level 0 is theirs to set.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when
    /// there is no such level, or the run-time parts set its threshold.
    pub fn set_threshold(&mut self, level: usize, threshold: Threshold) -> Result<()> {
        if level == 0 && self.watch.is_some() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "the threshold of level 0 follows the run-time policy: change its options instead",
            ));
        }
        self.cascade.set_threshold(level, threshold)
    }

    /// The flag by which another thread stops this engine's runs between levels.
    /// Each worker has its own.
    #[must_use]
    pub fn cancel_flag(&self) -> CancelFlag {
        self.cascade.cancel_flag().clone()
    }

    /// The bundle that this engine runs.
    #[must_use]
    pub fn bundle(&self) -> &ModelBundle {
        &self.bundle
    }

    /// The name of an answer.
    #[must_use]
    pub fn label(&self, label: u32) -> Option<&str> {
        self.bundle.labels().get(label as usize).map(String::as_str)
    }
}

fn audit_seed(options: &mut Option<RuntimeOptions>) -> Option<&mut u64> {
    options.as_mut()?.audit.as_mut()?.seed.as_mut()
}

fn make_levels(
    manifest: &Manifest,
    models: &[Arc<SharedModel>],
    inputs: &mut Inputs,
) -> Result<Vec<Level<Stage>>> {
    let mut member = |id: &String| {
        let index = manifest.networks.iter().position(|network| network.id == *id);
        let index = index.expect("a checked manifest names only networks that it has");
        let spec = &manifest.networks[index];
        let classifier = Stage::new(models[index].clone(), inputs)?;
        Ok(Member { classifier, output: spec.output.clone() })
    };
    let level = |spec: &LevelSpec| {
        Ok(Level {
            members: spec.networks.iter().map(&mut member).collect::<Result<_>>()?,
            committee: spec.answer == LevelAnswer::Committee,
            confidence: spec.confidence,
            threshold: spec.threshold.unwrap_or(Threshold::NEVER_ESCALATE),
        })
    };
    manifest.levels.iter().map(level).collect()
}
