//! One plane of a frame on its way to the input's size.

use biglittle_kernels::{PixelKernels, Taps, Window};

use super::filter::{Axis, windows};
use super::geometry::Geometry;
use super::spec::PreprocessSpec;
use crate::frame::{PixelFormat, Plane, PlaneKind, Rect};

/// Which sample of a plane becomes which channel: `(plane, [(byte, channel)])`.
type Parts = &'static [(usize, &'static [(usize, usize)])];

/// The channels that a format has: red, green, blue, or luma, Cb, Cr.
pub(super) fn parts(format: PixelFormat) -> Parts {
    match format {
        PixelFormat::Gray8 => &[(0, &[(0, 0)])],
        PixelFormat::Rgb8 | PixelFormat::Rgba8 => &[(0, &[(0, 0), (1, 1), (2, 2)])],
        PixelFormat::Bgra8 => &[(0, &[(2, 0), (1, 1), (0, 2)])],
        PixelFormat::Yuv420 => &[(0, &[(0, 0)]), (1, &[(0, 1)]), (2, &[(0, 2)])],
        PixelFormat::Nv12 => &[(0, &[(0, 0)]), (1, &[(0, 1), (1, 2)])],
        PixelFormat::Nv21 => &[(0, &[(0, 0)]), (1, &[(1, 1), (0, 2)])],
    }
}

/// Which way a plane is resized first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Down the columns, then along the rows, which are fewer by then. Between
    /// the two are so many fractional bits.
    DownFirst(u32),
    /// Along the rows, then down the columns, with whole bytes in between.
    AlongFirst,
}

/// Fractional bits between the passes of a filter that does not overshoot: bytes
/// with them still fit 16 bits.
const FRACTION: u32 = 6;

/// How the part of one plane that is looked at is resized.
#[derive(Debug)]
pub(super) struct Layer {
    plane: usize,
    channels: &'static [(usize, usize)],
    kind: PlaneKind,
    /// In samples.
    source: Rect,
    order: Order,
    along: Taps,
    down: Taps,
    /// The rows of the source that any output needs; `down` counts in these if the
    /// first pass is along the rows.
    rows: Vec<usize>,
}

/// Memory that layers reuse.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    words: Vec<i16>,
    row: Vec<i16>,
}

impl Layer {
    /// The layers of `format`; only luma if `luma_only`.
    pub fn all_of(
        format: PixelFormat,
        luma_only: bool,
        geometry: &Geometry,
        spec: &PreprocessSpec,
    ) -> Vec<Layer> {
        let parts = parts(format).iter().filter(|(plane, _)| *plane == 0 || !luma_only);
        let layer = |(plane, channels): &(usize, &'static [_])| {
            Layer::new(*plane, channels, format.planes()[*plane], geometry, spec)
        };
        parts.map(layer).collect()
    }

    fn new(
        plane: usize,
        channels: &'static [(usize, usize)],
        kind: PlaneKind,
        geometry: &Geometry,
        spec: &PreprocessSpec,
    ) -> Layer {
        let Geometry { source, resized, reversed, transposed, .. } = *geometry;
        // A chroma sample covers 2 by 2 pixels: the same stretch in other units,
        // not always in whole ones.
        let per_sample = if kind.subsampled { 2 } else { 1 };
        let axis = |start: u32, length: u32, output: u32, reversed: bool| {
            let (first, end) = (start / per_sample, (start + length).div_ceil(per_sample));
            let place = |at: u32| f64::from(at) / f64::from(per_sample) - f64::from(first);
            let axis = Axis {
                input: (end - first) as usize,
                from: place(start),
                to: place(start + length),
                output: output as usize,
                reversed,
            };
            (first, end - first, windows(spec.filter, spec.antialias, &axis))
        };
        let (x, width, along) = axis(source.x, source.width, resized.0, reversed.0);
        let (y, height, mut down) = axis(source.y, source.height, resized.1, reversed.1);
        let single = |windows: &[Window]| windows.iter().all(|w| w.weights.len() == 1);
        // What overshoots is cut off between the passes, so that their order
        // matters: like Pillow, first along the rows of the upright image.
        let order = if spec.filter.overshoots() {
            if transposed { Order::DownFirst(0) } else { Order::AlongFirst }
        } else if single(&down) {
            Order::DownFirst(0)
        } else {
            Order::DownFirst(FRACTION)
        };
        let rows = if order == Order::AlongFirst { only_needed(&mut down) } else { Vec::new() };
        let along = match order {
            Order::DownFirst(fraction) => {
                let one = f64::from(1 << fraction);
                let scaled = |w: &Window| Window {
                    start: w.start,
                    weights: w.weights.iter().map(|weight| weight / one).collect(),
                    mirrored: w.mirrored,
                };
                let windows: Vec<_> = along.iter().map(scaled).collect();
                Taps::new(width as usize, 8 + fraction, &windows)
            }
            Order::AlongFirst => Taps::new(width as usize, 8, &along),
        };
        let height_taken = if order == Order::AlongFirst { rows.len() } else { height as usize };
        Layer {
            plane,
            channels,
            kind,
            source: Rect { x, y, width, height },
            order,
            along,
            down: Taps::new(height_taken, 8, &down),
            rows,
        }
    }

    /// Writes the resized channels.
    pub fn run(
        &self,
        planes: &[Plane<'_>],
        kernels: &PixelKernels,
        scratch: &mut Scratch,
        out: &mut [Vec<u8>; 3],
    ) {
        let plane = &planes[self.plane];
        let start =
            self.source.y as usize * plane.row_stride + self.source.x as usize * plane.pixel_stride;
        let data = &plane.data[start..];
        scratch.row.resize(self.source.width as usize + Taps::SLACK, 0);
        match self.order {
            Order::DownFirst(fraction) => {
                self.down_first(fraction, data, plane, kernels, scratch, out);
            }
            Order::AlongFirst => self.along_first(data, plane, kernels, scratch, out),
        }
    }

    fn down_first(
        &self,
        fraction: u32,
        data: &[u8],
        plane: &Plane<'_>,
        kernels: &PixelKernels,
        scratch: &mut Scratch,
        out: &mut [Vec<u8>; 3],
    ) {
        let Scratch { bytes, words, row } = scratch;
        let (columns, step) = (self.source.width as usize, plane.pixel_stride);
        let length = (columns - 1) * step + self.kind.bytes;
        let (width, shift) = (self.along.output(), self.down.shift());
        bytes.resize(bytes.len().max(length), 0);
        words.resize(words.len().max(length), 0);
        for y in 0..self.down.output() {
            let (first, weights) = self.down.window(y);
            let data = &data[first * plane.row_stride..];
            let one_row = weights.len() == 1;
            if fraction > 0 {
                let words = &mut words[..length];
                kernels.down_i16(data, plane.row_stride, weights, shift - fraction, words);
            } else if !one_row {
                kernels.down_u8(data, plane.row_stride, weights, shift, &mut bytes[..length]);
            }
            for (byte, channel) in self.channels {
                let values = &mut row[..columns];
                if fraction > 0 {
                    kernels.pick_i16(&words[*byte..length], step, values);
                } else {
                    let bytes = if one_row { data } else { &bytes[..length] };
                    kernels.pick_u8(&bytes[*byte..], step, values);
                }
                kernels.along(row, &self.along, &mut out[*channel][y * width..][..width]);
            }
        }
    }

    fn along_first(
        &self,
        data: &[u8],
        plane: &Plane<'_>,
        kernels: &PixelKernels,
        scratch: &mut Scratch,
        out: &mut [Vec<u8>; 3],
    ) {
        let Scratch { bytes, row, .. } = scratch;
        let columns = self.source.width as usize;
        let (width, shift) = (self.along.output(), self.down.shift());
        let length = self.rows.len() * width;
        bytes.resize(bytes.len().max(length), 0);
        for (byte, channel) in self.channels {
            for (y, out) in self.rows.iter().zip(bytes.chunks_exact_mut(width)) {
                let data = &data[y * plane.row_stride + byte..];
                kernels.pick_u8(data, plane.pixel_stride, &mut row[..columns]);
                kernels.along(row, &self.along, out);
            }
            for (y, out) in out[*channel].chunks_exact_mut(width).enumerate() {
                let (first, weights) = self.down.window(y);
                kernels.down_u8(&bytes[first * width..length], width, weights, shift, out);
            }
        }
    }
}

/// The rows that any window takes, in which the windows then count.
fn only_needed(windows: &mut [Window]) -> Vec<usize> {
    let mut rows: Vec<usize> =
        windows.iter().flat_map(|w| w.start..w.start + w.weights.len()).collect();
    rows.sort_unstable();
    rows.dedup();
    for window in windows {
        window.start = rows.binary_search(&window.start).expect("its own row is among them");
    }
    rows
}
