//! From chains and layouts to int8 kernel calls.
//!
//! Decides the order of calls and which rows each reads, like the float
//! [`emit`](crate::plan); writes the row table and packs weights on the way.
//! The convolutions are in [`emit_conv`](super::emit_conv).

use super::constants::finite;
use super::functions::table;
use super::micro::BLOCK;
use super::micro::depthwise::Depthwise;
use super::micro::elementwise::{Function, InterleaveCall, MapCall, SoftmaxCall};
use super::micro::floats::ActivateCall;
use super::micro::gemm::Dense;
use super::micro::pool::{GlobalCall, Mean, PoolCall};
use super::pack::Packer;
use super::program::{Call, Step};
use super::quantization::{Quantization, Stored};
use crate::error::Error;
use crate::graph::{Activation, Affine, Binary, Graph, Op, Pool, Value};
use crate::micro::Plane;
use crate::micro::mover::{CopyCall, FillCall};
use crate::plan::chain::{Chain, due};
use crate::plan::layout::Layout;
use crate::plan::memory::Arena;
use crate::plan::method::Method;

/// What a model executes.
pub(super) struct Emitter<'a> {
    pub graph: &'a Graph,
    pub methods: &'a [Method],
    pub layouts: &'a [Layout],
    pub arena: &'a Arena,
    /// Of each value: how its bytes stand for numbers, unless it is floats.
    pub quantization: &'a [Quantization],
    pub floats: &'a [bool],
    /// The zero points of the arena's rows of padding.
    pub borders: &'a [u8],
    /// Most bytes of weights, and of tables.
    pub limit: usize,
    pub packer: Packer,
    pub steps: Vec<Step>,
    pub rows: Vec<u32>,
    pub dense: Vec<Dense>,
    pub depthwise: Vec<Depthwise>,
    /// Per node: its first entry in `dense` or `depthwise`, or the offset of its
    /// constants.
    pub packed: Vec<usize>,
    /// Buffers whose columns of padding have been written.
    pub padded: Vec<bool>,
    /// The node being emitted.
    pub layer: usize,
}

impl<'a> Emitter<'a> {
    /// Emits all chains.
    pub fn emit(&mut self, chains: &[Chain]) -> Result<(), Error> {
        self.pad_sides(self.graph.input())?;
        for chain in chains {
            for &node in &chain.nodes {
                self.layer = node;
                let name = &self.graph.nodes[node].name;
                self.pack(node, chain.nodes.len() > 1).map_err(|e| e.at_node(name))?;
                self.pad_sides(self.graph.nodes[node].out)?;
            }
            let last = self.graph.nodes[chain.nodes[chain.nodes.len() - 1]].out;
            let h = self.layouts[last.0].shape.h;
            let mut done = vec![0; chain.nodes.len()];
            let mut y0 = 0;
            while y0 < h {
                let y1 = (y0 + chain.strip).min(h);
                let due = due(self.graph, self.layouts, &chain.nodes, y0, y1);
                for (j, &node) in chain.nodes.iter().enumerate() {
                    if done[j] < due[j] {
                        self.layer = node;
                        self.node(node, (done[j], due[j]))?;
                        done[j] = due[j];
                    }
                }
                y0 = y1;
            }
        }
        self.link_prefetch();
        Ok(())
    }

    pub fn push(&mut self, call: Call) -> Result<(), Error> {
        self.check_tables(0)?;
        self.steps.push(Step { layer: self.layer, call });
        Ok(())
    }

    /// Fails if `more` rows would take the tables over the limit.
    pub fn check_tables(&self, more: usize) -> Result<(), Error> {
        let rows = self.rows.len().checked_add(more).and_then(|n| n.checked_mul(4));
        let bytes = rows.and_then(|n| n.checked_add(self.steps.len() * size_of::<Step>()));
        match bytes {
            Some(n) if n <= self.limit => Ok(()),
            _ => Err(Error::limit(format!(
                "node '{}': the plan's tables need more than {} bytes",
                self.graph.nodes[self.layer].name, self.limit
            ))),
        }
    }

    pub fn quantization(&self, v: Value) -> Quantization {
        self.quantization[v.0]
    }

    /// How a value is stored.
    pub fn stored(&self, v: Value) -> Stored {
        if self.floats[v.0] { Stored::Floats } else { Stored::Bytes(self.quantization(v)) }
    }

    pub fn flip(&self) -> u8 {
        self.packer.set.flip
    }

    /// The stored byte that stands for zero.
    fn stored_zero(&self, v: Value) -> u8 {
        self.quantization(v).zero_point ^ self.flip()
    }

    /// Offset of a row of zeros of a value.
    pub fn border(&self, v: Value) -> usize {
        let zero = self.quantization(v).zero_point;
        let index = self.borders.iter().position(|&b| b == zero).unwrap_or(0);
        self.arena.border + index * self.arena.border_row
    }

    /// Bytes of a pixel that kernels work on.
    pub fn channels(&self, v: Value) -> usize {
        self.layouts[v.0].shape.c.next_multiple_of(BLOCK)
    }

    /// Bounds of a clamp as bytes of a value, and whether saturation is not
    /// enough for them.
    pub fn bounds(&self, v: Value, a: Activation) -> (f32, f32, bool) {
        let q = self.quantization(v);
        let (lo, hi) = a.clamp().unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
        let byte = |x: f32| {
            let steps = f64::from(x) / f64::from(q.scale) + f64::from(q.zero_point);
            steps.round_ties_even().clamp(0.0, 255.0) as f32
        };
        let (lo, hi) = (byte(lo), byte(hi));
        (lo, hi, lo > 0.0 || hi < 255.0)
    }

    /// Writes the columns beside a tensor, once.
    fn pad_sides(&mut self, v: Value) -> Result<(), Error> {
        let l = self.layouts[self.layouts[v.0].root];
        if l.left + l.right == 0 || std::mem::replace(&mut self.padded[l.root], true) {
            return Ok(());
        }
        let right = (l.left + l.shape.w) * l.pix;
        self.push(Call::Fill(FillCall {
            value: self.stored_zero(v),
            off: l.off,
            row: l.row,
            rows: l.ring,
            stretches: [(0, l.left * l.pix), (right, l.right * l.pix)],
        }))
    }

    /// Packs the weights or constants of a node.
    fn pack(&mut self, node: usize, chained: bool) -> Result<(), Error> {
        let graph = self.graph;
        let out = graph.nodes[node].out;
        match &graph.nodes[node].op {
            Op::Conv(c) if self.floats[c.x.0] => self.pack_float_dense(node, c),
            Op::Conv(c) => self.pack_conv(node, c, chained),
            Op::Activate(x, a) if !self.floats[x.0] && !self.floats[out.0] => {
                let table = table(*a, self.quantization(*x), self.quantization(out), self.flip());
                self.packed[node] = self.packer.table(&table);
                Ok(())
            }
            Op::Affine(Affine { x, scale, shift, .. }) => {
                let (x, out) = (self.quantization(*x), self.quantization(out));
                let step = f64::from(out.scale);
                let scale = scale.iter().map(|&s| finite(f64::from(x.scale) * f64::from(s) / step));
                let scale: Vec<f32> = scale.collect::<Result<_, _>>()?;
                let zero = f64::from(out.zero_point);
                let shift = shift.iter().map(|&s| finite(f64::from(s) / step + zero));
                let shift: Vec<f32> = shift.collect::<Result<_, _>>()?;
                self.packed[node] = self.packer.affine(&scale, &shift);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Emits rows of a node.
    fn node(&mut self, node: usize, rows: (usize, usize)) -> Result<(), Error> {
        let graph = self.graph;
        let out = graph.nodes[node].out;
        match &graph.nodes[node].op {
            Op::Conv(c) if self.floats[c.x.0] => self.float_dense(node, c),
            Op::Conv(c) => self.conv(node, c, rows),
            Op::Linear(_) | Op::Slice(_) => Ok(()),
            Op::Pool(p) => self.pool(p, out, rows),
            Op::GlobalAverage(x) => {
                let l = &self.layouts[x.0];
                self.push(Call::Global(GlobalCall {
                    x: l.at(0),
                    size: [l.shape.h, l.shape.w],
                    out: self.layouts[out.0].at(0).off,
                    channels: self.channels(out),
                    mean: self.mean(*x, out),
                }))
            }
            Op::Add(b) => {
                let (x, y) = self.sides(b, out);
                let (qx, qy, q) =
                    (self.quantization(x), self.quantization(y), self.quantization(out));
                let scale =
                    |q: Quantization, step: f32| finite(f64::from(q.scale) / f64::from(step));
                let scales = [scale(qx, q.scale)?, scale(qy, q.scale)?];
                let zeros = f64::from(qx.zero_point) * f64::from(scales[0])
                    + f64::from(qy.zero_point) * f64::from(scales[1]);
                let offset = finite(f64::from(q.zero_point) - zeros)?;
                self.map(Function::Add { scales, offset }, (x, y), out, rows, b.activation)
            }
            Op::Mul(b) => {
                let (x, y) = self.sides(b, out);
                let (qx, qy, q) =
                    (self.quantization(x), self.quantization(y), self.quantization(out));
                let zeros = [i32::from(qx.zero_point), i32::from(qy.zero_point)];
                let scale = f64::from(qx.scale) * f64::from(qy.scale) / f64::from(q.scale);
                let (scale, offset) = (finite(scale)?, f32::from(q.zero_point));
                self.map(Function::Mul { zeros, scale, offset }, (x, y), out, rows, b.activation)
            }
            Op::Affine(a) => {
                let zero = i32::from(self.quantization(a.x).zero_point);
                let f = Function::Affine { zero, constants: self.packed[node] };
                self.map(f, (a.x, a.x), out, rows, a.activation)
            }
            Op::Activate(x, a) if self.floats[x.0] || self.floats[out.0] => {
                self.activate(*x, *a, out, rows)
            }
            Op::Activate(x, _) => {
                let f = Function::Table(self.packed[node]);
                self.map(f, (*x, *x), out, rows, Activation::None)
            }
            Op::Concat(c) => {
                let mut channel = 0;
                for &part in &c.xs {
                    let mut to = self.layouts[out.0].at(0);
                    to.off += channel;
                    let from = self.layouts[part.0].at(0);
                    if from != to {
                        self.copy(part, from, to, 1)?;
                    }
                    channel += self.layouts[part.0].shape.c;
                }
                Ok(())
            }
            Op::Shuffle { x, groups } => {
                let (from, to) = (self.layouts[x.0].at(0), self.layouts[out.0].at(0));
                self.copy(*x, from, to, *groups)
            }
            Op::Pad(p) => {
                let l = self.layouts[out.0];
                let off = l.off + l.left * l.pix;
                // whole pixels: a padded tensor is never part of another
                let stretches = [(0, l.shape.w * l.pix), (0, 0)];
                let value = self.stored_zero(out);
                let fill = FillCall { value, off, row: l.row, rows: l.shape.h, stretches };
                self.push(Call::Fill(fill))?;
                let mut to = l.at(p.padding.top);
                to.off += p.padding.left * l.pix;
                self.copy(p.x, self.layouts[p.x.0].at(0), to, 1)
            }
            Op::Interleave(a, b) => {
                let l = &self.layouts[a.0];
                self.push(Call::Interleave(InterleaveCall {
                    a: l.at(0),
                    b: self.layouts[b.0].at(0),
                    out: self.layouts[out.0].at(0),
                    rows: l.shape.h,
                    m: l.shape.w,
                    channels: l.shape.c,
                }))
            }
            Op::Softmax(x) => {
                let l = &self.layouts[x.0];
                self.push(Call::Softmax(SoftmaxCall {
                    x: l.at(0),
                    out: self.layouts[out.0].at(0),
                    rows: l.shape.h,
                    m: l.shape.w,
                    channels: l.shape.c,
                }))
            }
        }
    }

    /// The inputs of a sum or product, the one of full size first.
    fn sides(&self, b: &Binary, out: Value) -> (Value, Value) {
        let full = self.layouts[b.x.0].shape == self.layouts[out.0].shape;
        if full { (b.x, b.y) } else { (b.y, b.x) }
    }

    fn mean(&self, x: Value, out: Value) -> Mean {
        let (from, to, floats) = (self.quantization(x), self.quantization(out), self.floats[out.0]);
        let step = if floats { 1.0 } else { f64::from(to.scale) };
        Mean {
            zero: i32::from(from.zero_point),
            ratio: f64::from(from.scale) / step,
            offset: f32::from(to.zero_point),
            floats,
        }
    }

    fn copy(&mut self, x: Value, from: Plane, to: Plane, groups: usize) -> Result<(), Error> {
        let s = self.layouts[x.0].shape;
        // pixels without gaps on both sides are one long pixel
        let (mut m, mut channels) = (s.w, s.c);
        if groups == 1 && from.pix == s.c && to.pix == s.c {
            (m, channels) = (1, s.w * s.c);
        }
        self.push(Call::Copy(CopyCall { x: from, out: to, rows: s.h, m, channels, groups }))
    }

    fn pool(&mut self, p: &Pool, out: Value, (mut y0, y1): (usize, usize)) -> Result<(), Error> {
        let (x, o) = (self.layouts[p.x.0], self.layouts[out.0]);
        let border = self.border(p.x);
        while y0 < y1 {
            let nrows = (y1 - y0).min(o.run(y0));
            let rows = self.rows.len();
            self.check_tables(nrows.saturating_mul(p.kernel[0]))?;
            for y in y0..y0 + nrows {
                for ky in 0..p.kernel[0] {
                    let row = (y * p.stride[0] + ky).checked_sub(p.padding.top);
                    let row = row.filter(|&row| row < x.shape.h);
                    self.rows.push(row.map_or(border, |row| x.at(row).off) as u32);
                }
            }
            self.push(Call::Pool(PoolCall {
                kind: p.kind,
                kernel: p.kernel,
                stride: p.stride,
                before: [p.padding.top, p.padding.left],
                size: [x.shape.h, x.shape.w],
                first: y0,
                nrows,
                m: o.shape.w,
                rows,
                ipix: x.pix,
                out: o.at(y0),
                channels: self.channels(out),
                mean: self.mean(p.x, out),
            }))?;
            y0 += nrows;
        }
        Ok(())
    }

    /// `out = f(x, y)` for rows `y0..y1`; `y` may be one pixel.
    fn map(
        &mut self,
        function: Function,
        (x, y): (Value, Value),
        out: Value,
        (mut y0, y1): (usize, usize),
        activation: Activation,
    ) -> Result<(), Error> {
        let (a, b, o) = (self.layouts[x.0], self.layouts[y.0], self.layouts[out.0]);
        let (lo, hi, _) = self.bounds(out, activation);
        let repeat = b.shape != o.shape;
        while y0 < y1 {
            let n = (y1 - y0).min(a.run(y0)).min(o.run(y0));
            let n = if repeat { n } else { n.min(b.run(y0)) };
            let second = if repeat { Plane { row: 0, pix: 0, ..b.at(0) } } else { b.at(y0) };
            self.push(Call::Map(MapCall {
                function,
                a: a.at(y0),
                b: second,
                out: o.at(y0),
                rows: n,
                m: o.shape.w,
                channels: self.channels(out),
                lo,
                hi,
            }))?;
            y0 += n;
        }
        Ok(())
    }

    /// An activation that reads or writes floats, for rows `y0..y1`.
    fn activate(
        &mut self,
        x: Value,
        activation: Activation,
        out: Value,
        (mut y0, y1): (usize, usize),
    ) -> Result<(), Error> {
        let (from, to) = (self.layouts[x.0], self.layouts[out.0]);
        while y0 < y1 {
            let rows = (y1 - y0).min(from.run(y0)).min(to.run(y0));
            self.push(Call::Activate(ActivateCall {
                activation,
                from: self.stored(x),
                to: self.stored(out),
                x: from.at(y0),
                out: to.at(y0),
                rows,
                m: to.shape.w,
                channels: self.channels(out),
            }))?;
            y0 += rows;
        }
        Ok(())
    }

    /// Tells each streaming matrix call which weights come after it.
    fn link_prefetch(&mut self) {
        let mut next = (0, 0);
        for step in self.steps.iter_mut().rev() {
            if let Call::Gemm(call) = &mut step.call {
                call.next = next;
                let d = &self.dense[call.dense];
                let first = &d.panels[0];
                let len = d.panel_bytes(first.vectors, self.packer.set.lanes);
                next = if d.stream { (first.offset, len) } else { (0, 0) };
            }
        }
    }
}
