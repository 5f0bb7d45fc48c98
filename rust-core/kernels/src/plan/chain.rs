//! Which nodes are computed together, strip by strip.
//!
//! Decides groups of nodes (expand, depthwise, project and the like) that
//! exchange rows through small rings instead of whole tensors, and how many
//! rows of the last one a strip has. A row is never computed twice: a ring
//! keeps those that the next strip needs again.

use super::layout::Layout;
use super::method::{Method, Window};
use crate::graph::{Conv, Graph, Op, Value};

/// Nodes computed together; most chains have one.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// Indices of nodes, in order.
    pub nodes: Vec<usize>,
    /// Output rows of the last node a strip.
    pub strip: usize,
}

/// Who computes and who reads each value.
struct Links {
    producer: Vec<Option<usize>>,
    /// The reader, for values with exactly one.
    reader: Vec<Option<usize>>,
}

fn links(g: &Graph) -> Links {
    let n = g.shapes.len();
    let mut producer = vec![None; n];
    let mut readers: Vec<(usize, Option<usize>)> = vec![(0, None); n];
    for (i, node) in g.nodes.iter().enumerate() {
        producer[node.out.0] = Some(i);
        for v in node.op.inputs() {
            readers[v.0] = (readers[v.0].0 + 1, Some(i));
        }
    }
    if let Some(out) = g.output {
        readers[out.0].0 += 1;
    }
    let reader = readers.into_iter().map(|(n, r)| r.filter(|_| n == 1)).collect();
    Links { producer, reader }
}

/// A convolution that a ring may feed: one pixel of the same place.
fn pointwise<'a>(g: &'a Graph, methods: &[Method], i: usize) -> Option<&'a Conv> {
    match &g.nodes[i].op {
        Op::Conv(c)
            if methods[i] == Method::Gemm
                && c.groups == 1
                && c.kernel == [1, 1]
                && c.stride == [1, 1]
                && c.padding.largest() == 0 =>
        {
            Some(c)
        }
        _ => None,
    }
}

/// The chains of a graph, in order of execution.
pub(crate) fn chains(
    g: &Graph,
    methods: &[Method],
    layouts: &[Layout],
    fuse: bool,
    strip_units: usize,
) -> Vec<Chain> {
    let links = links(g);
    let mut taken = vec![false; g.nodes.len()];
    let mut last: Vec<Option<Vec<usize>>> = vec![None; g.nodes.len()];
    let mut members = vec![0; layouts.len()];
    layouts.iter().for_each(|l| members[l.root] += 1);
    // a value that only the next node sees, in a buffer of its own
    let private =
        |v: Value| links.reader[v.0].is_some() && layouts[v.0].root == v.0 && members[v.0] == 1;
    for (i, node) in g.nodes.iter().enumerate().filter(|_| fuse) {
        if taken[i] {
            continue;
        }
        let mut nodes = vec![i];
        let expand = |x: Value| {
            links.producer[x.0].filter(|&e| {
                let dense =
                    matches!(&g.nodes[e].op, Op::Conv(e) if e.groups == 1 && e.residual.is_none());
                !taken[e] && dense && methods[e] == Method::Gemm && private(x)
            })
        };
        match &node.op {
            Op::Conv(c) if methods[i] == Method::Depthwise && c.residual.is_none() => {
                nodes.splice(0..0, expand(c.x));
            }
            Op::Pool(p) => drop(nodes.splice(0..0, expand(p.x))),
            Op::Mul(b) if g.shapes[b.x.0] != g.shapes[b.y.0] => {}
            _ => continue,
        }
        let project = links.reader[node.out.0].filter(|&p| {
            !taken[p]
                && private(node.out)
                && pointwise(g, methods, p).is_some_and(|c| c.x == node.out)
        });
        nodes.extend(project);
        if nodes.len() > 1 {
            nodes.iter().for_each(|&n| taken[n] = true);
            let end = nodes[nodes.len() - 1];
            last[end] = Some(nodes);
        }
    }
    let mut out = Vec::new();
    for i in 0..g.nodes.len() {
        if let Some(nodes) = last[i].take() {
            let strip = strip(g, layouts, &nodes, strip_units);
            out.push(Chain { nodes, strip });
        } else if !taken[i] {
            let strip = layouts[g.nodes[i].out.0].shape.h;
            out.push(Chain { nodes: vec![i], strip });
        }
    }
    out
}

/// Rows of each intermediate tensor that `rows` output rows of the last node
/// need at once.
pub(crate) fn rings(g: &Graph, layouts: &[Layout], nodes: &[usize], rows: usize) -> Vec<usize> {
    let mut rings = vec![0; nodes.len() - 1];
    let mut rows = rows;
    for (i, &n) in nodes.iter().enumerate().skip(1).rev() {
        let window = Window::of(&g.nodes[n].op);
        rows = (rows - 1) * window.stride + window.extent;
        rows = rows.min(layouts[g.nodes[nodes[i - 1]].out.0].shape.h);
        rings[i - 1] = rows;
    }
    rings
}

/// The tallest strip whose rings fit, evened out over the image.
fn strip(g: &Graph, layouts: &[Layout], nodes: &[usize], strip_units: usize) -> usize {
    let h = layouts[g.nodes[nodes[nodes.len() - 1]].out.0].shape.h;
    let units = |rows: usize| {
        let rings = rings(g, layouts, nodes, rows);
        let of = |(&ring, &n): (&usize, &usize)| ring.saturating_mul(layouts[g.nodes[n].out.0].row);
        rings.iter().zip(nodes).map(of).fold(0, usize::saturating_add)
    };
    // binary search: more rows never need less
    let (mut fits, mut too_many) = (1, h + 1);
    while too_many - fits > 1 {
        let middle = fits + (too_many - fits) / 2;
        if units(middle) <= strip_units {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    h.div_ceil(h.div_ceil(fits))
}

/// Row ranges to compute, node by node, for one strip of a chain: the end of
/// what each node has to have done when the last one's rows `y0..y1` are due.
pub(crate) fn due(
    g: &Graph,
    layouts: &[Layout],
    nodes: &[usize],
    y0: usize,
    y1: usize,
) -> Vec<usize> {
    let mut due = vec![y1; nodes.len()];
    let (mut y0, mut y1) = (y0, y1);
    for i in (1..nodes.len()).rev() {
        let h = layouts[g.nodes[nodes[i - 1]].out.0].shape.h;
        (y0, y1) = Window::of(&g.nodes[nodes[i]].op).rows(h, y0, y1);
        due[i - 1] = y1;
    }
    due
}
