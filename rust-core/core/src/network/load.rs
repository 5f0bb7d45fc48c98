//! From checked bytes to a network that runs.
//!
//! Decides how tract is called: on the graph that the guard wrote, inside
//! `catch_unwind`, with the result compared with what the guard computed. It
//! does not decide what is a valid network (that is `verify`) nor what happens
//! to the scores. Called by `Model` and by `check_model`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;
use tract_onnx::prelude::*;

use super::verify::{ModelLimits, VerifiedModel, invalid, verify};
use crate::{Error, ErrorKind, Result};

/// A network that tract has opened.
#[derive(Debug)]
pub(crate) struct LoadedModel {
    /// The optimised graph; one is shared by all threads.
    pub(crate) plan: Arc<TypedRunnableModel>,
    /// What is known about the file.
    pub(crate) summary: ModelSummary,
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

/// Checks `bytes` against `limits`, then opens them with tract.
///
/// # Errors
///
/// [`ErrorKind::InvalidModel`]; the sentence names the node, value and limit.
pub(crate) fn load(bytes: &[u8], limits: &ModelLimits) -> Result<LoadedModel> {
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
    let input = f32::fact(&summary.input_shape[..]);
    let (output, plan) = guarded("opened", ErrorKind::InvalidModel, move || {
        let mut model = onnx().model_for_proto_model(&proto)?;
        drop(proto);
        model.set_input_fact(0, input.into())?;
        let typed = model.into_typed()?.into_decluttered()?;
        let output = typed.output_fact(0)?.clone();
        Ok((output, typed.into_optimized()?.into_runnable()?))
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
    Ok(LoadedModel { plan, summary })
}

/// Calls into tract; an error or a panic there becomes an error here.
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
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(Error::new(
                kind,
                format!(
                    "the network could not be {what}: tract stopped with `{}`; please report it \
                     with the file",
                    text.lines().next().unwrap_or_default()
                ),
            ))
        }
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
    load(bytes, limits).map(|loaded| loaded.summary)
}
