//! Operators that make a larger tensor: concatenate and pad.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use super::super::small::{SMALL, Small};
use super::super::tensor::Element;
use crate::Result;

pub(super) fn concat(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let count = node.arity(1..=usize::MAX)?;
    let first = graph.input(node, 0)?;
    let mut fact = graph.fact(first).clone();
    let Some(axis) = node.int("axis")? else {
        return Err(node.refuse(format!("has no axis; {EXPORT_AGAIN}")));
    };
    let axis = node.axis("axis", axis, fact.rank())?;
    let mut inputs = vec![Some(first)];
    for position in 1..count {
        let id = graph.input(node, position)?;
        let other = graph.fact(id);
        let fits = other.element == fact.element
            && other.rank() == fact.rank()
            && (0..fact.rank()).all(|at| at == axis || other.shape[at] == fact.shape[at]);
        if !fits {
            return Err(node.refuse(format!(
                "joins {:?} {} and {:?} {} along axis {axis}, which do not fit; {EXPORT_AGAIN}",
                fact.element,
                list(&fact.shape),
                other.element,
                list(&other.shape)
            )));
        }
        fact.shape[axis] = fact.shape[axis].saturating_add(other.shape[axis]);
        inputs.push(Some(id));
    }
    if let [Some(only)] = inputs[..] {
        return graph.bind(node, &[only]);
    }
    if fact.rank() == 1 && fact.shape[0] <= SMALL {
        let small = inputs.iter().flatten().map(|&id| graph.values[id].small.as_ref());
        if let Some(parts) = small.collect::<Option<Vec<&Small>>>() {
            let ints: Option<Vec<&[i64]>> = parts.iter().map(|part| part.ints()).collect();
            let floats: Option<Vec<&[f32]>> = parts.iter().map(|part| part.floats()).collect();
            let joined = ints
                .map(|parts| Small::Ints(parts.concat()))
                .or(floats.map(|parts| Small::Floats(parts.concat())));
            if let Some(joined) = joined {
                let id = graph.add_small(fact, joined);
                return graph.bind(node, &[id]);
            }
        }
    }
    let attributes = vec![onnx::int("axis", axis as i64)];
    graph.emit_one(node, "Concat", &inputs, attributes, fact, Work::default())
}

pub(super) fn pad(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let input = graph.float_input(node, 0)?;
    let from = graph.fact(input).shape.clone();
    let rank = from.len();
    let mode = node.choice("mode", &["constant", "reflect", "edge"])?;
    let (pads, value, axes) = if graph.opset < 11 {
        node.arity(1..=1)?;
        (node.ints("pads")?.map(<[i64]>::to_vec), node.float("value", 0.0)?, None)
    } else {
        node.arity(2..=4)?;
        (graph.ints(node, 1)?, graph.scalar(node, 2)?.unwrap_or(0.0), graph.ints(node, 3)?)
    };
    let pads = pads.unwrap_or_default();
    let axes = match axes {
        None => (0..rank).collect(),
        Some(axes) => {
            let positions: Vec<usize> =
                axes.iter().map(|&axis| node.axis("axes", axis, rank)).collect::<Result<_>>()?;
            node.axes("axes", &axes, rank)?;
            positions
        }
    };
    if pads.len() != 2 * axes.len() {
        return Err(node.refuse(format!(
            "has pads {}, it must be {} numbers; {EXPORT_AGAIN}",
            list(&pads),
            2 * axes.len()
        )));
    }
    let mut full = vec![0usize; 2 * rank];
    for (i, &amount) in pads.iter().enumerate() {
        let axis = axes[i % axes.len()];
        // Reflection needs that many elements beside the border; elsewhere the
        // elements of the result are what is bounded.
        let limit = if mode == "reflect" { from[axis] as i64 - 1 } else { i64::from(u16::MAX) };
        let amount = node.in_range("pads", amount, 0..=limit)? as usize;
        full[axis + if i < axes.len() { 0 } else { rank }] = amount;
    }
    if full.iter().all(|&amount| amount == 0) {
        return graph.bind(node, &[input]);
    }
    let shape: Vec<usize> =
        (0..rank).map(|axis| from[axis] + full[axis] + full[axis + rank]).collect();
    if value.is_nan() {
        return Err(node.refuse("pads with nan, it must be a number"));
    }
    let fact = Fact::new(Element::F32, shape);
    graph.bounded(node, &fact)?;
    let pads = graph.add_ints(full);
    let mut inputs = vec![Some(input), Some(pads)];
    if mode == "constant" {
        // tract takes the mode to be constant wherever there is a value.
        inputs.push(Some(graph.add_float(value)));
    }
    let attributes = vec![onnx::text("mode", mode)];
    graph.emit_one(node, "Pad", &inputs, attributes, fact, Work::default())
}
