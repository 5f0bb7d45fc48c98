//! Weights stored in fewer bits, unpacked before tract sees them.
//!
//! Decides which nodes unpack constants of the file only, and computes them:
//! `(x - zero_point) * scale`, as ONNX defines `DequantizeLinear`, which tract
//! would do in several nodes that stay in its graph; and a `Cast` of 16-bit
//! floats. Called by `graph` once
//! the size of what comes out is known to be within the limits.

use tract_onnx::pb;

use super::graph::{Graph, Step};
use super::tensor::{self, Element};

/// The 32-bit floats that `step` makes, if it unpacks a constant of the file.
pub(super) fn unpacked(graph: &Graph<'_>, step: &Step) -> Option<pb::TensorProto> {
    let values = match step.op {
        "DequantizeLinear" => dequantized(graph, step)?,
        "Cast" => widened(graph, step)?,
        _ => return None,
    };
    Some(pb::TensorProto {
        dims: graph.fact(step.outputs[0]).shape.iter().map(|&dim| dim as i64).collect(),
        data_type: Element::F32.to_onnx(),
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ..Default::default()
    })
}

fn widened(graph: &Graph<'_>, step: &Step) -> Option<Vec<f32>> {
    let value = &graph.values[step.inputs.first().copied().flatten()?];
    (value.fact.element == Element::F16).then(|| value.tensor().map(tensor::halves))?
}

fn dequantized(graph: &Graph<'_>, step: &Step) -> Option<Vec<f32>> {
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
    let mut values = Vec::with_capacity(packed.len());
    for (run, (&scale, &zero)) in packed.chunks(run).zip(parameters) {
        for &x in run {
            // A difference of integers, then a product of floats, as ONNX says.
            let difference = i64::from(x) - i64::from(zero);
            values.push(difference as f32 * scale);
        }
    }
    Some(values)
}
