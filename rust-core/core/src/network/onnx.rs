//! How ONNX's messages are written: attributes and descriptions of tensors.

use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value::DimValue};
use tract_onnx::pb::{self, attribute_proto::AttributeType};

pub(super) fn int(name: &str, value: i64) -> pb::AttributeProto {
    pb::AttributeProto { i: value, ..named(name, AttributeType::Int) }
}

pub(super) fn float(name: &str, value: f32) -> pb::AttributeProto {
    pb::AttributeProto { f: value, ..named(name, AttributeType::Float) }
}

pub(super) fn ints(name: &str, values: impl IntoIterator<Item = usize>) -> pb::AttributeProto {
    let ints = values.into_iter().map(|value| value as i64).collect();
    pb::AttributeProto { ints, ..named(name, AttributeType::Ints) }
}

pub(super) fn text(name: &str, value: &str) -> pb::AttributeProto {
    pb::AttributeProto { s: value.as_bytes().to_vec(), ..named(name, AttributeType::String) }
}

fn named(name: &str, kind: AttributeType) -> pb::AttributeProto {
    pb::AttributeProto { name: name.to_owned(), r#type: kind as i32, ..Default::default() }
}

/// An input or output of a graph, with ONNX's number for its type of elements.
pub(super) fn value_info(
    name: String,
    elem_type: i32,
    shape: impl IntoIterator<Item = i64>,
) -> pb::ValueInfoProto {
    let dim = |size| Dimension { value: Some(DimValue(size)), ..Default::default() };
    let shape = pb::TensorShapeProto { dim: shape.into_iter().map(dim).collect() };
    let tensor = pb::type_proto::Tensor { elem_type, shape: Some(shape) };
    let value = Some(pb::type_proto::Value::TensorType(tensor));
    let r#type = Some(pb::TypeProto { value, ..Default::default() });
    pb::ValueInfoProto { name, r#type, ..Default::default() }
}
