//! Where the elements of each tensor are relative to its buffer.
//!
//! Decides which tensors are views of others (slices, parts of a concat),
//! how much a pixel takes, and how many columns of padding the readers of a
//! tensor want on its sides. Counts in units: a float for float models, a byte
//! for int8 ones. Addresses come later, in
//! [`memory`](super::memory).
//!
//! Channels are rounded up to whole vectors. What is beyond the last
//! channel is unspecified: no kernel lets them reach a real channel.

use super::method::Method;
use crate::error::Error;
use crate::graph::{Graph, Op, Shape, Value};
use crate::micro::Plane;
use crate::winograd::{PATCH, tile_of};

/// What a layout counts in.
pub(crate) struct Units {
    /// Channels are rounded up to a multiple of this.
    pub lanes: usize,
    /// Units that a channel takes, for each value.
    pub per_channel: Vec<usize>,
}

/// One tensor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub shape: Shape,
    /// The tensor whose buffer this one is in; itself for most.
    pub root: usize,
    /// Units from the root's first channel to this one's.
    pub channel: usize,
    /// Units a pixel.
    pub pix: usize,
    /// Columns of padding.
    pub left: usize,
    pub right: usize,
    /// Units a row.
    pub row: usize,
    /// Rows held at a time: all, or as many as a strip needs.
    pub ring: usize,
    /// Offset of the buffer in the arena.
    pub off: usize,
}

impl Layout {
    /// The pixels from row `y` on.
    pub fn at(&self, y: usize) -> Plane {
        let off = self.off + (y % self.ring) * self.row + self.left * self.pix + self.channel;
        Plane { off, row: self.row, pix: self.pix }
    }

    /// Whether pixels follow each other across rows.
    pub fn flat(&self) -> bool {
        self.row == self.shape.w * self.pix
    }

    /// How many rows from `y` on are adjacent.
    pub fn run(&self, y: usize) -> usize {
        self.ring - y % self.ring
    }

    /// Units of the buffer, or `None` on overflow.
    pub fn len(&self) -> Option<usize> {
        self.row.checked_mul(self.ring)
    }
}

/// Columns of padding that a reader wants left and right of its input.
fn sides(g: &Graph, op: &Op, out: Shape, method: Method) -> Option<(Value, usize, usize)> {
    let Op::Conv(c) = op else { return None };
    let (x, left) = (g.shapes[c.x.0], c.padding.left);
    let mut reach = (out.w - 1) * c.stride[1] + (c.kernel[1] - 1) * c.dilation[1] + 1;
    if method == Method::Winograd {
        let tile = tile_of(c.kernel[1]);
        reach = (out.w.div_ceil(tile) - 1) * tile + PATCH;
    }
    Some((c.x, left, reach.saturating_sub(left + x.w)))
}

/// Channels that the kernel of a node writes in each output pixel.
fn written(op: &Op, method: Method, out: Shape, lanes: usize) -> usize {
    match op {
        Op::Conv(c) if method == Method::Gemm && c.groups > 1 => {
            let per = out.c / c.groups;
            (c.groups - 1) * per + per.next_multiple_of(lanes)
        }
        // clears whole pixels, so it may not be part of another tensor
        Op::Pad(_) => usize::MAX,
        _ => out.c.next_multiple_of(lanes),
    }
}

/// Which tensors live inside others: parent and first channel.
fn views(g: &Graph, methods: &[Method], lanes: usize, fuse: bool) -> Vec<Option<(usize, usize)>> {
    let mut parent: Vec<Option<(usize, usize)>> = vec![None; g.shapes.len()];
    let mut width = vec![0; g.shapes.len()];
    for (node, &method) in g.nodes.iter().zip(methods) {
        if let Op::Slice(s) = &node.op {
            parent[node.out.0] = Some((s.x.0, s.start));
        }
        width[node.out.0] = written(&node.op, method, g.shapes[node.out.0], lanes);
    }
    if !fuse {
        return parent;
    }
    // outer joins first, so that a part knows whether its join is a part
    for node in g.nodes.iter().rev() {
        let Op::Concat(c) = &node.op else { continue };
        let (out, mut channel) = (node.out.0, 0usize);
        for (i, part) in c.xs.iter().enumerate() {
            let n = g.shapes[part.0].c;
            let whole = n.is_multiple_of(lanes) && width[part.0] == n;
            let tail = i + 1 == c.xs.len()
                && parent[out].is_none()
                && width[part.0] == n.next_multiple_of(lanes);
            if part.0 != g.input().0
                && parent[part.0].is_none()
                && channel.is_multiple_of(lanes)
                && (whole || tail)
            {
                parent[part.0] = Some((out, channel));
            }
            channel += n;
        }
    }
    parent
}

/// Lays out all tensors, rings and addresses still open.
pub(crate) fn lay_out(
    g: &Graph,
    methods: &[Method],
    units: &Units,
    fuse: bool,
) -> Result<Vec<Layout>, Error> {
    let (n, lanes) = (g.shapes.len(), units.lanes);
    let parent = views(g, methods, lanes, fuse);
    let mut root: Vec<(usize, usize)> = (0..n).map(|v| (v, 0)).collect();
    // slices point back and parts forward: follow, which ends as each step
    // goes to a tensor that contains this one
    for (v, r) in root.iter_mut().enumerate() {
        let (mut at, mut channel) = (v, 0);
        while let Some((p, c)) = parent[at] {
            (at, channel) = (p, channel + c);
        }
        *r = (at, channel);
    }
    let mut pix: Vec<usize> = g.shapes.iter().map(|s| s.c.next_multiple_of(lanes)).collect();
    let input = g.input().0;
    let tight = g.nodes.iter().zip(methods).all(|(node, &m)| {
        !node.op.inputs().contains(&g.input())
            || (m == Method::Gemm
                && !matches!(&node.op, Op::Conv(c) if c.residual == Some(g.input())))
    });
    if tight {
        pix[input] = g.shapes[input].c;
    }
    let mut sides_of = vec![(0, 0); n];
    for (node, &method) in g.nodes.iter().zip(methods) {
        let out = g.shapes[node.out.0];
        if root[node.out.0].0 == node.out.0 {
            let p = &mut pix[node.out.0];
            if method != Method::Other {
                *p = (*p).max(written(&node.op, method, out, lanes).next_multiple_of(lanes));
            }
        }
        if let Some((x, left, right)) = sides(g, &node.op, out, method) {
            let s: &mut (usize, usize) = &mut sides_of[root[x.0].0];
            *s = (s.0.max(left), s.1.max(right));
        }
    }
    (0..n)
        .map(|v| {
            let (shape, (root, channel)) = (g.shapes[v], root[v]);
            let (left, right) = sides_of[root];
            let pix = pix[root] * units.per_channel[root];
            let channel = channel * units.per_channel[root];
            let row = (left + shape.w + right).checked_mul(pix);
            let row = row.filter(|&r| r <= u32::MAX as usize);
            let row =
                row.ok_or_else(|| Error::limit(format!("a padded row of {shape} overflows")))?;
            Ok(Layout { shape, root, channel, pix, left, right, row, ring: shape.h, off: 0 })
        })
        .collect()
}
