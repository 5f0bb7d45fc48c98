//! Integer weights in the order in which the kernels read them.

use super::constants::Layer;
use super::micro::BLOCK;
use super::micro::depthwise::{self, Depthwise, Order};
use super::micro::floats;
use super::micro::gemm::{self, Dense, Panel};
use super::micro::narrow;
use super::micro::table::Set;
use super::simd::lane_channel;
use crate::buffer::Buffer;
use crate::graph::Shape;

/// Weights larger than this are prefetched panel by panel.
const STREAM_BYTES: usize = 64 * 1024;

/// The form of a dense convolution (or one group of it).
pub(super) struct DenseForm {
    pub first: usize,
    pub outputs: usize,
    pub inputs: usize,
    pub taps: usize,
    /// Contiguous stretches of input a pixel reads; divides `taps`.
    pub segments: usize,
    /// Pixels that a call computes in a row, for the choice of panel widths.
    pub pixels: usize,
    pub floats: bool,
    /// Bounds of what is stored, and whether they are needed.
    pub bounds: (f32, f32, bool),
}

/// The form of a depthwise convolution, or of some of its channels.
#[derive(Clone)]
pub(super) struct DepthwiseForm {
    pub first: usize,
    pub channels: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Whether input and output pixels follow each other without gaps.
    pub tight: bool,
    /// Pixels of an output row.
    pub pixels: usize,
    pub bounds: (f32, f32, bool),
}

impl DepthwiseForm {
    /// Whether it is a 3x3 filter of a form that has tiles of its own.
    fn square(&self) -> bool {
        self.kernel == [3, 3]
            && self.dilation == [1, 1]
            && (self.stride == [1, 1] || self.stride == [2, 2])
    }
}

pub(super) struct Packer {
    pub buffer: Buffer,
    pub set: Set,
}

/// Vectors of 32 bits at a byte offset of a buffer, written one by one.
struct Writer<'a> {
    bytes: &'a mut [u8],
    lanes: usize,
}

impl Writer<'_> {
    fn word(&mut self, vector: usize, lane: usize, word: [u8; 4]) {
        let at = 4 * (vector * self.lanes + lane);
        self.bytes[at..at + 4].copy_from_slice(&word);
    }

    fn weight(&mut self, vector: usize, lane: usize, byte: usize, weight: i8) {
        self.bytes[4 * (vector * self.lanes + lane) + byte] = weight as u8;
    }

    /// The three constants of channel `o`, `count` vectors apart.
    fn constants(&mut self, layer: &Layer, o: usize, count: usize, j: usize, lane: usize) {
        self.word(j, lane, layer.start[o].to_le_bytes());
        self.word(count + j, lane, layer.scale[o].to_le_bytes());
        self.word(2 * count + j, lane, layer.offset[o].to_le_bytes());
    }
}

impl Packer {
    pub fn new(set: Set) -> Self {
        Self { buffer: Buffer::zeros(0), set }
    }

    /// Appends bytes and returns their offset.
    pub fn grow(&mut self, bytes: usize) -> usize {
        4 * self.buffer.grow(bytes.div_ceil(4))
    }

    /// Widths of the panels, in vectors, for `blocks` blocks of 16 outputs: as
    /// even as possible, of the width that the cost model likes best.
    fn widths(&self, blocks: usize, pixels: usize, steps: usize) -> Vec<usize> {
        let per = BLOCK / self.set.lanes;
        let height = |blocks: usize| match per * blocks {
            vectors @ 1..=4 => self.set.heights[vectors - 1],
            _ => 0,
        };
        let split = |widest: usize| {
            let n = blocks.div_ceil(widest);
            (0..n).map(move |i| blocks / n + usize::from(i < blocks % n))
        };
        // cycles of a row of pixels: 2 dot products and 2 loads a cycle,
        // latency 4, then the requantization of each pixel and its store, unless
        // several share one
        let cost = |widest: usize| -> f64 {
            split(widest)
                .map(|n| {
                    let tiles = pixels.div_ceil(height(n));
                    let store = if 2 * per * n <= self.set.joint { 0.5 } else { 2.0 };
                    let tile = |pixels: usize| {
                        let (p, v) = (pixels as f64, (per * n) as f64);
                        let step = (p * v / 2.0).max((p + v) * 0.55).max(2.0) + 0.3;
                        steps as f64 * step + p * (v * 1.5 + store) + 6.0
                    };
                    let (low, taller) = (pixels / tiles, pixels % tiles);
                    taller as f64 * tile(low + 1) + (tiles - taller) as f64 * tile(low)
                })
                .sum()
        };
        let widest = (1..=4.min(blocks))
            .filter(|&n| split(n).all(|n| height(n) > 0))
            .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
            .unwrap_or(1);
        split(widest).map(|n| n * per).collect()
    }

    /// Packs one dense layer, or one group of it.
    pub fn dense(&mut self, layer: &Layer, f: &DenseForm) -> Dense {
        let lanes = self.set.lanes;
        let klen = f.taps / f.segments * f.inputs;
        let (lo, hi, clamp) = f.bounds;
        let mut dense = Dense {
            segments: f.segments,
            klen,
            panels: Vec::new(),
            lo,
            hi,
            clamp,
            floats: f.floats,
            residual: layer.residual,
            stream: false,
        };
        let (steps, k) = (dense.steps(), f.taps * f.inputs);
        let widths = self.widths(f.outputs.div_ceil(BLOCK), f.pixels, steps * f.segments);
        let total: usize = widths.iter().map(|&n| dense.panel_bytes(n, lanes)).sum();
        dense.stream = total > STREAM_BYTES;
        let mut first = 0;
        let per = f.taps / f.segments;
        // one output's weights in the order in which they are read
        let mut ordered = vec![0; 4 * steps * f.segments];
        for vectors in widths {
            let size = dense.panel_bytes(vectors, lanes);
            let offset = self.grow(size);
            let bytes = &mut self.buffer.as_bytes_mut()[offset..offset + size];
            let mut to = Writer { bytes, lanes };
            for (j, lane) in (0..vectors).flat_map(|j| (0..lanes).map(move |l| (j, l))) {
                let channel = match f.floats {
                    true => j * lanes + lane,
                    false => lane_channel(vectors, j, lane),
                };
                if first + channel >= f.outputs {
                    continue;
                }
                let o = f.first + first + channel;
                to.constants(layer, o, vectors, j, lane);
                let weights = &layer.weights[o * k..(o + 1) * k];
                if f.taps == 1 {
                    ordered.iter_mut().zip(weights).for_each(|(to, &w)| *to = w as u8);
                }
                for (segment, to) in ordered.chunks_mut(4 * steps).enumerate() {
                    if f.taps == 1 {
                        break;
                    }
                    for (tap, to) in to.chunks_mut(f.inputs).take(per).enumerate() {
                        let from = weights[segment * per + tap..].iter().step_by(f.taps);
                        to.iter_mut().zip(from).for_each(|(to, &w)| *to = w as u8);
                    }
                }
                for (row, &word) in ordered.as_chunks().0.iter().enumerate() {
                    to.word((gemm::CONSTANTS + row) * vectors + j, lane, word);
                }
            }
            dense.panels.push(Panel { vectors, first, offset });
            first += vectors * lanes;
        }
        dense
    }

    /// Packs one depthwise layer: as one, or whole blocks and the channels that
    /// do not fill one.
    pub fn depthwise(&mut self, layer: &Layer, f: &DepthwiseForm) -> Vec<Depthwise> {
        let block = 4 * self.set.lanes;
        let rest = f.channels % block;
        let narrow = self.set.narrow
            && f.square()
            && f.pixels >= narrow::PIXELS
            && (1..=block - narrow::CHANNELS).contains(&rest)
            && (f.stride == [2, 2] || rest <= block / 2 || f.channels < block);
        if !narrow {
            return vec![self.blocks(layer, f)];
        }
        let whole = f.channels - rest;
        let mut parts = Vec::new();
        if whole > 0 {
            parts.push(self.blocks(layer, &DepthwiseForm { channels: whole, ..f.clone() }));
        }
        let first = f.first + whole;
        parts.push(self.narrow(layer, &DepthwiseForm { first, channels: rest, ..f.clone() }));
        parts
    }

    /// Packs a 3x3 filter 16 channels at a time.
    fn narrow(&mut self, layer: &Layer, f: &DepthwiseForm) -> Depthwise {
        let lanes = self.set.lanes;
        let (stride, units) = (f.stride[1], f.channels.div_ceil(narrow::CHANNELS));
        let block = (narrow::CONSTANTS + narrow::weights(stride)) * lanes * 4;
        let offset = self.grow(units * block);
        let bytes = &mut self.buffer.as_bytes_mut()[offset..offset + units * block];
        for (c, taps) in layer.weights[9 * f.first..][..9 * f.channels].chunks(9).enumerate() {
            let unit = c / narrow::CHANNELS * block;
            let mut to = Writer { bytes: &mut bytes[unit..unit + block], lanes };
            let lane = c % narrow::CHANNELS;
            to.constants(layer, f.first + c, 1, 0, lane);
            for (tap, &w) in taps.iter().enumerate() {
                for shift in 0..3 - stride {
                    let vector = narrow::CONSTANTS + tap / 3 * (3 - stride) + shift;
                    to.weight(vector, lane, tap % 3 + shift, w);
                }
            }
        }
        let (lo, hi, clamp) = f.bounds;
        Depthwise {
            order: Order::Narrow,
            kernel_width: 3,
            stride,
            dilation: 1,
            rows: 3 - stride,
            fours: 1,
            channels: units * narrow::CHANNELS,
            wide: 1,
            offset,
            block,
            lo,
            hi,
            clamp,
        }
    }

    /// Packs a filter in blocks of four vectors of channels.
    fn blocks(&mut self, layer: &Layer, f: &DepthwiseForm) -> Depthwise {
        let lanes = self.set.lanes;
        let [kh, kw] = f.kernel;
        let square = f.square();
        let fours = |rows: usize| {
            let last = (rows - 1) * f.stride[0];
            (last + kh).div_ceil(4)
        };
        let rows = if square {
            3 - f.stride[0]
        } else {
            let shared = f.dilation[0] == 1;
            let most = if shared { self.set.tall } else { 1 };
            // transposing costs 8 for each 4 rows, each output row 16
            let cost = |&r: &usize| (fours(r) * (8 + 16 * r)) as f64 / r as f64;
            let choice = [1, 2, 4].into_iter().filter(|&r| r <= most);
            choice.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(1)
        };
        let (fours, channels) = (fours(rows), f.channels.next_multiple_of(BLOCK));
        let whole = (4 * lanes).is_multiple_of(channels) && f.tight && f.stride == [1, 1];
        let wide = if whole { 4 * lanes / channels } else { 1 };
        let vectors = depthwise::CONSTANTS + 4 * kw * fours * rows;
        let (block, blocks) = (vectors * lanes * 4, channels.div_ceil(4 * lanes));
        let offset = self.grow(blocks * block);
        let bytes = &mut self.buffer.as_bytes_mut()[offset..offset + blocks * block];
        for (b, bytes) in bytes.chunks_mut(block).enumerate() {
            let mut to = Writer { bytes, lanes };
            for (j, lane) in (0..4).flat_map(|j| (0..lanes).map(move |l| (j, l))) {
                let in_block = lane_channel(4, j, lane);
                let o = if wide > 1 { in_block % channels } else { b * 4 * lanes + in_block };
                if o >= f.channels {
                    continue;
                }
                let o = f.first + o;
                to.constants(layer, o, 4, j, lane);
                for (tap, &w) in layer.weights[o * kh * kw..(o + 1) * kh * kw].iter().enumerate() {
                    let (ky, kx) = (tap / kw, tap % kw);
                    for r in 0..rows {
                        let row = r * f.stride[0] + ky;
                        let vector = match square {
                            true => (j * 3 + kx) * rows + r,
                            false => ((kx * fours + row / 4) * rows + r) * 4 + j,
                        };
                        to.weight(depthwise::CONSTANTS + vector, lane, row % 4, w);
                    }
                }
            }
        }
        let (lo, hi, clamp) = f.bounds;
        Depthwise {
            order: if square { Order::Square } else { Order::Stream },
            kernel_width: kw,
            stride: f.stride[1],
            dilation: f.dilation[1],
            rows,
            fours,
            channels,
            wide,
            offset,
            block,
            lo,
            hi,
            clamp,
        }
    }

    /// Packs a fully connected layer in floats, of `[outputs][inputs][h][w]`.
    pub fn float_dense(
        &mut self,
        weights: &[i8],
        scales: &[f32],
        bias: &[f32],
        Shape { h, w, c }: Shape,
    ) -> usize {
        let products = h * w * c;
        let block = floats::dense_bytes(products).unwrap_or(0);
        let at = self.grow(scales.len().div_ceil(BLOCK) * block);
        for (o, row) in weights.chunks(products).enumerate() {
            let start = at + o / BLOCK * block;
            let to = &mut self.buffer.as_bytes_mut()[start..start + block];
            let lane = o % BLOCK;
            let mut word = |i: usize, v: f32| {
                to[4 * i..4 * i + 4].copy_from_slice(&v.to_le_bytes());
            };
            word(lane, scales[o]);
            word(BLOCK + lane, bias.get(o).copied().unwrap_or(0.0));
            for (i, image) in row.chunks(h * w).enumerate() {
                for (pixel, &q) in image.iter().enumerate() {
                    to[(8 + pixel * c + i) * BLOCK + lane] = q as u8;
                }
            }
        }
        at
    }

    /// Packs scale and offset per channel, 16 of each alternately.
    pub fn affine(&mut self, scale: &[f32], offset: &[f32]) -> usize {
        let at = self.grow(scale.len().div_ceil(BLOCK) * BLOCK * 8);
        let to = &mut self.buffer.as_mut_slice()[at / 4..];
        for (c, (&a, &b)) in scale.iter().zip(offset).enumerate() {
            let block = c / BLOCK * BLOCK * 2 + c % BLOCK;
            (to[block], to[block + BLOCK]) = (a, b);
        }
        at
    }

    /// Packs a table of 256 bytes.
    pub fn table(&mut self, table: &[u8; 256]) -> usize {
        let at = self.grow(table.len());
        self.buffer.as_bytes_mut()[at..at + table.len()].copy_from_slice(table);
        at
    }
}
