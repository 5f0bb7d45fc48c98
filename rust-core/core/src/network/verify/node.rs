//! One node of the file, read with suspicion.
//!
//! Decides how an operator gets its attributes: by name and type, once each,
//! finite, and none left over that nobody read, because an attribute that is
//! not understood may change what the node computes. It does not know what any
//! operator means. Made by `graph`, used by every operator.

use std::cell::Cell;
use std::ops::RangeInclusive;

use tract_onnx::pb::{self, attribute_proto::AttributeType};

use super::refuse::{EXPORT_AGAIN, invalid, quote};
use crate::{Error, Result};

/// Most inputs, outputs or attributes of one node.
const MAX_PORTS: usize = 128;
const MAX_ATTRIBUTES: usize = 64;

/// A node with its place in the file.
pub(super) struct Node<'a> {
    pub(super) index: usize,
    pub(super) proto: &'a pb::NodeProto,
    read: Cell<u64>,
}

impl<'a> Node<'a> {
    /// Checks what is the same for every operator.
    pub(super) fn new(index: usize, proto: &'a pb::NodeProto) -> Result<Node<'a>> {
        let node = Node { index, proto, read: Cell::new(0) };
        if !matches!(proto.domain.as_str(), "" | "ai.onnx") {
            return Err(node.refuse(format!(
                "is of operator domain {}, only the standard ONNX domain is supported; export \
                 without custom operators",
                quote(&proto.domain)
            )));
        }
        for (what, has, limit) in [
            ("inputs", proto.input.len(), MAX_PORTS),
            ("outputs", proto.output.len(), MAX_PORTS),
            ("attributes", proto.attribute.len(), MAX_ATTRIBUTES),
        ] {
            if has > limit {
                return Err(node.refuse(format!("has {has} {what}, the limit is {limit}")));
            }
        }
        for (i, attribute) in proto.attribute.iter().enumerate() {
            let name = quote(&attribute.name);
            if proto.attribute[..i].iter().any(|other| other.name == attribute.name) {
                return Err(node.refuse(format!("has attribute {name} twice; {EXPORT_AGAIN}")));
            }
            if attribute.g.is_some() || !attribute.graphs.is_empty() {
                return Err(node.refuse(format!(
                    "carries a subgraph in attribute {name}; control flow is not supported, \
                     export a network without it"
                )));
            }
            if attribute.sparse_tensor.is_some() || !attribute.sparse_tensors.is_empty() {
                return Err(node.refuse(format!(
                    "carries a sparse tensor in attribute {name}; export it dense"
                )));
            }
            if !attribute.ref_attr_name.is_empty() {
                return Err(node.refuse(format!(
                    "refers to a function's attribute in {name}; export without functions"
                )));
            }
        }
        Ok(node)
    }

    pub(super) fn op(&self) -> &'a str {
        &self.proto.op_type
    }

    /// An error about this node: "node 3 `conv1` (Conv) `reason`".
    pub(super) fn refuse(&self, reason: impl AsRef<str>) -> Error {
        let name = if self.proto.name.is_empty() {
            String::new()
        } else {
            format!(" {}", quote(&self.proto.name))
        };
        let op: String = self.proto.op_type.chars().take(32).flat_map(char::escape_debug).collect();
        invalid(format!("node {}{name} ({op}) {}", self.index, reason.as_ref()))
    }

    /// A name for this node that is unique in the graph given to tract.
    pub(super) fn unique_name(&self, part: usize) -> String {
        let readable = if self.proto.name.is_empty() {
            self.op().chars().take(32).collect::<String>()
        } else {
            let plain = |c: char| if c.is_ascii_graphic() { c } else { '_' };
            self.proto.name.chars().take(64).map(plain).collect()
        };
        if part == 0 {
            format!("{}:{readable}", self.index)
        } else {
            format!("{}:{readable}~{part}", self.index)
        }
    }

    /// The attribute, if it is there and of the type.
    fn attribute(&self, name: &str, kind: AttributeType) -> Result<Option<&'a pb::AttributeProto>> {
        let Some(at) = self.proto.attribute.iter().position(|attribute| attribute.name == name)
        else {
            return Ok(None);
        };
        let attribute = &self.proto.attribute[at];
        self.read.set(self.read.get() | 1 << at);
        if attribute.r#type != kind as i32 {
            return Err(self.refuse(format!(
                "has attribute {} of type number {}, it must be {}; {EXPORT_AGAIN}",
                quote(name),
                attribute.r#type,
                kind.as_str_name().to_lowercase()
            )));
        }
        Ok(Some(attribute))
    }

    /// Marks an attribute as understood whose value cannot matter.
    pub(super) fn ignore(&self, names: &[&str]) {
        for (at, attribute) in self.proto.attribute.iter().enumerate() {
            if names.contains(&attribute.name.as_str()) {
                self.read.set(self.read.get() | 1 << at);
            }
        }
    }

    /// Refuses attributes that nobody read.
    pub(super) fn all_read(&self) -> Result<()> {
        for (at, attribute) in self.proto.attribute.iter().enumerate() {
            if self.read.get() & 1 << at == 0 {
                return Err(self.refuse(format!(
                    "has attribute {}, which is not supported for this operator; {EXPORT_AGAIN}",
                    quote(&attribute.name)
                )));
            }
        }
        Ok(())
    }

    pub(super) fn int(&self, name: &str) -> Result<Option<i64>> {
        Ok(self.attribute(name, AttributeType::Int)?.map(|attribute| attribute.i))
    }

    /// An integer attribute within `range`.
    pub(super) fn int_in(
        &self,
        name: &str,
        default: i64,
        range: RangeInclusive<i64>,
    ) -> Result<i64> {
        let value = self.int(name)?.unwrap_or(default);
        self.in_range(name, value, range)
    }

    /// A 0-or-1 attribute.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        Ok(self.int_in(name, i64::from(default), 0..=1)? == 1)
    }

    /// Checks one number of the attribute or input called `name`.
    pub(super) fn in_range(
        &self,
        name: &str,
        value: i64,
        range: RangeInclusive<i64>,
    ) -> Result<i64> {
        if range.contains(&value) {
            return Ok(value);
        }
        Err(self.refuse(format!(
            "has {name} {value}, it must be {} to {}; {EXPORT_AGAIN}",
            range.start(),
            range.end()
        )))
    }

    /// A finite float attribute.
    pub(super) fn float(&self, name: &str, default: f32) -> Result<f32> {
        let value = self.attribute(name, AttributeType::Float)?.map_or(default, |a| a.f);
        if value.is_finite() {
            return Ok(value);
        }
        Err(self.refuse(format!("has {name} {value}, it must be finite; {EXPORT_AGAIN}")))
    }

    pub(super) fn ints(&self, name: &str) -> Result<Option<&'a [i64]>> {
        Ok(self.attribute(name, AttributeType::Ints)?.map(|attribute| attribute.ints.as_slice()))
    }

    pub(super) fn floats(&self, name: &str) -> Result<Option<&'a [f32]>> {
        Ok(self.attribute(name, AttributeType::Floats)?.map(|a| a.floats.as_slice()))
    }

    /// A string attribute that is one of `allowed`; the first is the default.
    pub(super) fn choice(&self, name: &str, allowed: &[&'static str]) -> Result<&'static str> {
        let Some(attribute) = self.attribute(name, AttributeType::String)? else {
            return Ok(allowed[0]);
        };
        allowed.iter().copied().find(|choice| choice.as_bytes() == attribute.s).ok_or_else(|| {
            self.refuse(format!(
                "has {name} {}, supported are {}",
                quote(&String::from_utf8_lossy(&attribute.s)),
                allowed.join(", ")
            ))
        })
    }

    pub(super) fn tensor(&self, name: &str) -> Result<Option<&'a pb::TensorProto>> {
        let Some(attribute) = self.attribute(name, AttributeType::Tensor)? else {
            return Ok(None);
        };
        match &attribute.t {
            Some(tensor) => Ok(Some(tensor)),
            None => Err(self.refuse(format!(
                "has attribute {} without a tensor in it; {EXPORT_AGAIN}",
                quote(name)
            ))),
        }
    }

    /// The axis `axis` of a tensor of `rank` axes, counted from the front.
    pub(super) fn axis(&self, name: &str, axis: i64, rank: usize) -> Result<usize> {
        let signed = rank as i64;
        if (-signed..signed).contains(&axis) {
            return Ok(axis.rem_euclid(signed) as usize);
        }
        Err(self.refuse(format!(
            "has {name} {axis}, its input has {rank} axes so it must be {} to {}; {EXPORT_AGAIN}",
            -signed,
            signed - 1
        )))
    }

    /// Distinct axes of a tensor of `rank` axes, in rising order.
    pub(super) fn axes(&self, name: &str, axes: &[i64], rank: usize) -> Result<Vec<usize>> {
        let mut sorted = Vec::new();
        for &axis in axes {
            let axis = self.axis(name, axis, rank)?;
            if sorted.contains(&axis) {
                return Err(
                    self.refuse(format!("names axis {axis} twice in {name}; {EXPORT_AGAIN}"))
                );
            }
            sorted.push(axis);
        }
        sorted.sort_unstable();
        Ok(sorted)
    }

    /// Checks the number of inputs, trailing absent ones not counted.
    pub(super) fn arity(&self, range: RangeInclusive<usize>) -> Result<usize> {
        let absent = self.proto.input.iter().rev().take_while(|name| name.is_empty()).count();
        let has = self.proto.input.len() - absent;
        if range.contains(&has) {
            return Ok(has);
        }
        Err(self.refuse(format!(
            "has {has} inputs, it must have {} to {}; {EXPORT_AGAIN}",
            range.start(),
            range.end()
        )))
    }
}
