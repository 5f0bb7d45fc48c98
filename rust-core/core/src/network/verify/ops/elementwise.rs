//! Operators that work element by element.
//!
//! Decides the shapes by numpy broadcasting and the ranges of the activations'
//! parameters.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, ValueId, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use super::super::small::{self, SMALL, broadcast_positions};
use super::super::tensor::{self, Element, MAX_RANK};
use crate::Result;

/// Work of an exponential or a root, in additions.
const DEAR: u64 = 8;

/// The shape that `left` and `right` broadcast to.
pub(super) fn broadcast(node: &Node<'_>, left: &[usize], right: &[usize]) -> Result<Vec<usize>> {
    let rank = left.len().max(right.len());
    let dim = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at])
    };
    (0..rank)
        .map(|axis| match (dim(left, axis), dim(right, axis)) {
            (a, b) if a == b || b == 1 => Some(a),
            (1, b) => Some(b),
            _ => None,
        })
        .collect::<Option<Vec<usize>>>()
        .filter(|_| rank <= MAX_RANK)
        .ok_or_else(|| {
            node.refuse(format!(
                "combines shapes {} and {}, which do not broadcast; {EXPORT_AGAIN}",
                list(left),
                list(right)
            ))
        })
}

/// `Identity`: the output is another name for the input.
pub(super) fn identity(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let id = graph.input(node, 0)?;
    graph.bind(node, &[id])
}

/// `Dropout` does nothing at inference.
pub(super) fn dropout(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=3)?;
    node.ignore(&["ratio", "seed", "is_test"]);
    if let Some(id) = graph.optional(node, 2)? {
        let off = graph.values[id].small.as_ref().and_then(|s| s.ints()).is_some_and(|v| v == [0]);
        if !off {
            return Err(node.refuse("is in training mode; export the network for inference"));
        }
    }
    let id = graph.float_input(node, 0)?;
    graph.bind_first(node, id)
}

pub(super) fn unary(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(1..=1)?;
    let id = graph.input(node, 0)?;
    let computed = graph.values[id].small.as_ref().and_then(|value| small::unary(node.op(), value));
    if let Some(value) = computed {
        let id = graph.add_small(graph.fact(id).clone(), value);
        return graph.bind(node, &[id]);
    }
    let id = graph.float_input(node, 0)?;
    let mut attributes = Vec::new();
    let mut weight = 1;
    let op = match node.op() {
        "Relu" => "Relu",
        "Neg" => "Neg",
        "Abs" => "Abs",
        "Floor" => "Floor",
        "Ceil" => "Ceil",
        "HardSwish" => "HardSwish",
        "LeakyRelu" => {
            attributes.push(onnx::float("alpha", node.float("alpha", 0.01)?));
            "LeakyRelu"
        }
        "HardSigmoid" => {
            attributes.push(onnx::float("alpha", node.float("alpha", 0.2)?));
            attributes.push(onnx::float("beta", node.float("beta", 0.5)?));
            "HardSigmoid"
        }
        dear => {
            weight = DEAR;
            match dear {
                "Elu" => {
                    attributes.push(onnx::float("alpha", node.float("alpha", 1.0)?));
                    "Elu"
                }
                "Sigmoid" => "Sigmoid",
                "Tanh" => "Tanh",
                "Erf" => "Erf",
                "Sqrt" => "Sqrt",
                "Exp" => "Exp",
                "Log" => "Log",
                "Softplus" => "Softplus",
                "Reciprocal" => "Reciprocal",
                _ => return Err(node.refuse("computes on values that are not constant")),
            }
        }
    };
    let fact = graph.fact(id).clone();
    let work = Work { weight, ..Work::default() };
    graph.emit_one(node, op, &[Some(id)], attributes, fact, work)
}

pub(super) fn clip(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let (low, high) = if graph.opset < 11 {
        node.arity(1..=1)?;
        (node.float("min", f32::MIN)?, node.float("max", f32::MAX)?)
    } else {
        node.arity(1..=3)?;
        let low = graph.scalar(node, 1)?.unwrap_or(f32::MIN);
        (low, graph.scalar(node, 2)?.unwrap_or(f32::MAX))
    };
    if low.is_nan() || high.is_nan() || low > high {
        return Err(node.refuse(format!(
            "clips between {low} and {high}, the first must not exceed the second; {EXPORT_AGAIN}"
        )));
    }
    let id = graph.float_input(node, 0)?;
    let low = (low > f32::MIN).then(|| graph.add_float(low));
    let high = (high < f32::MAX).then(|| graph.add_float(high));
    if low.is_none() && high.is_none() {
        return graph.bind(node, &[id]);
    }
    let fact = graph.fact(id).clone();
    graph.emit_one(node, "Clip", &[Some(id), low, high], vec![], fact, Work::default())
}

pub(super) fn prelu(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(2..=2)?;
    let (id, slope) = (graph.float_input(node, 0)?, graph.float_input(node, 1)?);
    let fact = graph.fact(id).clone();
    let slope_shape = &graph.fact(slope).shape;
    if broadcast(node, &fact.shape, slope_shape)? != fact.shape || !graph.values[slope].constant {
        return Err(node.refuse(format!(
            "has a slope of shape {}, it must be constant and broadcast to {}; {EXPORT_AGAIN}",
            list(slope_shape),
            list(&fact.shape)
        )));
    }
    graph.emit_one(node, "PRelu", &[Some(id), Some(slope)], vec![], fact, Work::default())
}

pub(super) fn binary(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    node.arity(2..=2)?;
    let (left, right) = (graph.input(node, 0)?, graph.input(node, 1)?);
    pair(node, graph, left, right)
}

/// `Min`, `Max` and `Sum` of one or more tensors.
pub(super) fn variadic(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let count = node.arity(1..=16)?;
    if count == 2 {
        return binary(node, graph);
    }
    let mut inputs = Vec::new();
    let mut shape = Vec::new();
    for position in 0..count {
        let id = graph.float_input(node, position)?;
        shape = broadcast(node, &shape, &graph.fact(id).shape)?;
        inputs.push(Some(id));
    }
    if let [Some(only)] = inputs[..] {
        return graph.bind(node, &[only]);
    }
    let work = Work { weight: count as u64, ..Work::default() };
    let op = match node.op() {
        "Min" => "Min",
        "Max" => "Max",
        _ => "Sum",
    };
    graph.emit_one(node, op, &inputs, vec![], Fact::new(Element::F32, shape), work)
}

fn pair(node: &Node<'_>, graph: &mut Graph<'_>, left: ValueId, right: ValueId) -> Result<()> {
    let (a, b) = (graph.fact(left), graph.fact(right));
    let shape = broadcast(node, &a.shape, &b.shape)?;
    let same = a.element == b.element;
    let small = tensor::count(&shape, graph.limits).is_some_and(|n| n <= SMALL);
    if let (Some(x), Some(y), true, true) =
        (&graph.values[left].small, &graph.values[right].small, same, small)
    {
        let x = x.pick(broadcast_positions(&a.shape, &shape));
        let y = y.pick(broadcast_positions(&b.shape, &shape));
        let element = if node.op() == "Equal" { Element::Bool } else { a.element };
        if let Some(value) = small::binary(node.op(), &x, &y) {
            let id = graph.add_small(Fact { element, shape }, value);
            return graph.bind(node, &[id]);
        }
        if a.element.is_integer() {
            return Err(node.refuse(format!(
                "computes {} on constant integers {} and {}: overflow, division by zero or not \
                 supported; {EXPORT_AGAIN}",
                node.op(),
                list(x.ints().unwrap_or(&[])),
                list(y.ints().unwrap_or(&[]))
            )));
        }
    }
    let (left, right) = (graph.float_input(node, 0)?, graph.float_input(node, 1)?);
    let (op, weight) = match node.op() {
        "Add" | "Sum" => ("Add", 1),
        "Sub" => ("Sub", 1),
        "Mul" => ("Mul", 1),
        "Div" => ("Div", 1),
        "Min" => ("Min", 1),
        "Max" => ("Max", 1),
        "Pow" => ("Pow", DEAR),
        _ => return Err(node.refuse("compares values that are not small constants")),
    };
    let work = Work { weight, ..Work::default() };
    let fact = Fact::new(Element::F32, shape);
    graph.emit_one(node, op, &[Some(left), Some(right)], vec![], fact, work)
}
