//! From a camera frame to a network's input, exactly as the bundle says.
//!
//! Decides geometry (crop, fit, rotation), filtering and normalisation. Called
//! by [`engine`](crate::engine) once a network; every network is fed from the
//! original frame. The same [`PreprocessSpec`] gives the same tensor on every
//! device.

mod colour;
mod geometry;
mod normalize;
mod resize;
mod spec;

pub use spec::{ChannelOrder, Fit, PreprocessSpec, ResizeFilter};

use crate::error::Result;
use crate::frame::FrameView;
use crate::tensor::InputTensor;
use geometry::Geometry;
use normalize::Normalizer;
use resize::FrameResizer;

/// Turns frames into one network's input, reusing its scratch memory. A frame
/// that has to be resized still costs some small allocations: the resizer makes
/// its filter tables anew.
#[derive(Debug)]
pub struct Preprocessor {
    spec: PreprocessSpec,
    resizer: FrameResizer,
    normalizer: Normalizer,
}

impl Preprocessor {
    /// A preprocessor for `spec`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when
    /// the specification is out of range; see [`PreprocessSpec::validate`].
    pub fn new(spec: &PreprocessSpec) -> Result<Self> {
        spec.validate()?;
        Ok(Preprocessor {
            spec: spec.clone(),
            resizer: FrameResizer::new(spec.filter, spec.antialias),
            normalizer: Normalizer::new(spec),
        })
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
        self.normalizer.check_shape(tensor)?;
        let geometry = Geometry::new(frame, &self.spec);
        let pixels = self.resizer.resize(frame, &geometry)?;
        self.normalizer.run(&pixels, frame.rotation(), &geometry, tensor);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
