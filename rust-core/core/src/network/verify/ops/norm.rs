//! Normalisation: batch, local response, softmax.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use crate::Result;

pub(super) fn batch(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(5..=5)?;
    node.ignore(&["momentum", "is_test"]);
    let epsilon = node.float("epsilon", 1e-5)?;
    if epsilon < 0.0 {
        return Err(node.refuse(format!("has epsilon {epsilon}, it must be 0 or more")));
    }
    node.int_in("spatial", 1, 1..=1)?;
    if node.flag("training_mode", false)? {
        return Err(node.refuse("is in training mode; export the network for inference"));
    }
    let input = graph.float_input(node, 0)?;
    let fact = graph.fact(input).clone();
    let [_, channels, ..] = fact.shape[..] else {
        return Err(node.refuse(format!(
            "has an input of shape {}, it must have 2 axes or more; {EXPORT_AGAIN}",
            list(&fact.shape)
        )));
    };
    let mut inputs = vec![Some(input)];
    for position in 1..5 {
        let id = graph.float_input(node, position)?;
        if graph.fact(id).shape != [channels] || !graph.values[id].constant {
            return Err(node.refuse(format!(
                "has input {position} of shape {}, it must be constant and [{channels}]; \
                 {EXPORT_AGAIN}",
                list(&graph.fact(id).shape)
            )));
        }
        inputs.push(Some(id));
    }
    let attributes = vec![onnx::float("epsilon", epsilon)];
    let work = Work { needs_input: true, ..Work::default() };
    let ids = graph.emit(node, "BatchNormalization", &inputs, attributes, vec![fact], work)?;
    graph.bind_first(node, ids[0])
}

pub(super) fn lrn(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let input = graph.float_input(node, 0)?;
    let fact = graph.fact(input).clone();
    let [_, channels, ..] = fact.shape[..] else {
        return Err(node.refuse(format!(
            "has an input of shape {}, it must have 2 axes or more; {EXPORT_AGAIN}",
            list(&fact.shape)
        )));
    };
    let size = node.int_in("size", 0, 1..=2 * channels as i64 + 1)?;
    let attributes = vec![
        onnx::float("alpha", node.float("alpha", 0.0001)?),
        onnx::float("beta", node.float("beta", 0.75)?),
        onnx::float("bias", node.float("bias", 1.0)?),
        onnx::int("size", size),
    ];
    let work = Work { weight: size as u64 + 8, needs_input: true, ..Work::default() };
    graph.emit_one(node, "LRN", &[Some(input)], attributes, fact, work)
}

/// `Softmax` and `LogSoftmax`. Before operator set 13 they work on all axes
/// from `axis` on together; that is written with two reshapes.
pub(super) fn softmax(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let input = graph.float_input(node, 0)?;
    let fact = graph.fact(input).clone();
    let joint = graph.opset < 13;
    let axis = node.int("axis")?.unwrap_or(if joint { 1 } else { -1 });
    let axis = node.axis("axis", axis, fact.rank())?;
    let op = if node.op() == "Softmax" { "Softmax" } else { "LogSoftmax" };
    let work = Work { weight: 8, needs_input: true, ..Work::default() };
    let attribute = |axis: usize| vec![onnx::int("axis", axis as i64)];
    let inner: usize = fact.shape[axis..].iter().product();
    if !joint || inner == fact.shape[axis] {
        return graph.emit_one(node, op, &[Some(input)], attribute(axis), fact, work);
    }
    let flat = Fact::new(fact.element, [fact.elements() / inner, inner]);
    let (to, back) =
        (graph.add_ints(flat.shape.iter().copied()), graph.add_ints(fact.shape.iter().copied()));
    let free = Work::default();
    let ids =
        graph.emit(node, "Reshape", &[Some(input), Some(to)], vec![], vec![flat.clone()], free)?;
    let ids = graph.emit(node, op, &[Some(ids[0])], attribute(1), vec![flat], work)?;
    graph.emit_one(node, "Reshape", &[Some(ids[0]), Some(back)], vec![], fact, free)
}
