//! A session: one arena and the loop over a model's calls.
//!
//! Decides nothing: executes what the [plan](crate::plan) wrote and verified.
//! A run allocates nothing and takes no lock.

use crate::buffer::Buffer;
use crate::error::{Error, ErrorKind};
use crate::graph::{Shape, Value};
use crate::int8;
use crate::micro::{Context, mover};
use crate::plan::call::{Call, Step};
use crate::plan::{Code, Model, Program};
use crate::profile::Profile;
use std::sync::Arc;
use std::time::Instant;

/// Runs a [`Model`]. Sessions of one model share its weights; each has its own
/// activations and is used by one thread at a time.
pub struct Session {
    model: Arc<Model>,
    arena: Buffer,
}

/// What a run is given.
#[derive(Clone, Copy)]
enum Input<'a> {
    Floats(&'a [f32]),
    Bytes(&'a [u8]),
}

/// A run under way.
enum Run<'a> {
    F32(&'a Program, Context),
    Int8(&'a int8::Program, Context<u8>),
}

impl Session {
    /// A session with [`Model::arena_bytes`] of memory.
    #[must_use]
    pub fn new(model: Arc<Model>) -> Self {
        let mut arena = Buffer::zeros(model.arena_bytes().div_ceil(4));
        if let Code::Int8(p) = &model.code {
            p.prepare(arena.as_bytes_mut());
        }
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
    /// and pools keep NaN. An int8 model first makes bytes of the input: values
    /// outside its [range](Model::input_quantization) become the nearest end,
    /// NaN the lower one.
    ///
    /// # Errors
    /// If `input` or `output` does not have the length of its
    /// [shape](Model::input_shape); the message gives both lengths, and
    /// nothing is written.
    pub fn run(&mut self, input: &[f32], output: &mut [f32]) -> Result<(), Error> {
        self.execute(Input::Floats(input), output)
    }

    /// Runs an int8 network on its quantized input, without any floats: `input`
    /// has the order of [`Options::input_layout`](crate::Options), its bytes the
    /// meaning of [`Model::input_quantization`].
    ///
    /// # Errors
    /// As for [`run`](Self::run), and with
    /// [`WrongPrecision`](ErrorKind::WrongPrecision) if the model is float.
    pub fn run_bytes(&mut self, input: &[u8], output: &mut [f32]) -> Result<(), Error> {
        self.execute(Input::Bytes(input), output)
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
        self.execute_profiled(Input::Floats(input), output, profile)
    }

    /// As [`run_bytes`](Self::run_bytes), adding the time of every layer to
    /// `profile`.
    ///
    /// # Errors
    /// As for [`run_bytes`](Self::run_bytes), and if the profile is of another
    /// model.
    pub fn run_bytes_profiled(
        &mut self,
        input: &[u8],
        output: &mut [f32],
        profile: &mut Profile,
    ) -> Result<(), Error> {
        self.execute_profiled(Input::Bytes(input), output, profile)
    }

    /// As [`run`](Self::run), then shows every value of the graph that the
    /// output depends on, the input first, in the order of
    /// [`Graph::values`](crate::Graph::values).
    ///
    /// # Errors
    /// As for [`run`](Self::run), and with
    /// [`WrongPrecision`](ErrorKind::WrongPrecision) if the model was not made
    /// by [`Model::compile_observed`].
    pub fn run_observed(
        &mut self,
        input: &[f32],
        output: &mut [f32],
        observe: &mut dyn FnMut(Value, TensorView<'_>),
    ) -> Result<(), Error> {
        let model = self.model.clone();
        let Code::F32(Program { observed, .. }) = &model.code else {
            return Err(not_observed());
        };
        if observed.is_empty() {
            return Err(not_observed());
        }
        self.run(input, output)?;
        for o in observed {
            let (shape, p) = (o.shape, o.plane);
            let floats = &self.arena.as_slice()[p.off..];
            observe(o.value, TensorView { floats, row: p.row, pix: p.pix, shape });
        }
        Ok(())
    }

    fn execute(&mut self, input: Input<'_>, output: &mut [f32]) -> Result<(), Error> {
        let run = self.begin(input, output)?;
        for i in 0..run.steps() {
            // SAFETY: `begin` made the context for the model.
            unsafe { run.step(i) };
        }
        // SAFETY: likewise, and the slice has the port's length.
        unsafe { run.finish(output) };
        Ok(())
    }

    fn execute_profiled(
        &mut self,
        input: Input<'_>,
        output: &mut [f32],
        profile: &mut Profile,
    ) -> Result<(), Error> {
        if profile.layers.len() != self.model.layers.len() {
            return Err(wrong_length("profile", profile.layers.len(), self.model.layers.len()));
        }
        let start = Instant::now();
        let run = self.begin(input, output)?;
        let mut before = Instant::now();
        profile.transfer_ns += nanoseconds(start, before);
        for i in 0..run.steps() {
            // SAFETY: `begin` made the context for the model.
            unsafe { run.step(i) };
            let after = Instant::now();
            profile.layers[run.layer(i)].total_ns += nanoseconds(before, after);
            before = after;
        }
        // SAFETY: likewise, and the slice has the port's length.
        unsafe { run.finish(output) };
        profile.transfer_ns += nanoseconds(before, Instant::now());
        profile.runs += 1;
        Ok(())
    }

    /// Checks lengths and takes the input over.
    fn begin(&mut self, input: Input<'_>, output: &[f32]) -> Result<Run<'_>, Error> {
        let (want, given) = match input {
            Input::Floats(x) => (self.model.input_shape().len(), x.len()),
            Input::Bytes(x) => (self.model.input_shape().len(), x.len()),
        };
        if given != want {
            return Err(wrong_length("input", given, want));
        }
        let want = self.model.output_shape().len();
        if output.len() != want {
            return Err(wrong_length("output", output.len(), want));
        }
        let base = self.arena.as_mut_ptr();
        match &self.model.code {
            Code::F32(p) => {
                let Input::Floats(input) = input else { return Err(float_model()) };
                let (rows, weights) = (p.rows.as_ptr(), p.weights.as_ptr());
                let cx = Context { base, len: p.arena_floats, rows, weights };
                // SAFETY: `Program::verify` proved the port inside the arena,
                // and the slice has the port's length.
                unsafe { p.input.read(&cx, input) };
                Ok(Run::F32(p, cx))
            }
            Code::Int8(p) => {
                let (rows, weights) = (p.rows.as_ptr(), p.weights.as_ptr().cast());
                let cx = Context { base: base.cast(), len: p.arena_bytes, rows, weights };
                // SAFETY: likewise.
                unsafe {
                    match input {
                        Input::Floats(x) => p.read_floats(&cx, x),
                        Input::Bytes(x) => p.read_bytes(&cx, x),
                    }
                }
                Ok(Run::Int8(p, cx))
            }
        }
    }
}

impl Run<'_> {
    fn steps(&self) -> usize {
        match self {
            Self::F32(p, _) => p.steps.len(),
            Self::Int8(p, _) => p.steps.len(),
        }
    }

    fn layer(&self, step: usize) -> usize {
        match self {
            Self::F32(p, _) => p.steps[step].layer,
            Self::Int8(p, _) => p.steps[step].layer,
        }
    }

    /// Executes one call.
    ///
    /// # Safety
    /// The context has an arena of the program's size and the program's own
    /// tables. That the call stays inside them was proven by its `verify`,
    /// without which there is no model; that the CPU has the instruction set,
    /// when it was chosen.
    #[inline(always)]
    unsafe fn step(&self, i: usize) {
        // SAFETY: the contract above.
        unsafe {
            match self {
                Self::F32(p, cx) => step(p, cx, &p.steps[i]),
                Self::Int8(p, cx) => p.step(cx, &p.steps[i]),
            }
        }
    }

    /// Copies the output.
    ///
    /// # Safety
    /// As for [`Run::step`], and `output` has the length of the port.
    unsafe fn finish(&self, output: &mut [f32]) {
        // SAFETY: `verify` proved the port inside the arena.
        unsafe {
            match self {
                Self::F32(p, cx) => p.output.write(cx, output),
                Self::Int8(p, cx) => p.write(cx, output),
            }
        }
    }
}

/// A value of the network after a run; see [`Session::run_observed`].
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    /// From the first pixel on.
    floats: &'a [f32],
    row: usize,
    pix: usize,
    shape: Shape,
}

impl<'a> TensorView<'a> {
    /// Height, width and channels.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The pixels, row by row, each with all its channels.
    pub fn pixels(&self) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let Self { floats, row, pix, shape } = *self;
        (0..shape.h)
            .flat_map(move |y| (0..shape.w).map(move |x| &floats[y * row + x * pix..][..shape.c]))
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

fn float_model() -> Error {
    Error::new(
        ErrorKind::WrongPrecision,
        "bytes given to a float model, only int8 models take them: give floats",
    )
}

fn not_observed() -> Error {
    Error::new(
        ErrorKind::WrongPrecision,
        "the model keeps no values to show: compile it with compile_observed",
    )
}

fn nanoseconds(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}

/// Executes one call of a float model.
///
/// # Safety
/// As for [`Run::step`].
unsafe fn step(p: &Program, cx: &Context, step: &Step) {
    let k = p.kernels;
    // SAFETY: the contract above.
    unsafe {
        match &step.call {
            Call::Gemm(c) => (k.gemm)(cx, c, &p.dense[c.dense]),
            Call::Depthwise(c) => (k.depthwise)(cx, c, &p.depthwise[c.depthwise]),
            Call::Winograd(c) => (k.winograd)(cx, c, &p.winograd[c.winograd]),
            Call::Pool(c) => (k.pool)(cx, c),
            Call::Global(c) => (k.global)(cx, c),
            Call::Map(c) => (k.map)(cx, c),
            Call::Softmax(c) => (k.softmax)(cx, c),
            Call::Interleave(c) => (k.interleave)(cx, c),
            Call::Fill(c) => mover::fill(cx, c),
            Call::Copy(c) => mover::copy(cx, c),
        }
    }
}
