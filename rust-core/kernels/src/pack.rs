//! Weights in the order in which the kernels read them, in one buffer for the
//! whole model.
//!
//! Decides panel widths (by a small cost model of the register tile) and the
//! packed forms of dense, depthwise, Winograd and per-channel constants. The
//! plan calls it layer by layer in order of execution, so a run walks the
//! buffer from front to back.

use crate::buffer::Buffer;
use crate::micro::Epilogue;
use crate::micro::depthwise::{BIAS, Depthwise};
use crate::micro::elementwise::Function;
use crate::micro::gemm::{Dense, Panel};
use crate::winograd::{PRODUCTS, Winograd, filter_matrix, tile_of, transform_filter};

/// Weights larger than this are prefetched panel by panel.
const STREAM_BYTES: usize = 128 * 1024;

/// What a kernel does as it stores, and to what it has stored.
pub(crate) type Store = (Epilogue, Option<Function>);

/// A dense convolution (or one group of it) to pack.
pub(crate) struct DenseWeights<'a> {
    /// `[outputs][inputs][taps]`.
    pub weights: &'a [f32],
    /// One per output, or empty.
    pub bias: &'a [f32],
    pub outputs: usize,
    pub inputs: usize,
    pub taps: usize,
    /// Contiguous stretches of input a pixel reads; divides `taps * inputs`.
    pub segments: usize,
    /// Pixels that a call computes in a row, for the choice of panel widths.
    pub pixels: usize,
    pub store: Store,
}

pub(crate) struct Packer {
    pub buffer: Buffer,
    lanes: usize,
    heights: [usize; 4],
}

impl Packer {
    pub fn new(lanes: usize, heights: [usize; 4]) -> Self {
        Self { buffer: Buffer::zeros(0), lanes, heights }
    }

    /// Widths of the panels for `vectors` vectors of outputs: as even as
    /// possible, of the width that the cost model likes best.
    fn widths(&self, vectors: usize, pixels: usize, k: usize) -> Vec<usize> {
        let split = |widest: usize| {
            let n = vectors.div_ceil(widest);
            (0..n).map(move |i| vectors / n + usize::from(i < vectors % n))
        };
        // cycles for each input of a row of pixels: 2 multiply-adds and 2
        // loads a cycle, latency 4, a store and some overhead a tile
        let cost = |widest: usize| -> f64 {
            split(widest)
                .map(|v| {
                    let tiles = pixels.div_ceil(self.heights[v - 1]);
                    let tile = |height: usize| {
                        let fma = (height * v) as f64 / 2.0;
                        let load = (height + v) as f64 * 0.55;
                        let latency = if height * v < 7 { 2.0 } else { 4.0 };
                        let store = ((height * v) as f64 + 8.0) / k as f64;
                        fma.max(load).max(latency) + 0.3 + store
                    };
                    let (height, taller) = (pixels / tiles, pixels % tiles);
                    taller as f64 * tile(height + 1) + (tiles - taller) as f64 * tile(height)
                })
                .sum()
        };
        let widest = (1..=4.min(vectors))
            .filter(|&v| self.heights[v - 1] > 0)
            .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
            .unwrap_or(1);
        split(widest).collect()
    }

    /// Packs one dense layer.
    pub fn dense(&mut self, d: &DenseWeights<'_>) -> Dense {
        let k = d.taps * d.inputs;
        let vectors = d.outputs.div_ceil(self.lanes);
        let widths = self.widths(vectors, d.pixels, k);
        let mut offset = self.buffer.grow(vectors * self.lanes * (k + 1));
        let mut first = 0;
        let mut panels = Vec::with_capacity(widths.len());
        for vectors in widths {
            let n = vectors * self.lanes;
            let to = &mut self.buffer.as_mut_slice()[offset..offset + n * (k + 1)];
            for j in 0..n.min(d.outputs - first) {
                let o = first + j;
                to[j] = d.bias.get(o).copied().unwrap_or(0.0);
                let filter = &d.weights[o * k..(o + 1) * k];
                for (i, input) in filter.chunks_exact(d.taps).enumerate() {
                    for (tap, &w) in input.iter().enumerate() {
                        to[(1 + tap * d.inputs + i) * n + j] = w;
                    }
                }
            }
            panels.push(Panel { vectors, first, offset });
            first += n;
            offset += n * (k + 1);
        }
        Dense {
            segments: d.segments,
            klen: k / d.segments,
            panels,
            epilogue: d.store.0,
            after: d.store.1,
            stream: vectors * self.lanes * k * 4 > STREAM_BYTES,
        }
    }

    /// Packs one depthwise layer: `weights` is `[channels][taps]`.
    pub fn depthwise(
        &mut self,
        weights: &[f32],
        bias: &[f32],
        channels: usize,
        kernel: [usize; 2],
        [stride, dilation]: [[usize; 2]; 2],
        (epilogue, after): Store,
    ) -> Depthwise {
        let taps = kernel[0] * kernel[1];
        let (lanes, vectors) = (self.lanes, channels.div_ceil(self.lanes));
        let offset = self.buffer.grow(vectors * lanes * (BIAS + taps));
        let to = &mut self.buffer.as_mut_slice()[offset..];
        for c in 0..channels {
            let block = c / lanes * lanes * (BIAS + taps) + c % lanes;
            for i in 0..BIAS {
                to[block + i * lanes] = bias.get(c).copied().unwrap_or(0.0);
            }
            for t in 0..taps {
                to[block + (BIAS + t) * lanes] = weights[c * taps + t];
            }
        }
        Depthwise {
            kernel,
            stride: stride[1],
            dilation: dilation[1],
            even: stride[0] == stride[1] && dilation[0] == dilation[1],
            vectors,
            offset,
            epilogue,
            after,
        }
    }

    /// Packs one layer for Winograd, with a kernel of 3 or 5, `tiles` in a row
    /// and `block` in a call.
    pub fn winograd(
        &mut self,
        weights: &[f32],
        bias: &[f32],
        [outputs, inputs]: [usize; 2],
        [kernel, tiles, block]: [usize; 3],
        (epilogue, after): Store,
    ) -> Winograd {
        let products = match kernel {
            3 => products::<3>(weights, outputs * inputs),
            _ => products::<5>(weights, outputs * inputs),
        };
        let start = self.buffer.len();
        let mut packed: Option<Dense> = None;
        for product in &products {
            let one = self.dense(&DenseWeights {
                weights: product,
                bias: &[],
                outputs,
                inputs,
                taps: 1,
                segments: 1,
                pixels: block,
                store: (Epilogue::NONE, None),
            });
            packed.get_or_insert(one);
        }
        let size = self.buffer.len() - start;
        let out_vectors = outputs.div_ceil(self.lanes);
        let offset = self.buffer.grow(out_vectors * self.lanes);
        let to = &mut self.buffer.as_mut_slice()[offset..];
        to[..bias.len()].copy_from_slice(bias);
        Winograd {
            panels: packed.map(|d| d.panels).unwrap_or_default(),
            stride: size / PRODUCTS,
            channels: inputs,
            in_vectors: inputs.div_ceil(self.lanes),
            out_vectors,
            tile: tile_of(kernel),
            tiles,
            bias: offset,
            epilogue,
            after,
            stream: size * 4 > 4 * STREAM_BYTES,
        }
    }

    /// Packs scale and shift per channel, alternating by vector, and returns
    /// where they start.
    pub fn affine(&mut self, scale: &[f32], shift: &[f32]) -> usize {
        let lanes = self.lanes;
        let offset = self.buffer.grow(scale.len().div_ceil(lanes) * lanes * 2);
        let to = &mut self.buffer.as_mut_slice()[offset..];
        for (c, (&a, &b)) in scale.iter().zip(shift).enumerate() {
            let block = c / lanes * lanes * 2 + c % lanes;
            to[block] = a;
            to[block + lanes] = b;
        }
        offset
    }
}

/// The factors of Winograd's products, for `count` filters of `K` by `K` taps.
fn products<const K: usize>(weights: &[f32], count: usize) -> Vec<Vec<f32>> {
    let matrix = filter_matrix::<K>();
    let mut products = vec![vec![0.0; count]; PRODUCTS];
    for (i, g) in weights.chunks_exact(K * K).enumerate() {
        for (product, u) in products.iter_mut().zip(transform_filter(g, &matrix)) {
            product[i] = u;
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_cover_all_outputs_once() {
        for lanes in [4, 8, 16] {
            let packer = Packer::new(lanes, [12, 6, 1, 1]);
            for vectors in 1..40 {
                for pixels in [1, 2, 7, 49, 1000] {
                    let widths = packer.widths(vectors, pixels, 64);
                    assert_eq!(widths.iter().sum::<usize>(), vectors);
                    assert!(widths.iter().all(|&v| (1..=4).contains(&v)));
                }
            }
        }
    }

    #[test]
    fn dense_puts_the_bias_first_and_taps_before_inputs() {
        let mut packer = Packer::new(4, [8, 4, 1, 1]);
        let weights = [1.0, 2.0, 3.0, 4.0]; // one output, two inputs of two taps
        let d = packer.dense(&DenseWeights {
            weights: &weights,
            bias: &[9.0],
            outputs: 1,
            inputs: 2,
            taps: 2,
            segments: 1,
            pixels: 8,
            store: (Epilogue::NONE, None),
        });
        let column: Vec<f32> =
            (0..5).map(|k| packer.buffer.as_slice()[d.panels[0].offset + 4 * k]).collect();
        assert_eq!(column, [9.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!((d.klen, d.segments), (4, 1));
    }
}
