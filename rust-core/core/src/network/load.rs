//! From checked bytes to a network that runs.
//!
//! Decides how tract is called: on the graph that the guard wrote, inside
//! `catch_unwind`, with the result compared with what the guard computed; and
//! who runs the network: the kernels where `lower` can lower all of it, else
//! tract. It does not decide what is a valid network (that is `verify`) nor
//! what happens to the scores. Called by `Model` and by `check_model`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use biglittle_kernels::{self as kernels, Isa};
use serde::Serialize;
use tract_onnx::pb;
use tract_onnx::prelude::*;

use super::lower::{Lowered, Refusal, lower};
use super::runtime::Runtime;
use super::verify::{ModelLimits, VerifiedModel, invalid, verify};
use crate::{Error, ErrorKind, Result};

/// A network that has been opened.
#[derive(Debug)]
pub(crate) struct LoadedModel {
    /// What runs it; shared by all threads.
    pub(crate) program: Program,
    /// The same in words.
    pub(crate) runtime: Runtime,
    /// What is known about the file.
    pub(crate) summary: ModelSummary,
}

/// A network in the form of what runs it.
#[derive(Debug)]
pub(crate) enum Program {
    /// Lowered whole.
    Kernels {
        /// Plan and packed weights.
        model: Arc<kernels::Model>,
        /// Whether the logarithm of the softmax is taken of the outputs.
        log_softmax: bool,
    },
    /// tract's optimised graph.
    Tract(Arc<TypedRunnableModel>),
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

/// Checks `bytes` against `limits`, then opens them, for one instruction set if
/// it is given.
///
/// # Errors
///
/// [`ErrorKind::InvalidModel`]; the sentence names the node, value and limit.
pub(crate) fn load(bytes: &[u8], limits: &ModelLimits, isa: Option<Isa>) -> Result<LoadedModel> {
    let (proto, summary) = checked(bytes, limits)?;
    let typed = simplified(proto, &summary)?;
    // The kernels' copy of the weights is packed once tract's is gone: the
    // network has to be opened again in the rare case that this fails.
    let refusal = match unless_panic(|| lower(&typed)) {
        Ok(lowered) => {
            drop(typed);
            match unless_panic(|| compile(lowered, bytes.len(), limits, isa, &summary)) {
                Ok((program, runtime)) => return Ok(LoadedModel { program, runtime, summary }),
                Err(refusal) => {
                    return Ok(LoadedModel {
                        runtime: Runtime::tract(refusal),
                        ..load_for_tract(bytes, limits)?
                    });
                }
            }
        }
        Err(refusal) => refusal,
    };
    with_tract(typed, refusal, summary)
}

/// As [`load`], but always for tract.
pub(crate) fn load_for_tract(bytes: &[u8], limits: &ModelLimits) -> Result<LoadedModel> {
    let (proto, summary) = checked(bytes, limits)?;
    let typed = simplified(proto, &summary)?;
    with_tract(typed, network_refusal("was opened for tract on request".to_owned()), summary)
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

/// The graph as tract simplifies it, before it chooses how to compute it.
fn simplified(proto: pb::ModelProto, summary: &ModelSummary) -> Result<TypedModel> {
    let input = f32::fact(&summary.input_shape[..]);
    let (output, typed) = guarded("opened", ErrorKind::InvalidModel, move || {
        let mut model = onnx().model_for_proto_model(&proto)?;
        drop(proto);
        model.set_input_fact(0, input.into())?;
        let typed = model.into_typed()?.into_decluttered()?;
        Ok((typed.output_fact(0)?.clone(), typed))
    })?;
    if output.datum_type != f32::datum_type()
        || output.shape.as_concrete() != Some(&summary.output_shape[..])
    {
        return Err(invalid(format!(
            "the network's output is {:?} by the guard and {output:?} by tract; please report it \
             with the file",
            summary.output_shape
        )));
    }
    Ok(typed)
}

/// Plans a lowered network and packs its weights.
fn compile(
    lowered: Lowered,
    file_bytes: usize,
    limits: &ModelLimits,
    isa: Option<Isa>,
    summary: &ModelSummary,
) -> std::result::Result<(Program, Runtime), Refusal> {
    let Lowered { graph, input, output, log_softmax } = lowered;
    let options = kernels::Options {
        isa,
        input_layout: input,
        output_layout: output,
        // Of the weights, and of the activations: together they stay below.
        memory_limit: limits.max_memory_bytes.saturating_sub(file_bytes) / 2,
        ..kernels::Options::default()
    };
    let model = kernels::Model::compile(graph, &options)
        .map_err(|error| network_refusal(format!("is beyond the kernels: {error}")))?;
    let lengths = [model.input_shape().len(), model.output_shape().len()];
    let expected: [usize; 2] =
        [&summary.input_shape, &summary.output_shape].map(|s| s.iter().product());
    if lengths != expected {
        return Err(network_refusal(format!("has {expected:?} values, lowered {lengths:?}")));
    }
    let runtime = Runtime::kernels(model.isa());
    Ok((Program::Kernels { model: Arc::new(model), log_softmax }, runtime))
}

fn with_tract(typed: TypedModel, refusal: Refusal, summary: ModelSummary) -> Result<LoadedModel> {
    let plan = guarded("opened", ErrorKind::InvalidModel, move || {
        typed.into_optimized()?.into_runnable()
    })?;
    Ok(LoadedModel { program: Program::Tract(plan), runtime: Runtime::tract(refusal), summary })
}

fn network_refusal(reason: String) -> Refusal {
    Refusal { node: "all".to_owned(), operator: "network".to_owned(), reason }
}

/// A panic while lowering leaves the network with tract.
fn unless_panic<T>(
    call: impl FnOnce() -> std::result::Result<T, Refusal>,
) -> std::result::Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic_text(&*panic);
        Err(network_refusal(format!("could not be lowered: stopped with `{text}`")))
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
    load(bytes, limits, None).map(|loaded| loaded.summary)
}
