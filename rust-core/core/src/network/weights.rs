//! The weights of a checked graph on their way to tract.
//!
//! tract's parser makes tensors of all constants while the graph that it reads
//! still holds them, and compares each with all before it. Here the large ones
//! are taken out of the graph ([`take`]), which has inputs in their places, and
//! become tensors one by one once it is parsed ([`put`]). Decides nothing about
//! them. Called by `load`.

use std::sync::Arc;

use tract_onnx::pb::{self, tensor_proto::DataType};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::bail;
use tract_onnx::tract_core::ops::konst::Const;

use super::onnx;

/// Constants of fewer bytes stay where they are.
const LARGE: usize = 1024;

/// No more than any allocation has, so that the memory of a constant that is gone
/// is enough for the tensor of the next.
const ALIGNMENT: usize = 16;

/// Takes the large constants out of a graph with one input.
pub(super) fn take(graph: &mut pb::GraphProto) -> Vec<pb::TensorProto> {
    let is_large = |tensor: &mut pb::TensorProto| {
        tensor.data_type == DataType::Float as i32 && tensor.raw_data.len() >= LARGE
    };
    let taken: Vec<_> = graph.initializer.extract_if(.., is_large).collect();
    let stand_in = |constant: &pb::TensorProto| {
        let dims = constant.dims.iter().copied();
        onnx::value_info(constant.name.clone(), constant.data_type, dims)
    };
    graph.input.extend(taken.iter().map(stand_in));
    taken
}

/// Puts constants in the places of the inputs that stand in for them, which
/// follow the network's own.
pub(super) fn put(model: &mut InferenceModel, weights: Vec<pb::TensorProto>) -> TractResult<()> {
    if model.inputs.len() != 1 + weights.len() {
        bail!("{} inputs for {} constants and an image", model.inputs.len(), weights.len());
    }
    for (input, weights) in model.inputs.split_off(1).into_iter().zip(weights) {
        let shape: Vec<usize> = weights.dims.iter().map(|&dim| dim as usize).collect();
        let mut tensor = Tensor::zero_aligned::<f32>(&shape, ALIGNMENT)?;
        let mut values = tensor.try_as_plain_ram_mut()?;
        for (to, from) in values.as_slice_mut()?.iter_mut().zip(weights.raw_data.as_chunks().0) {
            *to = f32::from_le_bytes(*from);
        }
        let tensor = Arc::new(tensor);
        let node = &mut model.nodes[input.node];
        node.outputs[0].fact = TypedFact::try_from(tensor.clone())?.into();
        node.op = Box::new(Const::new(tensor)?);
    }
    Ok(())
}
