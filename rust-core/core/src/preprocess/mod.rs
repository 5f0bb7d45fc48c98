//! From a camera frame to a network's input, exactly as the bundle says.
//!
//! Decides geometry (crop, fit, rotation), filtering and normalisation. Called
//! by [`engine`](crate::engine) once a network; every network is fed from the
//! original frame. The same [`PreprocessSpec`] gives the same tensor on every
//! device.

mod colour;
mod filter;
mod geometry;
mod layer;
mod normalize;
mod plan;
mod spec;
mod turn;

pub use spec::{ChannelOrder, Fit, PreprocessSpec, ResizeFilter};

use biglittle_kernels::PixelKernels;

use crate::error::Result;
use crate::frame::FrameView;
use crate::tensor::InputTensor;
use normalize::{check_shape, copy, normalize};
use plan::{Plan, Upright};

/// Turns frames into one network's input.
///
/// The first frame of a shape (format, crop, rotation, encoding) is planned for;
/// after it, frames of that shape and of its pixel strides allocate nothing.
#[derive(Debug)]
pub struct Preprocessor {
    spec: PreprocessSpec,
    kernels: PixelKernels,
    plan: Option<Plan>,
}

impl Preprocessor {
    /// A preprocessor for `spec`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when
    /// the specification is out of range; see [`PreprocessSpec::validate`].
    pub fn new(spec: &PreprocessSpec) -> Result<Self> {
        spec.validate()?;
        Ok(Preprocessor { spec: spec.clone(), kernels: PixelKernels::detect(), plan: None })
    }

    /// A tensor of the shape that [`Preprocessor::run`] fills.
    ///
    /// # Errors
    /// As [`InputTensor::new`].
    pub fn make_tensor(&self) -> Result<InputTensor> {
        self.spec.make_tensor()
    }

    /// Fills `tensor` from `frame`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when
    /// `tensor` has another shape than [`Preprocessor::make_tensor`] gives.
    pub fn run(&mut self, frame: &FrameView<'_>, tensor: &mut InputTensor) -> Result<()> {
        check_shape(&self.spec, tensor)?;
        self.resize(frame).normalize(tensor);
        Ok(())
    }

    /// Fills `tensor` from `frame` with pixels from 0 to 255, not normalised:
    /// what a network takes whose quantized input
    /// [is the pixels](PreprocessSpec::keeps_pixels).
    ///
    /// # Errors
    /// As [`Preprocessor::run`].
    pub fn run_bytes(&mut self, frame: &FrameView<'_>, tensor: &mut InputTensor<u8>) -> Result<()> {
        check_shape(&self.spec, tensor)?;
        self.resize(frame).copy(tensor);
        Ok(())
    }

    /// The frame in the input's size and colours.
    pub(crate) fn resize(&mut self, frame: &FrameView<'_>) -> Resized<'_> {
        let plan = self.plan.take().filter(|plan| plan.fits(frame));
        let plan = self.plan.insert(plan.unwrap_or_else(|| Plan::new(frame, &self.spec)));
        plan.run(frame, &self.kernels);
        Resized { image: plan.upright(), spec: &self.spec, kernels: &self.kernels }
    }

    /// The last frame that was resized; `None` before any was.
    pub(crate) fn resized(&self) -> Option<Resized<'_>> {
        let plan = self.plan.as_ref()?;
        Some(Resized { image: plan.upright(), spec: &self.spec, kernels: &self.kernels })
    }
}

/// A frame in the input's size and colours, from which inputs of the
/// preprocessor's shape are made.
pub(crate) struct Resized<'a> {
    image: Upright<'a>,
    spec: &'a PreprocessSpec,
    kernels: &'a PixelKernels,
}

impl Resized<'_> {
    pub(crate) fn normalize(&self, tensor: &mut InputTensor) {
        normalize(&self.image, self.spec, self.kernels, tensor);
    }

    pub(crate) fn copy(&self, tensor: &mut InputTensor<u8>) {
        copy(&self.image, self.spec, tensor);
    }
}

#[cfg(test)]
mod tests;
