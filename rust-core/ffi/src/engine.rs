//! The engine that Kotlin and Swift hold.

use std::sync::Arc;

use biglittle::device::{DeviceReading, UserMode};
use biglittle::engine::Engine;
use biglittle::monitor::EnergyModel;
use biglittle::policy::Budget;
use biglittle::{FrameView, ModelBundle, Outcome};

use crate::answer::Answer;
use crate::error::{NativeError, guarded};
use crate::frame::FrameLayout;
use crate::handles::Handle;
use crate::info::{BundleInfo, big_macs};
use crate::options::{EngineOptions, StateOrigin};
use crate::policy::EngineStatus;
use crate::savings::SavingsReport;
use crate::slot::Slot;

/// The cascade of one bundle.
///
/// Any thread may call it. `classify` runs on the calling thread, one at a time;
/// `push_reading`, `set_mode`, `set_budget`, `cancel` and `close` never wait for
/// it; what looks at the engine (`status`, `savings`, `summary_json`,
/// `save_state`) waits for the frame in progress.
#[derive(uniffi::Object)]
pub struct NativeEngine {
    slot: Slot<Engine>,
    labels: Arc<[String]>,
    info: BundleInfo,
    big_macs: u64,
    has_runtime: bool,
    pub(crate) handle: Handle,
}

#[uniffi::export]
impl NativeEngine {
    /// Opens a bundle: a folder or a `.biglittle` file.
    ///
    /// # Errors
    /// `Io` when it cannot be read, `InvalidBundle` or `InvalidModel` when it
    /// cannot be used, `InvalidArgument` when an option is out of range.
    #[uniffi::constructor]
    pub fn open_path(path: String, options: EngineOptions) -> Result<Arc<Self>, NativeError> {
        guarded(|| NativeEngine::open(ModelBundle::open(path)?, &options))
    }

    /// Opens a bundle from the bytes of a `.biglittle` file, which may be let go
    /// afterwards.
    ///
    /// # Errors
    /// As `open_path`.
    #[uniffi::constructor]
    pub fn open_bytes(bytes: &[u8], options: EngineOptions) -> Result<Arc<Self>, NativeError> {
        guarded(|| NativeEngine::open(ModelBundle::from_bytes(bytes)?, &options))
    }

    /// Classifies one frame, whose bytes are only looked at. Planes that the
    /// format does not have are empty.
    ///
    /// # Errors
    /// `InvalidFrame` when the layout does not fit the bytes, `Inference` when
    /// no level had a usable answer, `Busy` when another thread is classifying,
    /// `Cancelled` and `Closed`.
    pub fn classify(
        &self,
        plane0: &[u8],
        plane1: &[u8],
        plane2: &[u8],
        layout: FrameLayout,
    ) -> Result<Answer, NativeError> {
        guarded(|| {
            let frame = layout.view([plane0, plane1, plane2])?;
            Ok(Answer::new(&self.run(&frame)?, &self.labels))
        })
    }

    /// Takes a reading of the device; without run-time options it changes
    /// nothing.
    ///
    /// # Errors
    /// `Closed`.
    pub fn push_reading(&self, reading: DeviceReading) -> Result<(), NativeError> {
        guarded(|| self.slot.change(move |engine| engine.push_reading(&reading)))
    }

    /// Sets what the user prefers.
    ///
    /// # Errors
    /// `Closed`, and `InvalidArgument` without run-time options.
    pub fn set_mode(&self, mode: UserMode) -> Result<(), NativeError> {
        guarded(|| {
            self.needs_runtime()?;
            self.slot.change(move |engine| {
                if let Some(runtime) = engine.runtime_mut() {
                    runtime.set_mode(mode);
                }
            })
        })
    }

    /// Sets what may be spent on the big network, or that nothing limits it.
    ///
    /// # Errors
    /// `Closed`, and `InvalidArgument` when a field is out of range or there are
    /// no run-time options.
    pub fn set_budget(&self, budget: Option<Budget>) -> Result<(), NativeError> {
        guarded(|| {
            self.needs_runtime()?;
            if let Some(budget) = &budget {
                budget.validate()?;
            }
            self.slot.change(move |engine| {
                if let Some(runtime) = engine.runtime_mut() {
                    runtime.set_budget(budget).expect("it was checked before it was sent here");
                }
            })
        })
    }

    /// What is in force now, and why.
    ///
    /// # Errors
    /// `Closed`, and `InvalidArgument` without run-time options.
    pub fn status(&self) -> Result<EngineStatus, NativeError> {
        guarded(|| self.look(|engine| Ok(EngineStatus::of(engine.runtime().ok_or_else(off)?))))
    }

    /// What was spent and saved so far; the energy by `model`.
    ///
    /// # Errors
    /// As `status`.
    pub fn savings(&self, model: EnergyModel) -> Result<SavingsReport, NativeError> {
        guarded(|| {
            self.look(|engine| {
                let runtime = engine.runtime().ok_or_else(off)?;
                Ok(SavingsReport::of(runtime, &model, self.big_macs))
            })
        })
    }

    /// The sums of this session as JSON, as `biglittle report` reads them: no
    /// image, no answer, nothing that tells one phone from another.
    ///
    /// # Errors
    /// As `status`.
    pub fn summary_json(&self) -> Result<String, NativeError> {
        guarded(|| {
            self.look(|engine| {
                let runtime = engine.runtime().ok_or_else(off)?;
                serde_json::to_string(runtime.summary()).map_err(|error| {
                    NativeError::Internal(format!("the summary cannot be written: {error}"))
                })
            })
        })
    }

    /// Writes the run-time state to the file of the options. Call it when the
    /// app is put away. It takes milliseconds, during which another thread's
    /// `classify` ends with `Busy`.
    ///
    /// # Errors
    /// As `status`; `Io` when the file cannot be written, `InvalidArgument` when
    /// the options name none.
    pub fn save_state(&self) -> Result<(), NativeError> {
        guarded(|| Ok(self.slot.take_when_back()?.engine().save_state()?))
    }

    /// What the run-time state began with.
    ///
    /// # Errors
    /// `Closed`.
    pub fn state_origin(&self) -> Result<StateOrigin, NativeError> {
        guarded(|| self.look(|engine| Ok(engine.state_origin().into())))
    }

    /// The names of the answers, in the order of their indices.
    ///
    /// # Errors
    /// `Closed`.
    pub fn labels(&self) -> Result<Vec<String>, NativeError> {
        guarded(|| self.open_still().map(|()| self.labels.to_vec()))
    }

    /// What the bundle says about itself.
    ///
    /// # Errors
    /// `Closed`.
    pub fn describe(&self) -> Result<BundleInfo, NativeError> {
        guarded(|| self.open_still().map(|()| self.info.clone()))
    }

    /// Stops the run in progress before its next network: it ends with
    /// `Cancelled`. Without one it does nothing.
    ///
    /// # Errors
    /// None; a result because every function of this layer gives one.
    pub fn cancel(&self) -> Result<(), NativeError> {
        guarded(|| {
            self.slot.cancel();
            Ok(())
        })
    }

    /// Frees the networks: now, or when the run in progress has ended between
    /// levels. Every later call ends with `Closed`; closing again does nothing.
    ///
    /// # Errors
    /// None; a result because every function of this layer gives one.
    pub fn close(&self) -> Result<(), NativeError> {
        guarded(|| {
            self.slot.close();
            Ok(())
        })
    }
}

impl NativeEngine {
    fn open(bundle: ModelBundle, options: &EngineOptions) -> Result<Arc<Self>, NativeError> {
        let opened = options.for_bundle(&bundle)?;
        let (info, big_macs) = (BundleInfo::of(&bundle), big_macs(&bundle));
        let labels = bundle.labels().clone();
        let mut engine = Engine::open(bundle, &opened)?;
        if let (Some(runtime), Some(options)) = (engine.runtime_mut(), &options.runtime)
            && let Some(mode) = options.mode
        {
            runtime.set_mode(mode);
        }
        let cancel = engine.cancel_flag();
        let has_runtime = opened.runtime.is_some();
        let slot = Slot::new(engine, cancel);
        Ok(Arc::new_cyclic(|engine| NativeEngine {
            slot,
            labels,
            info,
            big_macs,
            has_runtime,
            handle: Handle::new(engine),
        }))
    }

    /// One frame through the cascade, on this thread.
    pub(crate) fn run(&self, frame: &FrameView<'_>) -> Result<Outcome, NativeError> {
        let mut run = self.slot.take()?;
        let answer = run.engine().classify(frame);
        drop(run);
        answer.map_err(|error| match error.into() {
            NativeError::Cancelled(_) if self.slot.is_closed() => NativeError::closed(),
            other => other,
        })
    }

    fn look<T>(
        &self,
        look: impl FnOnce(&mut Engine) -> Result<T, NativeError>,
    ) -> Result<T, NativeError> {
        self.slot.look(look)?
    }

    fn open_still(&self) -> Result<(), NativeError> {
        if self.slot.is_closed() { Err(NativeError::closed()) } else { Ok(()) }
    }

    fn needs_runtime(&self) -> Result<(), NativeError> {
        if self.has_runtime { Ok(()) } else { Err(off()) }
    }
}

fn off() -> NativeError {
    NativeError::InvalidArgument(
        "the engine was opened without run-time options: thresholds are fixed and nothing is \
         counted; give EngineOptions.runtime"
            .into(),
    )
}
