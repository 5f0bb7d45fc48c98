//! From chains and layouts to kernel calls, whatever the kernels.
//!
//! Decides the order of calls, and those that only move data. Everything else
//! is a [`Lowering`]'s to decide: which calls compute a node, and how its
//! weights are packed.

use super::call::Step;
use super::chain::{Chain, due};
use super::layout::Layout;
use super::memory::Arena;
use super::method::Method;
use crate::error::Error;
use crate::graph::{Binary, Concat, Graph, Node, Op, Pad, Value};
use crate::micro::Plane;
use crate::micro::elementwise::InterleaveCall;
use crate::micro::mover::{CopyCall, FillCall};

/// A set of kernels that graphs are lowered to.
pub(crate) trait Lowering: Sized {
    /// An element of a tensor.
    type Element: Copy;
    /// A kernel call.
    type Call: From<FillCall<Self::Element>> + From<CopyCall> + From<InterleaveCall>;

    /// What stands for zero in a value.
    fn zero(&self, v: Value) -> Self::Element;
    /// Packs the weights or constants of a node that may be one of several in a
    /// chain.
    fn pack(e: &mut Emitter<'_, Self>, node: usize, chained: bool) -> Result<(), Error>;
    /// Emits rows of a node that computes.
    fn compute(e: &mut Emitter<'_, Self>, node: usize, rows: (usize, usize)) -> Result<(), Error>;
}

/// A model in the making.
pub(crate) struct Emitter<'a, L: Lowering> {
    pub graph: &'a Graph,
    pub methods: &'a [Method],
    pub layouts: &'a [Layout],
    pub arena: &'a Arena,
    /// Most bytes of weights, and of tables.
    pub limit: usize,
    pub steps: Vec<Step<L::Call>>,
    pub rows: Vec<u32>,
    /// Per node: where what was packed for it is.
    pub packed: Vec<usize>,
    /// Buffers whose columns of padding have been written.
    padded: Vec<bool>,
    /// The chain and the node being emitted.
    pub chain: usize,
    pub layer: usize,
    pub own: L,
}

impl<'a, L: Lowering> Emitter<'a, L> {
    pub fn new(
        graph: &'a Graph,
        methods: &'a [Method],
        layouts: &'a [Layout],
        arena: &'a Arena,
        limit: usize,
        own: L,
    ) -> Self {
        Self {
            graph,
            methods,
            layouts,
            arena,
            limit,
            steps: Vec::new(),
            rows: Vec::new(),
            packed: vec![0; graph.nodes.len()],
            padded: vec![false; layouts.len()],
            chain: 0,
            layer: 0,
            own,
        }
    }

    /// Emits all chains.
    pub fn emit(&mut self, chains: &[Chain]) -> Result<(), Error> {
        self.pad_sides(self.graph.input())?;
        for (i, chain) in chains.iter().enumerate() {
            self.chain = i;
            for &node in &chain.nodes {
                self.layer = node;
                let Node { name, out, .. } = &self.graph.nodes[node];
                L::pack(self, node, chain.nodes.len() > 1).map_err(|e| e.at_node(name))?;
                self.pad_sides(*out)?;
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
        Ok(())
    }

    pub fn push(&mut self, call: impl Into<L::Call>) -> Result<(), Error> {
        self.check_tables(0)?;
        self.steps.push(Step { layer: self.layer, call: call.into() });
        Ok(())
    }

    /// Fails if `more` rows would take the tables over the limit.
    pub fn check_tables(&self, more: usize) -> Result<(), Error> {
        let rows = self.rows.len().checked_add(more).and_then(|n| n.checked_mul(4));
        let bytes = rows.and_then(|n| n.checked_add(self.steps.len() * size_of::<Step<L::Call>>()));
        match bytes {
            Some(n) if n <= self.limit => Ok(()),
            _ => Err(Error::limit(format!(
                "node '{}': the plan's tables need more than {} bytes",
                self.graph.nodes[self.layer].name, self.limit
            ))),
        }
    }

    /// Fails if packing so many more bytes, `None` being too many to count, would
    /// take the weights over the limit.
    pub fn check_weights(&self, used: usize, more: Option<usize>) -> Result<(), Error> {
        match more.and_then(|n| n.checked_add(used)) {
            Some(n) if n <= self.limit => Ok(()),
            _ => Err(Error::limit(format!("packed weights need more than {} bytes", self.limit))),
        }
    }

    /// Writes the columns beside a tensor, once.
    fn pad_sides(&mut self, v: Value) -> Result<(), Error> {
        let l = self.layouts[self.layouts[v.0].root];
        if l.left + l.right == 0 || std::mem::replace(&mut self.padded[l.root], true) {
            return Ok(());
        }
        let right = (l.left + l.shape.w) * l.pix;
        self.push(FillCall {
            value: self.own.zero(v),
            off: l.off,
            row: l.row,
            rows: l.ring,
            stretches: [(0, l.left * l.pix), (right, l.right * l.pix)],
        })
    }

    /// Emits rows of a node.
    fn node(&mut self, node: usize, rows: (usize, usize)) -> Result<(), Error> {
        let graph = self.graph;
        let out = graph.nodes[node].out;
        match &graph.nodes[node].op {
            Op::Linear(_) | Op::Slice(_) => Ok(()),
            Op::Concat(c) => self.concat(c, out),
            Op::Shuffle { x, groups } => {
                let (from, to) = (self.layouts[x.0].at(0), self.layouts[out.0].at(0));
                self.copy(*x, from, to, *groups)
            }
            Op::Pad(p) => self.pad(p, out),
            Op::Interleave(a, b) => {
                let l = &self.layouts[a.0];
                self.push(InterleaveCall {
                    a: l.at(0),
                    b: self.layouts[b.0].at(0),
                    out: self.layouts[out.0].at(0),
                    rows: l.shape.h,
                    m: l.shape.w,
                    channels: l.shape.c,
                })
            }
            _ => L::compute(self, node, rows),
        }
    }

    /// Copies the parts that are not in their place already.
    fn concat(&mut self, c: &Concat, out: Value) -> Result<(), Error> {
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

    fn pad(&mut self, p: &Pad, out: Value) -> Result<(), Error> {
        let l = self.layouts[out.0];
        let off = l.off + l.left * l.pix;
        // whole pixels: a padded tensor is never part of another
        let stretches = [(0, l.shape.w * l.pix), (0, 0)];
        let value = self.own.zero(out);
        self.push(FillCall { value, off, row: l.row, rows: l.shape.h, stretches })?;
        let mut to = l.at(p.padding.top);
        to.off += p.padding.left * l.pix;
        self.copy(p.x, self.layouts[p.x.0].at(0), to, 1)
    }

    fn copy(&mut self, x: Value, from: Plane, to: Plane, groups: usize) -> Result<(), Error> {
        let s = self.layouts[x.0].shape;
        // pixels without gaps on both sides are one long pixel
        let (mut m, mut channels) = (s.w, s.c);
        if groups == 1 && from.pix == s.c && to.pix == s.c {
            (m, channels) = (1, s.w * s.c);
        }
        self.push(CopyCall { x: from, out: to, rows: s.h, m, channels, groups })
    }

    /// The inputs of a sum or product, the one of full size first.
    pub fn sides(&self, b: &Binary, out: Value) -> (Value, Value) {
        let full = self.layouts[b.x.0].shape == self.layouts[out.0].shape;
        if full { (b.x, b.y) } else { (b.y, b.x) }
    }

    /// Rows `y0..y1` of a function of two tensors in stretches without a gap: the
    /// first row of each, how many, and the planes of the inputs and the output.
    /// `y` may be one pixel, which repeats.
    pub fn stretches(
        &self,
        (x, y): (Value, Value),
        out: Value,
        (mut y0, y1): (usize, usize),
    ) -> impl Iterator<Item = (usize, [Plane; 3])> + use<'a, L> {
        let (a, b, o) = (self.layouts[x.0], self.layouts[y.0], self.layouts[out.0]);
        let repeat = b.shape != o.shape;
        std::iter::from_fn(move || {
            if y0 >= y1 {
                return None;
            }
            let n = (y1 - y0).min(a.run(y0)).min(o.run(y0));
            let n = if repeat { n } else { n.min(b.run(y0)) };
            let second = if repeat { Plane { row: 0, pix: 0, ..b.at(0) } } else { b.at(y0) };
            let planes = [a.at(y0), second, o.at(y0)];
            y0 += n;
            Some((n, planes))
        })
    }
}
