//! Constant tensors of the file.
//!
//! Decides whether a `TensorProto` is what it says: a supported element type,
//! dimensions that multiply to a bounded count, and exactly that much data,
//! inside the file. Reads the numbers of small ones. It does not decide where
//! a constant may be used. Called by `graph` for initialisers and by the
//! operators for tensor attributes.

use tract_onnx::pb::{self, tensor_proto::DataType};

use super::limits::ModelLimits;
use super::refuse::{EXPORT_AGAIN, invalid, list};
use super::small::{SMALL, Small};
use crate::Result;

/// Most axes of any tensor. A channel shuffle needs 5.
pub(super) const MAX_RANK: usize = 8;

/// The element types that classifiers need and tract computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F32,
    U8,
    I8,
    I32,
    I64,
    Bool,
}

impl Element {
    pub(super) fn from_onnx(code: i32) -> Option<Element> {
        Some(match DataType::try_from(code).ok()? {
            DataType::Float => Element::F32,
            DataType::Uint8 => Element::U8,
            DataType::Int8 => Element::I8,
            DataType::Int32 => Element::I32,
            DataType::Int64 => Element::I64,
            DataType::Bool => Element::Bool,
            _ => return None,
        })
    }

    pub(super) fn to_onnx(self) -> i32 {
        (match self {
            Element::F32 => DataType::Float,
            Element::U8 => DataType::Uint8,
            Element::I8 => DataType::Int8,
            Element::I32 => DataType::Int32,
            Element::I64 => DataType::Int64,
            Element::Bool => DataType::Bool,
        }) as i32
    }

    /// Bytes of one element in memory and in `raw_data`.
    pub(super) fn bytes(self) -> usize {
        match self {
            Element::U8 | Element::I8 | Element::Bool => 1,
            Element::F32 | Element::I32 => 4,
            Element::I64 => 8,
        }
    }

    pub(super) fn is_integer(self) -> bool {
        self != Element::F32
    }
}

/// The name of an element type as ONNX writes it, for errors.
pub(super) fn type_name(code: i32) -> String {
    match DataType::try_from(code) {
        Ok(known) => known.as_str_name().to_lowercase(),
        Err(_) => format!("number {code}"),
    }
}

/// A checked constant and the message that carries it on to tract.
pub(super) struct Constant {
    pub(super) element: Element,
    pub(super) shape: Vec<usize>,
    /// The numbers, if there are at most [`SMALL`].
    pub(super) small: Option<Small>,
    /// Only dimensions, type and data; its name is given when it is used.
    pub(super) proto: pb::TensorProto,
}

/// The number of elements of `shape`, if it is at most the limit.
pub(super) fn count(shape: &[usize], limits: &ModelLimits) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    let count = shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim))?;
    (count <= limits.max_tensor_elements).then_some(count)
}

/// Checks a constant tensor; `what` names it in errors.
pub(super) fn read(what: &str, proto: pb::TensorProto, limits: &ModelLimits) -> Result<Constant> {
    let refuse = |reason: String| Err(invalid(format!("{what} {reason}")));
    if !proto.external_data.is_empty() || proto.data_location.unwrap_or(0) != 0 {
        return refuse("keeps its data outside the file; export it with the weights inside".into());
    }
    if proto.segment.is_some() {
        return refuse(format!("is split into segments; {EXPORT_AGAIN}"));
    }
    let Some(element) = Element::from_onnx(proto.data_type) else {
        return refuse(format!(
            "has element type {}, supported are float, uint8, int8, int32, int64 and bool; export \
             it as float",
            type_name(proto.data_type)
        ));
    };
    if proto.dims.len() > MAX_RANK {
        return refuse(format!("has {} axes, the limit is {MAX_RANK}", proto.dims.len()));
    }
    let mut shape = Vec::with_capacity(proto.dims.len());
    for &dim in &proto.dims {
        match usize::try_from(dim) {
            Ok(dim) => shape.push(dim),
            Err(_) => {
                return refuse(format!(
                    "has dimensions {}, each must be 0 or more; {EXPORT_AGAIN}",
                    list(&proto.dims)
                ));
            }
        }
    }
    let Some(elements) = count(&shape, limits) else {
        return refuse(format!(
            "has dimensions {}, more than the {} elements of ModelLimits::max_tensor_elements",
            list(&shape),
            limits.max_tensor_elements
        ));
    };
    let typed = typed_lengths(&proto);
    let expected_field = match element {
        Element::F32 => 0,
        Element::I64 => 2,
        _ => 1,
    };
    let raw = !proto.raw_data.is_empty();
    for (field, &length) in typed.iter().enumerate() {
        if length > 0 && (raw || field != expected_field) {
            return refuse(format!(
                "carries {length} values in a field that its type does not use; {EXPORT_AGAIN}"
            ));
        }
    }
    let (has, needs, unit) = if raw {
        (proto.raw_data.len(), elements * element.bytes(), "bytes")
    } else {
        (typed[expected_field], elements, "values")
    };
    if has != needs {
        return refuse(format!(
            "has {has} {unit} of data, its dimensions {} need {needs}; {EXPORT_AGAIN}",
            list(&shape)
        ));
    }
    let small = (elements <= SMALL).then(|| numbers(element, &proto));
    let proto = pb::TensorProto {
        dims: proto.dims,
        data_type: proto.data_type,
        float_data: proto.float_data,
        int32_data: proto.int32_data,
        int64_data: proto.int64_data,
        raw_data: proto.raw_data,
        ..Default::default()
    };
    Ok(Constant { element, shape, small, proto })
}

/// Values in the fields for floats, 32-bit and 64-bit integers, and the rest.
fn typed_lengths(proto: &pb::TensorProto) -> [usize; 4] {
    let others = proto.string_data.len() + proto.double_data.len() + proto.uint64_data.len();
    [proto.float_data.len(), proto.int32_data.len(), proto.int64_data.len(), others]
}

/// The numbers of a checked tensor.
fn numbers(element: Element, proto: &pb::TensorProto) -> Small {
    let raw = &proto.raw_data;
    let stored = |bytes: &[u8]| match *bytes {
        [a] if element == Element::I8 => i64::from(a.cast_signed()),
        [a] if element == Element::Bool => i64::from(a != 0),
        [a] => i64::from(a),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    };
    match element {
        Element::F32 => Small::Floats(floats(proto)),
        _ if !raw.is_empty() => Small::Ints(raw.chunks(element.bytes()).map(stored).collect()),
        Element::I64 => Small::Ints(proto.int64_data.clone()),
        Element::U8 => Small::Ints(proto.int32_data.iter().map(|&x| i64::from(x as u8)).collect()),
        Element::I8 => Small::Ints(proto.int32_data.iter().map(|&x| i64::from(x as i8)).collect()),
        Element::Bool => Small::Ints(proto.int32_data.iter().map(|&x| i64::from(x != 0)).collect()),
        _ => Small::Ints(proto.int32_data.iter().copied().map(i64::from).collect()),
    }
}

/// The numbers of a checked tensor of 32-bit floats.
pub(super) fn floats(proto: &pb::TensorProto) -> Vec<f32> {
    match proto.raw_data.as_chunks::<4>().0 {
        [] => proto.float_data.clone(),
        raw => raw.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
    }
}

/// The numbers of a checked tensor of integers of at most 32 bits.
pub(super) fn integers(element: Element, proto: &pb::TensorProto) -> Vec<i32> {
    let (raw, typed) = (proto.raw_data.iter(), proto.int32_data.iter());
    match (element, proto.raw_data.is_empty()) {
        (Element::I8, false) => raw.map(|&x| i32::from(x.cast_signed())).collect(),
        (Element::I8, true) => typed.map(|&x| i32::from(x as i8)).collect(),
        (Element::U8, false) => raw.map(|&x| i32::from(x)).collect(),
        (Element::U8, true) => typed.map(|&x| i32::from(x as u8)).collect(),
        (_, false) => {
            proto.raw_data.as_chunks::<4>().0.iter().map(|&x| i32::from_le_bytes(x)).collect()
        }
        (_, true) => proto.int32_data.clone(),
    }
}

/// A message for numbers that were computed here.
pub(super) fn write(element: Element, shape: &[usize], small: &Small) -> pb::TensorProto {
    let raw_data = match small {
        Small::Floats(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Small::Ints(values) => values
            .iter()
            .flat_map(|value| value.to_le_bytes().into_iter().take(element.bytes()))
            .collect(),
    };
    pb::TensorProto {
        dims: shape.iter().map(|&dim| dim as i64).collect(),
        data_type: element.to_onnx(),
        raw_data,
        ..Default::default()
    }
}
