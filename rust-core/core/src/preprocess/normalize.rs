//! From resized bytes to the input's floats: colour order, rotation,
//! normalisation, padding. The last step of preprocessing.

use super::geometry::Geometry;
use super::resize::Pixels;
use super::spec::{ChannelOrder, Fit, PreprocessSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{PixelFormat, Rect, Rotation};
use crate::tensor::InputTensor;

/// The normalised value of each of the 256 pixel values: exact, and faster
/// than a division a pixel.
type Table = [f32; 256];

#[derive(Debug)]
pub(super) struct Normalizer {
    channels: ChannelOrder,
    shape: [usize; 4],
    tables: Vec<Table>,
    padding: Option<u8>,
}

impl Normalizer {
    pub fn new(spec: &PreprocessSpec) -> Self {
        let table =
            |(mean, std): (&f32, &f32)| std::array::from_fn(|pixel| (pixel as f32 - mean) / std);
        Normalizer {
            channels: spec.channels,
            shape: [1, spec.channels.count() as usize, spec.height as usize, spec.width as usize],
            tables: spec.mean.iter().zip(&spec.std).map(table).collect(),
            padding: match spec.fit {
                Fit::Pad { value } => Some(value),
                Fit::Stretch | Fit::CenterCrop { .. } => None,
            },
        }
    }

    pub fn check_shape(&self, tensor: &InputTensor) -> Result<()> {
        if tensor.shape() == self.shape {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "the tensor has shape {:?}, but preprocessing makes {:?}: use the tensor of \
                 make_tensor",
                tensor.shape(),
                self.shape
            ),
        ))
    }

    pub fn run(
        &self,
        pixels: &Pixels<'_>,
        rotation: Rotation,
        geometry: &Geometry,
        tensor: &mut InputTensor,
    ) {
        let [_, _, height, width] = self.shape;
        let planes = tensor.data_mut().chunks_exact_mut(height * width);
        for (channel, (plane, table)) in planes.zip(&self.tables).enumerate() {
            if let Some(value) = self.padding {
                plane.fill(table[usize::from(value)]);
            }
            let target = Target { plane, width, area: geometry.target };
            match source_of(pixels.format, self.channels, channel) {
                Source::Byte(offset) => {
                    target.fill(pixels, rotation, |pixel| table[usize::from(pixel[offset])]);
                }
                Source::Luma { red, green, blue } => target.fill(pixels, rotation, |pixel| {
                    table[usize::from(luma(pixel[red], pixel[green], pixel[blue]))]
                }),
            }
        }
    }
}

/// Where a channel's value comes from within a pixel's bytes.
enum Source {
    Byte(usize),
    Luma { red: usize, green: usize, blue: usize },
}

fn source_of(format: PixelFormat, channels: ChannelOrder, channel: usize) -> Source {
    let (red, green, blue) = match format {
        PixelFormat::Gray8 | PixelFormat::Yuv420 | PixelFormat::Nv12 | PixelFormat::Nv21 => {
            return Source::Byte(0);
        }
        PixelFormat::Rgb8 | PixelFormat::Rgba8 => (0, 1, 2),
        PixelFormat::Bgra8 => (2, 1, 0),
    };
    match channels {
        ChannelOrder::Gray => Source::Luma { red, green, blue },
        ChannelOrder::Rgb => Source::Byte([red, green, blue][channel]),
        ChannelOrder::Bgr => Source::Byte([blue, green, red][channel]),
    }
}

/// BT.601 luma in 16-bit fixed point, rounded: Pillow's `convert("L")`.
fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let sum = 19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue);
    ((sum + 0x8000) >> 16) as u8
}

/// The part of one channel's plane that the image fills.
struct Target<'a> {
    plane: &'a mut [f32],
    width: usize,
    area: Rect,
}

impl Target<'_> {
    /// Walks the upright rows; the pixel to the right of another lies `step`
    /// bytes further in the source, which is how a turn costs nothing extra.
    fn fill(self, pixels: &Pixels<'_>, rotation: Rotation, value: impl Fn(&[u8]) -> f32) {
        let bytes = pixels.format.bytes_per_pixel();
        let (columns, rows) = (self.area.width as usize, self.area.height as usize);
        let stride = pixels.width * bytes;
        let left = self.area.x as usize;
        for y in 0..rows {
            let start = (self.area.y as usize + y) * self.width + left;
            let out = &mut self.plane[start..start + columns];
            let (first, step, backwards) = match rotation {
                Rotation::None => (y * stride, bytes, false),
                Rotation::Clockwise90 => (y * bytes, stride, true),
                Rotation::Half => ((rows - 1 - y) * stride, bytes, true),
                Rotation::Clockwise270 => ((rows - 1 - y) * bytes, stride, false),
            };
            let source = pixels.data[first..].chunks(step).take(columns);
            if step == 1 && !backwards {
                // Gray and upright, the usual digit: rows as they are.
                out.iter_mut()
                    .zip(pixels.data[first..].as_chunks::<1>().0)
                    .for_each(|(out, pixel)| *out = value(pixel));
            } else if backwards {
                out.iter_mut().rev().zip(source).for_each(|(out, pixel)| *out = value(pixel));
            } else {
                out.iter_mut().zip(source).for_each(|(out, pixel)| *out = value(pixel));
            }
        }
    }
}
