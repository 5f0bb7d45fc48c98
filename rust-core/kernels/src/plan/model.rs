//! A compiled network, whatever its precision.
//!
//! Decides nothing: holds what a plan wrote, and answers questions about it.

use super::method::Method;
use super::{Options, Program, program};
use crate::error::Error;
use crate::graph::{Graph, Node, Op, Shape};
use crate::int8::{self, Quantization, Range};
use crate::isa::Isa;

/// How a model computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Single precision.
    F32,
    /// 8-bit integers, with sums of 32 bits.
    Int8,
}

/// A node after simplification, for profiles.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub name: String,
    pub kind: &'static str,
    pub macs: u64,
}

/// What a model executes.
pub(crate) enum Code {
    F32(Program),
    Int8(int8::Program),
}

/// A compiled network: packed weights and the calls of a run.
///
/// Immutable; share it between sessions with an `Arc`.
pub struct Model {
    pub(crate) isa: Isa,
    pub(crate) code: Code,
    pub(crate) layers: Vec<Layer>,
    shapes: [Shape; 2],
    macs: u64,
}

impl Model {
    /// Compiles a graph: validates, plans, packs the weights and checks every
    /// memory access of a run.
    ///
    /// # Errors
    /// If the graph is invalid, the instruction set is not on this machine, or
    /// arena, weights or tables would exceed
    /// [`Options::memory_limit`].
    pub fn compile(graph: Graph, options: &Options) -> Result<Self, Error> {
        Self::float(graph, options, false)
    }

    /// A float model whose sessions can show every value of the graph with
    /// [`run_observed`](crate::Session::run_observed): for calibration. Nothing
    /// is merged and every tensor keeps its memory, so that it is slower and
    /// larger than [`compile`](Self::compile)'s.
    ///
    /// # Errors
    /// As for [`compile`](Self::compile).
    pub fn compile_observed(graph: Graph, options: &Options) -> Result<Self, Error> {
        Self::float(graph, options, true)
    }

    /// Compiles a graph for 8-bit integers; see the [crate's](crate#int8)
    /// documentation for the arithmetic.
    ///
    /// `ranges` has one entry for each of [`Graph::values`], in order: what the
    /// value lies in, in the float network. Give it the
    /// [simplified](Graph::simplified) graph. With [`Options::isa`] `None` the
    /// set is that of [`Isa::detect_int8`].
    ///
    /// # Errors
    /// As for [`compile`](Self::compile); and if the number of ranges is wrong
    /// or one is not finite or not in order, if an operator has no int8 form
    /// (the message names node and operator), if a sum could overflow 32 bits,
    /// and with [`IsaUnavailable`](crate::ErrorKind::IsaUnavailable) if the
    /// machine has no set on which int8 pays.
    pub fn compile_int8(graph: Graph, ranges: &[Range], options: &Options) -> Result<Self, Error> {
        graph.validate()?;
        let isa = Isa::choose_int8(options.isa)?;
        let (macs, shapes) = (graph.macs(), ends(&graph));
        let (program, layers) = int8::program(graph, ranges, isa, options)?;
        Ok(Self { isa, code: Code::Int8(program), layers, shapes, macs })
    }

    fn float(graph: Graph, options: &Options, observe: bool) -> Result<Self, Error> {
        graph.validate()?;
        let isa = Isa::choose(options.isa)?;
        let (macs, shapes) = (graph.macs(), ends(&graph));
        let (program, layers) = program(graph, isa, options, observe)?;
        Ok(Self { isa, code: Code::F32(program), layers, shapes, macs })
    }

    /// How it computes.
    #[must_use]
    pub fn precision(&self) -> Precision {
        match self.code {
            Code::F32(_) => Precision::F32,
            Code::Int8(_) => Precision::Int8,
        }
    }

    /// How bytes stand for the values of the input, for
    /// [`run_bytes`](crate::Session::run_bytes); `None` for float models.
    #[must_use]
    pub fn input_quantization(&self) -> Option<Quantization> {
        match &self.code {
            Code::F32(_) => None,
            Code::Int8(p) => Some(p.input.quantization),
        }
    }

    /// The instruction set that a run uses.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Shape of the input.
    #[must_use]
    pub fn input_shape(&self) -> Shape {
        self.shapes[0]
    }

    /// Shape of the output.
    #[must_use]
    pub fn output_shape(&self) -> Shape {
        self.shapes[1]
    }

    /// Multiply-accumulates of a run, as commonly counted (Winograd needs
    /// fewer).
    #[must_use]
    pub fn macs(&self) -> u64 {
        self.macs
    }

    /// Bytes of packed weights, shared by all sessions.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        match &self.code {
            Code::F32(p) => p.weights.len() * 4,
            Code::Int8(p) => p.weights.len() * 4,
        }
    }

    /// Bytes of activations that each session holds.
    #[must_use]
    pub fn arena_bytes(&self) -> usize {
        match &self.code {
            Code::F32(p) => p.arena_floats * 4,
            Code::Int8(p) => p.arena_bytes,
        }
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("isa", &self.isa)
            .field("precision", &self.precision())
            .field("input", &self.shapes[0])
            .field("output", &self.shapes[1])
            .field("weight_bytes", &self.weight_bytes())
            .field("arena_bytes", &self.arena_bytes())
            .finish_non_exhaustive()
    }
}

fn ends(g: &Graph) -> [Shape; 2] {
    [g.shapes[0], g.shapes[g.output.map_or(0, |v| v.0)]]
}

pub(crate) fn layer(g: &Graph, node: &Node, method: Method) -> Layer {
    let kind = match (&node.op, method) {
        (_, Method::Depthwise) => "depthwise",
        (_, Method::Winograd) => "winograd",
        (Op::Conv(c), _) if c.kernel == [1, 1] => "pointwise",
        (op, _) => op.kind(),
    };
    Layer { name: node.name.clone(), kind, macs: g.node_macs(node) }
}
