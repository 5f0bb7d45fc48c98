//! The way of frames of one shape into one input: made when the first such frame
//! comes, and again only when the shape changes.

use biglittle_kernels::{PixelKernels, YuvWeights};

use super::colour::{luma, yuv_weights};
use super::geometry::Geometry;
use super::layer::{Layer, Scratch};
use super::spec::{ChannelOrder, PreprocessSpec};
use super::turn::transpose;
use crate::frame::{FrameView, PixelFormat, Rect, Rotation, YuvEncoding, YuvMatrix, YuvRange};

/// What a plan was made for; strides may change from frame to frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    format: PixelFormat,
    crop: Rect,
    rotation: Rotation,
    yuv: YuvEncoding,
}

impl Shape {
    fn of(frame: &FrameView<'_>) -> Self {
        Shape {
            format: frame.format(),
            crop: frame.crop(),
            rotation: frame.rotation(),
            yuv: frame.yuv_encoding(),
        }
    }
}

/// What is done to the channels once they are small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    /// They are what the input wants.
    Keep,
    /// Luma and chroma become red, green and blue.
    FromYuv(YuvWeights),
    /// Luma alone is brought to full range.
    Stretch(YuvWeights),
}

/// The plan and its memory.
#[derive(Debug)]
pub(super) struct Plan {
    shape: Shape,
    geometry: Geometry,
    layers: Vec<Layer>,
    colour: Colour,
    /// Whether red, green and blue become luma in the end.
    gray: bool,
    /// The channels that come out.
    count: usize,
    scratch: Scratch,
    channels: [Vec<u8>; 3],
    turned: [Vec<u8>; 3],
}

/// A frame at the input's size, upright, in bytes: the last stage before
/// normalisation.
pub(super) struct Upright<'a> {
    /// Luma, or red, green and blue.
    pub channels: &'a [Vec<u8>],
    /// Where it lies in the input.
    pub target: Rect,
}

impl Plan {
    pub fn new(frame: &FrameView<'_>, spec: &PreprocessSpec) -> Self {
        let geometry = Geometry::new(frame, spec);
        let (format, yuv) = (frame.format(), frame.yuv_encoding());
        let gray = spec.channels == ChannelOrder::Gray;
        // BT.601's luma is the gray that networks are given; that of BT.709 has
        // other weights.
        let luma_only = gray && format.is_yuv() && yuv.matrix == YuvMatrix::Bt601;
        let colour = match (format.is_yuv(), luma_only) {
            (false, _) => Colour::Keep,
            (true, false) => Colour::FromYuv(yuv_weights(yuv)),
            (true, true) if yuv.range == YuvRange::Full => Colour::Keep,
            (true, true) => Colour::Stretch(yuv_weights(yuv)),
        };
        let single = format == PixelFormat::Gray8 || luma_only;
        let size = geometry.resized.0 as usize * geometry.resized.1 as usize;
        let used = |channel| channel == 0 || !single || matches!(colour, Colour::Stretch(_));
        let plane = |channel| vec![0; if used(channel) { size } else { 0 }];
        let turned = |channel| {
            let there = geometry.transposed && (channel == 0 || !(single || gray));
            vec![0; if there { size } else { 0 }]
        };
        Plan {
            shape: Shape::of(frame),
            geometry,
            layers: Layer::all_of(format, luma_only, &geometry, spec),
            colour,
            gray: gray && !single,
            count: if single || gray { 1 } else { 3 },
            scratch: Scratch::default(),
            channels: std::array::from_fn(plane),
            turned: std::array::from_fn(turned),
        }
    }

    /// Whether the plan is one for this frame.
    pub fn fits(&self, frame: &FrameView<'_>) -> bool {
        self.shape == Shape::of(frame)
    }

    pub fn run(&mut self, frame: &FrameView<'_>, kernels: &PixelKernels) {
        for layer in &self.layers {
            layer.run(frame.planes(), kernels, &mut self.scratch, &mut self.channels);
        }
        let [first, second, third] = &mut self.channels;
        match &self.colour {
            Colour::Keep => {}
            Colour::FromYuv(weights) => kernels.yuv_to_rgb([first, second, third], weights),
            Colour::Stretch(weights) => {
                second.fill(128);
                third.fill(128);
                kernels.yuv_to_rgb([first, second, third], weights);
            }
        }
        if self.gray {
            luma(first, second, third);
        }
        if self.geometry.transposed {
            let width = self.geometry.resized.0 as usize;
            for (from, to) in self.channels.iter().zip(&mut self.turned).take(self.count) {
                transpose(from, width, to);
            }
        }
    }

    /// What the last run made.
    pub fn upright(&self) -> Upright<'_> {
        let channels = if self.geometry.transposed { &self.turned } else { &self.channels };
        Upright { channels: &channels[..self.count], target: self.geometry.target }
    }
}
