//! Operators that take a part of a tensor: split, slice, gather.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, ValueId, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use super::super::small::SMALL;
use super::constant::dimensions;
use crate::Result;

pub(super) fn split(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let input = graph.input(node, 0)?;
    let fact = graph.fact(input).clone();
    let axis = node.axis("axis", node.int("axis")?.unwrap_or(0), fact.rank())?;
    let outputs = node.proto.output.len();
    let size = fact.shape[axis];
    let sizes = if graph.opset >= 13 {
        node.arity(1..=2)?;
        graph.ints(node, 1)?
    } else {
        node.arity(1..=1)?;
        node.ints("split")?.map(<[i64]>::to_vec)
    };
    let sizes = match sizes {
        Some(sizes) => dimensions(node, "sizes", &sizes)?,
        None if outputs > 0 => {
            node.int_in("num_outputs", outputs as i64, outputs as i64..=outputs as i64)?;
            // From operator set 18 on the last part may be smaller.
            let each = if graph.opset >= 18 { size.div_ceil(outputs) } else { size / outputs };
            let last = size.saturating_sub(each * (outputs - 1));
            (0..outputs)
                .map(|i| if i + 1 == outputs && graph.opset >= 18 { last } else { each })
                .collect()
        }
        None => vec![],
    };
    let sum = sizes.iter().try_fold(0usize, |sum, &part| sum.checked_add(part));
    if sizes.len() != outputs || sum != Some(size) || sizes.contains(&0) {
        return Err(node.refuse(format!(
            "splits {size} into {outputs} parts of {}, they must be as many, not 0, and add up; \
             {EXPORT_AGAIN}",
            list(&sizes)
        )));
    }
    if graph.values[input].small.is_some() && fact.rank() == 1 {
        let mut start = 0;
        let mut ids = Vec::new();
        for &part in &sizes {
            ids.push(cut(graph, input, &Fact::new(fact.element, [part]), |at| start + at[0]));
            start += part;
        }
        return graph.bind(node, &ids);
    }
    let facts = sizes
        .iter()
        .map(|&part| {
            let mut shape = fact.shape.clone();
            shape[axis] = part;
            Fact { element: fact.element, shape }
        })
        .collect();
    let sizes = graph.add_ints(sizes);
    let attributes = vec![onnx::int("axis", axis as i64)];
    let inputs = [Some(input), Some(sizes)];
    let ids = graph.emit(node, "Split", &inputs, attributes, facts, Work::default())?;
    graph.bind(node, &ids)
}

pub(super) fn slice(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let input = graph.input(node, 0)?;
    let from = graph.fact(input).clone();
    let rank = from.rank();
    let (starts, ends, axes, steps) = if graph.opset < 10 {
        node.arity(1..=1)?;
        let list = |name| Ok(node.ints(name)?.map(<[i64]>::to_vec));
        (list("starts")?, list("ends")?, list("axes")?, None)
    } else {
        node.arity(3..=5)?;
        let list = |position| graph.ints(node, position);
        (list(1)?, list(2)?, list(3)?, list(4)?)
    };
    let (starts, ends) = (starts.unwrap_or_default(), ends.unwrap_or_default());
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(node.refuse(format!(
            "has {} starts, {} ends, {} axes and {} steps, they must be as many; {EXPORT_AGAIN}",
            starts.len(),
            ends.len(),
            axes.len(),
            steps.len()
        )));
    }
    node.axes("axes", &axes, rank)?;
    let mut begin = vec![0usize; rank];
    let mut step = vec![1usize; rank];
    let mut fact = from.clone();
    for (i, &axis) in axes.iter().enumerate() {
        let axis = node.axis("axes", axis, rank)?;
        let size = from.shape[axis] as i64;
        let clamp = |at: i64| (if at < 0 { at.saturating_add(size) } else { at }).clamp(0, size);
        let (first, end) = (clamp(starts[i]), clamp(ends[i]));
        let by = node.in_range("steps", steps[i], 1..=i64::from(u16::MAX))?;
        if end <= first {
            return Err(node.refuse(format!(
                "takes {} to {} of axis {axis}, which has {size}: nothing is left; {EXPORT_AGAIN}",
                starts[i], ends[i]
            )));
        }
        begin[axis] = first as usize;
        step[axis] = by as usize;
        fact.shape[axis] = ((end - first) as usize).div_ceil(by as usize);
    }
    if fact == from {
        return graph.bind(node, &[input]);
    }
    if graph.values[input].small.is_some() && rank == 1 {
        let id = cut(graph, input, &fact, |at| begin[0] + at[0] * step[0]);
        return graph.bind(node, &[id]);
    }
    let mut wire = input;
    let mut shape = from.shape;
    let changed: Vec<usize> = (0..rank).filter(|&axis| shape[axis] != fact.shape[axis]).collect();
    for axis in changed {
        shape[axis] = fact.shape[axis];
        // The end that tract's own formula turns into exactly this length.
        let end = begin[axis] + (shape[axis] - 1) * step[axis] + 1;
        let lists = [[begin[axis]], [end], [axis], [step[axis]]];
        let mut inputs = vec![Some(wire)];
        inputs.extend(lists.map(|list| Some(graph.add_ints(list))));
        let fact = Fact { element: fact.element, shape: shape.clone() };
        wire = graph.emit(node, "Slice", &inputs, vec![], vec![fact], Work::default())?[0];
    }
    graph.bind(node, &[wire])
}

pub(super) fn gather(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(2..=2)?;
    let input = graph.input(node, 0)?;
    let from = graph.fact(input).clone();
    let axis = node.axis("axis", node.int("axis")?.unwrap_or(0), from.rank())?;
    let size = from.shape[axis];
    let indices = graph.input(node, 1)?;
    let wanted = graph.ints(node, 1)?.unwrap_or_default();
    let mut positions = Vec::with_capacity(wanted.len());
    for &index in &wanted {
        let signed = size as i64;
        let index = node.in_range("index", index, -signed..=signed - 1)?;
        positions.push(index.rem_euclid(signed.max(1)) as usize);
    }
    let index_shape = graph.fact(indices).shape.clone();
    let mut shape = from.shape[..axis].to_vec();
    shape.extend(&index_shape);
    shape.extend(&from.shape[axis + 1..]);
    let fact = Fact { element: from.element, shape };
    let elements = graph.bounded(node, &fact)?;
    if let Some(small) = graph.values[input].small.as_ref()
        && from.rank() == 1
        && elements <= SMALL
    {
        let value = small.pick(positions.iter().copied());
        let id = graph.add_small(fact, value);
        return graph.bind(node, &[id]);
    }
    let values = super::super::small::Small::Ints(positions.iter().map(|&at| at as i64).collect());
    let element = super::super::tensor::Element::I64;
    let indices = graph.add_small(Fact { element, shape: index_shape }, values);
    let attributes = vec![onnx::int("axis", axis as i64)];
    let inputs = [Some(input), Some(indices)];
    graph.emit_one(node, "Gather", &inputs, attributes, fact, Work::default())
}

/// A part of a small constant vector; `source` gives the position of each
/// element.
fn cut(
    graph: &mut Graph<'_>,
    input: ValueId,
    fact: &Fact,
    source: impl Fn([usize; 1]) -> usize,
) -> ValueId {
    let small =
        graph.values[input].small.as_ref().expect("the caller checked for a small constant");
    let value = small.pick((0..fact.shape[0]).map(|at| source([at])));
    graph.add_small(fact.clone(), value)
}
