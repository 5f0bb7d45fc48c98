//! What Kotlin and Swift call: the core as a C library.
//!
//! Thin: it turns plain values into the core's types and back, keeps an engine
//! safe from two threads at once ([`NativeEngine`]), and lets no panic and no
//! closed handle become a signal. Every function returns a result with a
//! [`NativeError`]. What an app uses are the SDKs over it; this layer is no
//! interface for apps and may change with any version.
//!
//! Frames go two ways: over UniFFI as bare byte slices, for Swift, and over JNI
//! as direct byte buffers (`jni`), for Kotlin. Neither copies a pixel.

#![allow(clippy::needless_pass_by_value, reason = "what comes over the border comes by value")]

mod answer;
mod device;
mod engine;
mod error;
mod frame;
mod handles;
mod info;
#[cfg(not(target_os = "ios"))]
mod jni;
mod logging;
mod options;
mod policy;
mod replay;
mod savings;
mod slot;

pub use answer::Answer;
pub use engine::NativeEngine;
pub use error::NativeError;
pub use frame::{FrameLayout, PlaneLayout};
pub use info::{BundleInfo, CertificateInfo, LevelInfo, NetworkInfo};
pub use logging::{LogLevel, init_logging};
pub use options::{EngineOptions, RuntimeOptions, StateOrigin};
pub use policy::EngineStatus;
pub use replay::{Recording, parse_recording, replay_thresholds, write_recording};
pub use savings::{Energy, Interval, SavingsReport};

uniffi::setup_scaffolding!("biglittle");
