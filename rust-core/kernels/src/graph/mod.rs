//! The network as a list of typed nodes, checked as it is built.
//!
//! Decides which graphs are networks at all: shapes, parameters, weight
//! counts, limits. Does not decide how anything is computed: that is the
//! [plan](crate::plan). Callers build a [`Graph`], then give it to
//! [`Model::compile`](crate::Model::compile).

mod infer;
pub mod limits;
mod ops;
mod weights;

pub use ops::{
    Activation, Affine, Binary, Concat, Conv, Linear, Op, Pad, Padding, Pool, PoolKind, Slice,
};
pub use weights::{SharedWeights, Weights};

use crate::error::Error;

/// Height, width and channels of a tensor; the batch is always 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
    /// Channels.
    pub c: usize,
}

impl Shape {
    /// Shape of `h` rows, `w` columns and `c` channels.
    #[must_use]
    pub fn new(h: usize, w: usize, c: usize) -> Self {
        Self { h, w, c }
    }

    /// Number of floats, or `None` on overflow.
    pub(crate) fn checked_len(self) -> Option<usize> {
        self.h.checked_mul(self.w)?.checked_mul(self.c)
    }

    /// Number of floats.
    #[must_use]
    pub fn len(self) -> usize {
        self.checked_len().unwrap_or(usize::MAX)
    }

    /// Whether a dimension is zero.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.h, self.w, self.c)
    }
}

/// A tensor of a graph: the input or what a node computes. Only meaningful in
/// the graph that returned it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value(pub(crate) usize);

/// A node of a [`Graph`]: a name, an operation and what it computes.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) name: String,
    pub(crate) op: Op,
    pub(crate) out: Value,
}

impl Node {
    /// The name it was added with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does. [`Graph::replace`] changes it.
    #[must_use]
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// What it computes.
    #[must_use]
    pub fn out(&self) -> Value {
        self.out
    }
}

/// A network with one input and one output, in order of execution.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) output: Option<Value>,
}

impl Graph {
    /// A graph without nodes for an input of this shape.
    ///
    /// # Errors
    /// If a dimension is zero or over its [limit](limits).
    pub fn new(input: Shape) -> Result<Self, Error> {
        infer::check_shape(input).map_err(|e| e.at_node("input"))?;
        Ok(Self { nodes: Vec::new(), shapes: vec![input], output: None })
    }

    /// The network's input.
    #[must_use]
    pub fn input(&self) -> Value {
        Value(0)
    }

    /// Adds a node and returns what it computes, which is also the graph's
    /// output until another node is added or [`set_output`](Self::set_output)
    /// is called.
    ///
    /// # Errors
    /// If the node does not fit its inputs or exceeds a [limit](limits); the
    /// message names the node, the value and the limit, and the graph is left
    /// as it was.
    pub fn add(&mut self, name: impl Into<String>, op: impl Into<Op>) -> Result<Value, Error> {
        let (name, op) = (name.into(), op.into());
        if self.nodes.len() >= limits::MAX_NODES {
            return Err(Error::limit(format!(
                "node '{name}': more than {} nodes",
                limits::MAX_NODES
            )));
        }
        let shape = infer::infer(&op, &self.shapes).map_err(|e| e.at_node(&name))?;
        let out = Value(self.shapes.len());
        self.shapes.push(shape);
        self.nodes.push(Node { name, op, out });
        self.output = Some(out);
        Ok(out)
    }

    /// Makes `value` the network's output.
    pub fn set_output(&mut self, value: Value) {
        self.output = Some(value);
    }

    /// The network's output; `None` in a graph without nodes.
    #[must_use]
    pub fn output(&self) -> Option<Value> {
        self.output
    }

    /// The nodes, in order of execution.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.iter()
    }

    /// The input, called `input`, then what each node computes, in order, each
    /// with its name and shape.
    pub fn values(&self) -> impl Iterator<Item = (Value, &str, Shape)> {
        let input = (self.input(), "input", self.shapes[0]);
        let nodes = self.nodes.iter().map(|n| (n.out, n.name.as_str(), self.shapes[n.out.0]));
        std::iter::once(input).chain(nodes)
    }

    /// Gives the node that computes `out` another operation, with other
    /// weights for example.
    ///
    /// # Errors
    /// If no node computes `out`, or the operation does not fit its inputs,
    /// gives another shape or exceeds a [limit](limits); the graph is left as
    /// it was.
    pub fn replace(&mut self, out: Value, op: impl Into<Op>) -> Result<(), Error> {
        let op = op.into();
        let node = self.nodes.iter_mut().find(|n| n.out == out);
        let node = node.ok_or_else(|| {
            Error::graph(format!("value {} is not computed by a node of this graph", out.0))
        })?;
        let shape = infer::infer(&op, &self.shapes[..out.0]).map_err(|e| e.at_node(&node.name))?;
        if shape != self.shapes[out.0] {
            return Err(Error::graph(format!(
                "node '{}': the new operation gives {shape}, {} is needed",
                node.name, self.shapes[out.0]
            )));
        }
        node.op = op;
        Ok(())
    }

    /// A graph of fewer nodes that computes the same: batch norms, sums and
    /// clamps have joined the convolution before them, padding the one after;
    /// fully connected layers are convolutions whose kernel is the tensor.
    ///
    /// Activations that are not clamps (SiLU, hard swish and the like) are
    /// nodes of their own here, because an [int8 model](crate::Model::compile_int8)
    /// needs the range of what goes into them. This is the form to calibrate
    /// and to quantize. Nodes that the output does not depend on are gone, and
    /// values are numbered anew.
    #[must_use]
    pub fn simplified(self) -> Self {
        crate::plan::simplified(self)
    }

    /// Shape of a value.
    ///
    /// # Errors
    /// If the value is not of this graph.
    pub fn shape(&self, value: Value) -> Result<Shape, Error> {
        infer::shape_of(&self.shapes, value)
    }

    /// Checks the whole graph again: every node and the output.
    ///
    /// # Errors
    /// The first misfit found, naming node, value and limit.
    pub fn validate(&self) -> Result<(), Error> {
        infer::check_shape(self.shapes[0]).map_err(|e| e.at_node("input"))?;
        for node in &self.nodes {
            let before = &self.shapes[..node.out.0];
            let shape = infer::infer(&node.op, before).map_err(|e| e.at_node(&node.name))?;
            if shape != self.shapes[node.out.0] {
                return Err(Error::graph(format!(
                    "node '{}': output is {shape}, recorded as {}",
                    node.name, self.shapes[node.out.0]
                )));
            }
        }
        match self.output {
            None => Err(Error::graph("graph has no node, 1 is the least")),
            Some(v) if v.0 == 0 => {
                Err(Error::graph("the output is the input itself, at least 1 node is needed"))
            }
            Some(v) => self.shape(v).map(|_| ()),
        }
    }

    /// Multiply-accumulates of one run: convolutions and fully connected
    /// layers, as commonly counted.
    #[must_use]
    pub fn macs(&self) -> u64 {
        self.nodes.iter().map(|n| self.node_macs(n)).sum()
    }

    pub(crate) fn node_macs(&self, node: &Node) -> u64 {
        let out = self.shapes[node.out.0].len();
        let per_output = match &node.op {
            Op::Conv(c) => c.kernel[0] * c.kernel[1] * (self.shapes[c.x.0].c / c.groups.max(1)),
            Op::Linear(l) => self.shapes[l.x.0].len(),
            _ => 0,
        };
        (out as u64).saturating_mul(per_output as u64)
    }
}
