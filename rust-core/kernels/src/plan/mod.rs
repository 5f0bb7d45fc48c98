//! From a graph to a model: everything that can be decided before a run.
//!
//! Decides order, memory, strips and methods, and proves every access in
//! bounds. Executes nothing: that is [`session`](crate::session). The stages,
//! in order: [`simplify`], [`method`], [`layout`], [`chain`], [`memory`],
//! [`emit`], [`verify`].

pub(crate) mod call;
mod chain;
mod emit;
mod emit_conv;
mod layout;
mod memory;
mod method;
mod options;
mod simplify;
mod verify;

pub use options::{DataLayout, Options, WinogradUse};

use crate::buffer::Buffer;
use crate::error::Error;
use crate::graph::{Graph, Op, Shape};
use crate::isa::Isa;
use crate::micro::depthwise::Depthwise;
use crate::micro::gemm::Dense;
use crate::micro::mover::Port;
use crate::micro::table::{Kernels, kernels};
use crate::pack::Packer;
use crate::winograd::Winograd;
use call::Step;
use emit::Emitter;
use method::Method;

/// A node after simplification, for profiles.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub name: String,
    pub kind: &'static str,
    pub macs: u64,
}

/// A compiled network: packed weights and the calls of a run.
///
/// Immutable; share it between sessions with an `Arc`.
pub struct Model {
    pub(crate) isa: Isa,
    pub(crate) kernels: &'static Kernels,
    pub(crate) steps: Vec<Step>,
    pub(crate) rows: Vec<u32>,
    pub(crate) weights: Buffer,
    pub(crate) dense: Vec<Dense>,
    pub(crate) depthwise: Vec<Depthwise>,
    pub(crate) winograd: Vec<Winograd>,
    pub(crate) input: Port,
    pub(crate) output: Port,
    pub(crate) arena_floats: usize,
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
        graph.validate()?;
        let isa = Isa::choose(options.isa)?;
        let (lanes, kernels) = (isa.lanes(), kernels(isa));
        let macs = graph.macs();
        let graph = simplify::simplify(graph, options.fuse);
        let methods: Vec<Method> =
            graph.nodes.iter().map(|n| method::choose(&graph, n, lanes, options)).collect();
        let mut layouts = layout::lay_out(&graph, &methods, lanes, options.fuse)?;
        let chains = chain::chains(&graph, &methods, &layouts, options.fuse, options.strip_bytes);
        let limit = options.memory_limit;
        let arena = memory::place(&graph, &methods, &mut layouts, &chains, lanes, limit)?;
        let mut emitter = Emitter {
            graph: &graph,
            methods: &methods,
            layouts: &layouts,
            arena: &arena,
            lanes,
            limit,
            packer: Packer::new(lanes, kernels.heights),
            steps: Vec::new(),
            rows: Vec::new(),
            dense: Vec::new(),
            depthwise: Vec::new(),
            winograd: Vec::new(),
            packed: vec![0; graph.nodes.len()],
            zeroed: vec![false; layouts.len()],
            layer: 0,
        };
        emitter.reserve();
        emitter.emit(&chains)?;
        let port = |v: usize, order: DataLayout| {
            let l = &layouts[v];
            let chw = order == DataLayout::Chw;
            let size = [l.shape.h, l.shape.w];
            Port { plane: l.at(0), size, channels: l.shape.c, chw }
        };
        let out = graph.output.map_or(0, |v| v.0);
        let Emitter { packer, steps, rows, dense, depthwise, winograd, .. } = emitter;
        let mut weights = packer.buffer;
        weights.shrink();
        let model = Self {
            isa,
            kernels,
            steps,
            rows,
            weights,
            dense,
            depthwise,
            winograd,
            input: port(0, options.input_layout),
            output: port(out, options.output_layout),
            arena_floats: arena.floats,
            layers: graph.nodes.iter().zip(&methods).map(|(n, &m)| layer(&graph, n, m)).collect(),
            shapes: [graph.shapes[0], graph.shapes[out]],
            macs,
        };
        model.verify()?;
        Ok(model)
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
        self.weights.len() * 4
    }

    /// Bytes of activations that each session holds.
    #[must_use]
    pub fn arena_bytes(&self) -> usize {
        self.arena_floats * 4
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("isa", &self.isa)
            .field("input", &self.shapes[0])
            .field("output", &self.shapes[1])
            .field("calls", &self.steps.len())
            .field("weight_bytes", &self.weight_bytes())
            .field("arena_bytes", &self.arena_bytes())
            .finish_non_exhaustive()
    }
}

fn layer(g: &Graph, node: &crate::graph::Node, method: Method) -> Layer {
    let kind = match (&node.op, method) {
        (_, Method::Depthwise) => "depthwise",
        (_, Method::Winograd) => "winograd",
        (Op::Conv(c), _) if c.kernel == [1, 1] => "pointwise",
        (op, _) => op.kind(),
    };
    Layer { name: node.name.clone(), kind, macs: g.node_macs(node) }
}
