//! Which quantization each value has.
//!
//! Decides which values share one quantization because bytes move between them
//! unchanged, and how fine it is. Refuses networks that have no int8 form.

use super::mixed::Mixed;
use super::quantization::{Quantization, Range};
use crate::error::Error;
use crate::graph::{Activation, Binary, Graph, Node, Op, PoolKind, Shape, Value, Weights};
use crate::plan::method::Method;

/// Largest number of products in a sum: each is at most 255 * 127.
pub(super) const MAX_PRODUCTS: usize = (i32::MAX / (255 * 127)) as usize;
/// Largest number of bytes in the sum of a mean.
const MAX_MEAN: usize = (i32::MAX / 255) as usize;
/// No value may exceed so many steps of its own scale before it saturates, so
/// that converting it to an integer is always defined.
const MAX_STEPS: f64 = (1u32 << 30) as f64;

/// How a convolution is computed: as in float models, without Winograd; a
/// depthwise one with a residual is rounded once only by the matrix kernel.
pub(super) fn method(g: &Graph, node: &Node) -> Method {
    match &node.op {
        Op::Conv(c) => {
            let (x, out) = (g.shapes[c.x.0].c, c.out_channels);
            if c.groups > 1 && c.groups == x && out == x && c.residual.is_none() {
                Method::Depthwise
            } else {
                Method::Gemm
            }
        }
        _ => Method::Other,
    }
}

pub(super) fn refused(node: &Node, why: &str) -> Error {
    Error::int8(format!("{} {why}: keep the network in f32", node.op.kind())).at_node(&node.name)
}

/// Checks that a node has an int8 form.
fn check(g: &Graph, node: &Node) -> Result<(), Error> {
    if let Some(a) = node.op.activation().filter(|a| a.clamp().is_none()) {
        let why = format!(
            "with activation {a:?} needs the range of what goes into it (see Graph::simplified)"
        );
        return Err(refused(node, &why));
    }
    let (count, most) = match &node.op {
        Op::Pool(p) => (p.kernel[0] * p.kernel[1], MAX_MEAN),
        Op::GlobalAverage(x) => (g.shapes[x.0].h * g.shapes[x.0].w, MAX_MEAN),
        _ => (1, 1),
    };
    if count > most {
        let why = format!("sums {count} numbers, more than {most} could overflow 32 bits");
        return Err(refused(node, &why));
    }
    Ok(())
}

/// Sets of values with one quantization.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&self, v: Value) -> usize {
        let mut at = v.0;
        while self.0[at] != at {
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: Value, b: Value) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

/// Joins values whose bytes a node moves without looking at them.
fn moved(g: &Graph) -> Sets {
    let mut sets = Sets((0..g.shapes.len()).collect());
    for node in &g.nodes {
        match &node.op {
            Op::Pool(p) if p.kind == PoolKind::Max => sets.join(p.x, node.out),
            Op::Concat(_) | Op::Interleave(..) | Op::Slice(_) | Op::Shuffle { .. } | Op::Pad(_) => {
                node.op.inputs().iter().for_each(|&x| sets.join(x, node.out));
            }
            _ => {}
        }
    }
    sets
}

/// The largest magnitude that a node can compute before it saturates, from the
/// widths of its inputs; or a simpler bound of it that is not more than `enough`.
fn largest(op: &Op, width: impl Fn(Value) -> f64, enough: f64) -> f64 {
    let both = |b: &Binary| (width(b.x), width(b.y));
    let most = |v: &[f32]| f64::from(v.iter().fold(0.0f32, |m, v| m.max(v.abs())));
    match op {
        Op::Conv(c) => {
            let per = (c.weights.len() / c.out_channels).max(1);
            let weight = match &c.weights {
                Weights::I8 { scales, .. } => 128.0 * most(scales),
                weights => most(&weights.to_f32()),
            };
            let residual = c.residual.map_or(0.0, &width);
            let bound = per as f64 * weight * width(c.x) + most(&c.bias) + residual;
            if bound <= enough {
                return bound;
            }
            let weights = c.weights.to_f32();
            let sums = weights.chunks(per).enumerate().map(|(o, row)| {
                let sum: f64 = row.iter().map(|w| f64::from(w.abs())).sum();
                sum * width(c.x) + c.bias.get(o).map_or(0.0, |b| f64::from(b.abs()))
            });
            sums.fold(0.0, f64::max) + residual
        }
        Op::Pool(p) => width(p.x),
        Op::GlobalAverage(x) => width(*x),
        Op::Add(b) => both(b).0 + both(b).1,
        Op::Mul(b) => both(b).0 * both(b).1,
        Op::Affine(a) => most(&a.scale) * width(a.x) + most(&a.shift),
        _ => 0.0,
    }
}

/// Decides the quantization of every value; that of floats means nothing.
pub(super) fn scales(mixed: &Mixed) -> Result<Vec<Quantization>, Error> {
    let Mixed { graph: g, ranges, floats } = mixed;
    g.nodes.iter().try_for_each(|node| check(g, node))?;
    let sets = moved(g);
    let mut joined: Vec<Option<Range>> = vec![None; g.shapes.len()];
    let mut add = |v: Value, r: Range| {
        let set = &mut joined[sets.root(v)];
        *set = Some(set.map_or(r, |s| s.join(r)));
    };
    add(g.input(), ranges[0]);
    g.nodes.iter().for_each(|node| add(node.out, ranges[node.out.0]));
    let range = |v: Value| joined[sets.root(v)].unwrap_or(Range::ZERO).join(Range::ZERO);
    let mut finest = vec![0.0f64; g.shapes.len()];
    for node in g.nodes.iter().filter(|node| !floats[node.out.0]) {
        // up to here the range alone decides
        let enough = range(node.out).width() / 255.0 * MAX_STEPS;
        let most = largest(&node.op, |v| range(v).width(), enough);
        let set = &mut finest[sets.root(node.out)];
        *set = set.max(most / MAX_STEPS);
    }
    let of = |v| Quantization::of(range(Value(v)), finest[sets.root(Value(v))]);
    let all: Vec<Quantization> = (0..g.shapes.len()).map(of).collect();
    for node in &g.nodes {
        let (q, out) = (all[node.out.0], node.out);
        if !floats[out.0] && !q.scale.is_finite() {
            let most = finest[sets.root(out)] * MAX_STEPS;
            let why = format!("can reach {most:.3e}, too much for any scale in single precision");
            return Err(refused(node, &why));
        }
    }
    Ok(all)
}

/// A range for each value of a graph, from those of [`Graph::values`], cut by its
/// node's clamp.
pub(super) fn by_value(g: &Graph, ranges: &[Range]) -> Result<Vec<Range>, Error> {
    let names: Vec<(Value, &str, Shape)> = g.values().collect();
    if names.len() != ranges.len() {
        return Err(Error::int8(format!(
            "{} ranges given, {} needed: one for each value of the graph",
            ranges.len(),
            names.len()
        )));
    }
    let mut all = vec![Range::ZERO; g.shapes.len()];
    for ((value, name, _), range) in names.into_iter().zip(ranges) {
        range.check().map_err(|e| e.at_node(name))?;
        all[value.0] = *range;
    }
    for node in &g.nodes {
        // what a clamp cuts off needs no bytes
        if let Some((lo, hi)) = node.op.activation().and_then(Activation::clamp) {
            let r = &mut all[node.out.0];
            *r = Range { lo: r.lo.clamp(lo, hi), hi: r.hi.clamp(lo, hi) };
        }
    }
    Ok(all)
}
