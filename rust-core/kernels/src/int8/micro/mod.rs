//! The int8 kernels, generic over the vector type: what a plan's calls execute.
//!
//! Decides how one call is computed, never which: offsets, strides and counts,
//! all in bytes, come from the plan, which has proven them inside the arena
//! before a session exists. [`table`] makes one instance per instruction set.

pub(crate) mod depthwise;
pub(crate) mod elementwise;
pub(crate) mod floats;
pub(crate) mod gemm;
mod pair;
pub(crate) mod pool;
pub(crate) mod port;
pub(crate) mod table;

/// Channels that all kernels compute at least: tensors are rounded up to them.
pub(crate) const BLOCK: usize = 16;
