//! What a network expects of its input: the part of a bundle's manifest that
//! says how frames become tensors.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::tensor::{InputTensor, MAX_INPUT_SIDE};

/// How a frame becomes a network's input.
///
/// In this order: the frame's crop is taken and turned upright, fitted to the
/// input's size as [`fit`](Self::fit) says, resized with
/// [`filter`](Self::filter), brought into [`channels`](Self::channels), and
/// normalised: `value = (pixel - mean) / std` with pixels from 0 to 255.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PreprocessSpec {
    /// The input's columns, 1 to 4096.
    pub width: u32,
    /// The input's rows, 1 to 4096.
    pub height: u32,
    /// The input's channels and their order.
    pub channels: ChannelOrder,
    /// How a frame of another shape is fitted to the input.
    pub fit: Fit,
    /// The resampling filter.
    pub filter: ResizeFilter,
    /// Whether the filter widens when the frame is made smaller, so that every
    /// pixel counts (as Pillow does), or samples at its nominal size (as
    /// OpenCV's linear mode does). `nearest` ignores it.
    #[serde(default = "yes")]
    pub antialias: bool,
    /// What is subtracted from each channel, in pixel values (0 to 255), in the
    /// order of `channels`. `x/255` with mean 0.485 is 123.675 here.
    pub mean: Vec<f32>,
    /// What each channel is then divided by, in pixel values, above 0. `x/255`
    /// with deviation 0.229 is 58.395 here.
    pub std: Vec<f32>,
}

fn yes() -> bool {
    true
}

/// The channels of a network's input, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChannelOrder {
    /// One channel. Colour becomes luma by ITU-R BT.601 weights, in integers
    /// as Pillow's mode `L` does.
    Gray,
    /// Red, green, blue. Gray frames repeat their value.
    Rgb,
    /// Blue, green, red. Gray frames repeat their value.
    Bgr,
}

impl ChannelOrder {
    /// The number of channels.
    #[must_use]
    pub fn count(self) -> u32 {
        match self {
            ChannelOrder::Gray => 1,
            ChannelOrder::Rgb | ChannelOrder::Bgr => 3,
        }
    }
}

/// How a frame is fitted to an input of another shape.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fit {
    /// Both sides are scaled on their own; the aspect ratio is not kept.
    Stretch,
    /// The largest centred rectangle of the input's aspect ratio, shrunk by
    /// `fraction`, is scaled to the input.
    CenterCrop {
        /// The share of that rectangle's sides to keep, above 0, at most 1.
        /// Sides are rounded down to whole pixels and start at half of what is
        /// left over, rounded up (TensorFlow's rule for EfficientNet).
        fraction: f32,
    },
    /// The whole frame is scaled to lie inside the input and centred; the rest
    /// is filled.
    Pad {
        /// The pixel value of the filling, before normalisation.
        value: u8,
    },
}

/// A resampling filter, by its usual name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ResizeFilter {
    /// The nearest pixel.
    Nearest,
    /// The mean of the covered pixels (area).
    Box,
    /// Linear between neighbours (triangle).
    Bilinear,
    /// Cubic with a = -0.5 (Catmull-Rom).
    Bicubic,
    /// Lanczos with three lobes.
    Lanczos3,
}

impl PreprocessSpec {
    /// A tensor of the input's shape, of floats or of bytes.
    ///
    /// # Errors
    /// As [`InputTensor::new`].
    pub fn make_tensor<T: Copy + Default>(&self) -> Result<InputTensor<T>> {
        InputTensor::new(self.channels.count(), self.height, self.width)
    }

    /// The values of pixels: `(pixel - mean) / std`, by channel, as frames are
    /// normalised.
    ///
    /// # Panics
    /// When a tensor is not of the input's shape.
    pub fn normalize(&self, pixels: &InputTensor<u8>, values: &mut InputTensor) {
        assert_eq!(pixels.shape(), values.shape(), "both are of the input's shape");
        let area = (self.width * self.height) as usize;
        let planes = pixels.data().chunks_exact(area).zip(values.data_mut().chunks_exact_mut(area));
        for ((pixels, values), (mean, std)) in planes.zip(self.mean.iter().zip(&self.std)) {
            for (value, pixel) in values.iter_mut().zip(pixels) {
                *value = (f32::from(*pixel) - mean) / std;
            }
        }
    }

    /// Whether pixels are bytes for the values that they are normalised to, with this
    /// scale and zero point: where `scale` is `1 / std` and `zero_point` the whole
    /// number next to `mean`, in every channel.
    #[must_use]
    pub fn keeps_pixels(&self, scale: f32, zero_point: u8) -> bool {
        self.mean.iter().zip(&self.std).all(|(&mean, &std)| {
            // Off by less than a tenth of a step from 0 to 255.
            let steps = f64::from(scale) * f64::from(std);
            (mean - f32::from(zero_point)).abs() <= 0.5 && (steps - 1.0).abs() < 0.1 / 255.0
        })
    }

    /// How far what a pixel stands for as a byte is above its normalised value, in
    /// every channel; 0 unless [`keeps_pixels`](Self::keeps_pixels).
    #[must_use]
    pub fn pixel_offset(&self, scale: f32, zero_point: u8) -> f32 {
        match self.mean.first() {
            Some(mean) if self.keeps_pixels(scale, zero_point) => {
                (mean - f32::from(zero_point)) * scale
            }
            _ => 0.0,
        }
    }

    /// The least and the largest value that a pixel has once it is normalised.
    #[must_use]
    pub fn value_range(&self) -> [f32; 2] {
        let values = |pixel: f32| {
            self.mean.iter().zip(&self.std).map(move |(mean, std)| (pixel - mean) / std)
        };
        [values(0.0).fold(f32::INFINITY, f32::min), values(255.0).fold(f32::NEG_INFINITY, f32::max)]
    }

    /// Checks every field's range.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the field, its value and the
    /// limit.
    pub fn validate(&self) -> Result<()> {
        for (name, side) in [("width", self.width), ("height", self.height)] {
            if side == 0 || side > MAX_INPUT_SIDE {
                return Err(invalid(format!(
                    "{name} is {side}: it must be from 1 to {MAX_INPUT_SIDE}"
                )));
            }
        }
        let channels = self.channels.count() as usize;
        for (name, values) in [("mean", &self.mean), ("std", &self.std)] {
            if values.len() != channels {
                return Err(invalid(format!(
                    "{name} has {} values: give one for each of the {channels} channels",
                    values.len()
                )));
            }
        }
        if let Some(mean) = self.mean.iter().find(|mean| !mean.is_finite()) {
            return Err(invalid(format!("mean holds {mean}: it must be a finite number")));
        }
        if let Some(std) = self.std.iter().find(|std| !(std.is_normal() && **std > 0.0)) {
            return Err(invalid(format!("std holds {std}: it must be a finite number above 0")));
        }
        if let Fit::CenterCrop { fraction } = self.fit
            && !(fraction > 0.0 && fraction <= 1.0)
        {
            return Err(invalid(format!(
                "center_crop fraction is {fraction}: it must be above 0 and at most 1"
            )));
        }
        Ok(())
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
