//! Constants, and shapes turned into constants.
//!
//! Decides the values of `Constant`, `ConstantOfShape`, `Shape`, `Cast` and
//! `Where`. None of them reaches tract as it is: shapes are numbers here.

use tract_onnx::pb;

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use super::super::small::{SMALL, Small, broadcast_positions};
use super::super::tensor::{self, Element, type_name};
use super::elementwise;
use crate::Result;

pub(super) fn constant(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(0..=0)?;
    let dims = |n: usize| vec![n as i64];
    let proto = if let Some(tensor) = node.tensor("value")? {
        tensor.clone()
    } else if let Some(value) = node.int("value_int")? {
        let data_type = Element::I64.to_onnx();
        pb::TensorProto { data_type, int64_data: vec![value], ..Default::default() }
    } else if let Some(values) = node.ints("value_ints")? {
        let (dims, data_type) = (dims(values.len()), Element::I64.to_onnx());
        pb::TensorProto { dims, data_type, int64_data: values.to_vec(), ..Default::default() }
    } else if let Some(values) = node.floats("value_floats")? {
        let (dims, data_type) = (dims(values.len()), Element::F32.to_onnx());
        pb::TensorProto { dims, data_type, float_data: values.to_vec(), ..Default::default() }
    } else if node.proto.attribute.iter().any(|attribute| attribute.name == "value_float") {
        let (data_type, value) = (Element::F32.to_onnx(), node.float("value_float", 0.0)?);
        pb::TensorProto { data_type, float_data: vec![value], ..Default::default() }
    } else {
        return Err(node.refuse(format!(
            "has none of the attributes value, value_int, value_ints, value_float and \
             value_floats; {EXPORT_AGAIN}"
        )));
    };
    let what = node.refuse("holds a tensor that").to_string();
    let constant = tensor::read(&what, proto, graph.limits)?;
    let id = graph.add_constant(constant);
    graph.bind(node, &[id])
}

pub(super) fn constant_of_shape(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let shape = match graph.ints(node, 0)? {
        Some(sizes) => dimensions(node, "the shape", &sizes)?,
        None => return Err(node.refuse(format!("lacks its shape; {EXPORT_AGAIN}"))),
    };
    let (element, value) = match node.tensor("value")? {
        None => (Element::F32, Small::Floats(vec![0.0])),
        Some(proto) => {
            let what = node.refuse("holds a value that").to_string();
            let constant = tensor::read(&what, proto.clone(), graph.limits)?;
            match constant.small {
                Some(value) if value.len() == 1 => (constant.element, value),
                _ => {
                    return Err(node.refuse(format!(
                        "has a value of shape {}, it must be one number; {EXPORT_AGAIN}",
                        list(&constant.shape)
                    )));
                }
            }
        }
    };
    let fact = Fact { element, shape };
    if fact.shape.contains(&0) {
        let id = graph.add_small(fact, value.pick(std::iter::empty()));
        return graph.bind(node, &[id]);
    }
    let elements = graph.bounded(node, &fact)?;
    if elements <= SMALL {
        let id = graph.add_small(fact, value.pick(std::iter::repeat_n(0, elements)));
        return graph.bind(node, &[id]);
    }
    let one = graph.add_small(Fact::new(element, []), value);
    let shape = graph.add_ints(fact.shape.iter().copied());
    let inputs = [Some(one), Some(shape)];
    graph.emit_one(node, "Expand", &inputs, vec![], fact, Work::default())
}

pub(super) fn shape(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let shape = graph.fact(graph.input(node, 0)?).shape.clone();
    let rank = shape.len() as i64;
    let clamp = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank);
    let start = clamp(node.int("start")?.unwrap_or(0)) as usize;
    let end = clamp(node.int("end")?.unwrap_or(rank)) as usize;
    let id = graph.add_ints(shape[start..end.max(start)].iter().copied());
    graph.bind(node, &[id])
}

pub(super) fn cast(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    node.ignore(&["saturate"]);
    let id = graph.input(node, 0)?;
    let code = node.int("to")?.unwrap_or(0);
    let code = i32::try_from(code).unwrap_or(0);
    let Some(to) = Element::from_onnx(code) else {
        return Err(node.refuse(format!(
            "casts to element type {}, supported are float, int32, int64 and bool",
            type_name(code)
        )));
    };
    if to == Element::F16 {
        return Err(node.refuse(
            "casts to float16: weights may be stored so, but networks compute on 32-bit floats; \
             export it as float",
        ));
    }
    let fact = Fact { element: to, shape: graph.fact(id).shape.clone() };
    if let Some(small) = &graph.values[id].small {
        let value = match (small, to) {
            (Small::Ints(v), Element::F32) => Small::Floats(v.iter().map(|&x| x as f32).collect()),
            (Small::Floats(_), Element::F32) => small.clone(),
            (_, Element::Bool) => Small::Ints(match small {
                Small::Ints(v) => v.iter().map(|&x| i64::from(x != 0)).collect(),
                Small::Floats(v) => v.iter().map(|&x| i64::from(x != 0.0)).collect(),
            }),
            (Small::Floats(v), Element::I64 | Element::I32) => {
                Small::Ints(v.iter().map(|&x| x as i64).collect())
            }
            (Small::Ints(_), Element::I64 | Element::I32) => small.clone(),
            _ => return Err(node.refuse("casts a constant to bytes, which is not supported")),
        };
        if let (Element::I32, Small::Ints(values)) = (to, &value)
            && values.iter().any(|&value| i32::try_from(value).is_err())
        {
            return Err(node.refuse("casts a number to int32 that does not fit; use int64"));
        }
        let id = graph.add_small(fact, value);
        return graph.bind(node, &[id]);
    }
    let from = graph.fact(id).element;
    if from == to {
        return graph.bind(node, &[id]);
    }
    if to != Element::F32 || from == Element::Bool || from == Element::I64 {
        return Err(node.refuse(format!(
            "casts {from:?} to {to:?}; supported is a cast of bytes, int32 or float16 to float"
        )));
    }
    let attributes = vec![onnx::int("to", i64::from(to.to_onnx()))];
    graph.emit_one(node, "Cast", &[Some(id)], attributes, fact, Work::default())
}

/// `Where` on small constants, as exporters use it around `Expand`.
pub(super) fn select(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(3..=3)?;
    let mut shape = vec![];
    let mut parts = Vec::new();
    for position in 0..3 {
        let id = graph.input(node, position)?;
        shape = elementwise::broadcast(node, &shape, &graph.fact(id).shape)?;
        parts.push(id);
    }
    let element = graph.fact(parts[1]).element;
    let fact = Fact { element, shape };
    let same = graph.fact(parts[2]).element == element;
    let small: Vec<Option<&Small>> =
        parts.iter().map(|&id| graph.values[id].small.as_ref()).collect();
    let fits = same && tensor::count(&fact.shape, graph.limits).is_some_and(|n| n <= SMALL);
    let values = match (small[0], small[1], small[2]) {
        (Some(Small::Ints(condition)), Some(yes), Some(no)) if fits => {
            let at = |part: usize| -> Vec<usize> {
                broadcast_positions(&graph.fact(parts[part]).shape, &fact.shape).collect()
            };
            let (condition_at, yes_at, no_at) = (at(0), at(1), at(2));
            let takes = |i: usize| condition[condition_at[i]] != 0;
            let count = condition_at.len();
            match (yes, no) {
                (Small::Ints(yes), Small::Ints(no)) => Some(Small::Ints(
                    (0..count)
                        .map(|i| if takes(i) { yes[yes_at[i]] } else { no[no_at[i]] })
                        .collect(),
                )),
                (Small::Floats(yes), Small::Floats(no)) => Some(Small::Floats(
                    (0..count)
                        .map(|i| if takes(i) { yes[yes_at[i]] } else { no[no_at[i]] })
                        .collect(),
                )),
                _ => None,
            }
        }
        _ => None,
    };
    match values {
        Some(values) => {
            let id = graph.add_small(fact, values);
            graph.bind(node, &[id])
        }
        None => Err(node.refuse(
            "selects between tensors that are not small constants; export a network without \
             data-dependent selection",
        )),
    }
}

/// Integers as dimensions: each 0 or more.
pub(super) fn dimensions(node: &Node<'_>, what: &str, sizes: &[i64]) -> Result<Vec<usize>> {
    sizes.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<Vec<usize>>>().ok_or_else(
        || {
            node.refuse(format!(
                "has {} as {what}, each must be 0 or more; {EXPORT_AGAIN}",
                list(sizes)
            ))
        },
    )
}
