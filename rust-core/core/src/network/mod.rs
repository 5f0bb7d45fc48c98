//! Networks: bytes of an ONNX file in, logits out. The only folder that names
//! tract.

mod load;
mod verify;

pub use load::{ModelSummary, check_model, try_model};
pub use verify::ModelLimits;
