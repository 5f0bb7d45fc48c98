//! Operators that arrange elements anew: reshape, transpose, repeat.
//!
//! Decides the new shape as numbers; on small constants it does the work
//! itself.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, ValueId, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use super::super::small::{SMALL, broadcast_positions};
use super::super::tensor::{self, MAX_RANK};
use super::constant::dimensions;
use super::elementwise::broadcast;
use crate::Result;

/// Gives `input` another shape of as many elements.
fn reshaped(
    node: &Node<'_>,
    graph: &mut Graph<'_>,
    input: ValueId,
    shape: Vec<usize>,
) -> Result<()> {
    let fact = Fact { element: graph.fact(input).element, shape };
    if fact == *graph.fact(input) {
        return graph.bind(node, &[input]);
    }
    if let Some(small) = graph.values[input].small.clone() {
        let id = graph.add_small(fact, small);
        return graph.bind(node, &[id]);
    }
    let shape = graph.add_ints(fact.shape.iter().copied());
    graph.emit_one(node, "Reshape", &[Some(input), Some(shape)], vec![], fact, Work::default())
}

pub(super) fn reshape(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(2..=2)?;
    let input = graph.input(node, 0)?;
    let from = graph.fact(input).shape.clone();
    let keep_zero = node.flag("allowzero", false)?;
    let wanted = graph.ints(node, 1)?.unwrap_or_default();
    let misfit = || {
        node.refuse(format!(
            "reshapes {} to {}, which does not fit; {EXPORT_AGAIN}",
            list(&from),
            list(&wanted)
        ))
    };
    if wanted.len() > MAX_RANK {
        return Err(misfit());
    }
    let mut shape = Vec::new();
    let mut open = None;
    for (axis, &size) in wanted.iter().enumerate() {
        shape.push(match size {
            -1 if open.is_none() => {
                open = Some(axis);
                1
            }
            0 if !keep_zero => *from.get(axis).ok_or_else(misfit)?,
            size => usize::try_from(size).map_err(|_| misfit())?,
        });
    }
    let has: usize = from.iter().product();
    let known = tensor::count(&shape, graph.limits).ok_or_else(misfit)?;
    if let Some(axis) = open {
        shape[axis] = has.checked_div(known).ok_or_else(misfit)?;
    }
    if shape.iter().product::<usize>() != has {
        return Err(misfit());
    }
    reshaped(node, graph, input, shape)
}

pub(super) fn flatten(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let input = graph.input(node, 0)?;
    let from = graph.fact(input).shape.clone();
    let rank = from.len() as i64;
    let axis = node.int_in("axis", 1, -rank..=rank)?;
    let axis = if axis < 0 { axis + rank } else { axis } as usize;
    let shape = vec![from[..axis].iter().product(), from[axis..].iter().product()];
    reshaped(node, graph, input, shape)
}

/// Axes of `Squeeze` and `Unsqueeze`: an input from operator set 13 on.
fn axes(node: &Node<'_>, graph: &Graph<'_>) -> Result<Option<Vec<i64>>> {
    if graph.opset >= 13 {
        node.arity(1..=2)?;
        graph.ints(node, 1)
    } else {
        node.arity(1..=1)?;
        Ok(node.ints("axes")?.map(<[i64]>::to_vec))
    }
}

pub(super) fn squeeze(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let axes = axes(node, graph)?;
    let input = graph.input(node, 0)?;
    let from = graph.fact(input).shape.clone();
    let gone = match axes {
        Some(axes) => node.axes("axes", &axes, from.len())?,
        None => (0..from.len()).filter(|&axis| from[axis] == 1).collect(),
    };
    if let Some(axis) = gone.iter().find(|&&axis| from[axis] != 1) {
        return Err(node.refuse(format!(
            "removes axis {axis} of shape {}, which must be 1; {EXPORT_AGAIN}",
            list(&from)
        )));
    }
    let kept = (0..from.len()).filter(|axis| !gone.contains(axis)).map(|axis| from[axis]).collect();
    reshaped(node, graph, input, kept)
}

pub(super) fn unsqueeze(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let Some(axes) = axes(node, graph)? else {
        return Err(node.refuse(format!("names no axes; {EXPORT_AGAIN}")));
    };
    let input = graph.input(node, 0)?;
    let from = graph.fact(input).shape.clone();
    let rank = from.len() + axes.len();
    if rank > MAX_RANK {
        return Err(node.refuse(format!("makes a tensor of {rank} axes, the limit is {MAX_RANK}")));
    }
    let new = node.axes("axes", &axes, rank)?;
    let mut old = from.into_iter();
    let shape = (0..rank)
        .map(|axis| if new.contains(&axis) { 1 } else { old.next().unwrap_or(1) })
        .collect();
    reshaped(node, graph, input, shape)
}

pub(super) fn transpose(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let input = graph.input(node, 0)?;
    let fact = graph.fact(input).clone();
    let rank = fact.rank();
    let order: Vec<usize> = match node.ints("perm")? {
        None => (0..rank).rev().collect(),
        Some(perm) => {
            let order: Option<Vec<usize>> =
                perm.iter().map(|&axis| usize::try_from(axis).ok()).collect();
            let order = order
                .filter(|order| order.len() == rank && (0..rank).all(|axis| order.contains(&axis)));
            order.ok_or_else(|| {
                node.refuse(format!(
                    "has perm {}, it must hold each of the {rank} axes once; {EXPORT_AGAIN}",
                    list(perm)
                ))
            })?
        }
    };
    let shape = order.iter().map(|&axis| fact.shape[axis]).collect();
    let fact = Fact { element: fact.element, shape };
    let attributes = vec![onnx::ints("perm", order)];
    graph.emit_one(node, "Transpose", &[Some(input)], attributes, fact, Work::default())
}

pub(super) fn expand(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(2..=2)?;
    let input = graph.input(node, 0)?;
    let wanted = graph.ints(node, 1)?.unwrap_or_default();
    let wanted = dimensions(node, "the shape", &wanted)?;
    let from = graph.fact(input).shape.clone();
    let fact = Fact { element: graph.fact(input).element, shape: broadcast(node, &from, &wanted)? };
    let elements = graph.bounded(node, &fact)?;
    if fact.shape == from {
        return graph.bind(node, &[input]);
    }
    if let Some(small) = graph.values[input].small.as_ref().filter(|_| elements <= SMALL) {
        let value = small.pick(broadcast_positions(&from, &fact.shape));
        let id = graph.add_small(fact, value);
        return graph.bind(node, &[id]);
    }
    graph.float_input(node, 0)?;
    let shape = graph.add_ints(fact.shape.iter().copied());
    graph.emit_one(node, "Expand", &[Some(input), Some(shape)], vec![], fact, Work::default())
}

pub(super) fn tile(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(2..=2)?;
    let input = graph.float_input(node, 0)?;
    let repeats = graph.ints(node, 1)?.unwrap_or_default();
    let repeats = dimensions(node, "repeats", &repeats)?;
    let from = &graph.fact(input).shape;
    if repeats.len() != from.len() {
        return Err(node.refuse(format!(
            "has repeats {} for {} axes, it must have one for each; {EXPORT_AGAIN}",
            list(&repeats),
            from.len()
        )));
    }
    let shape = from.iter().zip(&repeats).map(|(&size, &n)| size.saturating_mul(n)).collect();
    let fact = Fact { element: graph.fact(input).element, shape };
    graph.bounded(node, &fact)?;
    let repeats = graph.add_ints(repeats);
    graph.emit_one(node, "Tile", &[Some(input), Some(repeats)], vec![], fact, Work::default())
}
