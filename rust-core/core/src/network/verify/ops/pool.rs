//! Pools over windows and over the whole image.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, Work};
use super::super::node::Node;
use super::super::refuse::list;
use super::super::tensor::Element;
use super::window::Window;
use crate::Result;

/// `MaxPool` and `AveragePool`.
pub(super) fn pool(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let input = graph.float_input(node, 0)?;
    let &[batch, channels, height, width] = &graph.fact(input).shape[..] else {
        return Err(four_axes(node, graph, input));
    };
    let window = Window::read(node, [height, width], None, true)?;
    let mut attributes = window.attributes();
    let op = if node.op() == "MaxPool" {
        node.ignore(&["storage_order"]);
        "MaxPool"
    } else {
        let count = node.flag("count_include_pad", false)?;
        attributes.push(onnx::int("count_include_pad", i64::from(count)));
        "AveragePool"
    };
    let [out_h, out_w] = window.output;
    let fact = Fact::new(Element::F32, [batch, channels, out_h, out_w]);
    let work = Work {
        weight: window.points() as u64,
        tables: window.tables(),
        needs_input: true,
        ..Work::default()
    };
    let ids = graph.emit(node, op, &[Some(input)], attributes, vec![fact], work)?;
    graph.bind_first(node, ids[0])
}

/// `GlobalAveragePool` and `GlobalMaxPool`.
pub(super) fn global(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let input = graph.float_input(node, 0)?;
    let &[batch, channels, _, _] = &graph.fact(input).shape[..] else {
        return Err(four_axes(node, graph, input));
    };
    let op = if node.op() == "GlobalMaxPool" { "GlobalMaxPool" } else { "GlobalAveragePool" };
    let fact = Fact::new(Element::F32, [batch, channels, 1, 1]);
    let work = Work { needs_input: true, ..Work::default() };
    graph.emit_one(node, op, &[Some(input)], vec![], fact, work)
}

fn four_axes(node: &Node<'_>, graph: &Graph<'_>, input: usize) -> crate::Error {
    node.refuse(format!(
        "has an input of shape {}, it must have 4 axes; only pools over images are supported",
        list(&graph.fact(input).shape)
    ))
}
