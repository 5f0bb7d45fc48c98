//! Rewrites a graph into fewer nodes that compute the same.
//!
//! Decides what becomes part of what: activations, sums and per-channel
//! constants join the convolution before them, zero padding the one after,
//! `x * sigmoid(x)` becomes SiLU, a shuffled concat an interleave. One forward
//! pass; called when a model is compiled and by
//! [`Graph::simplified`](crate::Graph::simplified).

use crate::graph::{Activation, Affine, Binary, Conv, Graph, Node, Op, Padding, Value, Weights};

/// How much is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Only what later stages rely on.
    Nothing,
    /// All but activations that are not clamps.
    Clamps,
    /// All.
    Everything,
}

struct Rewriter {
    graph: Graph,
    merge: Merge,
    nodes: Vec<Option<Node>>,
    /// Index of the node that computes a value.
    producer: Vec<Option<usize>>,
    /// Readers of a value, the network's output among them.
    uses: Vec<usize>,
    /// What stands for a value that is gone.
    renamed: Vec<Value>,
}

/// Gives activations that are not clamps nodes of their own, merges the rest,
/// and numbers values anew.
pub(crate) fn simplified(mut graph: Graph) -> Graph {
    let nodes = std::mem::take(&mut graph.nodes);
    for mut node in nodes {
        let slot = node.op.activation_mut().filter(|a| a.clamp().is_none());
        let Some(a) = slot.map(std::mem::take) else {
            graph.nodes.push(node);
            continue;
        };
        let (out, name) = (node.out, format!("{}:activation", node.name));
        node.out = Value(graph.shapes.len());
        graph.shapes.push(graph.shapes[out.0]);
        let op = Op::Activate(node.out, a);
        graph.nodes.extend([node, Node { name, op, out }]);
    }
    let mut graph = simplify(graph, Merge::Clamps);
    let mut number = vec![graph.input(); graph.shapes.len()];
    let mut shapes = vec![graph.shapes[0]];
    for node in &mut graph.nodes {
        node.op.inputs_mut().into_iter().for_each(|v| *v = number[v.0]);
        number[node.out.0] = Value(shapes.len());
        shapes.push(graph.shapes[node.out.0]);
        node.out = number[node.out.0];
    }
    graph.output = graph.output.map(|v| number[v.0]);
    graph.shapes = shapes;
    graph
}

/// Nodes in the order and form in which they will be planned.
pub(crate) fn simplify(mut graph: Graph, merge: Merge) -> Graph {
    let nodes = live(&mut graph);
    let n = graph.shapes.len();
    let mut uses = vec![0; n];
    for v in nodes.iter().flat_map(|node| node.op.inputs()).chain(graph.output) {
        uses[v.0] += 1;
    }
    let mut r = Rewriter {
        nodes: Vec::with_capacity(nodes.len()),
        producer: vec![None; n],
        uses,
        renamed: (0..n).map(Value).collect(),
        graph,
        merge,
    };
    for mut node in nodes {
        r.rename(&mut node.op);
        if let Op::Linear(_) = node.op {
            r.linear(&mut node.op);
        }
        if merge == Merge::Nothing || !r.absorb(&mut node) {
            r.push(node);
        }
    }
    r.graph.nodes = r.nodes.into_iter().flatten().collect();
    r.graph
}

/// Takes the nodes that the output depends on.
fn live(graph: &mut Graph) -> Vec<Node> {
    let mut needed = vec![false; graph.shapes.len()];
    if let Some(out) = graph.output {
        needed[out.0] = true;
    }
    let mut nodes = std::mem::take(&mut graph.nodes);
    for node in nodes.iter().rev() {
        if needed[node.out.0] {
            for v in node.op.inputs() {
                needed[v.0] = true;
            }
        }
    }
    nodes.retain(|node| needed[node.out.0]);
    nodes
}

impl Rewriter {
    fn rename(&self, op: &mut Op) {
        op.inputs_mut().into_iter().for_each(|v| *v = self.renamed[v.0]);
    }

    fn push(&mut self, node: Node) {
        self.producer[node.out.0] = Some(self.nodes.len());
        self.nodes.push(Some(node));
    }

    /// The node that computes `v`, if nothing but one reader needs `v`.
    fn sole(&mut self, v: Value) -> Option<&mut Node> {
        if self.uses[v.0] != 1 {
            return None;
        }
        self.nodes[self.producer[v.0]?].as_mut()
    }

    /// A fully connected layer is a convolution whose kernel is the tensor.
    fn linear(&self, op: &mut Op) {
        if let Op::Linear(l) = op {
            let s = self.graph.shapes[l.x.0];
            let weights = std::mem::replace(&mut l.weights, Weights::F32(Vec::new()));
            *op = Op::Conv(Conv {
                bias: std::mem::take(&mut l.bias),
                activation: l.activation,
                ..Conv::new(l.x, l.out_channels, [s.h, s.w], weights)
            });
        }
    }

    /// Makes `out` another name of `x`; not for the network's output.
    fn identity(&mut self, x: Value, out: Value) -> bool {
        if self.graph.output == Some(out) {
            return false;
        }
        self.renamed[out.0] = x;
        self.uses[x.0] += self.uses[out.0] - 1;
        true
    }

    /// The node that computes `v`, now computing `out` instead.
    fn retarget(&mut self, v: Value, out: Value) {
        let at = self.producer[v.0];
        self.producer[out.0] = at;
        if let Some(node) = at.and_then(|i| self.nodes[i].as_mut()) {
            node.out = out;
        }
    }

    /// Merges the node into one before it; false if it has to stay (perhaps
    /// changed).
    fn absorb(&mut self, node: &mut Node) -> bool {
        let out = node.out;
        match &mut node.op {
            Op::Activate(x, Activation::None) => self.identity(*x, out),
            Op::Activate(x, a) => {
                let (x, a) = (*x, *a);
                self.activate(x, a, out)
            }
            Op::Slice(s) if s.count == self.graph.shapes[s.x.0].c => self.identity(s.x, out),
            Op::Concat(c) if c.xs.len() == 1 => self.identity(c.xs[0], out),
            Op::Shuffle { x, groups } => {
                let x = *x;
                if *groups == 1 || *groups == self.graph.shapes[x.0].c {
                    return self.identity(x, out);
                }
                if *groups == 2 {
                    self.shuffled_concat(x, &mut node.op);
                }
                false
            }
            Op::Pad(p) if p.padding == Padding::default() => self.identity(p.x, out),
            Op::Conv(c) => {
                self.pad(c);
                false
            }
            Op::Affine(a) => self.affine(a, out),
            Op::Mul(b) if b.activation == Activation::None => self.gate(*b, out, node),
            Op::Add(b) => {
                if let Some(conv) = self.residual(*b) {
                    node.op = conv;
                }
                false
            }
            _ => false,
        }
    }

    fn activate(&mut self, x: Value, a: Activation, out: Value) -> bool {
        if self.merge == Merge::Clamps && a.clamp().is_none() {
            return false;
        }
        match self.sole(x).and_then(|n| n.op.activation_mut()) {
            Some(slot) if *slot == Activation::None => {
                *slot = a;
                self.retarget(x, out);
                true
            }
            _ => false,
        }
    }

    fn shuffled_concat(&mut self, x: Value, op: &mut Op) {
        let Some(Op::Concat(c)) = self.sole(x).map(|n| &n.op) else { return };
        let &[a, b] = &c.xs[..] else { return };
        if self.graph.shapes[a.0] == self.graph.shapes[b.0] {
            *op = Op::Interleave(a, b);
            self.remove(x);
        }
    }

    fn remove(&mut self, v: Value) {
        if let Some(i) = self.producer[v.0].take() {
            self.nodes[i] = None;
        }
    }

    /// Zeros before a convolution become its padding.
    fn pad(&mut self, c: &mut Conv) {
        let Some(Op::Pad(p)) = self.sole(c.x).map(|n| &n.op) else { return };
        let (x, p) = (p.x, p.padding);
        self.remove(c.x);
        c.x = x;
        c.padding.top += p.top;
        c.padding.left += p.left;
        c.padding.bottom += p.bottom;
        c.padding.right += p.right;
    }

    /// Constants per channel after a convolution become part of its weights.
    fn affine(&mut self, a: &mut Affine, out: Value) -> bool {
        let Some(Op::Conv(c)) = self.sole(a.x).map(|n| &mut n.op) else { return false };
        if c.activation != Activation::None || c.residual.is_some() {
            return false;
        }
        // Often only a bias: then the weights are neither copied nor read.
        if a.scale.iter().any(|&s| s != 1.0) {
            let mut w = c.weights.to_f32().into_owned();
            let per = w.len() / c.out_channels;
            for (row, s) in w.chunks_mut(per).zip(&a.scale) {
                row.iter_mut().for_each(|w| *w *= s);
            }
            c.weights = Weights::F32(w);
        }
        c.bias.resize(c.out_channels, 0.0);
        for ((b, scale), shift) in c.bias.iter_mut().zip(&a.scale).zip(&a.shift) {
            *b = *b * scale + shift;
        }
        c.activation = a.activation;
        self.retarget(a.x, out);
        true
    }

    /// `x * sigmoid(x)` and `x * hardsigmoid(x)` are activations.
    fn gate(&mut self, b: Binary, out: Value, node: &mut Node) -> bool {
        for (x, y) in [(b.x, b.y), (b.y, b.x)] {
            let Some(Op::Activate(from, a)) = self.sole(y).map(|n| &n.op) else { continue };
            if *from != x {
                continue;
            }
            let a = match a {
                Activation::Sigmoid => Activation::Silu,
                Activation::HardSigmoid { alpha, beta }
                    if (alpha - 1.0 / 6.0).abs() < 1e-6 && *beta == 0.5 =>
                {
                    Activation::HardSwish
                }
                _ => continue,
            };
            self.remove(y);
            self.uses[x.0] -= 1;
            if self.activate(x, a, out) {
                return true;
            }
            node.op = Op::Activate(x, a);
            return false;
        }
        false
    }

    /// A sum joins the later of its two convolutions, which moves here.
    fn residual(&mut self, b: Binary) -> Option<Op> {
        let shape = self.graph.shapes[b.x.0];
        if b.x == b.y || shape != self.graph.shapes[b.y.0] {
            return None;
        }
        let mut best: Option<(usize, Value, Value)> = None;
        for (v, other) in [(b.x, b.y), (b.y, b.x)] {
            let Some(Op::Conv(c)) = self.sole(v).map(|n| &n.op) else { continue };
            let free = c.activation == Activation::None && c.residual.is_none();
            let (x, groups) = (c.x, c.groups);
            let depthwise = groups > 1 && groups == self.graph.shapes[x.0].c;
            if let Some(at) = self.producer[v.0].filter(|_| free && !depthwise)
                && best.is_none_or(|(i, ..)| at > i)
            {
                best = Some((at, v, other));
            }
        }
        let (at, v, other) = best?;
        self.producer[v.0] = None;
        let Some(Node { op: Op::Conv(mut c), .. }) = self.nodes[at].take() else { return None };
        c.residual = Some(other);
        c.activation = b.activation;
        Some(Op::Conv(c))
    }
}
