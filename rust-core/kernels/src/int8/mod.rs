//! Networks in 8-bit integers: the sibling of the float plan and kernels.
//!
//! Decides how numbers become bytes and back ([`quantization`], [`scales`]),
//! which layers stay in floats ([`mixed`]), and what a run executes. Graph,
//! simplification, layouts, chains and memory are those of the float
//! [plan](crate::plan), counted in bytes. The stages, in order: [`mixed`],
//! [`scales`], [`emit`], [`verify`]; the arithmetic is documented at the
//! [crate](crate#int8).

mod constants;
mod emit;
mod emit_conv;
mod functions;
pub(crate) mod micro;
mod mixed;
mod pack;
mod program;
mod quantization;
mod scales;
mod simd;
mod verify;

pub(crate) use program::{Program, program};
pub use quantization::{Quantization, Range, quantize_weights};
