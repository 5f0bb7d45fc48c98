//! The owned input of a network.
//!
//! Decides the layout of network inputs: one image, channels first (NCHW with
//! N = 1, as ONNX image networks take it), of float32 or, for quantized networks
//! that take pixels as they are, of bytes. Written by
//! [`preprocess`](crate::preprocess), read by [`network`](crate::network).

use crate::error::{Error, ErrorKind, Result};

/// The longest side of a network's input, in pixels.
pub const MAX_INPUT_SIDE: u32 = 4_096;

/// One image as a network takes it: `channels` planes of `height` rows of
/// `width` values.
#[derive(Debug, Clone, PartialEq)]
pub struct InputTensor<T = f32> {
    channels: usize,
    height: usize,
    width: usize,
    data: Vec<T>,
}

impl<T: Copy + Default> InputTensor<T> {
    /// A tensor of zeros.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] unless there are 1 to 4 channels and both
    /// sides are from 1 to [`MAX_INPUT_SIDE`].
    pub fn new(channels: u32, height: u32, width: u32) -> Result<Self> {
        if !(1..=4).contains(&channels) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("input has {channels} channels: it must have from 1 to 4"),
            ));
        }
        for (name, side) in [("height", height), ("width", width)] {
            if side == 0 || side > MAX_INPUT_SIDE {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("input {name} is {side} pixels: it must be from 1 to {MAX_INPUT_SIDE}"),
                ));
            }
        }
        let (channels, height, width) = (channels as usize, height as usize, width as usize);
        Ok(InputTensor {
            channels,
            height,
            width,
            data: vec![T::default(); channels * height * width],
        })
    }

    /// `[1, channels, height, width]`.
    #[must_use]
    pub fn shape(&self) -> [usize; 4] {
        [1, self.channels, self.height, self.width]
    }

    /// The values, channel by channel, row by row.
    #[must_use]
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The values, to be written.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }
}
