//! The largest sizes that a [`Graph`](super::Graph) accepts.
//!
//! They keep every product of plan time far from overflow; what a network may
//! cost in memory is limited by [`Options::memory_limit`](crate::Options).

/// Largest height, width or number of channels of a tensor.
pub const MAX_EXTENT: usize = 1 << 20;
/// Most floats in a tensor.
pub const MAX_ELEMENTS: usize = 1 << 28;
/// Largest kernel, stride, dilation or padding.
pub const MAX_WINDOW: usize = 1 << 12;
/// Most nodes in a graph.
pub const MAX_NODES: usize = 1 << 14;
/// Most tensors joined by one concat.
pub const MAX_CONCAT: usize = 1 << 10;
