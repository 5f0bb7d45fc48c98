//! Reductions over axes.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, Work};
use super::super::node::Node;
use super::super::refuse::EXPORT_AGAIN;
use crate::Result;

pub(super) fn reduce(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    // The axes became an input with operator set 13 for sums, 18 for others.
    let as_input = graph.opset >= if node.op() == "ReduceSum" { 13 } else { 18 };
    let input = graph.float_input(node, 0)?;
    let fact = graph.fact(input).clone();
    let axes = if as_input {
        node.arity(1..=2)?;
        graph.ints(node, 1)?
    } else {
        node.arity(1..=1)?;
        node.ints("axes")?.map(<[i64]>::to_vec)
    };
    if !as_input && axes.as_ref().is_some_and(Vec::is_empty) {
        // Some take it for all axes, some for none.
        return Err(node.refuse(format!("has an empty list of axes; {EXPORT_AGAIN}")));
    }
    let nothing = as_input && node.flag("noop_with_empty_axes", false)?;
    let keep = node.flag("keepdims", true)?;
    let axes = node.axes("axes", &axes.unwrap_or_default(), fact.rank())?;
    let axes: Vec<usize> = match axes {
        empty if empty.is_empty() && nothing => return graph.bind(node, &[input]),
        empty if empty.is_empty() => (0..fact.rank()).collect(),
        some => some,
    };
    let dim = |(axis, &size): (usize, &usize)| match axes.contains(&axis) {
        true if keep => Some(1),
        true => None,
        false => Some(size),
    };
    let shape: Vec<usize> = fact.shape.iter().enumerate().filter_map(dim).collect();
    let keepdims = onnx::int("keepdims", i64::from(keep));
    let output = Fact { element: fact.element, shape };
    let work = Work { needs_input: true, ..Work::default() };
    if node.op() == "ReduceSum" {
        let axes = graph.add_ints(axes);
        let inputs = [Some(input), Some(axes)];
        return graph.emit_one(node, "ReduceSum", &inputs, vec![keepdims], output, work);
    }
    let op = match node.op() {
        "ReduceMean" => "ReduceMean",
        "ReduceMax" => "ReduceMax",
        _ => "ReduceMin",
    };
    let attributes = vec![keepdims, onnx::ints("axes", axes)];
    graph.emit_one(node, op, &[Some(input)], attributes, output, work)
}
