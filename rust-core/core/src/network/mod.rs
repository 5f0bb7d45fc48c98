//! Networks: the bytes of an ONNX file in, raw output values out.
//!
//! Decides how a network is checked, opened and run: by the kernels where all
//! of it can be lowered to them, else by tract ([`Runtime`]). The only folder
//! that names tract and the kernels. A [`Model`] is opened once and shared; every engine runs it
//! through a [`Session`] of its own. Called by [`engine`](crate::engine).

mod load;
mod lower;
mod runtime;
mod session;
mod verify;

pub use biglittle_kernels::{Isa, LayerProfile, Profile};
pub use load::{ModelSummary, check_model};
pub use runtime::Runtime;
pub use session::{Model, Session};
pub use verify::ModelLimits;
