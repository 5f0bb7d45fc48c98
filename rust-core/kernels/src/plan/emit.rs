//! From chains and layouts to kernel calls.
//!
//! Decides the order of calls, how long each is (blocks that stay in the
//! cache), and which rows it reads; writes the row table and packs weights on
//! the way. The convolutions are in [`emit_conv`](super::emit_conv).

use super::call::{Call, Step};
use super::chain::{Chain, due};
use super::layout::Layout;
use super::memory::Arena;
use super::method::{Method, split};
use crate::error::Error;
use crate::graph::{Binary, Graph, Op, Pool, PoolKind, Value};
use crate::micro::Plane;
use crate::micro::depthwise::Depthwise;
use crate::micro::elementwise::{Function, InterleaveCall, MapCall, SoftmaxCall};
use crate::micro::gemm::Dense;
use crate::micro::mover::{CopyCall, FillCall};
use crate::micro::pool::{GlobalCall, PoolCall};
use crate::pack::Packer;
use crate::winograd::Winograd;

/// What a model executes.
pub(super) struct Emitter<'a> {
    pub graph: &'a Graph,
    pub methods: &'a [Method],
    pub layouts: &'a [Layout],
    pub arena: &'a Arena,
    pub lanes: usize,
    /// Most bytes of weights, and of tables.
    pub limit: usize,
    pub packer: Packer,
    pub steps: Vec<Step>,
    pub rows: Vec<u32>,
    pub dense: Vec<Dense>,
    pub depthwise: Vec<Depthwise>,
    pub winograd: Vec<Winograd>,
    /// Per node: its first entry in `dense`, `depthwise` or `winograd`.
    pub packed: Vec<usize>,
    /// Buffers whose zero columns have been written.
    pub zeroed: Vec<bool>,
    /// The node being emitted.
    pub layer: usize,
}

impl Emitter<'_> {
    /// Emits all chains.
    pub fn emit(&mut self, chains: &[Chain]) -> Result<(), Error> {
        self.zero_sides(self.graph.input())?;
        for (i, chain) in chains.iter().enumerate() {
            for &node in &chain.nodes {
                self.layer = node;
                self.pack(node, chain.nodes.len() > 1)?;
                self.zero_sides(self.graph.nodes[node].out)?;
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
                        self.node(i, node, done[j], due[j])?;
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
        let bytes = self
            .rows
            .len()
            .checked_add(more)
            .and_then(|n| n.checked_mul(4))
            .and_then(|n| n.checked_add(self.steps.len() * size_of::<Step>()));
        match bytes {
            Some(n) if n <= self.limit => Ok(()),
            _ => Err(Error::limit(format!(
                "node '{}': the plan's tables need more than {} bytes",
                self.graph.nodes[self.layer].name, self.limit
            ))),
        }
    }

    /// Zeros the columns beside a tensor, once.
    fn zero_sides(&mut self, v: Value) -> Result<(), Error> {
        let l = self.layouts[self.layouts[v.0].root];
        if l.left + l.right == 0 || std::mem::replace(&mut self.zeroed[l.root], true) {
            return Ok(());
        }
        let right = (l.left + l.shape.w) * l.pix;
        self.push(Call::Fill(FillCall {
            value: 0.0,
            off: l.off,
            row: l.row,
            rows: l.ring,
            stretches: [(0, l.left * l.pix), (right, l.right * l.pix)],
        }))
    }

    /// Emits rows `y0..y1` of a node.
    fn node(&mut self, chain: usize, node: usize, y0: usize, y1: usize) -> Result<(), Error> {
        let out = self.graph.nodes[node].out;
        let graph = self.graph;
        match &graph.nodes[node].op {
            Op::Conv(c) => self.conv(chain, node, c, y0, y1),
            Op::Linear(_) | Op::Slice(_) => Ok(()),
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
                self.map(f, a.x, a.x, out, (y0, y1))?;
                self.after(after, out, (y0, y1))
            }
            Op::Activate(x, a) => {
                let (epilogue, after) = split(*a);
                let f = after.unwrap_or(Function::Clamp(epilogue));
                self.map(f, *x, *x, out, (y0, y1))
            }
            Op::Concat(c) => {
                let mut channel = 0;
                for &part in &c.xs {
                    let n = self.layouts[part.0].shape.c;
                    let mut to = self.layouts[out.0].at(0);
                    to.off += channel;
                    let from = self.layouts[part.0].at(0);
                    if from != to {
                        self.copy(part, from, to, 1)?;
                    }
                    channel += n;
                }
                Ok(())
            }
            Op::Shuffle { x, groups } => {
                let (from, to) = (self.layouts[x.0].at(0), self.layouts[out.0].at(0));
                self.copy(*x, from, to, *groups)
            }
            Op::Pad(p) => {
                let l = self.layouts[out.0];
                let row = l.shape.w * l.pix;
                let off = l.off + l.left * l.pix;
                let rows = l.shape.h;
                // whole pixels: a padded tensor is never part of another
                let stretches = [(0, row), (0, 0)];
                self.push(Call::Fill(FillCall { value: 0.0, off, row: l.row, rows, stretches }))?;
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
                    vectors: self.vectors(out),
                }))
            }
        }
    }

    pub fn vectors(&self, v: Value) -> usize {
        self.layouts[v.0].shape.c.div_ceil(self.lanes)
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
        // the side of full size first
        let full = self.layouts[b.x.0].shape == self.layouts[out.0].shape;
        let (x, y) = if full { (b.x, b.y) } else { (b.y, b.x) };
        self.map(f(epilogue), x, y, out, rows)?;
        self.after(after, out, rows)
    }

    /// A pass over rows of a tensor in place, where its node needs one.
    pub fn after(
        &mut self,
        f: Option<Function>,
        out: Value,
        rows: (usize, usize),
    ) -> Result<(), Error> {
        f.map_or(Ok(()), |f| self.map(f, out, out, out, rows))
    }

    /// `out = f(x, y)` for rows `y0..y1`; `y` may be one pixel.
    pub fn map(
        &mut self,
        function: Function,
        x: Value,
        y: Value,
        out: Value,
        (mut y0, y1): (usize, usize),
    ) -> Result<(), Error> {
        let (a, b, o) = (self.layouts[x.0], self.layouts[y.0], self.layouts[out.0]);
        let repeat = b.shape != o.shape;
        let per_channel = repeat || matches!(function, Function::Affine(..));
        let vectors = self.vectors(out);
        while y0 < y1 {
            let n = (y1 - y0).min(a.run(y0)).min(o.run(y0));
            let n = if repeat { n } else { n.min(b.run(y0)) };
            let plane_b = if repeat { Plane { row: 0, pix: 0, ..b.at(0) } } else { b.at(y0) };
            let mut call = MapCall {
                function,
                a: a.at(y0),
                b: plane_b,
                out: o.at(y0),
                rows: n,
                m: o.shape.w,
                vectors,
            };
            let dense = |l: &Layout| l.pix == vectors * self.lanes;
            if !per_channel && dense(&a) && dense(&b) && dense(&o) {
                call.vectors *= call.m;
                call.m = 1;
                if a.flat() && b.flat() && o.flat() {
                    call.vectors *= call.rows;
                    call.rows = 1;
                }
            }
            self.push(Call::Map(call))?;
            y0 += n;
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
                let len = first.vectors * self.lanes * (1 + d.segments * d.klen);
                next = if d.stream { (first.offset, len) } else { (0, 0) };
            }
        }
    }
}
