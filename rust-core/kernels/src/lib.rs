//! A fast executor for convolutional networks on one core, in f32 and in int8.
//!
//! Build a [`Graph`], compile it to a [`Model`] for the best instruction set
//! of the machine ([`Isa`]), and run it in a [`Session`] as often as you like:
//! a run allocates nothing. Tensors are NHWC inside; the input and output
//! slices may be NHWC or CHW ([`DataLayout`]). The batch is 1.
//!
//! ```
//! use biglittle_kernels::{Activation, Conv, Graph, Model, Op, Options, Padding, Session, Shape};
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), biglittle_kernels::Error> {
//! let mut graph = Graph::new(Shape::new(8, 8, 3))?;
//! let conv = graph.add(
//!     "stem",
//!     Conv {
//!         bias: vec![0.5; 16],
//!         padding: Padding::same(1),
//!         stride: [2, 2],
//!         activation: Activation::Relu,
//!         ..Conv::new(graph.input(), 16, [3, 3], vec![0.1; 16 * 3 * 3 * 3])
//!     },
//! )?;
//! graph.add("pool", Op::GlobalAverage(conv))?;
//!
//! let model = Arc::new(Model::compile(graph, &Options::default())?);
//! let mut session = Session::new(model);
//! let mut output = [0.0; 16];
//! session.run(&[1.0; 8 * 8 * 3], &mut output)?;
//! assert!(output[0] > 2.0);
//! # Ok(())
//! # }
//! ```
//!
//! # Safety and limits
//! All public functions are safe. Unsafe code is in the kernels, and rests on
//! one check: when a model is compiled, the extents of every kernel call are
//! proven inside its memory in checked arithmetic. Graphs that are malformed
//! or exceed the [`limits`] are refused with an error that names the node, the
//! value and the limit.
//!
//! # Numerical behaviour
//! In f32, results differ from an exact computation by about 1e-6 of the largest
//! intermediate value, 5e-6 with Winograd; they are the same on every run, but
//! not bit for bit on every instruction set. NaN and infinities flow through
//! as IEEE 754 says; clamps (ReLU among them) and max pools keep NaN. The
//! exception is Winograd, where an infinity makes its whole tile of 4x4 (for
//! kernels of 5x5: 2x2) outputs NaN.
//!
//! # int8
//! [`Model::compile_int8`] makes a model of 8-bit integers from the same graph
//! and the [`Range`] of each of its values: about a quarter of the memory, and
//! faster wherever the CPU has a dot product of bytes ([`Isa::detect_int8`]).
//! The way there: [`Graph::simplified`], [`Model::compile_observed`] and
//! [`Session::run_observed`] for the ranges, then `compile_int8`, which merges
//! nothing by itself.
//!
//! **Scheme.** An activation is a byte, `real = scale * (byte - zero_point)`
//! ([`Quantization`]), with one scale per tensor: 255 steps over its range, cut
//! by a clamp of its node and widened to contain zero. Operators that only move
//! bytes (max pool, concat, slice, shuffle, interleave, padding) share one
//! quantization, over the union of their ranges, with what they read. Weights
//! are integers in -127..=127 with a scale per output channel
//! ([`quantize_weights`]); [`Weights::I8`] without -128 are taken as they are.
//!
//! **Arithmetic.** A convolution's sum `sum((x - zero_point) * w)` is an exact
//! i32. It becomes a byte by `round(fma(sum, m, c))`, saturated and clamped,
//! where `m = scale_x * scale_w / scale_out` and `c = bias / scale_out +
//! zero_point` are computed once in f64 and kept as f32; a residual `r` adds
//! `m_r = scale_r / scale_out` times its byte in a second fused multiply-add,
//! `fma(sum, m, fma(r, m_r, c - zero_point_r * m_r))`. Rounding is to nearest,
//! ties to even. Sums, products, means and [`Affine`] have the same form.
//! Activations other than clamps are tables of 256 bytes. The output of a last
//! convolution (not depthwise, without residual), fully connected layer or
//! global average is f32, `fma(sum, m, bias)`, and never rounded to a byte.
//!
//! **In floats.** Small layers that would lose are computed in floats: those of one
//! pixel whose result a product repeats over an image (squeeze-and-excite:
//! convolutions and activations), a softmax, and a fully connected layer with a
//! longer sum than 32 bits of integers hold. Each only where it costs at most a
//! twentieth of the network's products, an element of a softmax counted as 1,000
//! and a product in floats as 8; a softmax at the end may cost what it likes. Sums
//! are over weights of 8 bits: product `c` of each pixel is added, rounded once, to
//! one of four sums, number `c` modulo 4, and `fma((s0 + s1) + (s2 + s3), scale,
//! bias)` is clamped. Matrix products and global averages that only such layers
//! read leave as floats. An activation from or to floats is computed in f64 and
//! rounded; bytes become floats by [`Quantization::real`], and floats bytes by
//! [`Quantization::byte`].
//!
//! **The same bits everywhere.** All of that is exact or correctly rounded, so
//! that an int8 model gives bit-identical outputs on every instruction set and
//! machine.
//!
//! **Limits.** A sum of integers has at most 66,311 products, so that 32 bits hold it
//! whatever the bytes are. A scale is at least 2^-30 of the largest value that
//! the node can compute, so that conversions never overflow, however narrow a
//! range is. Refused, with [`ErrorKind::NotQuantizable`] and the node's name:
//! activations that are no clamps inside another node (see
//! [`Graph::simplified`]), longer sums and softmax where floats cost too much,
//! weights and ranges that are not finite, or so vast that no f32 is a scale of
//! what they make. Floats given to a run are clamped to the
//! input's range; NaN counts as its lowest value.

mod buffer;
mod error;
mod graph;
mod int8;
mod isa;
mod micro;
mod pack;
mod peak;
mod pixels;
mod plan;
mod profile;
mod session;
mod simd;
mod winograd;

pub use error::{Error, ErrorKind};
pub use graph::{
    Activation, Affine, Binary, Concat, Conv, Graph, Linear, Node, Op, Pad, Padding, Pool,
    PoolKind, Shape, SharedWeights, Slice, Value, Weights, limits,
};
pub use int8::{Quantization, Range, quantize_weights};
pub use isa::Isa;
pub use pixels::{PixelKernels, Taps, Window, YuvWeights};
pub use plan::{DataLayout, Model, Options, Precision, WinogradUse};
pub use profile::{LayerProfile, Profile};
pub use session::{Session, TensorView};
