//! Networks: the bytes of an ONNX file in, raw output values out.
//!
//! Decides how a network is checked, opened and run: by the kernels, whole or in
//! the parts that can be lowered to them, and by tract what is left
//! ([`Runtime`]). The only folder that names tract and the kernels. A [`Model`]
//! is opened once and shared; every engine runs it through a [`Session`] of its
//! own. Called by [`engine`](crate::engine).

#[cfg(all(target_os = "android", target_arch = "aarch64"))]
mod android;
mod load;
mod lower;
mod onnx;
mod options;
mod program;
mod quantize;
mod region;
mod runtime;
mod session;
mod table;
mod verify;
mod weights;

pub use biglittle_kernels::{Isa, LayerProfile, Profile, Quantization};
pub use load::{ModelSummary, OpenPhase, check_model};
pub use options::{Execution, OpenOptions};
pub use program::Input;
pub use quantize::{Images, QuantizeOptions, QuantizedNetwork, quantize};
pub use runtime::{Part, Precision, Runtime, TractLayer};
pub use session::{Model, Session};
pub use table::{CalibrationTable, RangeMethod};
pub use verify::ModelLimits;
