//! Which quantisation each value has.
//!
//! Decides which values are floats (only the network's output), which share
//! one quantisation because bytes move between them unchanged, and how fine it
//! is. Refuses networks that have no int8 form.

use super::quantization::{Quantization, Range};
use crate::error::Error;
use crate::graph::{Binary, Graph, Node, Op, PoolKind, Shape, Value};
use crate::plan::method::Method;

/// Largest number of products in a sum: each is at most 255 * 127.
const MAX_PRODUCTS: usize = (i32::MAX / (255 * 127)) as usize;
/// Largest number of bytes in the sum of a mean.
const MAX_MEAN: usize = (i32::MAX / 255) as usize;
/// No value may exceed so many steps of its own scale before it saturates, so
/// that converting it to an integer is always defined.
const MAX_STEPS: f64 = (1u32 << 30) as f64;

/// How every value of a graph is represented.
pub(super) struct Scales {
    pub quantization: Vec<Quantization>,
    pub floats: Vec<bool>,
}

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

fn refused(node: &Node, why: &str) -> Error {
    Error::int8(format!("{} {why}: keep the network in f32", node.op.kind())).at_node(&node.name)
}

/// Which values are floats: the output of a network that ends with a
/// convolution without residual, a fully connected layer, a global average or a
/// softmax, and what goes into that softmax.
fn floats(g: &Graph) -> Result<Vec<bool>, Error> {
    let mut floats = vec![false; g.shapes.len()];
    let mut readers = vec![0; g.shapes.len()];
    g.nodes.iter().flat_map(|n| n.op.inputs()).for_each(|v| readers[v.0] += 1);
    let producer = |v: Value| g.nodes.iter().find(|n| n.out == v);
    let able = |v: Value, most: usize| {
        readers[v.0] <= most
            && producer(v).is_some_and(|n| match n.op {
                Op::Conv(ref c) => method(g, n) == Method::Gemm && c.residual.is_none(),
                Op::GlobalAverage(_) => true,
                _ => false,
            })
    };
    if let Some(out) = g.output {
        floats[out.0] = able(out, 0);
    }
    for node in &g.nodes {
        if let Op::Softmax(x) = node.op {
            if g.output != Some(node.out) || readers[node.out.0] > 0 {
                return Err(refused(node, "has an int8 form only as the output"));
            }
            if !able(x, 1) {
                return Err(refused(node, "has an int8 form only after a convolution"));
            }
            (floats[x.0], floats[node.out.0]) = (true, true);
        }
    }
    Ok(floats)
}

/// Checks that a node has an int8 form.
fn check(g: &Graph, node: &Node) -> Result<(), Error> {
    let mut op = node.op.clone();
    if let Some(a) = op.activation_mut().filter(|a| a.clamp().is_none()) {
        let why = format!(
            "with activation {a:?} needs the range of what goes into it (see Graph::simplified)"
        );
        return Err(refused(node, &why));
    }
    let (count, most) = match &node.op {
        Op::Conv(c) => (c.kernel[0] * c.kernel[1] * (g.shapes[c.x.0].c / c.groups), MAX_PRODUCTS),
        Op::Pool(p) => (p.kernel[0] * p.kernel[1], MAX_MEAN),
        Op::GlobalAverage(x) => (g.shapes[x.0].h * g.shapes[x.0].w, MAX_MEAN),
        _ => (1, 1),
    };
    if count > most {
        let why = format!("sums {count} products, more than {most} could overflow 32 bits");
        return Err(refused(node, &why));
    }
    Ok(())
}

/// Sets of values with one quantisation.
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
/// widths of its inputs.
fn largest(op: &Op, width: impl Fn(Value) -> f64) -> f64 {
    let both = |b: &Binary| (width(b.x), width(b.y));
    match op {
        Op::Conv(c) => {
            let weights = c.weights.to_f32();
            let per = (weights.len() / c.out_channels).max(1);
            let sums = weights.chunks(per).enumerate().map(|(o, row)| {
                let sum: f64 = row.iter().map(|w| f64::from(w.abs())).sum();
                sum * width(c.x) + c.bias.get(o).map_or(0.0, |b| f64::from(b.abs()))
            });
            sums.fold(0.0, f64::max) + c.residual.map_or(0.0, &width)
        }
        Op::Pool(p) => width(p.x),
        Op::GlobalAverage(x) => width(*x),
        Op::Add(b) => both(b).0 + both(b).1,
        Op::Mul(b) => both(b).0 * both(b).1,
        Op::Affine(a) => {
            let most = |v: &[f32]| v.iter().map(|v| f64::from(v.abs())).fold(0.0, f64::max);
            most(&a.scale) * width(a.x) + most(&a.shift)
        }
        _ => 0.0,
    }
}

/// Decides all quantisations; `ranges` has one for each value.
pub(super) fn scales(g: &Graph, ranges: &[Range]) -> Result<Scales, Error> {
    g.nodes.iter().try_for_each(|node| check(g, node))?;
    let floats = floats(g)?;
    let sets = moved(g);
    let mut joined: Vec<Option<Range>> = vec![None; g.shapes.len()];
    let mut add = |v: Value, r: Range| {
        let set = &mut joined[sets.root(v)];
        *set = Some(set.map_or(r, |s| s.join(r)));
    };
    add(g.input(), ranges[0]);
    for node in &g.nodes {
        let mut r = ranges[node.out.0];
        let mut op = node.op.clone();
        // what a clamp cuts off needs no bytes
        if let Some((lo, hi)) = op.activation_mut().and_then(|a| a.clamp()) {
            r = Range { lo: r.lo.clamp(lo, hi), hi: r.hi.clamp(lo, hi) };
        }
        add(node.out, r);
    }
    let range = |v: Value| joined[sets.root(v)].unwrap_or(Range::ZERO).join(Range::ZERO);
    let mut finest = vec![0.0f64; g.shapes.len()];
    for node in &g.nodes {
        let most = largest(&node.op, |v| range(v).width());
        let set = &mut finest[sets.root(node.out)];
        *set = set.max(most / MAX_STEPS);
    }
    let quantization = (0..g.shapes.len())
        .map(|v| Quantization::of(range(Value(v)), finest[sets.root(Value(v))]))
        .collect();
    Ok(Scales { quantization, floats })
}

/// A range for each value of a graph, from those of [`Graph::values`].
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
    Ok(all)
}
