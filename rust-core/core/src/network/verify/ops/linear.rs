//! Matrix products.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use super::super::tensor::Element;
use super::elementwise::broadcast;
use crate::Result;

pub(super) fn gemm(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let arity = node.arity(2..=3)?;
    let (a, b) = (graph.float_input(node, 0)?, graph.float_input(node, 1)?);
    let alpha = node.float("alpha", 1.0)?;
    let beta = node.float("beta", 1.0)?;
    let (trans_a, trans_b) = (node.flag("transA", false)?, node.flag("transB", false)?);
    let matrix = |shape: &[usize], transposed: bool| match *shape {
        [rows, columns] if transposed => Some((columns, rows)),
        [rows, columns] => Some((rows, columns)),
        _ => None,
    };
    let (left, right) = (&graph.fact(a).shape, &graph.fact(b).shape);
    let sizes = matrix(left, trans_a).zip(matrix(right, trans_b));
    let Some(((rows, inner), (_, columns))) = sizes.filter(|((_, k), (l, _))| k == l) else {
        return Err(node.refuse(format!(
            "multiplies shapes {} and {} (transA {trans_a}, transB {trans_b}), which do not fit; \
             {EXPORT_AGAIN}",
            list(left),
            list(right)
        )));
    };
    let output = vec![rows, columns];
    let mut inputs = vec![Some(a), Some(b)];
    if arity == 3 && beta != 0.0 {
        let c = graph.float_input(node, 2)?;
        let shape = &graph.fact(c).shape;
        if broadcast(node, &output, shape)? != output {
            return Err(node.refuse(format!(
                "adds a tensor of shape {}, it must broadcast to {}; {EXPORT_AGAIN}",
                list(shape),
                list(&output)
            )));
        }
        inputs.push(Some(c));
    }
    let attributes = vec![
        onnx::float("alpha", alpha),
        onnx::float("beta", beta),
        onnx::int("transA", i64::from(trans_a)),
        onnx::int("transB", i64::from(trans_b)),
    ];
    let fact = Fact::new(Element::F32, output);
    let work = product(node, graph, &fact, inner)?;
    graph.emit_one(node, "Gemm", &inputs, attributes, fact, work)
}

pub(super) fn matmul(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(2..=2)?;
    let (a, b) = (graph.float_input(node, 0)?, graph.float_input(node, 1)?);
    let (left, right) = (&graph.fact(a).shape, &graph.fact(b).shape);
    let ([outer_a @ .., rows, inner], [outer_b @ .., also, columns]) = (&left[..], &right[..])
    else {
        return Err(node.refuse(format!(
            "multiplies shapes {} and {}, both must have 2 axes or more; {EXPORT_AGAIN}",
            list(left),
            list(right)
        )));
    };
    if inner != also {
        return Err(node.refuse(format!(
            "multiplies shapes {} and {}, whose inner dimensions {inner} and {also} differ; \
             {EXPORT_AGAIN}",
            list(left),
            list(right)
        )));
    }
    let mut output = broadcast(node, outer_a, outer_b)?;
    output.extend([*rows, *columns]);
    let inner = *inner;
    let fact = Fact::new(Element::F32, output);
    let work = product(node, graph, &fact, inner)?;
    graph.emit_one(node, "MatMul", &[Some(a), Some(b)], vec![], fact, work)
}

fn product(node: &Node<'_>, graph: &Graph<'_>, fact: &Fact, inner: usize) -> Result<Work> {
    let elements = graph.bounded(node, fact)? as u64;
    let macs = elements.saturating_mul(inner as u64);
    Ok(Work { macs, workspace: 0, needs_input: true, ..Work::default() })
}
