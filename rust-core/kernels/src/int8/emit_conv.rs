//! Calls of convolutions: the part of [`emit`](super::emit) that packs weights
//! and fills the row table.

use super::constants::{layer, quantized};
use super::emit::Bytes;
use super::micro::BLOCK;
use super::micro::depthwise::DepthwiseCall;
use super::micro::floats::DenseCall;
use super::micro::gemm::GemmCall;
use super::pack::{DenseForm, DepthwiseForm};
use super::program::Call;
use crate::error::Error;
use crate::graph::Conv;
use crate::micro::Plane;
use crate::plan::emitter::Emitter;
use crate::plan::flat;
use crate::plan::layout::Layout;
use crate::plan::method::Method;

/// Bytes of input that a block of a call reads, so that it stays in the cache
/// while all panels pass over it.
const BLOCK_BYTES: usize = 64 * 1024;

impl Emitter<'_, Bytes<'_>> {
    /// Fails if packing a convolution would take the weights over the limit.
    fn check_conv(&self, node: usize, c: &Conv) -> Result<(), Error> {
        let taps = c.kernel[0] * c.kernel[1];
        let inputs = self.layouts[c.x.0].shape.c / c.groups;
        let used = 4 * self.own.packer.buffer.len();
        // taps are rounded up to fours of inputs or rows, channels to blocks
        let bytes = match self.methods[node] {
            Method::Depthwise => c
                .out_channels
                .checked_next_multiple_of(4 * BLOCK)
                .and_then(|n| n.checked_mul(12 + 4 * c.kernel[1] * (c.kernel[0] + 12))),
            _ => (c.out_channels / c.groups)
                .checked_next_multiple_of(BLOCK)
                .and_then(|n| n.checked_mul(12 + taps.checked_mul(inputs + 3)?))
                .and_then(|n| n.checked_mul(c.groups)),
        };
        self.check_weights(used, bytes)
    }

    /// Packs the weights of a convolution.
    pub fn pack_conv(&mut self, node: usize, c: &Conv, chained: bool) -> Result<(), Error> {
        self.check_conv(node, c)?;
        let out = self.graph.nodes[node].out;
        let (x, o) = (self.layouts[c.x.0], self.layouts[out.0]);
        let floats = self.own.floats[out.0];
        let residual = c.residual.map(|r| self.quantization(r));
        let layer = layer(c, self.quantization(c.x), residual, self.stored(out), self.flip())?;
        let mut bounds = self.bounds(out, c.activation);
        if let (true, Some((lo, hi))) = (floats, c.activation.clamp()) {
            bounds = (lo, hi, lo > f32::NEG_INFINITY || hi < f32::INFINITY);
        }
        if self.methods[node] == Method::Depthwise {
            let channels = self.channels(out);
            let form = DepthwiseForm {
                channels: x.shape.c,
                kernel: c.kernel,
                stride: c.stride,
                dilation: c.dilation,
                tight: x.pix == channels && o.pix == channels,
                bounds,
            };
            self.packed[node] = self.own.depthwise.len();
            let packed = self.own.packer.depthwise(&layer, &form);
            self.own.depthwise.push(packed);
            return Ok(());
        }
        self.packed[node] = self.own.dense.len();
        let r = c.residual.map(|r| &self.layouts[r.0]);
        let whole = !chained && flat(c, &x, &o, r);
        let outputs = o.shape.c / c.groups;
        for group in 0..c.groups {
            let form = DenseForm {
                first: group * outputs,
                outputs,
                inputs: x.shape.c / c.groups,
                taps: c.kernel[0] * c.kernel[1],
                segments: c.kernel[0] * self.taps_apart(c, &x),
                pixels: if whole { o.shape.h * o.shape.w } else { o.shape.w },
                floats,
                bounds,
            };
            let packed = self.own.packer.dense(&layer, &form);
            self.own.dense.push(packed);
        }
        Ok(())
    }

    /// Packs the weights of a fully connected layer in floats.
    pub fn pack_float_dense(&mut self, node: usize, c: &Conv) -> Result<(), Error> {
        self.check_conv(node, c)?;
        let (weights, scales) = quantized(c)?;
        let shape = self.layouts[c.x.0].shape;
        self.packed[node] = self.own.packer.float_dense(&weights, &scales, &c.bias, shape);
        Ok(())
    }

    /// Emits a fully connected layer in floats.
    pub fn float_dense(&mut self, node: usize, c: &Conv) -> Result<(), Error> {
        let (x, out) = (&self.layouts[c.x.0], self.graph.nodes[node].out);
        let (lo, hi) = c.activation.clamp().unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
        self.push(Call::FloatDense(DenseCall {
            x: x.at(0),
            size: [x.shape.h, x.shape.w],
            inputs: x.shape.c,
            out: self.layouts[out.0].at(0).off,
            outputs: self.channels(out),
            weights: self.packed[node],
            lo,
            hi,
        }))
    }

    /// Stretches of input that one kernel row reads: 1 where its taps are
    /// adjacent, else one each.
    fn taps_apart(&self, c: &Conv, x: &Layout) -> usize {
        let adjacent = c.groups == 1 && c.dilation[1] == 1 && x.pix == x.shape.c;
        if c.kernel[1] == 1 || adjacent { 1 } else { c.kernel[1] }
    }

    /// Offset of input row `row`, counted from the top of the padding.
    fn input_row(&self, c: &Conv, row: usize) -> usize {
        let x = &self.layouts[c.x.0];
        match row.checked_sub(c.padding.top).filter(|&row| row < x.shape.h) {
            None => self.border(c.x),
            Some(row) => x.at(row).off - c.padding.left * x.pix,
        }
    }

    /// Emits rows `y0..y1` of a convolution.
    pub fn conv(&mut self, node: usize, c: &Conv, rows: (usize, usize)) -> Result<(), Error> {
        match self.methods[node] {
            Method::Depthwise => self.depthwise_rows(node, c, rows),
            _ => (0..c.groups).try_for_each(|g| self.gemm_rows(node, c, g, rows)),
        }
    }

    /// Writes the input offsets of output rows `y0..y1` of a dense convolution
    /// and returns where they start.
    fn table(
        &mut self,
        c: &Conv,
        (y0, y1): (usize, usize),
        apart: usize,
        channel: usize,
    ) -> Result<usize, Error> {
        let x = self.layouts[c.x.0];
        let start = self.rows.len();
        let count = (y1 - y0).checked_mul(c.kernel[0]).and_then(|n| n.checked_mul(apart));
        self.check_tables(count.unwrap_or(usize::MAX))?;
        for y in y0..y1 {
            for ky in 0..c.kernel[0] {
                let row = y * c.stride[0] + ky * c.dilation[0];
                let inside = row >= c.padding.top && row - c.padding.top < x.shape.h;
                let off = self.input_row(c, row);
                for kx in 0..apart {
                    // all pixels of a row of padding are alike
                    let skip = if inside { kx * c.dilation[1] * x.pix + channel } else { 0 };
                    self.rows.push((off + skip) as u32);
                }
            }
        }
        Ok(start)
    }

    fn gemm_rows(
        &mut self,
        node: usize,
        c: &Conv,
        group: usize,
        (mut y0, y1): (usize, usize),
    ) -> Result<(), Error> {
        let out = self.graph.nodes[node].out;
        let (x, o) = (self.layouts[c.x.0], self.layouts[out.0]);
        let r = c.residual.map(|r| self.layouts[r.0]);
        let dense = self.packed[node] + group;
        let (inputs, outputs) = (x.shape.c / c.groups, o.shape.c / c.groups);
        let one_panel = self.own.dense[dense].panels.len() == 1;
        let whole = flat(c, &x, &o, r.as_ref());
        let apart = self.taps_apart(c, &x);
        let size = if self.own.floats[out.0] { 4 } else { 1 };
        while y0 < y1 {
            let n = (y1 - y0).min(o.run(y0));
            let mut to = o.at(y0);
            to.off += group * outputs * size;
            let residual = r.map(|r| {
                let mut p = r.at(y0);
                p.off += group * outputs;
                p
            });
            if whole {
                let n = n.min(x.run(y0));
                let pixels = n * o.shape.w;
                let fit = (BLOCK_BYTES / inputs).max(60) / 12 * 12;
                let block = if one_panel { pixels } else { fit.min(pixels) };
                let mut p = 0;
                while p < pixels {
                    let m = block.min(pixels - p);
                    let rows = self.rows.len();
                    self.check_tables(1)?;
                    self.rows.push((x.at(y0).off + p * x.pix + group * inputs) as u32);
                    let shift = |plane: Plane| Plane { off: plane.off + p * plane.pix, ..plane };
                    self.push(Call::Gemm(GemmCall {
                        dense,
                        rows,
                        nrows: 1,
                        m,
                        apix: x.pix,
                        out: shift(to),
                        residual: residual.map(shift),
                        next: (0, 0),
                    }))?;
                    p += m;
                }
                y0 += n;
            } else {
                let fit = (BLOCK_BYTES / (x.row * c.stride[0]).max(1)).max(1);
                let n = if one_panel { n } else { n.min(fit) };
                let rows = self.table(c, (y0, y0 + n), apart, group * inputs)?;
                self.push(Call::Gemm(GemmCall {
                    dense,
                    rows,
                    nrows: n,
                    m: o.shape.w,
                    apix: x.pix * c.stride[1],
                    out: to,
                    residual,
                    next: (0, 0),
                }))?;
                y0 += n;
            }
        }
        Ok(())
    }

    fn depthwise_rows(
        &mut self,
        node: usize,
        c: &Conv,
        (mut y0, y1): (usize, usize),
    ) -> Result<(), Error> {
        let (x, o) = (self.layouts[c.x.0], self.layouts[self.graph.nodes[node].out.0]);
        let depthwise = self.packed[node];
        let (group, entries) = {
            let d = &self.own.depthwise[depthwise];
            (d.rows, 4 * d.fours)
        };
        while y0 < y1 {
            let n = (y1 - y0).min(o.run(y0));
            let rows = self.rows.len();
            self.check_tables(n.div_ceil(group).saturating_mul(entries))?;
            for y in (y0..y0 + n).step_by(group) {
                let window = (group - 1) * c.stride[0] / c.dilation[0] + c.kernel[0];
                for i in 0..entries {
                    // rows after the window's meet weights of zero
                    let off = match i < window {
                        true => self.input_row(c, y * c.stride[0] + i * c.dilation[0]),
                        false => self.border(c.x),
                    };
                    self.rows.push(off as u32);
                }
            }
            self.push(Call::Depthwise(DepthwiseCall {
                depthwise,
                rows,
                nrows: n,
                m: o.shape.w,
                ipix: x.pix,
                out: o.at(y0),
            }))?;
            y0 += n;
        }
        Ok(())
    }
}
