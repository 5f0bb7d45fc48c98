//! On-device vision that costs almost nothing until it has to.
//!
//! A *little* network answers first. A success checker looks at its score
//! margin; only when that is not above a threshold does the *big* network run.
//! Based on Park et al., "Big/Little Deep Neural Network for Ultra Low Power
//! Inference" (CODES+ISSS 2015).
//!
//! ```no_run
//! use biglittle::{Engine, EngineOptions, FrameView, ModelBundle, PixelFormat};
//!
//! # fn main() -> biglittle::Result<()> {
//! let bundle = ModelBundle::open("mnist.biglittle")?;
//! let mut engine = Engine::open(bundle, &EngineOptions::default())?;
//! let pixels = vec![0u8; 28 * 28];
//! let frame = FrameView::packed(PixelFormat::Gray8, 28, 28, &pixels, 28)?;
//! let outcome = engine.classify(&frame)?;
//! println!("{:?} by level {}", outcome.label, outcome.tier);
//! # Ok(())
//! # }
//! ```
//!
//! | module | decides |
//! |---|---|
//! | [`frame`] | whether a description of a camera frame fits its bytes |
//! | [`preprocess`] | how a frame becomes a network's input |
//! | [`network`] | how an ONNX file is checked, opened and run |
//! | [`decision`] | whether an answer is sure enough |
//! | [`cascade`] | which networks run and whose answer counts |
//! | [`bundle`] | what a complete model bundle is |
//! | [`calibrate`] | which threshold keeps a promise |
//! | [`device`] | what a phone says about itself, and recordings of it |
//! | [`policy`] | how battery, heat, budget and user move the threshold |
//! | [`controller`] | which threshold holds a share of the big network |
//! | [`monitor`] | audits, drift and accounts |
//! | [`gate`] | whether an earlier answer serves for a frame of video |
//! | [`storm`] | whether the big network may run in a burst |
//! | [`state_file`] | where run-time state outlives the app |
//! | [`engine`] | when networks are opened; joins all of the above |
#![forbid(unsafe_code)]

pub mod bundle;
pub mod calibrate;
mod cancel;
pub mod cascade;
pub mod clock;
pub mod controller;
pub mod decision;
pub mod device;
pub mod engine;
mod error;
mod files;
pub mod frame;
pub mod gate;
pub mod monitor;
pub mod network;
mod outcome;
pub mod policy;
pub mod preprocess;
pub mod state_file;
pub mod storm;
mod tensor;

pub use bundle::ModelBundle;
pub use cancel::CancelFlag;
pub use decision::{EscalationReason, Threshold};
pub use engine::{Engine, EngineOptions, Opening, Runtime, RuntimeOptions, StateOrigin};
pub use error::{Error, ErrorKind, Result};
pub use frame::{FrameView, PixelFormat, Plane, Rect, Rotation, YuvEncoding, YuvMatrix, YuvRange};
pub use network::ModelLimits;
pub use outcome::{AnswerStatus, LevelReport, MAX_LEVELS, Marks, Outcome};
pub use tensor::{InputTensor, MAX_INPUT_SIDE};
