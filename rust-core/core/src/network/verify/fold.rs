//! Quantised weights, unpacked before tract sees them.
//!
//! Decides which dequantisations have constants of the file only, and computes
//! them: `(x - zero_point) * scale`, as ONNX defines `DequantizeLinear`. tract
//! would do it in several nodes that stay in its graph. Called by `graph` once
//! the size of what comes out is known to be within the limits.

use tract_onnx::pb;

use super::graph::{Graph, Step};
use super::tensor::{self, Element};

/// The 32-bit floats that `step` makes, if it unpacks a constant of the file.
pub(super) fn dequantized(graph: &Graph<'_>, step: &Step) -> Option<pb::TensorProto> {
    if step.op != "DequantizeLinear" {
        return None;
    }
    let of_file = |position: usize| {
        let id = step.inputs.get(position).copied().flatten()?;
        Some((&graph.values[id].fact, graph.values[id].tensor()?))
    };
    let ((fact, packed), (_, scales)) = (of_file(0)?, of_file(1)?);
    let scales = tensor::floats(scales);
    let zeros = match step.inputs.get(2).copied().flatten() {
        Some(_) => of_file(2).map(|(zero, tensor)| tensor::integers(zero.element, tensor))?,
        None => vec![0; scales.len()],
    };
    // Elements that follow each other under one scale.
    let run = match scales.len() {
        1 => fact.elements(),
        _ => {
            let axis = step.attributes.iter().find(|attribute| attribute.name == "axis")?.i;
            fact.shape.get(usize::try_from(axis).ok()? + 1..)?.iter().product()
        }
    };
    let packed = tensor::integers(fact.element, packed);
    let parameters = scales.iter().zip(&zeros).cycle();
    let mut raw_data = Vec::with_capacity(packed.len() * size_of::<f32>());
    for (run, (&scale, &zero)) in packed.chunks(run).zip(parameters) {
        for &x in run {
            // A difference of integers, then a product of floats, as ONNX says.
            let difference = i64::from(x) - i64::from(zero);
            raw_data.extend_from_slice(&(difference as f32 * scale).to_le_bytes());
        }
    }
    Some(pb::TensorProto {
        dims: fact.shape.iter().map(|&dim| dim as i64).collect(),
        data_type: Element::F32.to_onnx(),
        raw_data,
        ..Default::default()
    })
}
