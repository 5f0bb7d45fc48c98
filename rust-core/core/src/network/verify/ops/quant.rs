//! Quantized weights and activations.
//!
//! Decides that scales and zero points are constants that fit. Supported are
//! 8-bit activations and weights, and 32-bit biases.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, ValueId, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use super::super::tensor::Element;
use crate::Result;

pub(super) fn quantize(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let input = graph.float_input(node, 0)?;
    let (inputs, axis, zero) = parameters(node, graph, input)?;
    node.int_in("saturate", 1, 1..=1)?;
    let element = zero.unwrap_or(Element::U8);
    let wanted = i64::from(element.to_onnx());
    if node.int("output_dtype")?.is_some_and(|code| code != 0 && code != wanted) {
        return Err(
            node.refuse(format!("has an output_dtype unlike its zero point; {EXPORT_AGAIN}"))
        );
    }
    if !matches!(element, Element::U8 | Element::I8) {
        return Err(node.refuse(format!("quantizes to {element:?}, supported are uint8 and int8")));
    }
    let fact = Fact { element, shape: graph.fact(input).shape.clone() };
    let attributes = vec![onnx::int("axis", axis as i64)];
    let work = Work { weight: 4, ..Work::default() };
    graph.emit_one(node, "QuantizeLinear", &inputs, attributes, fact, work)
}

pub(super) fn dequantize(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let input = graph.input(node, 0)?;
    let element = graph.fact(input).element;
    if !matches!(element, Element::U8 | Element::I8 | Element::I32) {
        return Err(node.refuse(format!(
            "reads {element:?}, supported are uint8, int8 and int32; {EXPORT_AGAIN}"
        )));
    }
    let (inputs, axis, zero) = parameters(node, graph, input)?;
    if zero.unwrap_or(element) != element {
        return Err(node.refuse(format!(
            "has a zero point of another type than its input ({element:?}); {EXPORT_AGAIN}"
        )));
    }
    let fact = Fact { element: Element::F32, shape: graph.fact(input).shape.clone() };
    let attributes = vec![onnx::int("axis", axis as i64)];
    let work = Work { weight: 2, ..Work::default() };
    graph.emit_one(node, "DequantizeLinear", &inputs, attributes, fact, work)
}

type Parameters = (Vec<Option<ValueId>>, usize, Option<Element>);

/// The inputs for tract, the axis, and the type of the zero point.
fn parameters(node: &Node<'_>, graph: &Graph<'_>, input: ValueId) -> Result<Parameters> {
    node.arity(2..=3)?;
    node.int_in("block_size", 0, 0..=0)?;
    let shape = &graph.fact(input).shape;
    let scale = graph.float_input(node, 1)?;
    let zero = graph.optional(node, 2)?;
    let scales = graph.fact(scale).elements();
    let axis = node.int("axis")?.unwrap_or(1);
    let axis = if scales == 1 { 0 } else { node.axis("axis", axis, shape.len())? };
    let matches = |id: ValueId| {
        let value = &graph.values[id];
        value.constant && value.fact.rank() <= 1 && value.fact.elements() == scales
    };
    let fits = scales == 1 || shape.get(axis) == Some(&scales);
    if !fits || !matches(scale) || !zero.is_none_or(matches) {
        return Err(node.refuse(format!(
            "has scales of shape {} and zero points of shape {} for an input of shape {} along \
             axis {axis}; they must be constant and fit; {EXPORT_AGAIN}",
            list(&graph.fact(scale).shape),
            list(&zero.map(|id| graph.fact(id).shape.clone()).unwrap_or_default()),
            list(shape)
        )));
    }
    let good = |value: &f32| value.is_finite() && *value > 0.0;
    if let Some(values) = graph.values[scale].small.as_ref().and_then(|small| small.floats())
        && let Some(bad) = values.iter().find(|value| !good(value))
    {
        return Err(
            node.refuse(format!("has scale {bad}, it must be finite and above 0; {EXPORT_AGAIN}"))
        );
    }
    let mut inputs = vec![Some(input), Some(scale)];
    if zero.is_some() {
        inputs.push(zero);
    }
    Ok((inputs, axis, zero.map(|id| graph.fact(id).element)))
}
