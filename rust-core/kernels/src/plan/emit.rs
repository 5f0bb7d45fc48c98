//! Lowers nodes to float kernel calls.
//!
//! Decides how long each call is (blocks that stay in the cache), and which
//! rows it reads; writes the row table and packs weights on the way. The
//! convolutions are in [`emit_conv`](super::emit_conv).

use super::call::Call;
use super::emitter::{Emitter, Lowering};
use super::layout::Layout;
use super::method::split;
use crate::error::Error;
use crate::graph::{Binary, Op, Pool, PoolKind, Value};
use crate::micro::depthwise::Depthwise;
use crate::micro::elementwise::{Function, MapCall, SoftmaxCall};
use crate::micro::gemm::Dense;
use crate::micro::pool::{GlobalCall, PoolCall};
use crate::pack::Packer;
use crate::winograd::Winograd;

/// Lowers graphs to float kernels.
pub(super) struct Floats {
    pub lanes: usize,
    pub packer: Packer,
    pub dense: Vec<Dense>,
    pub depthwise: Vec<Depthwise>,
    pub winograd: Vec<Winograd>,
}

impl Lowering for Floats {
    type Element = f32;
    type Call = Call;

    fn zero(&self, _: Value) -> f32 {
        0.0
    }

    fn pack(e: &mut Emitter<'_, Self>, node: usize, chained: bool) -> Result<(), Error> {
        e.pack(node, chained)
    }

    fn compute(e: &mut Emitter<'_, Self>, node: usize, rows: (usize, usize)) -> Result<(), Error> {
        e.compute(node, rows)
    }
}

impl Emitter<'_, Floats> {
    fn compute(&mut self, node: usize, (y0, y1): (usize, usize)) -> Result<(), Error> {
        let graph = self.graph;
        let out = graph.nodes[node].out;
        match &graph.nodes[node].op {
            Op::Conv(c) => self.conv(self.chain, node, c, y0, y1),
            Op::Pool(p) => self.pool(p, out, (y0, y1)),
            Op::GlobalAverage(x) => {
                let l = &self.layouts[x.0];
                let size = [l.shape.h, l.shape.w];
                let (x, vectors) = (l.at(0), self.vectors(out));
                let out = self.layouts[out.0].at(0).off;
                self.push(Call::Global(GlobalCall { x, size, out, vectors }))
            }
            Op::Add(b) => self.binary(b, out, (y0, y1), Function::Add),
            Op::Mul(b) => self.binary(b, out, (y0, y1), Function::Mul),
            Op::Affine(a) => {
                let (epilogue, after) = split(a.activation);
                let f = Function::Affine(self.packed[node], epilogue);
                self.map(f, (a.x, a.x), out, (y0, y1))?;
                self.after(after, out, (y0, y1))
            }
            Op::Activate(x, a) => {
                let (epilogue, after) = split(*a);
                let f = after.unwrap_or(Function::Clamp(epilogue));
                self.map(f, (*x, *x), out, (y0, y1))
            }
            Op::Softmax(x) => {
                let l = &self.layouts[x.0];
                self.push(Call::Softmax(SoftmaxCall {
                    x: l.at(0),
                    out: self.layouts[out.0].at(0),
                    rows: l.shape.h,
                    m: l.shape.w,
                    channels: l.shape.c,
                    vectors: self.vectors(out),
                }))
            }
            // moved by the emitter itself
            _ => Ok(()),
        }
    }

    pub fn vectors(&self, v: Value) -> usize {
        self.layouts[v.0].shape.c.div_ceil(self.own.lanes)
    }

    fn pool(&mut self, p: &Pool, out: Value, (mut y0, y1): (usize, usize)) -> Result<(), Error> {
        let (x, o) = (self.layouts[p.x.0], self.layouts[out.0]);
        let last = x.shape.h - 1;
        while y0 < y1 {
            let nrows = (y1 - y0).min(o.run(y0));
            let rows = self.rows.len();
            self.check_tables(nrows.saturating_mul(p.kernel[0]))?;
            for y in y0..y0 + nrows {
                for ky in 0..p.kernel[0] {
                    let row = (y * p.stride[0] + ky).checked_sub(p.padding.top);
                    let off = match (row, p.kind) {
                        (Some(row), _) if row <= last => x.at(row).off,
                        (_, PoolKind::Average { .. }) => self.arena.border,
                        (row, PoolKind::Max) => x.at(row.map_or(0, |_| last)).off,
                    };
                    self.rows.push(off as u32);
                }
            }
            self.push(Call::Pool(PoolCall {
                kind: p.kind,
                kernel: p.kernel,
                stride: p.stride[1],
                left: p.padding.left,
                width: x.shape.w,
                rows,
                nrows,
                m: o.shape.w,
                ipix: x.pix,
                out: o.at(y0),
                vectors: self.vectors(out),
                vertical: [p.padding.top, x.shape.h, p.stride[0], y0],
            }))?;
            y0 += nrows;
        }
        Ok(())
    }

    fn binary(
        &mut self,
        b: &Binary,
        out: Value,
        rows: (usize, usize),
        f: fn(crate::micro::Epilogue) -> Function,
    ) -> Result<(), Error> {
        let (epilogue, after) = split(b.activation);
        self.map(f(epilogue), self.sides(b, out), out, rows)?;
        self.after(after, out, rows)
    }

    /// A pass over rows of a tensor in place, where its node needs one.
    pub fn after(
        &mut self,
        f: Option<Function>,
        out: Value,
        rows: (usize, usize),
    ) -> Result<(), Error> {
        f.map_or(Ok(()), |f| self.map(f, (out, out), out, rows))
    }

    /// `out = f(x, y)` for rows `y0..y1`; `y` may be one pixel.
    pub fn map(
        &mut self,
        function: Function,
        (x, y): (Value, Value),
        out: Value,
        rows: (usize, usize),
    ) -> Result<(), Error> {
        let of = [x, y, out].map(|v| self.layouts[v.0]);
        let vectors = self.vectors(out);
        let together = of[1].shape == of[2].shape
            && !matches!(function, Function::Affine(..))
            && of.iter().all(|l| l.pix == vectors * self.own.lanes);
        let flat = of.iter().all(Layout::flat);
        for (rows, [a, b, to]) in self.stretches((x, y), out, rows) {
            let m = of[2].shape.w;
            let mut call = MapCall { function, a, b, out: to, rows, m, vectors };
            if together {
                call.vectors *= std::mem::replace(&mut call.m, 1);
                if flat {
                    call.vectors *= std::mem::replace(&mut call.rows, 1);
                }
            }
            self.push(Call::Map(call))?;
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
                let len = first.vectors * self.own.lanes * (1 + d.segments * d.klen);
                next = if d.stream { (first.offset, len) } else { (0, 0) };
            }
        }
    }
}
