//! Networks in 8-bit integers.

mod quantization;

pub use quantization::{Quantization, Range, quantize_weights};

use crate::buffer::Buffer;
use crate::error::Error;
use crate::graph::Graph;
use crate::isa::Isa;
use crate::micro::Context;
use crate::plan::{Layer, Options};

pub(crate) struct Step {
    pub layer: usize,
}
pub(crate) struct Entry {
    pub quantization: Quantization,
}
pub(crate) struct Program {
    pub input: Entry,
    pub steps: Vec<Step>,
    pub rows: Vec<u32>,
    pub weights: Buffer,
    pub arena_bytes: usize,
}
impl Program {
    pub fn prepare(&self, _arena: &mut [u8]) {}
    pub unsafe fn read_floats(&self, _cx: &Context<u8>, _x: &[f32]) {}
    pub unsafe fn read_bytes(&self, _cx: &Context<u8>, _x: &[u8]) {}
    pub unsafe fn write(&self, _cx: &Context<u8>, _x: &mut [f32]) {}
    pub unsafe fn step(&self, _cx: &Context<u8>, _x: &Step) {}
}
pub(crate) fn program(
    _graph: Graph,
    ranges: &[Range],
    _isa: Isa,
    _options: &Options,
) -> Result<(Program, Vec<Layer>), Error> {
    ranges.iter().try_for_each(|r| r.check())?;
    Err(Error::int8("int8 is on its way"))
}
