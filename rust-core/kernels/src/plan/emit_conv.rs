//! Calls of convolutions: the part of [`emit`](super::emit) that fills the
//! row table.

use super::call::Call;
use super::emit::Floats;
use super::emitter::Emitter;
use super::layout::Layout;
use super::memory::winograd_block;
use super::method::{Method, split};
use crate::error::Error;
use crate::graph::{Affine, Conv, Op};
use crate::micro::depthwise::DepthwiseCall;
use crate::micro::elementwise::Function;
use crate::micro::gemm::GemmCall;
use crate::pack::DenseWeights;
use crate::winograd::{PATCH, WinogradCall, tile_of};

/// Bytes of input that a block of a call reads, so that it stays in the cache
/// while all panels pass over it.
const BLOCK_BYTES: usize = 96 * 1024;

/// Whether a 1x1 convolution may treat the image as one row of pixels.
pub(crate) fn flat(c: &Conv, x: &Layout, out: &Layout, residual: Option<&Layout>) -> bool {
    c.kernel == [1, 1]
        && c.stride == [1, 1]
        && c.padding.largest() == 0
        && x.flat()
        && out.flat()
        && residual.is_none_or(Layout::flat)
}

impl Emitter<'_, Floats> {
    /// Packs the weights of a node.
    pub fn pack(&mut self, node: usize, chained: bool) -> Result<(), Error> {
        let graph = self.graph;
        let out = graph.nodes[node].out;
        match &graph.nodes[node].op {
            Op::Affine(Affine { scale, shift, .. }) => {
                self.packed[node] = self.own.packer.affine(scale, shift);
            }
            Op::Conv(c) => {
                let (x, o) = (self.layouts[c.x.0], self.layouts[out.0]);
                let floats = self.packed_floats(node, c);
                let used = self.own.packer.buffer.len();
                self.check_weights(4 * used, floats.and_then(|f| f.checked_mul(4)))?;
                let weights = c.weights.to_f32();
                let store = split(c.activation);
                match self.methods[node] {
                    Method::Depthwise => {
                        let none = (crate::micro::Epilogue::NONE, None);
                        let store = if c.residual.is_some() { none } else { store };
                        let steps = [c.stride, c.dilation];
                        let d = self
                            .own
                            .packer
                            .depthwise(&weights, &c.bias, x.shape.c, c.kernel, steps, store);
                        self.packed[node] = self.own.depthwise.len();
                        self.own.depthwise.push(d);
                    }
                    Method::Winograd => {
                        let [_, tiles, block] = winograd_block(c, &x, &o, self.own.lanes);
                        let channels = [o.shape.c, x.shape.c];
                        let w = self.own.packer.winograd(
                            &weights,
                            &c.bias,
                            channels,
                            [c.kernel[0], tiles, tiles * block],
                            store,
                        );
                        self.packed[node] = self.own.winograd.len();
                        self.own.winograd.push(w);
                    }
                    _ => {
                        self.packed[node] = self.own.dense.len();
                        let r = c.residual.map(|r| &self.layouts[r.0]);
                        let whole = !chained && flat(c, &x, &o, r);
                        let pixels = if whole { o.shape.h * o.shape.w } else { o.shape.w };
                        let (inputs, outputs) = (x.shape.c / c.groups, o.shape.c / c.groups);
                        let taps = c.kernel[0] * c.kernel[1];
                        let per = taps * inputs * outputs;
                        for g in 0..c.groups {
                            let bias = c.bias.get(g * outputs..(g + 1) * outputs);
                            let d = self.own.packer.dense(&DenseWeights {
                                weights: &weights[g * per..(g + 1) * per],
                                bias: bias.unwrap_or(&[]),
                                outputs,
                                inputs,
                                taps,
                                segments: c.kernel[0] * self.taps_apart(c, &x),
                                pixels,
                                store,
                            });
                            self.own.dense.push(d);
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes room for all packed weights, so that they are never there twice.
    pub fn reserve(&mut self) {
        let nodes = self.graph.nodes.iter().enumerate();
        let mut floats = nodes.filter_map(|(i, node)| match &node.op {
            Op::Conv(c) => Some(self.packed_floats(i, c)),
            _ => None,
        });
        let total = floats.try_fold(0usize, |sum, n| sum.checked_add(n?));
        if let Some(total) = total.filter(|&n| n <= self.limit / 4) {
            self.own.packer.buffer.reserve(total);
        }
    }

    /// An upper bound of what [`Emitter::pack`] adds to the buffer.
    fn packed_floats(&self, node: usize, c: &Conv) -> Option<usize> {
        let taps = c.kernel[0] * c.kernel[1];
        let inputs = self.layouts[c.x.0].shape.c / c.groups;
        let outputs = (c.out_channels / c.groups).checked_next_multiple_of(self.own.lanes)?;
        let taps = if self.methods[node] == Method::Winograd { 38 } else { taps };
        let (inputs, groups) = match self.methods[node] {
            Method::Depthwise => (1, c.out_channels.div_ceil(self.own.lanes)),
            _ => (inputs, c.groups),
        };
        let k = taps.checked_mul(inputs)?.checked_add(2)?;
        k.checked_mul(outputs)?.checked_add(16)?.checked_mul(groups)
    }

    /// Stretches of input that one kernel row reads: 1 where its taps are
    /// adjacent, else one each.
    fn taps_apart(&self, c: &Conv, x: &Layout) -> usize {
        let adjacent = c.groups == 1 && c.dilation[1] == 1 && x.pix == x.shape.c;
        if c.kernel[1] == 1 || adjacent { 1 } else { c.kernel[1] }
    }

    /// Writes the input offsets of output rows `y0..y1` and returns where they
    /// start: `apart` for each kernel row.
    fn table(
        &mut self,
        c: &Conv,
        (y0, y1): (usize, usize),
        taps: usize,
        apart: usize,
        channel: usize,
    ) -> Result<usize, Error> {
        let x = self.layouts[c.x.0];
        let start = self.rows.len();
        let count = (y1 - y0).checked_mul(taps).and_then(|n| n.checked_mul(apart));
        self.check_tables(count.unwrap_or(usize::MAX))?;
        for y in y0..y1 {
            for ky in 0..taps {
                let row = (y * c.stride[0] + ky * c.dilation[0]).checked_sub(c.padding.top);
                for kx in 0..apart {
                    let off = match row.filter(|&row| row < x.shape.h) {
                        None => self.arena.border,
                        Some(row) => {
                            x.at(row).off - c.padding.left * x.pix
                                + kx * c.dilation[1] * x.pix
                                + channel
                        }
                    };
                    self.rows.push(off as u32);
                }
            }
        }
        Ok(start)
    }

    /// Emits rows `y0..y1` of a convolution.
    pub fn conv(
        &mut self,
        chain: usize,
        node: usize,
        c: &Conv,
        y0: usize,
        y1: usize,
    ) -> Result<(), Error> {
        let out = self.graph.nodes[node].out;
        match self.methods[node] {
            Method::Depthwise => {
                self.depthwise_rows(node, c, y0, y1)?;
                c.residual.map_or(Ok(()), |r| {
                    let (epilogue, after) = split(c.activation);
                    self.map(Function::Add(epilogue), (out, r), out, (y0, y1))?;
                    self.after(after, out, (y0, y1))
                })
            }
            Method::Winograd => self.winograd_rows(chain, node, c),
            _ => (0..c.groups).try_for_each(|g| self.gemm_rows(node, c, g, y0, y1)),
        }
    }

    fn gemm_rows(
        &mut self,
        node: usize,
        c: &Conv,
        group: usize,
        mut y0: usize,
        y1: usize,
    ) -> Result<(), Error> {
        let out_value = self.graph.nodes[node].out;
        let (x, o) = (self.layouts[c.x.0], self.layouts[out_value.0]);
        let r = c.residual.map(|r| self.layouts[r.0]);
        let dense = self.packed[node] + group;
        let (inputs, outputs) = (x.shape.c / c.groups, o.shape.c / c.groups);
        let one_panel = self.own.dense[dense].panels.len() == 1;
        let whole = flat(c, &x, &o, r.as_ref());
        let apart = self.taps_apart(c, &x);
        while y0 < y1 {
            let n = (y1 - y0).min(o.run(y0));
            let mut to = o.at(y0);
            to.off += group * outputs;
            let residual = r.map(|r| {
                let mut p = r.at(y0);
                p.off += group * outputs;
                p
            });
            if whole {
                let n = n.min(x.run(y0));
                let pixels = n * o.shape.w;
                let fit = (BLOCK_BYTES / 4 / inputs).max(56) / 14 * 14;
                let block = if one_panel { pixels } else { fit.min(pixels) };
                let mut p = 0;
                while p < pixels {
                    let m = block.min(pixels - p);
                    let rows = self.rows.len();
                    self.check_tables(1)?;
                    self.rows.push((x.at(y0).off + p * x.pix + group * inputs) as u32);
                    let shift = |mut plane: crate::micro::Plane| {
                        plane.off += p * plane.pix;
                        plane
                    };
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
                let fit = (BLOCK_BYTES / 4 / (x.row * c.stride[0]).max(1)).max(1);
                let n = if one_panel { n } else { n.min(fit) };
                let rows = self.table(c, (y0, y0 + n), c.kernel[0], apart, group * inputs)?;
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
        mut y0: usize,
        y1: usize,
    ) -> Result<(), Error> {
        let (x, o) = (self.layouts[c.x.0], self.layouts[self.graph.nodes[node].out.0]);
        while y0 < y1 {
            let n = (y1 - y0).min(o.run(y0));
            let rows = self.table(c, (y0, y0 + n), c.kernel[0], 1, 0)?;
            self.push(Call::Depthwise(DepthwiseCall {
                depthwise: self.packed[node],
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

    fn winograd_rows(&mut self, chain: usize, node: usize, c: &Conv) -> Result<(), Error> {
        let (x, o) = (self.layouts[c.x.0], self.layouts[self.graph.nodes[node].out.0]);
        let [tile_rows, _, block] = winograd_block(c, &x, &o, self.own.lanes);
        let (input, products) = self.arena.scratch[chain];
        let side = tile_of(c.kernel[0]);
        let mut t = 0;
        while t < tile_rows {
            let n = block.min(tile_rows - t);
            let rows = self.rows.len();
            for tile in t..t + n {
                // six rows of input for each row of tiles
                self.table(c, (tile * side, tile * side + 1), PATCH, 1, 0)?;
            }
            self.push(Call::Winograd(WinogradCall {
                winograd: self.packed[node],
                rows,
                tile_rows: n,
                ipix: x.pix,
                input,
                products,
                out: o.at(t * side),
                residual: c.residual.map(|r| self.layouts[r.0].at(t * side)),
                size: [o.shape.h - t * side, o.shape.w],
            }))?;
            t += n;
        }
        Ok(())
    }
}
