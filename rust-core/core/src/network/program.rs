//! The forms in which a network, or a part of one, is run.
//!
//! Decides nothing about networks: holds what `load` has made. `session` runs a
//! whole network from here, `region` a part inside tract's model.

use std::sync::Arc;

use biglittle_kernels as kernels;
use tract_onnx::prelude::TypedRunnableModel;

/// A network in the form of what runs it.
#[derive(Debug)]
pub(super) enum Program {
    /// Lowered whole.
    Kernels(Compiled),
    /// tract's optimised graph, in which a part may be a
    /// [`Region`](super::region::Region).
    Tract(Arc<TypedRunnableModel>),
}

/// What the kernels run: plan and packed weights.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub(super) model: Arc<kernels::Model>,
    /// Whether the logarithm of the softmax is taken of the outputs.
    pub(super) log_softmax: bool,
}

/// What a network is run on: the elements of its input in row-major order.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// The values.
    Floats(&'a [f32]),
    /// What stands for them by
    /// [`Model::input_quantization`](super::Model::input_quantization).
    Bytes(&'a [u8]),
}

impl<'a> From<&'a [f32]> for Input<'a> {
    fn from(values: &'a [f32]) -> Self {
        Input::Floats(values)
    }
}

impl<'a> From<&'a Vec<f32>> for Input<'a> {
    fn from(values: &'a Vec<f32>) -> Self {
        Input::Floats(values)
    }
}

impl<'a> From<&'a [u8]> for Input<'a> {
    fn from(values: &'a [u8]) -> Self {
        Input::Bytes(values)
    }
}

/// The memory of one that runs a [`Compiled`].
#[derive(Debug)]
pub(super) struct CompiledSession {
    session: kernels::Session,
    log_softmax: bool,
}

impl CompiledSession {
    pub(super) fn new(compiled: &Compiled) -> CompiledSession {
        CompiledSession {
            session: kernels::Session::new(compiled.model.clone()),
            log_softmax: compiled.log_softmax,
        }
    }

    /// Runs once, adding the times of the layers to `profile`; allocates
    /// nothing.
    pub(super) fn run(
        &mut self,
        input: Input<'_>,
        output: &mut [f32],
        profile: Option<&mut kernels::Profile>,
    ) -> Result<(), kernels::Error> {
        let session = &mut self.session;
        match (input, profile) {
            (Input::Floats(input), None) => session.run(input, output)?,
            (Input::Floats(input), Some(profile)) => {
                session.run_profiled(input, output, profile)?;
            }
            (Input::Bytes(input), None) => session.run_bytes(input, output)?,
            (Input::Bytes(input), Some(profile)) => {
                session.run_bytes_profiled(input, output, profile)?;
            }
        }
        if self.log_softmax {
            take_log_softmax(output);
        }
        Ok(())
    }
}

/// Replaces logits by the logarithm of their softmax.
fn take_log_softmax(values: &mut [f32]) {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = values.iter().map(|value| libm::expf(value - largest)).sum();
    let shift = largest + libm::logf(sum);
    values.iter_mut().for_each(|value| *value -= shift);
}
