//! Which layers of an int8 network are computed in floats.
//!
//! Decides it for each node: the small layers of squeeze-and-excite, softmax,
//! and fully connected layers with sums too long for 32 bits, the latter two
//! only where they cost little. Puts conversions where bytes meet floats.

use super::quantization::Range;
use super::scales::{MAX_PRODUCTS, method, refused};
use crate::error::Error;
use crate::graph::{Activation, Conv, Graph, Node, Op, Padding, Value};
use crate::plan::method::Method;

/// What an element of a softmax, and a product in floats, cost in products of
/// bytes.
const SOFTMAX_COST: u64 = 1_000;
const PRODUCT_COST: u64 = 8;
/// A layer in floats may cost one in so many of the network's products.
const SHARE: u64 = 20;

/// A graph in which nodes that compute bytes read bytes and nodes that compute
/// floats read floats; activations read and compute either.
pub(super) struct Mixed {
    pub graph: Graph,
    /// Of each value.
    pub ranges: Vec<Range>,
    /// Whether a value is stored as floats.
    pub floats: Vec<bool>,
}

/// A fully connected layer: the kernel is the whole image.
fn whole(g: &Graph, c: &Conv) -> bool {
    let x = g.shapes[c.x.0];
    c.kernel == [x.h, x.w]
        && c.padding == Padding::default()
        && c.dilation == [1, 1]
        && c.groups == 1
        && c.residual.is_none()
}

/// A layer that may be one of squeeze-and-excite: of one pixel, to one pixel.
fn small(g: &Graph, node: &Node) -> bool {
    let pixel = |v: Value| (g.shapes[v.0].h, g.shapes[v.0].w) == (1, 1);
    match &node.op {
        Op::Conv(c) => pixel(c.x) && whole(g, c),
        Op::Activate(x, _) => pixel(*x),
        _ => false,
    }
}

/// Whether a layer in floats of this cost is small beside the network.
fn cheap(g: &Graph, cost: u64) -> bool {
    cost.saturating_mul(SHARE) <= g.macs()
}

/// Which nodes compute floats from floats; each value's readers are given.
fn in_floats(g: &Graph, readers: &[Vec<usize>]) -> Result<Vec<bool>, Error> {
    let mut floats = vec![false; g.nodes.len()];
    // whether a node's pixel, or what becomes of it, is repeated by a product
    let mut gates = floats.clone();
    for (i, node) in g.nodes.iter().enumerate().rev() {
        let read = &readers[node.out.0];
        let last = g.output == Some(node.out);
        let to_gate = |&r: &usize| match &g.nodes[r].op {
            Op::Mul(b) => g.shapes[b.x.0] != g.shapes[b.y.0],
            _ => gates[r],
        };
        let products = g.node_macs(node).saturating_mul(PRODUCT_COST);
        gates[i] = !last
            && !read.is_empty()
            && read.iter().all(to_gate)
            && small(g, node)
            && cheap(g, products);
        floats[i] = gates[i]
            || match &node.op {
                Op::Softmax(x) => {
                    let cost = (g.shapes[x.0].len() as u64).saturating_mul(SOFTMAX_COST);
                    let end = last && read.is_empty();
                    if !end && !cheap(g, cost) {
                        let why = "is not the output, and too large a part of the network to be \
                                   computed in floats";
                        return Err(refused(node, why));
                    }
                    true
                }
                Op::Conv(c) => {
                    let count = c.kernel[0] * c.kernel[1] * (g.shapes[c.x.0].c / c.groups);
                    if count > MAX_PRODUCTS {
                        let limit = format!(
                            "sums {count} products, more than {MAX_PRODUCTS} could overflow 32 bits"
                        );
                        let why = match (whole(g, c), cheap(g, products)) {
                            (false, _) => "only a fully connected layer can be computed in floats",
                            (_, false) => "it is too large a part of the network for floats",
                            _ => "",
                        };
                        if !why.is_empty() {
                            return Err(refused(node, &format!("{limit}, and {why}")));
                        }
                    }
                    count > MAX_PRODUCTS
                }
                _ => false,
            };
    }
    Ok(floats)
}

/// Decides what is computed in floats, and converts where it has to be.
pub(super) fn mixed(mut graph: Graph, mut ranges: Vec<Range>) -> Result<Mixed, Error> {
    let mut readers = vec![Vec::new(); graph.shapes.len()];
    for (i, node) in graph.nodes.iter().enumerate() {
        node.op.inputs().iter().for_each(|v| readers[v.0].push(i));
    }
    let in_floats = in_floats(&graph, &readers)?;
    let mut floats = vec![false; graph.shapes.len()];
    for (node, &float) in graph.nodes.iter().zip(&in_floats) {
        let read = &readers[node.out.0];
        let for_floats = match graph.output == Some(node.out) {
            true => read.is_empty(),
            false => read.iter().all(|&r| in_floats[r]),
        };
        floats[node.out.0] = match &node.op {
            // they convert on the way
            Op::Activate(..) => float && for_floats,
            // their sums can leave as floats
            Op::Conv(c) if c.residual.is_none() && method(&graph, node) == Method::Gemm => {
                float || for_floats
            }
            Op::GlobalAverage(_) => for_floats,
            _ => float,
        };
    }
    // what stands for a value where it has to be converted
    let mut converted = vec![None; graph.shapes.len()];
    let nodes = std::mem::take(&mut graph.nodes);
    for (mut node, float) in nodes.into_iter().zip(in_floats) {
        if !matches!(node.op, Op::Activate(..)) {
            for v in node.op.inputs_mut() {
                if floats[v.0] == float {
                    continue;
                }
                let from = *v;
                *v = *converted[from.0].get_or_insert_with(|| {
                    let out = Value(graph.shapes.len());
                    graph.shapes.push(graph.shapes[from.0]);
                    ranges.push(ranges[from.0]);
                    floats.push(float);
                    let name = format!("{}:{}", node.name, if float { "floats" } else { "bytes" });
                    let op = Op::Activate(from, Activation::None);
                    graph.nodes.push(Node { name, op, out });
                    out
                });
            }
        }
        graph.nodes.push(node);
    }
    Ok(Mixed { graph, ranges, floats })
}
