//! From upright bytes to the input: colour order, padding and, for floats,
//! normalisation. The last step of preprocessing.

use biglittle_kernels::PixelKernels;

use super::plan::Upright;
use super::spec::{ChannelOrder, Fit, PreprocessSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::tensor::InputTensor;

/// Checks that `tensor` is what `spec` asks for.
pub(super) fn check_shape<T: Copy + Default>(
    spec: &PreprocessSpec,
    tensor: &InputTensor<T>,
) -> Result<()> {
    let shape = [1, spec.channels.count(), spec.height, spec.width].map(|n| n as usize);
    if tensor.shape() == shape {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!(
            "the tensor has shape {:?}, but preprocessing makes {shape:?}: use the tensor of \
             make_tensor",
            tensor.shape()
        ),
    ))
}

/// Fills `tensor` with `(pixel - mean) / std`.
pub(super) fn normalize(
    image: &Upright<'_>,
    spec: &PreprocessSpec,
    kernels: &PixelKernels,
    tensor: &mut InputTensor,
) {
    fill(image, spec, tensor, |channel, pixels, values| {
        kernels.normalize(pixels, spec.mean[channel], spec.std[channel], values);
    });
}

/// Fills `tensor` with the pixels.
pub(super) fn copy(image: &Upright<'_>, spec: &PreprocessSpec, tensor: &mut InputTensor<u8>) {
    fill(image, spec, tensor, |_, pixels, values| values.copy_from_slice(pixels));
}

/// Fills `tensor` by `convert`, which gets a channel's number, some of its pixels
/// and as many values to write.
fn fill<T: Copy + Default>(
    image: &Upright<'_>,
    spec: &PreprocessSpec,
    tensor: &mut InputTensor<T>,
    convert: impl Fn(usize, &[u8], &mut [T]),
) {
    let (width, height) = (spec.width as usize, spec.height as usize);
    let area = image.target;
    let (left, columns) = (area.x as usize, area.width as usize);
    for (channel, plane) in tensor.data_mut().chunks_exact_mut(width * height).enumerate() {
        let source = match spec.channels {
            ChannelOrder::Gray | ChannelOrder::Rgb => channel,
            ChannelOrder::Bgr => 2 - channel,
        };
        // A gray frame has one channel for all.
        let pixels = image.channels.get(source).unwrap_or(&image.channels[0]);
        if (area.width, area.height) == (spec.width, spec.height) {
            convert(channel, pixels, plane);
            continue;
        }
        if let Fit::Pad { value } = spec.fit {
            let mut filling = [T::default()];
            convert(channel, &[value], &mut filling);
            plane.fill(filling[0]);
        }
        let rows = plane.chunks_exact_mut(width).skip(area.y as usize);
        for (row, pixels) in rows.zip(pixels.chunks_exact(columns)) {
            convert(channel, pixels, &mut row[left..left + columns]);
        }
    }
}
