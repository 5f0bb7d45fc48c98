//! Plans an int8 network, and executes the plan's calls.

use super::emit::Bytes;
use super::micro::BLOCK;
use super::micro::depthwise::{Depthwise, DepthwiseCall};
use super::micro::elementwise::{MapCall, SoftmaxCall};
use super::micro::floats::{ActivateCall, DenseCall};
use super::micro::gemm::{Dense, GemmCall};
use super::micro::pool::{GlobalCall, PoolCall};
use super::micro::port::{Entry, Exit};
use super::micro::table::{Kernels, kernels};
use super::mixed::{Mixed, mixed};
use super::pack::Packer;
use super::quantization::Range;
use super::scales::{by_value, method, scales};
use crate::buffer::Buffer;
use crate::error::Error;
use crate::graph::Graph;
use crate::isa::Isa;
use crate::micro::elementwise::InterleaveCall;
use crate::micro::mover::{self, CopyCall, FillCall, Port};
use crate::micro::{Context, Plane};
use crate::plan::call::{Step, calls};
use crate::plan::emitter::Emitter;
use crate::plan::layout::{Layout, Units, lay_out};
use crate::plan::memory::{Need, place};
use crate::plan::method::Method;
use crate::plan::{DataLayout, Layer, Merge, Options, chain, layer, port, simplify};

/// One kernel call.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Gemm(GemmCall),
    Depthwise(DepthwiseCall),
    Pool(PoolCall),
    Global(GlobalCall),
    Map(MapCall),
    /// A fully connected layer in floats.
    FloatDense(DenseCall),
    /// An activation that reads or writes floats.
    Activate(ActivateCall),
    Softmax(SoftmaxCall),
    Interleave(InterleaveCall),
    Fill(FillCall<u8>),
    Copy(CopyCall),
}

calls!(Call: Interleave(InterleaveCall), Fill(FillCall<u8>), Copy(CopyCall));

/// What an int8 model executes.
pub(crate) struct Program {
    pub kernels: &'static Kernels,
    pub steps: Vec<Step<Call>>,
    pub rows: Vec<u32>,
    pub weights: Buffer,
    pub dense: Vec<Dense>,
    pub depthwise: Vec<Depthwise>,
    pub input: Entry,
    pub output: Exit,
    pub arena_bytes: usize,
    /// Rows of padding: offset and length in the arena, and the stored byte.
    pub borders: Vec<(usize, usize, u8)>,
}

/// Plans an int8 network.
pub(crate) fn program(
    graph: Graph,
    ranges: &[Range],
    isa: Isa,
    options: &Options,
) -> Result<(Program, Vec<Layer>), Error> {
    let kernels = kernels(isa);
    let ranges = by_value(&graph, ranges)?;
    // merging is left to `Graph::simplified`: every value that was given a range
    // has it
    let graph = simplify(graph, Merge::Nothing);
    let mixed = mixed(graph, ranges)?;
    let quantization = scales(&mixed)?;
    let Mixed { graph, floats, .. } = mixed;
    let methods: Vec<Method> = graph.nodes.iter().map(|n| method(&graph, n)).collect();
    let per_channel = floats.iter().map(|&f| if f { 4 } else { 1 }).collect();
    let units = Units { lanes: BLOCK, per_channel };
    let mut layouts = lay_out(&graph, &methods, &units, options.fuse)?;
    let chains = chain::chains(&graph, &methods, &layouts, options.fuse, options.strip_bytes);
    let mut borders: Vec<u8> = {
        let bytes = quantization.iter().zip(&floats).filter(|&(_, &float)| !float);
        bytes.map(|(q, _)| q.zero_point).collect()
    };
    borders.sort_unstable();
    borders.dedup();
    let limit = options.memory_limit;
    let need = Need { lanes: BLOCK, unit: 1, limit, border_rows: borders.len(), keep: false };
    let arena = place(&graph, &methods, &mut layouts, &chains, &need)?;
    let own = Bytes {
        quantization: &quantization,
        floats: &floats,
        borders: &borders,
        packer: Packer::new(kernels.set),
        dense: Vec::new(),
        depthwise: Vec::new(),
    };
    let mut emitter = Emitter::new(&graph, &methods, &layouts, &arena, limit, own);
    emitter.emit(&chains)?;
    emitter.link_prefetch();
    let Emitter { steps, rows, own: Bytes { packer, dense, depthwise, .. }, .. } = emitter;
    let mut weights = packer.buffer;
    weights.shrink();
    let out = graph.output.map_or(0, |v| v.0);
    let input = Entry {
        port: port(&layouts[0], options.input_layout),
        quantization: quantization[0],
        steps: quantization[0].steps(),
    };
    let output = if floats[out] {
        let port = in_floats(&layouts[out], options.output_layout);
        Exit { port, quantization: None }
    } else {
        let port = port(&layouts[out], options.output_layout);
        Exit { port, quantization: Some(quantization[out]) }
    };
    let row = arena.border_row;
    let border = |(i, &zero): (usize, &u8)| (arena.border + i * row, row, zero ^ kernels.set.flip);
    let program = Program {
        kernels,
        steps,
        rows,
        weights,
        dense,
        depthwise,
        input,
        output,
        arena_bytes: arena.units,
        borders: borders.iter().enumerate().map(border).collect(),
    };
    let layers: Vec<Layer> =
        graph.nodes.iter().zip(&methods).map(|(n, &m)| layer(&graph, n, m)).collect();
    program.verify(&layers)?;
    Ok((program, layers))
}

/// A port of a tensor of floats, counted in floats.
fn in_floats(l: &Layout, order: DataLayout) -> Port {
    let Plane { off, row, pix } = l.at(0);
    Port { plane: Plane { off: off / 4, row: row / 4, pix: pix / 4 }, ..port(l, order) }
}

impl Program {
    /// Writes what stays in the arena of a session between runs.
    pub fn prepare(&self, arena: &mut [u8]) {
        for &(off, len, zero) in &self.borders {
            arena[off..off + len].fill(zero);
        }
    }

    /// Quantizes the input.
    ///
    /// # Safety
    /// The context is of this program, and the slice has the port's length.
    pub unsafe fn read_floats(&self, cx: &Context<u8>, from: &[f32]) {
        // SAFETY: `verify` proved the port; the caller vouches for the rest.
        unsafe { (self.kernels.read_floats)(cx, &self.input, from) };
    }

    /// Copies the quantized input.
    ///
    /// # Safety
    /// As for [`Program::read_floats`].
    pub unsafe fn read_bytes(&self, cx: &Context<u8>, from: &[u8]) {
        // SAFETY: as above.
        unsafe { (self.kernels.read_bytes)(cx, &self.input, from) };
    }

    /// Copies the output.
    ///
    /// # Safety
    /// As for [`Program::read_floats`].
    pub unsafe fn write(&self, cx: &Context<u8>, to: &mut [f32]) {
        // SAFETY: as above.
        unsafe { (self.kernels.write)(cx, &self.output, to) };
    }

    /// Executes one call.
    ///
    /// # Safety
    /// The context is of this program, the CPU has its instruction set.
    #[inline(always)]
    pub unsafe fn step(&self, cx: &Context<u8>, step: &Step<Call>) {
        let k = self.kernels;
        // SAFETY: `verify` proved the call; the caller vouches for the rest.
        unsafe {
            match &step.call {
                Call::Gemm(c) => (k.gemm)(cx, c, &self.dense[c.dense]),
                Call::Depthwise(c) => (k.depthwise)(cx, c, &self.depthwise[c.depthwise]),
                Call::Pool(c) => (k.pool)(cx, c),
                Call::Global(c) => (k.global)(cx, c),
                Call::Map(c) => (k.map)(cx, c),
                Call::FloatDense(c) => (k.float_dense)(cx, c),
                Call::Activate(c) => (k.activate)(cx, c),
                Call::Softmax(c) => (k.softmax)(cx, c),
                Call::Interleave(c) => (k.interleave)(cx, c),
                Call::Fill(c) => mover::fill(cx, c),
                Call::Copy(c) => mover::copy(cx, c),
            }
        }
    }
}
