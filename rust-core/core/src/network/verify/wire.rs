//! The protobuf bytes, before they are decoded.
//!
//! Decides whether decoding a file would take more memory than its length
//! justifies: a submessage of two bytes becomes a struct of hundreds, a packed
//! integer of one byte becomes eight. It walks the known fields of the ONNX
//! messages once, without allocating, and refuses deep nesting, groups and a
//! second copy of a field that may appear once. It does not look at values.
//! Called by `verify` first of all.

use prost::encoding::{WireType, decode_key, decode_varint};
use tract_onnx::pb;

use super::refuse::{EXPORT_AGAIN, invalid};
use crate::Result;

/// Messages inside messages: a plain classifier needs 6 (model, graph, value,
/// type, shape, dimension).
const MAX_DEPTH: usize = 24;

/// A vector that grows by doubling may hold twice what it needs.
const GROWTH: usize = 2;

/// Checks that decoding `bytes` takes at most `bytes.len() + max_overhead`
/// bytes of memory.
pub(super) fn scan(bytes: &[u8], max_overhead: usize) -> Result<()> {
    let mut scan = Scan { overhead: 0, max_overhead };
    scan.message(Message::Model, bytes, 0)
}

struct Scan {
    overhead: usize,
    max_overhead: usize,
}

/// The messages of onnx.proto that a decoder allocates.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Sparse,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Dimension,
    Training,
    Function,
    Annotation,
    Entry,
    Leaf,
}

/// What a field costs when it is decoded.
enum Field {
    /// Unknown to the decoder, or stored in place: nothing.
    Free,
    /// A repeated message of so many bytes.
    Repeated(Message, usize),
    /// A message stored in place, at most once.
    Once(Message),
    /// A repeated string or byte string.
    Text,
    /// A repeated number of so many bytes in memory, packed or not.
    Numbers(usize),
}

fn field(message: Message, tag: u32) -> Field {
    use Field::{Numbers, Once, Repeated, Text};
    use Message::*;
    let entry = || Repeated(Entry, size_of::<pb::StringStringEntryProto>());
    let tensor = || Repeated(Tensor, size_of::<pb::TensorProto>());
    let sparse = || Repeated(Sparse, size_of::<pb::SparseTensorProto>());
    let value = || Repeated(ValueInfo, size_of::<pb::ValueInfoProto>());
    let node = || Repeated(Node, size_of::<pb::NodeProto>());
    let attribute = || Repeated(Attribute, size_of::<pb::AttributeProto>());
    let graph = || Repeated(Graph, size_of::<pb::GraphProto>());
    let opset = || Repeated(Leaf, size_of::<pb::OperatorSetIdProto>());
    match (message, tag) {
        (Model, 7) => Once(Graph),
        (Model, 8) => opset(),
        (Model, 14) => entry(),
        (Model, 20) => Repeated(Training, size_of::<pb::TrainingInfoProto>()),
        (Model, 25) => Repeated(Function, size_of::<pb::FunctionProto>()),
        (Graph, 1) => node(),
        (Graph, 5) => tensor(),
        (Graph, 11..=13) => value(),
        (Graph, 14) => Repeated(Annotation, size_of::<pb::TensorAnnotation>()),
        (Graph, 15) => sparse(),
        (Node, 1 | 2) | (Attribute, 9) | (Tensor, 6) | (Function, 4..=6) => Text,
        (Node, 5) | (Function, 11) => attribute(),
        (Attribute, 5) => Once(Tensor),
        (Attribute, 6) => Once(Graph),
        (Attribute, 22) => Once(Sparse),
        (Attribute, 7) => Numbers(4),
        (Attribute, 8) => Numbers(8),
        (Attribute, 10) => tensor(),
        (Attribute, 11) => graph(),
        (Attribute, 23) => sparse(),
        (Attribute, 15) => Repeated(Type, size_of::<pb::TypeProto>()),
        (Tensor, 4 | 5) => Numbers(4),
        (Tensor, 1 | 7 | 10 | 11) | (Sparse, 3) => Numbers(8),
        (Tensor, 3) => Once(Leaf),
        (Tensor, 13) | (Annotation, 2) | (Training, 3 | 4) => entry(),
        (Sparse, 1 | 2) => Once(Tensor),
        (ValueInfo, 2) => Once(Type),
        (Type, 1) => Once(TensorType),
        (TensorType, 2) => Once(Shape),
        (Shape, 1) => Repeated(Dimension, size_of::<pb::tensor_shape_proto::Dimension>()),
        (Training, 1 | 2) => Once(Graph),
        (Function, 7) => node(),
        (Function, 9) => opset(),
        _ => Field::Free,
    }
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> crate::Error {
    invalid(format!("the file is no ONNX model: {error}; {EXPORT_AGAIN}")).with_source(error)
}

impl Scan {
    fn message(&mut self, message: Message, mut rest: &[u8], depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(invalid(format!(
                "protobuf messages are nested deeper than {MAX_DEPTH}; {EXPORT_AGAIN}"
            )));
        }
        let mut seen_once = 0u32;
        while !rest.is_empty() {
            let (tag, wire) = decode_key(&mut rest).map_err(broken)?;
            let field = field(message, tag);
            let length = match wire {
                WireType::Varint => {
                    decode_varint(&mut rest).map_err(broken)?;
                    0
                }
                WireType::ThirtyTwoBit => 4,
                WireType::SixtyFourBit => 8,
                WireType::LengthDelimited => decode_varint(&mut rest).map_err(broken)?,
                WireType::StartGroup | WireType::EndGroup => {
                    return Err(invalid(format!(
                        "field {tag} of a {message:?} message is a protobuf group, which ONNX \
                         never uses; {EXPORT_AGAIN}"
                    )));
                }
            };
            let (body, tail) = usize::try_from(length)
                .ok()
                .and_then(|n| rest.split_at_checked(n))
                .ok_or_else(|| {
                    invalid(format!(
                        "field {tag} of a {message:?} message claims {length} bytes where {} \
                             are left: the file is cut short or no ONNX model; {EXPORT_AGAIN}",
                        rest.len()
                    ))
                })?;
            rest = tail;
            let delimited = wire == WireType::LengthDelimited;
            match field {
                Field::Repeated(inner, size) if delimited => {
                    self.charge(GROWTH * size)?;
                    self.message(inner, body, depth + 1)?;
                }
                Field::Once(inner) if delimited => {
                    let bit = 1u32 << (tag % 32);
                    if seen_once & bit != 0 {
                        return Err(invalid(format!(
                            "field {tag} of a {message:?} message appears twice, it may appear \
                             once; {EXPORT_AGAIN}"
                        )));
                    }
                    seen_once |= bit;
                    self.message(inner, body, depth + 1)?;
                }
                Field::Text if delimited => self.charge(GROWTH * size_of::<String>())?,
                Field::Numbers(size) if delimited => {
                    self.charge(GROWTH * size * packed_numbers(message, tag, body))?;
                }
                Field::Numbers(size) => self.charge(GROWTH * size)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn charge(&mut self, bytes: usize) -> Result<()> {
        self.overhead = self.overhead.saturating_add(bytes);
        if self.overhead > self.max_overhead {
            return Err(invalid(format!(
                "decoding the file's lists of small parts takes more than {} bytes beside its \
                 length; raise ModelLimits::max_memory_bytes if it is trusted, else {EXPORT_AGAIN}",
                self.max_overhead
            )));
        }
        Ok(())
    }
}

/// How many numbers a packed field holds: fixed-size floats by length,
/// integers by counting the bytes that end one.
fn packed_numbers(message: Message, tag: u32, body: &[u8]) -> usize {
    match (message, tag) {
        (Message::Attribute, 7) | (Message::Tensor, 4) => body.len() / 4,
        (Message::Tensor, 10) => body.len() / 8,
        _ => body.iter().filter(|&&byte| byte < 0x80).count(),
    }
}
