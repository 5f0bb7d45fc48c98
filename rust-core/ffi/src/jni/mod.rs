//! The way of frames from Kotlin: JNI, which hands over direct byte buffers
//! without a copy and without garbage. Everything else goes over UniFFI, in the
//! same library.
//!
//! An engine is named by a number that is looked up, so a closed or invented
//! one is an error and never a signal.

mod frames;
mod onload;
