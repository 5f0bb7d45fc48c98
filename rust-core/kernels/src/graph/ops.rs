//! The operators of a graph and their parameters: plain data.
//!
//! Whether parameters fit is decided in `infer`, how they are computed in the
//! plan.

use super::{Value, Weights};

/// Rows and columns of zeros around a tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Columns to the left.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the right.
    pub right: usize,
}

impl Padding {
    /// The same padding on all four sides.
    #[must_use]
    pub fn same(n: usize) -> Self {
        Self { top: n, left: n, bottom: n, right: n }
    }

    pub(crate) fn largest(self) -> usize {
        self.top.max(self.left).max(self.bottom).max(self.right)
    }
}

/// A function of each element.
///
/// NaN stays NaN through every one of them, the clamps included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// `x`.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, lo), hi)`; ReLU6 is `Clip { lo: 0.0, hi: 6.0 }`. Bounds may
    /// be infinite, not NaN, and `lo <= hi`.
    Clip {
        /// Lower bound.
        lo: f32,
        /// Upper bound.
        hi: f32,
    },
    /// `x * clamp(x / 6 + 1 / 2, 0, 1)`.
    HardSwish,
    /// `clamp(alpha * x + beta, 0, 1)`.
    HardSigmoid {
        /// Slope.
        alpha: f32,
        /// Value at zero.
        beta: f32,
    },
    /// `x / (1 + exp(-x))`, also called swish.
    Silu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x` where `x >= 0`, else `slope * x`.
    LeakyRelu {
        /// Factor for negative `x`.
        slope: f32,
    },
}

impl Activation {
    /// The bounds of a clamp, infinite where there is none; `None` for all
    /// other functions.
    #[must_use]
    pub fn clamp(self) -> Option<(f32, f32)> {
        match self {
            Self::None => Some((f32::NEG_INFINITY, f32::INFINITY)),
            Self::Relu => Some((0.0, f32::INFINITY)),
            Self::Clip { lo, hi } => Some((lo, hi)),
            _ => None,
        }
    }
}

/// `activation(conv(x, weights) + bias + residual)`.
///
/// Output rows are `(h + top + bottom - ((kernel - 1) * dilation + 1)) / stride
/// + 1`, rounded down, and columns likewise.
#[derive(Clone, Debug)]
pub struct Conv {
    /// Input.
    pub x: Value,
    /// Output channels; a multiple of `groups`.
    pub out_channels: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// `[out_channels][in_channels / groups][kernel height][kernel width]`.
    pub weights: Weights,
    /// One per output channel, or empty for none.
    pub bias: Vec<f32>,
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Zeros around the input.
    pub padding: Padding,
    /// Vertical and horizontal distance between the taps of the kernel.
    pub dilation: [usize; 2],
    /// Channel groups; `in_channels` groups of one channel are a depthwise
    /// convolution.
    pub groups: usize,
    /// Added before the activation; of the output's shape.
    pub residual: Option<Value>,
    /// Applied last.
    pub activation: Activation,
}

impl Conv {
    /// A convolution with stride 1, no padding, no bias and no activation.
    #[must_use]
    pub fn new(
        x: Value,
        out_channels: usize,
        kernel: [usize; 2],
        weights: impl Into<Weights>,
    ) -> Self {
        Self {
            x,
            out_channels,
            kernel,
            weights: weights.into(),
            bias: Vec::new(),
            stride: [1, 1],
            padding: Padding::default(),
            dilation: [1, 1],
            groups: 1,
            residual: None,
            activation: Activation::None,
        }
    }
}

/// Fully connected: `activation(weights * flatten(x) + bias)`, giving a tensor
/// of 1x1 pixel.
#[derive(Clone, Debug)]
pub struct Linear {
    /// Input, flattened in channel, row, column order (as ONNX flattens).
    pub x: Value,
    /// Output channels.
    pub out_channels: usize,
    /// `[out_channels][c * h * w]`.
    pub weights: Weights,
    /// One per output channel, or empty for none.
    pub bias: Vec<f32>,
    /// Applied last.
    pub activation: Activation,
}

/// What a pool computes of its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest value; padding never wins.
    Max,
    /// The mean.
    Average {
        /// Whether padding counts in the divisor (as zeros in the sum).
        count_include_pad: bool,
    },
}

/// Max or average pool. Padding must be smaller than the kernel.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Input.
    pub x: Value,
    /// What is computed.
    pub kind: PoolKind,
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Around the input.
    pub padding: Padding,
}

/// `activation(x op y)`, element by element. One side may be one pixel of as
/// many channels, which is then used for every pixel.
#[derive(Clone, Copy, Debug)]
pub struct Binary {
    /// Left side.
    pub x: Value,
    /// Right side.
    pub y: Value,
    /// Applied last.
    pub activation: Activation,
}

/// `activation(x * scale + shift)` with constants per channel.
#[derive(Clone, Debug)]
pub struct Affine {
    /// Input.
    pub x: Value,
    /// One per channel.
    pub scale: Vec<f32>,
    /// One per channel.
    pub shift: Vec<f32>,
    /// Applied last.
    pub activation: Activation,
}

/// Tensors of equal height and width joined on channels.
#[derive(Clone, Debug)]
pub struct Concat {
    /// The parts, first channels first.
    pub xs: Vec<Value>,
}

/// Channels `start..start + count`.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Input.
    pub x: Value,
    /// First channel.
    pub start: usize,
    /// Number of channels.
    pub count: usize,
}

/// Zeros around a tensor, as an operation of its own.
#[derive(Clone, Copy, Debug)]
pub struct Pad {
    /// Input.
    pub x: Value,
    /// Around it.
    pub padding: Padding,
}

/// A node's operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Op {
    /// Convolution of any kernel, stride, padding, dilation and groups.
    Conv(Conv),
    /// Fully connected layer.
    Linear(Linear),
    /// Max or average pool.
    Pool(Pool),
    /// Mean over all pixels, giving one pixel.
    GlobalAverage(Value),
    /// Sum of two tensors.
    Add(Binary),
    /// Product of two tensors.
    Mul(Binary),
    /// Scale and shift per channel.
    Affine(Affine),
    /// Join on channels.
    Concat(Concat),
    /// Some of the channels.
    Slice(Slice),
    /// Channel shuffle: channel `i * groups + j` comes from `j * (c / groups) + i`.
    Shuffle {
        /// Input.
        x: Value,
        /// A divisor of the number of channels.
        groups: usize,
    },
    /// Channels of two equal shapes alternately: what a concat of two followed
    /// by a shuffle in two groups gives.
    Interleave(Value, Value),
    /// An activation on its own.
    Activate(Value, Activation),
    /// Softmax over the channels of each pixel.
    Softmax(Value),
    /// Zeros around a tensor.
    Pad(Pad),
}

macro_rules! into_op {
    ($($name:ident)*) => { $(
        impl From<$name> for Op {
            fn from(op: $name) -> Self {
                Self::$name(op)
            }
        }
    )* };
}
into_op!(Conv Linear Pool Affine Concat Slice Pad);

impl Op {
    /// The values that the node reads.
    #[must_use]
    pub fn inputs(&self) -> Vec<Value> {
        match self {
            Self::Conv(c) => std::iter::once(c.x).chain(c.residual).collect(),
            Self::Linear(l) => vec![l.x],
            Self::Pool(p) => vec![p.x],
            Self::Add(b) | Self::Mul(b) => vec![b.x, b.y],
            Self::Interleave(x, y) => vec![*x, *y],
            Self::Affine(a) => vec![a.x],
            Self::Concat(c) => c.xs.clone(),
            Self::Slice(s) => vec![s.x],
            Self::Pad(p) => vec![p.x],
            Self::GlobalAverage(x)
            | Self::Softmax(x)
            | Self::Activate(x, _)
            | Self::Shuffle { x, .. } => vec![*x],
        }
    }

    /// The values that the node reads, to be changed.
    pub(crate) fn inputs_mut(&mut self) -> Vec<&mut Value> {
        match self {
            Self::Conv(c) => std::iter::once(&mut c.x).chain(&mut c.residual).collect(),
            Self::Linear(l) => vec![&mut l.x],
            Self::Pool(p) => vec![&mut p.x],
            Self::Add(b) | Self::Mul(b) => vec![&mut b.x, &mut b.y],
            Self::Interleave(x, y) => vec![x, y],
            Self::Affine(a) => vec![&mut a.x],
            Self::Concat(c) => c.xs.iter_mut().collect(),
            Self::Slice(s) => vec![&mut s.x],
            Self::Pad(p) => vec![&mut p.x],
            Self::GlobalAverage(x)
            | Self::Softmax(x)
            | Self::Activate(x, _)
            | Self::Shuffle { x, .. } => vec![x],
        }
    }

    /// The activation at the end of the node, where it has one.
    pub(crate) fn activation(&self) -> Option<Activation> {
        match self {
            Self::Conv(c) => Some(c.activation),
            Self::Linear(l) => Some(l.activation),
            Self::Add(b) | Self::Mul(b) => Some(b.activation),
            Self::Affine(a) => Some(a.activation),
            _ => None,
        }
    }

    pub(crate) fn activation_mut(&mut self) -> Option<&mut Activation> {
        match self {
            Self::Conv(c) => Some(&mut c.activation),
            Self::Linear(l) => Some(&mut l.activation),
            Self::Add(b) | Self::Mul(b) => Some(&mut b.activation),
            Self::Affine(a) => Some(&mut a.activation),
            _ => None,
        }
    }

    /// The name of the operation: `conv`, `linear`, `global-average` and so on.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv(_) => "conv",
            Self::Linear(_) => "linear",
            Self::Pool(_) => "pool",
            Self::GlobalAverage(_) => "global-average",
            Self::Add(_) => "add",
            Self::Mul(_) => "mul",
            Self::Affine(_) => "affine",
            Self::Concat(_) => "concat",
            Self::Slice(_) => "slice",
            Self::Shuffle { .. } => "shuffle",
            Self::Interleave(..) => "interleave",
            Self::Activate(..) => "activation",
            Self::Softmax(_) => "softmax",
            Self::Pad(_) => "pad",
        }
    }
}
