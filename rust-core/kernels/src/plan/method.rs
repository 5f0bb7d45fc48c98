//! How each convolution is computed: matrix kernel, depthwise or Winograd.

use super::options::{Options, WinogradUse};
use crate::graph::{Activation, Graph, Node, Op};
use crate::micro::Epilogue;
use crate::micro::elementwise::Function;
use crate::winograd::{PRODUCTS, tile_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Not a convolution.
    Other,
    Gemm,
    Depthwise,
    Winograd,
}

pub(super) fn choose(g: &Graph, node: &Node, lanes: usize, o: &Options) -> Method {
    let Op::Conv(c) = &node.op else { return Method::Other };
    let (x, out) = (g.shapes[c.x.0], g.shapes[node.out.0]);
    if c.groups > 1 && c.groups == x.c && c.out_channels == x.c {
        return Method::Depthwise;
    }
    let possible = (c.kernel == [3, 3] || c.kernel == [5, 5])
        && c.stride == [1, 1]
        && c.dilation == [1, 1]
        && c.groups == 1;
    let tile = if possible { tile_of(c.kernel[0]) } else { 0 };
    let bytes = |c: usize| 4 * PRODUCTS * c * out.c.next_multiple_of(lanes);
    let pays = x.c >= 16
        && out.c >= 16
        && out.h >= tile
        && out.w >= tile
        && bytes(x.c) <= o.winograd_bytes;
    match o.winograd {
        WinogradUse::Always if possible => Method::Winograd,
        WinogradUse::Auto if possible && pays => Method::Winograd,
        _ => Method::Gemm,
    }
}

/// What of an activation a kernel does while it stores, and what takes a pass
/// of its own.
pub(super) fn split(a: Activation) -> (Epilogue, Option<Function>) {
    let none = Epilogue::NONE;
    match a {
        Activation::None => (none, None),
        Activation::Relu => (Epilogue { lo: 0.0, ..none }, None),
        Activation::Clip { lo, hi } => (Epilogue { lo, hi, ..none }, None),
        Activation::HardSwish => (Epilogue { hard_swish: true, ..none }, None),
        Activation::HardSigmoid { alpha, beta } => (none, Some(Function::HardSigmoid(alpha, beta))),
        Activation::Silu => (none, Some(Function::Silu)),
        Activation::Sigmoid => (none, Some(Function::Sigmoid)),
        Activation::LeakyRelu { slope } => (none, Some(Function::Leaky(slope))),
    }
}

/// Rows of input that one row of output takes.
pub(crate) struct Window {
    pub extent: usize,
    pub stride: usize,
    /// Above the input.
    pub padding: usize,
}

impl Window {
    /// The window of a node; one row for all but convolutions and pools.
    pub fn of(op: &Op) -> Self {
        match op {
            Op::Conv(c) => Self {
                extent: (c.kernel[0] - 1) * c.dilation[0] + 1,
                stride: c.stride[0],
                padding: c.padding.top,
            },
            Op::Pool(p) => {
                Self { extent: p.kernel[0], stride: p.stride[0], padding: p.padding.top }
            }
            _ => Self { extent: 1, stride: 1, padding: 0 },
        }
    }

    /// First input row and end of the input rows that output rows `y0..y1`
    /// read, cut to the tensor's `h` rows.
    pub fn rows(&self, h: usize, y0: usize, y1: usize) -> (usize, usize) {
        let first = (y0 * self.stride).saturating_sub(self.padding).min(h);
        let end = ((y1 - 1) * self.stride + self.extent).saturating_sub(self.padding).min(h);
        (first, end.max(first))
    }
}
