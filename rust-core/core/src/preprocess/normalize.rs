//! From upright bytes to the input's floats: colour order, padding,
//! normalisation. The last step of preprocessing.

use biglittle_kernels::PixelKernels;

use super::plan::Upright;
use super::spec::{ChannelOrder, Fit, PreprocessSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::tensor::InputTensor;

/// Checks that `tensor` is what `spec` asks for.
pub(super) fn check_shape(spec: &PreprocessSpec, tensor: &InputTensor) -> Result<()> {
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
    let (width, height) = (spec.width as usize, spec.height as usize);
    let area = image.target;
    let (left, columns) = (area.x as usize, area.width as usize);
    let planes = tensor.data_mut().chunks_exact_mut(width * height);
    for (channel, (plane, (mean, std))) in planes.zip(spec.mean.iter().zip(&spec.std)).enumerate() {
        let source = match spec.channels {
            ChannelOrder::Gray | ChannelOrder::Rgb => channel,
            ChannelOrder::Bgr => 2 - channel,
        };
        // A gray frame has one channel for all.
        let pixels = image.channels.get(source).unwrap_or(&image.channels[0]);
        if (area.width, area.height) == (spec.width, spec.height) {
            kernels.normalize(pixels, *mean, *std, plane);
            continue;
        }
        if let Fit::Pad { value } = spec.fit {
            plane.fill((f32::from(value) - mean) / std);
        }
        let rows = plane.chunks_exact_mut(width).skip(area.y as usize);
        for (row, pixels) in rows.zip(pixels.chunks_exact(columns)) {
            kernels.normalize(pixels, *mean, *std, &mut row[left..left + columns]);
        }
    }
}
