//! An opened network and the memory of one that runs it.

use std::fmt;
use std::sync::Arc;

use tract_onnx::prelude::{TValue, Tensor, TypedSimpleState, tvec};

use super::load::{LoadedModel, ModelSummary, guarded, load};
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
        Ok(Model(Arc::new(load(bytes, limits)?)))
    }

    /// What the file holds.
    #[must_use]
    pub fn summary(&self) -> &ModelSummary {
        &self.0.summary
    }
}

/// The memory in which one thread runs a [`Model`].
pub struct Session {
    model: Model,
    state: TypedSimpleState,
    input: Arc<Tensor>,
}

impl Session {
    /// Memory for running `model`.
    ///
    /// # Errors
    /// [`ErrorKind::Inference`] when tract cannot make it.
    pub fn new(model: &Model) -> Result<Self> {
        let (state, input) = guarded("prepared", ErrorKind::Inference, || {
            let input = Tensor::zero::<f32>(&model.summary().input_shape)?;
            Ok((model.0.plan.spawn()?, input))
        })?;
        Ok(Session { model: model.clone(), state, input: Arc::new(input) })
    }

    /// Runs the network on `input`, the values of the input's shape in
    /// row-major order, and replaces the contents of `output` by its raw
    /// values.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when `input` has another length,
    /// [`ErrorKind::Inference`] when the network fails.
    pub fn run(&mut self, input: &[f32], output: &mut Vec<f32>) -> Result<()> {
        let expected = self.input.len();
        if input.len() != expected {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "the network's input has {expected} values ({:?}), but {} were given",
                    self.model.summary().input_shape,
                    input.len()
                ),
            ));
        }
        let Session { model, state, input: tensor } = self;
        let run = guarded("run", ErrorKind::Inference, || {
            // tract lets go of the input when a run ends, so this does not copy.
            let owned = Arc::make_mut(tensor);
            owned.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?.copy_from_slice(input);
            let outputs = state.run(tvec!(TValue::from_const(tensor.clone())))?;
            output.clear();
            output.extend_from_slice(outputs[0].try_as_plain_ram()?.as_slice::<f32>()?);
            Ok(())
        });
        if run.is_err() {
            // The state may be half-way through; the next run needs a new one.
            *state = guarded("prepared", ErrorKind::Inference, || model.0.plan.spawn())?;
        }
        run
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("summary", self.model.summary()).finish_non_exhaustive()
    }
}
