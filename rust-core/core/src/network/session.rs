//! An opened network and the memory of one that runs it.

use std::fmt;
use std::sync::Arc;

use biglittle_kernels::{Isa, Profile, Quantization};
use tract_onnx::prelude::{TValue, Tensor, TypedSimpleState, tvec};

use super::load::{LoadedModel, ModelSummary, OpenPhase, guarded, load};
use super::options::OpenOptions;
use super::program::{CompiledSession, Input, Program};
use super::runtime::Runtime;
use super::verify::ModelLimits;
use crate::error::{Error, ErrorKind, Result};

/// An opened network: checked, simplified and ready to be run by any number of
/// [`Session`]s at once.
#[derive(Debug, Clone)]
pub struct Model(Arc<LoadedModel>);

impl Model {
    /// Opens the bytes of an ONNX file.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidModel`] when the file is malformed, uses an operator
    /// that is not supported, or is beyond one of `limits`.
    pub fn open(bytes: &[u8], limits: &ModelLimits) -> Result<Self> {
        Self::open_with(bytes, limits.into())
    }

    /// As [`open`](Model::open), as `options` say.
    ///
    /// # Errors
    /// Those of [`open`](Model::open), [`ErrorKind::InvalidBundle`] when the
    /// calibration table is for another network, and
    /// [`ErrorKind::InvalidArgument`] when this machine does not have the
    /// instruction set.
    pub fn open_with(bytes: &[u8], options: OpenOptions<'_>) -> Result<Self> {
        Self::open_watched(bytes, options, &mut |_| {})
    }

    /// As [`open_with`](Model::open_with), and calls `watch` at the end of each
    /// phase, so that a caller with a clock can tell where the time goes.
    ///
    /// # Errors
    /// Those of [`open_with`](Model::open_with).
    pub fn open_watched(
        bytes: &[u8],
        options: OpenOptions<'_>,
        watch: &mut dyn FnMut(OpenPhase),
    ) -> Result<Self> {
        Ok(Model(Arc::new(load(bytes, options, watch)?)))
    }

    /// What the file holds.
    #[must_use]
    pub fn summary(&self) -> &ModelSummary {
        &self.0.summary
    }

    /// What runs the network, and why if it is not the kernels.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    /// The instruction set of the kernels; `None` where tract runs all of the
    /// network.
    #[must_use]
    pub fn isa(&self) -> Option<Isa> {
        self.0.isa
    }

    /// How bytes stand for the values of the input, where the network is run in
    /// int8.
    #[must_use]
    pub fn input_quantization(&self) -> Option<Quantization> {
        match &self.0.program {
            Program::Kernels(compiled) => compiled.model.input_quantization(),
            Program::Tract(_) => None,
        }
    }

    /// An empty profile for [`Session::run_profiled`]; `None` where tract runs
    /// the network or a part of it, whose layers are not timed.
    #[must_use]
    pub fn profile(&self) -> Option<Profile> {
        match &self.0.program {
            Program::Kernels(compiled) => Some(Profile::new(&compiled.model)),
            Program::Tract(_) => None,
        }
    }
}

/// The memory in which one thread runs a [`Model`].
pub struct Session {
    model: Model,
    state: State,
}

/// Memory of what runs the network.
enum State {
    Kernels(Box<CompiledSession>),
    Tract { state: Box<TypedSimpleState>, input: Arc<Tensor> },
}

impl State {
    fn new(model: &LoadedModel) -> Result<State> {
        guarded("prepared", ErrorKind::Inference, || {
            Ok(match &model.program {
                Program::Kernels(compiled) => {
                    State::Kernels(Box::new(CompiledSession::new(compiled)))
                }
                Program::Tract(plan) => State::Tract {
                    state: Box::new(plan.spawn()?),
                    input: Arc::new(Tensor::zero::<f32>(&model.summary.input_shape)?),
                },
            })
        })
    }
}

impl Session {
    /// Memory for running `model`.
    ///
    /// # Errors
    /// [`ErrorKind::Inference`] when it cannot be made.
    pub fn new(model: &Model) -> Result<Self> {
        Ok(Session { model: model.clone(), state: State::new(&model.0)? })
    }

    /// Runs the network on `input`, the values of the input's shape in
    /// row-major order or the bytes that stand for them, and replaces the contents
    /// of `output` by its raw values. Where the kernels run all of the network,
    /// nothing is allocated once `output` has room for them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when `input` has another length, or is bytes
    /// and the network is not run in int8; [`ErrorKind::Inference`] when the
    /// network fails.
    pub fn run<'a>(&mut self, input: impl Into<Input<'a>>, output: &mut Vec<f32>) -> Result<()> {
        self.run_with(input.into(), output, None)
    }

    /// As [`run`](Session::run), adding the time of every layer to `profile`,
    /// which was made by [`Model::profile`] of the same model. Reading the
    /// clock between layers costs some time itself.
    ///
    /// # Errors
    /// Those of [`run`](Session::run); [`ErrorKind::Inference`] also when the
    /// profile is of another network. Where tract runs the network, the
    /// profile is left as it is.
    pub fn run_profiled<'a>(
        &mut self,
        input: impl Into<Input<'a>>,
        output: &mut Vec<f32>,
        profile: &mut Profile,
    ) -> Result<()> {
        self.run_with(input.into(), output, Some(profile))
    }

    fn run_with(
        &mut self,
        input: Input<'_>,
        output: &mut Vec<f32>,
        profile: Option<&mut Profile>,
    ) -> Result<()> {
        let summary = self.model.summary();
        let expected: usize = summary.input_shape.iter().product();
        let given = match input {
            Input::Floats(values) => values.len(),
            Input::Bytes(values) => values.len(),
        };
        if given != expected {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "the network's input has {expected} values ({:?}), but {given} were given",
                    summary.input_shape
                ),
            ));
        }
        if let (Input::Bytes(_), None) = (input, self.model.input_quantization()) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "bytes were given to a network that is run by {}: give the values as floats",
                    self.model.runtime()
                ),
            ));
        }
        let values = summary.output_shape.iter().product();
        let state = &mut self.state;
        let run = guarded("run", ErrorKind::Inference, || match state {
            State::Kernels(session) => {
                output.resize(values, 0.0);
                Ok(session.run(input, output, profile)?)
            }
            State::Tract { state, input: tensor } => {
                let Input::Floats(input) = input else { unreachable!("refused before") };
                // tract lets go of the input when a run ends, so this does not copy.
                let owned = Arc::make_mut(tensor);
                owned.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?.copy_from_slice(input);
                let outputs = state.run(tvec!(TValue::from_const(tensor.clone())))?;
                output.clear();
                output.extend_from_slice(outputs[0].try_as_plain_ram()?.as_slice::<f32>()?);
                Ok(())
            }
        });
        if run.is_err() {
            // The state may be half-way through; the next run needs a new one.
            self.state = State::new(&self.model.0)?;
        }
        run
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("summary", self.model.summary()).finish_non_exhaustive()
    }
}
