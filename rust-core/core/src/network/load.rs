//! From checked bytes to a network that runs.
//!
//! Decides how tract is called: on the graph that the guard wrote, inside
//! `catch_unwind`, with the result compared with what the guard computed; and
//! who runs the network: the kernels where `lower` can lower all of it, in int8
//! where there is a calibration table and the processor is made for it, else
//! tract, with the kernels for the parts that it can lower. tract simplifies a
//! network only as far as that needs: most are lowered as they are parsed. It
//! does not decide what is a valid network (that is `verify`) nor what happens
//! to the scores. Called by `Model` and by `check_model`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use biglittle_kernels::{self as kernels, Isa};
use serde::Serialize;
use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::optim::Optimizer;

use super::lower::regions::{self, Cut};
use super::lower::{Lowered, lower};
use super::options::{Execution, OpenOptions};
use super::program::{Compiled, Program};
use super::region::replaced;
use super::runtime::{Part, Precision, Runtime};
use super::table::{self, CalibrationTable};
use super::verify::{ModelLimits, VerifiedModel, invalid, verify};
use super::weights;
use crate::{Error, ErrorKind, Result};

/// A network that has been opened.
#[derive(Debug)]
pub(crate) struct LoadedModel {
    /// What runs it; shared by all threads.
    pub(crate) program: Program,
    /// The instruction set of the kernels, where they run anything.
    pub(crate) isa: Option<Isa>,
    /// What runs it, in words.
    pub(crate) runtime: Runtime,
    /// What is known about the file.
    pub(crate) summary: ModelSummary,
}

/// A phase of opening a network, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OpenPhase {
    /// The guard has read the file.
    Checked,
    /// tract has parsed what the guard wrote, with the weights.
    Parsed,
    /// tract has computed all shapes.
    Typed,
    /// tract has simplified the graph: only where it is not lowered as it is.
    Simplified,
    /// The network, or parts of it, are in the kernels' form.
    Lowered,
    /// The kernels have planned them and packed their weights.
    Compiled,
    /// tract has prepared what it runs: only where that is anything.
    Prepared,
}

/// What a network file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelSummary {
    /// The input's shape; the first dimension, the batch, is 1.
    pub input_shape: Vec<usize>,
    /// The output's shape.
    pub output_shape: Vec<usize>,
    /// Multiply-accumulates of the convolutions and matrix products in a run.
    pub macs: u64,
    /// Weights and other constant numbers.
    pub parameters: u64,
    /// Estimated peak of memory in bytes while opening or running.
    pub memory_bytes: usize,
    /// The version of the standard operators that the file is written in.
    pub opset: i64,
    /// The operators of the file by name, each with its number of nodes.
    pub operators: Vec<(String, usize)>,
}

/// Checks `bytes`, then opens them, and calls `watch` at the end of each phase.
///
/// # Errors
///
/// [`ErrorKind::InvalidModel`]; the sentence names the node, value and limit.
/// [`ErrorKind::InvalidBundle`] when the calibration table is for another network.
/// [`ErrorKind::InvalidArgument`] when this machine does not have the instruction
/// set.
pub(crate) fn load(
    bytes: &[u8],
    options: OpenOptions<'_>,
    watch: &mut dyn FnMut(OpenPhase),
) -> Result<LoadedModel> {
    let OpenOptions { limits, table, execution } = options;
    let isa = match execution {
        Execution::Fastest | Execution::Tract => None,
        Execution::Kernels(isa) if isa.is_available() => Some(isa),
        Execution::Kernels(isa) => {
            let available: Vec<_> = Isa::available().iter().map(|isa| isa.name()).collect();
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "this machine does not have the instruction set {isa}; choose one of {}",
                    available.join(", ")
                ),
            ));
        }
    };
    let mut opening = Opening { bytes, limits, isa, watch };
    if execution == Execution::Tract {
        return opening.for_tract("the network was opened for tract on request".to_owned());
    }
    let (mut typed, summary) = opening.typed()?;
    let (program, isa, runtime) = match opening.lowered(&mut typed)? {
        Ok(Some(lowered)) => {
            opening.ended(OpenPhase::Lowered);
            // The kernels' copy of the weights is packed once tract's is gone:
            // the network has to be opened again in the rare case that this
            // fails.
            drop(typed);
            let lengths = [&summary.input_shape, &summary.output_shape];
            let lengths = lengths.map(|shape| shape.iter().product());
            let compiled = match table {
                Some(table) => opening.compile_by(table, lowered, lengths)?,
                None => unless_panic(|| opening.compile(lowered, lengths)),
            };
            match compiled {
                Ok(compiled) => {
                    opening.ended(OpenPhase::Compiled);
                    let isa = compiled.model.isa();
                    let precision = match (compiled.model.precision(), table) {
                        (kernels::Precision::Int8, _) => Precision::Int8,
                        (_, None) => Precision::Float32,
                        (_, Some(_)) => Precision::Float32ForInt8,
                    };
                    (Program::Kernels(compiled), Some(isa), Runtime::kernels(isa, precision))
                }
                Err(reason) if table.is_none() => return opening.for_tract(reason),
                Err(reason) => return Err(invalid(format!("it cannot be run in int8: {reason}"))),
            }
        }
        Ok(None) if table.is_none() => opening.in_parts(typed)?,
        Err(reason) if table.is_none() => {
            (opening.prepared(typed)?, None, Runtime::tract_because(reason))
        }
        Ok(None) | Err(_) => return Err(not_whole(bytes, &limits)),
    };
    Ok(LoadedModel { program, isa, runtime, summary })
}

/// A network that the kernels can run as a whole, and what its file holds.
pub(super) struct Whole {
    /// With its graph simplified.
    pub(super) lowered: Lowered,
    pub(super) summary: ModelSummary,
}

/// Checks `bytes` and lowers them as a whole.
///
/// # Errors
///
/// [`ErrorKind::InvalidModel`] also when the kernels cannot run all of the network.
pub(super) fn lowered_whole(bytes: &[u8], limits: &ModelLimits) -> Result<Whole> {
    let mut opening = Opening { bytes, limits: *limits, isa: None, watch: &mut |_| {} };
    let (mut typed, summary) = opening.typed()?;
    if let Ok(Some(mut lowered)) = opening.lowered(&mut typed)? {
        lowered.graph = lowered.graph.simplified();
        return Ok(Whole { lowered, summary });
    }
    drop(typed);
    Err(not_whole(bytes, limits))
}

/// Why a network that was not lowered as a whole is not in int8, with the layer that
/// is the reason.
fn not_whole(bytes: &[u8], limits: &ModelLimits) -> Error {
    let runtime = match load(bytes, limits.into(), &mut |_| {}) {
        Ok(loaded) => loaded.runtime,
        Err(error) => return error,
    };
    let reason = match &runtime {
        Runtime::Mixed { parts, .. } => parts.iter().find_map(|part| match part {
            Part::Tract { layers, .. } => regions::culprit(layers).map(ToString::to_string),
            Part::Kernels { .. } => None,
        }),
        Runtime::Tract { reason, .. } => Some(reason.clone()),
        Runtime::Kernels { .. } => None,
    };
    invalid(format!(
        "only networks that the kernels run whole have a form in int8, but {}; keep it in float32",
        reason.unwrap_or_else(|| format!("this one is run by {runtime}"))
    ))
}

/// A network that is being opened.
struct Opening<'a> {
    bytes: &'a [u8],
    limits: ModelLimits,
    isa: Option<Isa>,
    watch: &'a mut dyn FnMut(OpenPhase),
}

fn checked(bytes: &[u8], limits: &ModelLimits) -> Result<(pb::ModelProto, ModelSummary)> {
    let VerifiedModel { proto, input_shape, output_shape, totals, opset, operators } =
        verify(bytes, limits)?;
    let summary = ModelSummary {
        input_shape,
        output_shape,
        macs: totals.macs,
        parameters: totals.parameters,
        memory_bytes: totals.memory_bytes,
        opset,
        operators: operators.into_iter().collect(),
    };
    Ok((proto, summary))
}

impl Opening<'_> {
    fn ended(&mut self, phase: OpenPhase) {
        (self.watch)(phase);
    }

    /// The graph in tract's operators, with all shapes and constants.
    fn typed(&mut self) -> Result<(TypedModel, ModelSummary)> {
        #[cfg(all(target_os = "android", target_arch = "aarch64"))]
        super::android::tell_tract_the_processor();
        let (mut proto, summary) = checked(self.bytes, &self.limits)?;
        self.ended(OpenPhase::Checked);
        let input = f32::fact(&summary.input_shape[..]);
        let mut model = guarded("opened", ErrorKind::InvalidModel, move || {
            let taken = proto.graph.as_mut().map(weights::take).unwrap_or_default();
            let mut model = onnx().model_for_proto_model(&proto)?;
            drop(proto);
            weights::put(&mut model, taken)?;
            Ok(model)
        })?;
        self.ended(OpenPhase::Parsed);
        let (output, typed) = guarded("opened", ErrorKind::InvalidModel, move || {
            model.set_input_fact(0, input.into())?;
            let mut typed = model.into_typed()?;
            Optimizer::prop_consts().optimize(&mut typed)?;
            Ok((typed.output_fact(0)?.clone(), typed))
        })?;
        if output.datum_type != f32::datum_type()
            || output.shape.as_concrete() != Some(&summary.output_shape[..])
        {
            return Err(invalid(format!(
                "the network's output is {:?} by the guard and {output:?} by tract; please report \
                 it with the file",
                summary.output_shape
            )));
        }
        self.ended(OpenPhase::Typed);
        Ok((typed, summary))
    }

    /// The graph as tract simplifies it, but for the order of axes: `lower`
    /// tracks that itself, and tract's choice depends on the processor.
    fn simplified(&mut self, mut typed: TypedModel) -> Result<TypedModel> {
        let typed = guarded("opened", ErrorKind::InvalidModel, move || {
            let mut optimizer = Optimizer::declutter();
            optimizer.passes.retain(|pass| !format!("{pass:?}").starts_with("ChangeAxes"));
            optimizer.optimize(&mut typed)?;
            Ok(typed)
        })?;
        self.ended(OpenPhase::Simplified);
        Ok(typed)
    }

    /// The graph for the kernels, after as little simplification as that needs;
    /// nothing where a part has to stay with tract, or the reason why not even
    /// parts can be had.
    fn lowered(
        &mut self,
        typed: &mut TypedModel,
    ) -> Result<std::result::Result<Option<Lowered>, String>> {
        let lowered = unless_panic(|| Ok(lower(typed)));
        if !matches!(lowered, Ok(None)) {
            return Ok(lowered);
        }
        *typed = self.simplified(std::mem::take(typed))?;
        Ok(unless_panic(|| Ok(lower(typed))))
    }

    /// What tract runs.
    fn prepared(&mut self, typed: TypedModel) -> Result<Program> {
        let plan = guarded("opened", ErrorKind::InvalidModel, move || {
            typed.into_optimized()?.into_runnable()
        })?;
        self.ended(OpenPhase::Prepared);
        Ok(Program::Tract(plan))
    }

    /// Opens the network anew, for tract alone.
    fn for_tract(&mut self, reason: String) -> Result<LoadedModel> {
        let (typed, summary) = self.typed()?;
        let program = self.prepared(typed)?;
        let runtime = Runtime::tract_because(reason);
        Ok(LoadedModel { program, isa: None, runtime, summary })
    }

    /// Plans what was lowered and packs its weights; or the reason why not. Input
    /// and output must have as many elements as `expected`.
    fn compile(
        &self,
        lowered: Lowered,
        expected: [usize; 2],
    ) -> std::result::Result<Compiled, String> {
        let options = self.kernel_options(&lowered);
        let model = kernels::Model::compile(lowered.graph, &options)
            .map_err(|error| format!("the network is beyond the kernels: {error}"))?;
        compiled(model, lowered.log_softmax, expected)
    }

    /// As [`compile`](Opening::compile), in int8 by the ranges of `table` where
    /// this machine has an instruction set for it.
    fn compile_by(
        &self,
        table: &CalibrationTable,
        mut lowered: Lowered,
        expected: [usize; 2],
    ) -> Result<std::result::Result<Compiled, String>> {
        lowered.graph = lowered.graph.simplified();
        let ranges = table.ranges_of(&lowered.graph)?;
        let isa = self.isa.map_or_else(Isa::detect_int8, |isa| isa.has_int8().then_some(isa));
        if isa.is_none() {
            return Ok(unless_panic(|| self.compile(lowered, expected)));
        }
        table::without_offset(&mut lowered.graph, table.input_offset)
            .map_err(|error| invalid(format!("it cannot be run in int8: {error}")))?;
        let options = kernels::Options { isa, ..self.kernel_options(&lowered) };
        let model = unless_panic(|| {
            kernels::Model::compile_int8(lowered.graph, &ranges, &options)
                .map_err(|error| error.to_string())
        });
        let model = model.map_err(|error| invalid(format!("it cannot be run in int8: {error}")))?;
        Ok(compiled(model, lowered.log_softmax, expected))
    }

    fn kernel_options(&self, lowered: &Lowered) -> kernels::Options {
        kernels::Options {
            isa: self.isa,
            input_layout: lowered.input,
            output_layout: lowered.output,
            // Of the weights, and of the activations: together they stay below.
            memory_limit: self.limits.max_memory_bytes.saturating_sub(self.bytes.len()) / 2,
            ..kernels::Options::default()
        }
    }

    /// Has the kernels run what they can of a network and tract the rest.
    fn in_parts(&mut self, typed: TypedModel) -> Result<(Program, Option<Isa>, Runtime)> {
        let cut = unless_panic(|| regions::cut(&typed).map_err(|error| error.to_string()));
        let Cut { regions, mut layers } = match cut {
            Ok(cut) => cut,
            Err(reason) => {
                return Ok((self.prepared(typed)?, None, Runtime::tract_because(reason)));
            }
        };
        self.ended(OpenPhase::Lowered);
        let mut placed = Vec::with_capacity(regions.len());
        for (index, region) in regions.into_iter().enumerate() {
            match unless_panic(|| self.compile(region.lowered, region.lengths)) {
                Ok(compiled) => placed.push((region.entry, region.exit, compiled)),
                Err(reason) => {
                    for layer in layers.iter_mut().filter(|layer| layer.place == Ok(index)) {
                        layer.place = Err(format!("is in a part that was not compiled: {reason}"));
                    }
                }
            }
        }
        self.ended(OpenPhase::Compiled);
        let isa = placed.first().map(|(_, _, first)| first.model.isa());
        let runtime = match isa {
            Some(isa) => Runtime::mixed(isa, regions::parts(layers)),
            None => Runtime::tract(regions::parts(layers)),
        };
        let typed = guarded("opened", ErrorKind::InvalidModel, move || replaced(typed, placed))?;
        Ok((self.prepared(typed)?, isa, runtime))
    }
}

/// The network for sessions; input and output must have as many elements as
/// `expected`.
fn compiled(
    model: kernels::Model,
    log_softmax: bool,
    expected: [usize; 2],
) -> std::result::Result<Compiled, String> {
    let lengths = [model.input_shape().len(), model.output_shape().len()];
    if lengths != expected {
        return Err(format!("{expected:?} values were lowered to {lengths:?}"));
    }
    Ok(Compiled { model: Arc::new(model), log_softmax })
}

/// A panic while lowering leaves the network with tract.
fn unless_panic<T>(
    call: impl FnOnce() -> std::result::Result<T, String>,
) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic_text(&*panic);
        Err(format!("the network could not be lowered: stopped with `{text}`"))
    })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    text.lines().next().unwrap_or_default()
}

/// Calls into tract or the kernels; an error or a panic there becomes an error
/// here.
pub(super) fn guarded<T>(
    what: &str,
    kind: ErrorKind,
    call: impl FnOnce() -> TractResult<T>,
) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let error = refused(what, &error);
            Err(Error::new(kind, error.to_string()))
        }
        Err(panic) => Err(Error::new(
            kind,
            format!(
                "the network could not be {what}: tract stopped with `{}`; please report it with \
                 the file",
                panic_text(&*panic)
            ),
        )),
    }
}

fn refused(what: &str, error: &TractError) -> Error {
    let causes: Vec<String> = error
        .chain()
        .map(|cause| cause.to_string().lines().next().unwrap_or_default().to_owned())
        .collect();
    invalid(format!("the network could not be {what} by tract: {}", causes.join(": ")))
}

/// Checks and opens a network file without keeping it.
///
/// Answers for any bytes whatever, within the time and memory that
/// [`ModelLimits`] stands for.
///
/// # Errors
///
/// [`ErrorKind::InvalidModel`]; the sentence names the node or tensor, the
/// value, the limit and what to do.
///
/// ```
/// use biglittle::network::{ModelLimits, check_model};
///
/// let error = check_model(b"not a network", &ModelLimits::default()).unwrap_err();
/// assert_eq!(error.kind(), biglittle::ErrorKind::InvalidModel);
/// ```
pub fn check_model(bytes: &[u8], limits: &ModelLimits) -> Result<ModelSummary> {
    load(bytes, limits.into(), &mut |_| {}).map(|loaded| loaded.summary)
}
