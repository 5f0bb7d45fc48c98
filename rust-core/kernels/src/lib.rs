//! A fast f32 executor for convolutional networks on one core.
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
//! Results differ from an exact computation by about 1e-6 of the largest
//! intermediate value, 5e-6 with Winograd; they are the same on every run, but
//! not bit for bit on every instruction set. NaN and infinities flow through
//! as IEEE 754 says; clamps (ReLU among them) and max pools keep NaN. The
//! exception is Winograd, where an infinity makes its whole tile of 4x4 (for
//! kernels of 5x5: 2x2) outputs NaN.

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
