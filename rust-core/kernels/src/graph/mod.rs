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

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub name: String,
    pub op: Op,
    pub out: Value,
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
