//! Lowers nodes to int8 kernel calls.
//!
//! Decides which rows each call reads; writes the row table and packs weights
//! and constants on the way.
//! The convolutions are in [`emit_conv`](super::emit_conv).

use super::constants::finite;
use super::functions::table;
use super::micro::BLOCK;
use super::micro::depthwise::Depthwise;
use super::micro::elementwise::{Function, MapCall, SoftmaxCall};
use super::micro::floats::ActivateCall;
use super::micro::gemm::Dense;
use super::micro::pool::{GlobalCall, Mean, PoolCall};
use super::pack::Packer;
use super::program::Call;
use super::quantization::{Quantization, Stored};
use crate::error::Error;
use crate::graph::{Activation, Affine, Op, Pool, Value};
use crate::plan::emitter::{Emitter, Lowering};

/// Lowers graphs to int8 kernels.
pub(super) struct Bytes<'a> {
    /// Of each value: how its bytes stand for numbers, unless it is floats.
    pub quantization: &'a [Quantization],
    pub floats: &'a [bool],
    /// The zero points of the arena's rows of padding.
    pub borders: &'a [u8],
    pub packer: Packer,
    pub dense: Vec<Dense>,
    pub depthwise: Vec<Depthwise>,
}

impl Lowering for Bytes<'_> {
    type Element = u8;
    type Call = Call;

    /// The stored byte.
    fn zero(&self, v: Value) -> u8 {
        self.quantization[v.0].zero_point ^ self.packer.set.flip
    }

    fn pack(e: &mut Emitter<'_, Self>, node: usize, chained: bool) -> Result<(), Error> {
        e.pack(node, chained)
    }

    fn compute(e: &mut Emitter<'_, Self>, node: usize, rows: (usize, usize)) -> Result<(), Error> {
        e.compute(node, rows)
    }
}

impl Emitter<'_, Bytes<'_>> {
    pub fn quantization(&self, v: Value) -> Quantization {
        self.own.quantization[v.0]
    }

    /// How a value is stored.
    pub fn stored(&self, v: Value) -> Stored {
        if self.own.floats[v.0] { Stored::Floats } else { Stored::Bytes(self.quantization(v)) }
    }

    pub fn flip(&self) -> u8 {
        self.own.packer.set.flip
    }

    /// Offset of a row of zeros of a value.
    pub fn border(&self, v: Value) -> usize {
        let zero = self.quantization(v).zero_point;
        let index = self.own.borders.iter().position(|&b| b == zero).unwrap_or(0);
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

    /// Packs the weights or constants of a node.
    fn pack(&mut self, node: usize, chained: bool) -> Result<(), Error> {
        let graph = self.graph;
        let out = graph.nodes[node].out;
        match &graph.nodes[node].op {
            Op::Conv(c) if self.own.floats[c.x.0] => self.pack_float_dense(node, c),
            Op::Conv(c) => self.pack_conv(node, c, chained),
            Op::Activate(x, a) if !self.own.floats[x.0] && !self.own.floats[out.0] => {
                let table = table(*a, self.quantization(*x), self.quantization(out), self.flip());
                self.packed[node] = self.own.packer.table(&table);
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
                self.packed[node] = self.own.packer.affine(&scale, &shift);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Emits rows of a node.
    fn compute(&mut self, node: usize, rows: (usize, usize)) -> Result<(), Error> {
        let graph = self.graph;
        let out = graph.nodes[node].out;
        match &graph.nodes[node].op {
            Op::Conv(c) if self.own.floats[c.x.0] => self.float_dense(node, c),
            Op::Conv(c) => self.conv(node, c, rows),
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
            Op::Activate(x, a) if self.own.floats[x.0] || self.own.floats[out.0] => {
                self.activate(*x, *a, out, rows)
            }
            Op::Activate(x, _) => {
                let f = Function::Table(self.packed[node]);
                self.map(f, (*x, *x), out, rows, Activation::None)
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
            // moved by the emitter itself
            _ => Ok(()),
        }
    }

    fn mean(&self, x: Value, out: Value) -> Mean {
        let (from, to, floats) =
            (self.quantization(x), self.quantization(out), self.own.floats[out.0]);
        let step = if floats { 1.0 } else { f64::from(to.scale) };
        Mean {
            zero: i32::from(from.zero_point),
            ratio: f64::from(from.scale) / step,
            offset: f32::from(to.zero_point),
            floats,
        }
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
        inputs: (Value, Value),
        out: Value,
        rows: (usize, usize),
        activation: Activation,
    ) -> Result<(), Error> {
        let (lo, hi, _) = self.bounds(out, activation);
        let (m, channels) = (self.layouts[out.0].shape.w, self.channels(out));
        for (rows, [a, b, out]) in self.stretches(inputs, out, rows) {
            self.push(Call::Map(MapCall { function, a, b, out, rows, m, channels, lo, hi }))?;
        }
        Ok(())
    }

    /// An activation that reads or writes floats.
    fn activate(
        &mut self,
        x: Value,
        activation: Activation,
        out: Value,
        rows: (usize, usize),
    ) -> Result<(), Error> {
        let (from, to) = (self.stored(x), self.stored(out));
        let (m, channels) = (self.layouts[out.0].shape.w, self.channels(out));
        for (rows, [x, _, out]) in self.stretches((x, x), out, rows) {
            let call = ActivateCall { activation, from, to, x, out, rows, m, channels };
            self.push(Call::Activate(call))?;
        }
        Ok(())
    }

    /// Tells each streaming matrix call which weights come after it.
    pub fn link_prefetch(&mut self) {
        let mut next = (0, 0);
        for step in self.steps.iter_mut().rev() {
            if let Call::Gemm(call) = &mut step.call {
                call.next = next;
                let d = &self.own.dense[call.dense];
                let first = &d.panels[0];
                let len = d.panel_bytes(first.vectors, self.own.packer.set.lanes);
                next = if d.stream { (first.offset, len) } else { (0, 0) };
            }
        }
    }
}
