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
use normalize::{check_shape, normalize};
use plan::Plan;

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
        InputTensor::new(self.spec.channels.count(), self.spec.height, self.spec.width)
    }

    /// Fills `tensor` from `frame`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when
    /// `tensor` has another shape than [`Preprocessor::make_tensor`] gives.
    pub fn run(&mut self, frame: &FrameView<'_>, tensor: &mut InputTensor) -> Result<()> {
        check_shape(&self.spec, tensor)?;
        let plan = match &mut self.plan {
            Some(plan) if plan.fits(frame) => plan,
            plan => plan.insert(Plan::new(frame, &self.spec)),
        };
        let image = plan.run(frame, &self.kernels);
        normalize(&image, &self.spec, &self.kernels, tensor);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
