//! From a graph to a model: everything that can be decided before a run.
//!
//! Decides order, memory, strips and methods, and proves every access in
//! bounds. Executes nothing: that is [`session`](crate::session). The stages,
//! in order: [`simplify`], [`method`], [`layout`], [`chain`], [`memory`],
//! [`emitter`] with [`emit`], [`verify`].

pub(crate) mod call;
pub(crate) mod chain;
mod emit;
mod emit_conv;
pub(crate) mod emitter;
pub(crate) mod layout;
pub(crate) mod memory;
pub(crate) mod method;
mod model;
mod options;
mod simplify;
pub(crate) mod verify;

pub(crate) use emit_conv::flat;
pub(crate) use model::{Code, Layer, layer};
pub use model::{Model, Precision};
pub use options::{DataLayout, Options, WinogradUse};
pub(crate) use simplify::{Merge, simplified, simplify};

use crate::buffer::Buffer;
use crate::error::Error;
use crate::graph::{Graph, Shape, Value};
use crate::isa::Isa;
use crate::micro::Plane;
use crate::micro::depthwise::Depthwise;
use crate::micro::gemm::Dense;
use crate::micro::mover::Port;
use crate::micro::table::{Kernels, kernels};
use crate::pack::Packer;
use crate::winograd::Winograd;
use call::Step;
use emit::Floats;
use emitter::Emitter;
use layout::{Layout, Units};
use memory::Need;
use method::Method;

/// What a float model executes.
pub(crate) struct Program {
    pub isa: Isa,
    pub kernels: &'static Kernels,
    pub steps: Vec<Step>,
    pub rows: Vec<u32>,
    pub weights: Buffer,
    pub dense: Vec<Dense>,
    pub depthwise: Vec<Depthwise>,
    pub winograd: Vec<Winograd>,
    pub input: Port,
    pub output: Port,
    pub arena_floats: usize,
    /// Where the values of an observed model are; none in others.
    pub observed: Vec<Observed>,
}

/// A value that stays in the arena until the end of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    pub value: Value,
    pub shape: Shape,
    pub plane: Plane,
}

/// Where the network's input or output is.
pub(crate) fn port(l: &Layout, order: DataLayout) -> Port {
    let chw = order == DataLayout::Chw;
    Port { plane: l.at(0), size: [l.shape.h, l.shape.w], channels: l.shape.c, chw }
}

/// Plans a float network; with `observe` nothing is fused, and every tensor
/// stays in the arena.
fn program(
    graph: Graph,
    isa: Isa,
    options: &Options,
    observe: bool,
) -> Result<(Program, Vec<Layer>), Error> {
    let (lanes, kernels) = (isa.lanes(), kernels(isa));
    let fuse = options.fuse && !observe;
    let graph = simplify(graph, if fuse { Merge::Everything } else { Merge::Nothing });
    let methods: Vec<Method> =
        graph.nodes.iter().map(|n| method::choose(&graph, n, lanes, options)).collect();
    let units = Units { lanes, per_channel: vec![1; graph.shapes.len()] };
    let mut layouts = layout::lay_out(&graph, &methods, &units, fuse)?;
    let chains = chain::chains(&graph, &methods, &layouts, fuse, options.strip_bytes / 4);
    let limit = options.memory_limit;
    let need = Need { lanes, unit: 4, limit, border_rows: 1, keep: observe };
    let arena = memory::place(&graph, &methods, &mut layouts, &chains, &need)?;
    let own = Floats {
        lanes,
        packer: Packer::new(lanes, kernels.heights),
        dense: Vec::new(),
        depthwise: Vec::new(),
        winograd: Vec::new(),
    };
    let mut emitter = Emitter::new(&graph, &methods, &layouts, &arena, limit, own);
    emitter.reserve();
    emitter.emit(&chains)?;
    emitter.link_prefetch();
    let Emitter { steps, rows, own, .. } = emitter;
    let Floats { packer, dense, depthwise, winograd, .. } = own;
    let mut weights = packer.buffer;
    weights.shrink();
    let layers: Vec<Layer> =
        graph.nodes.iter().zip(&methods).map(|(n, &m)| layer(&graph, n, m)).collect();
    let alive = |(value, _, shape): (Value, &str, Shape)| Observed {
        value,
        shape,
        plane: layouts[value.0].at(0),
    };
    let out = graph.output.map_or(0, |v| v.0);
    let program = Program {
        isa,
        kernels,
        steps,
        rows,
        weights,
        dense,
        depthwise,
        winograd,
        input: port(&layouts[0], options.input_layout),
        output: port(&layouts[out], options.output_layout),
        arena_floats: arena.units,
        observed: if observe { graph.values().map(alive).collect() } else { Vec::new() },
    };
    program.verify(&layers)?;
    Ok((program, layers))
}
