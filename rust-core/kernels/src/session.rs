//! A session: one arena and the loop over a model's calls.
//!
//! Decides nothing: executes what the [plan](crate::plan) wrote and verified.
//! A run allocates nothing and takes no lock.

use crate::buffer::Buffer;
use crate::error::{Error, ErrorKind};
use crate::micro::{Context, mover};
use crate::plan::Model;
use crate::plan::call::{Call, Step};
use crate::profile::Profile;
use std::sync::Arc;
use std::time::Instant;

/// Runs a [`Model`]. Sessions of one model share its weights; each has its own
/// activations and is used by one thread at a time.
pub struct Session {
    model: Arc<Model>,
    arena: Buffer,
}

impl Session {
    /// A session with [`Model::arena_bytes`] of memory.
    #[must_use]
    pub fn new(model: Arc<Model>) -> Self {
        let arena = Buffer::zeros(model.arena_floats);
        Self { model, arena }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Runs the network once. Nothing is allocated.
    ///
    /// NaN and infinities in the input flow through as IEEE 754 says; clamps
    /// and pools keep NaN.
    ///
    /// # Errors
    /// If `input` or `output` does not have the length of its
    /// [shape](Model::input_shape); the message gives both lengths, and
    /// nothing is written.
    pub fn run(&mut self, input: &[f32], output: &mut [f32]) -> Result<(), Error> {
        let cx = self.begin(input, output)?;
        for step in &self.model.steps {
            // SAFETY: see `execute`.
            unsafe { execute(&self.model, &cx, step) };
        }
        // SAFETY: `Model::verify` proved the port inside the arena.
        unsafe { self.model.output.write(&cx, output) };
        Ok(())
    }

    /// As [`run`](Self::run), adding the time of every layer to `profile`.
    ///
    /// # Errors
    /// As for [`run`](Self::run), and if the profile is of another model.
    pub fn run_profiled(
        &mut self,
        input: &[f32],
        output: &mut [f32],
        profile: &mut Profile,
    ) -> Result<(), Error> {
        if profile.layers.len() != self.model.layers.len() {
            return Err(wrong_length("profile", profile.layers.len(), self.model.layers.len()));
        }
        let start = Instant::now();
        let cx = self.begin(input, output)?;
        let mut before = Instant::now();
        profile.transfer_ns += nanoseconds(start, before);
        for step in &self.model.steps {
            // SAFETY: see `execute`.
            unsafe { execute(&self.model, &cx, step) };
            let after = Instant::now();
            profile.layers[step.layer].total_ns += nanoseconds(before, after);
            before = after;
        }
        // SAFETY: `Model::verify` proved the port inside the arena.
        unsafe { self.model.output.write(&cx, output) };
        profile.transfer_ns += nanoseconds(before, Instant::now());
        profile.runs += 1;
        Ok(())
    }

    /// Checks lengths and takes the input over.
    fn begin(&mut self, input: &[f32], output: &[f32]) -> Result<Context, Error> {
        let m = &self.model;
        if input.len() != m.input.len() {
            return Err(wrong_length("input", input.len(), m.input.len()));
        }
        if output.len() != m.output.len() {
            return Err(wrong_length("output", output.len(), m.output.len()));
        }
        let cx = Context {
            base: self.arena.as_mut_ptr(),
            len: m.arena_floats,
            rows: m.rows.as_ptr(),
            weights: m.weights.as_ptr(),
        };
        // SAFETY: `Model::verify` proved the port inside the arena, and the
        // slice has the port's length.
        unsafe { m.input.read(&cx, input) };
        Ok(cx)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("model", &self.model).finish_non_exhaustive()
    }
}

fn wrong_length(what: &str, given: usize, want: usize) -> Error {
    Error::new(ErrorKind::WrongLength, format!("{what} has {given} elements, {want} are needed"))
}

fn nanoseconds(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}

/// Executes one call of a model.
///
/// # Safety
/// `cx` has an arena of the model's size and the model's own tables. That the
/// call stays inside them was proven by `Model::verify`, without which there
/// is no model; that the CPU has the instruction set, by `Isa::choose`.
unsafe fn execute(m: &Model, cx: &Context, step: &Step) {
    let k = m.kernels;
    // SAFETY: the contract above.
    unsafe {
        match &step.call {
            Call::Gemm(c) => (k.gemm)(cx, c, &m.dense[c.dense]),
            Call::Depthwise(c) => (k.depthwise)(cx, c, &m.depthwise[c.depthwise]),
            Call::Winograd(c) => (k.winograd)(cx, c, &m.winograd[c.winograd]),
            Call::Pool(c) => (k.pool)(cx, c),
            Call::Global(c) => (k.global)(cx, c),
            Call::Map(c) => (k.map)(cx, c),
            Call::Softmax(c) => (k.softmax)(cx, c),
            Call::Interleave(c) => (k.interleave)(cx, c),
            Call::Zero(c) => mover::zero(cx, c),
            Call::Copy(c) => mover::copy(cx, c),
        }
    }
}
