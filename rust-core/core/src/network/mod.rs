//! Networks: the bytes of an ONNX file in, raw output values out.
//!
//! Decides how a network is checked, opened and run. The only folder that
//! names tract. A [`Model`] is opened once and shared; every engine runs it
//! through a [`Session`] of its own. Called by [`engine`](crate::engine).

mod load;
mod session;
mod verify;

pub use load::{ModelSummary, check_model};
pub use session::{Model, Session};
pub use verify::ModelLimits;
