//! From tract's simplified graph to the kernels' graph.
//!
//! Decides, operator by operator, what the kernels compute exactly as tract
//! does. A network is lowered whole ([`lower`]), or the parts of it that are
//! ([`regions`]); what is not understood stays with tract, with the reason. Each
//! tensor is tracked as a kernels' value, the [`Layout`] of its axes and what is
//! still to be done to it. `load` calls both before tract chooses kernels of its
//! own.

mod elementwise;
mod image;
mod join;
mod layout;
mod mix;
mod pointwise;
pub(super) mod regions;

use std::collections::HashMap;

use biglittle_kernels::{
    DataLayout, Graph, Op, Padding, Pool, PoolKind, Shape, SharedWeights, Value, Weights,
};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::{AxisOp, DimLike};
use tract_onnx::tract_core::ops::Downsample;
use tract_onnx::tract_core::ops::array::{MultiBroadcastTo, Pad, Slice, StridedSlice, TypedConcat};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, MaxPool, SumPool};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::nn::{Reduce, Softmax};

use self::layout::{Dim, Layout};
use self::pointwise::Pointwise;

/// A step of lowering, or why it cannot be done.
type Step<T> = Result<T, String>;

/// A network, or a part of one, for the kernels.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) graph: Graph,
    /// Order of the input's elements.
    pub(super) input: DataLayout,
    /// Order of the output's elements.
    pub(super) output: DataLayout,
    /// Whether the outputs are logits of which the logarithm of the softmax is
    /// wanted.
    pub(super) log_softmax: bool,
}

/// The orders in which an image may be: which axis is the channels is only
/// known from its use.
const ORDERS: [DataLayout; 2] = [DataLayout::Chw, DataLayout::Nhwc];

/// Lowers a whole network; nothing where a part of it has to stay with tract.
pub(super) fn lower(model: &TypedModel) -> Option<Lowered> {
    let &[entry] = model.input_outlets().ok()? else { return None };
    let &[exit] = model.output_outlets().ok()? else { return None };
    let nodes = model.eval_order().ok()?;
    ORDERS.into_iter().find_map(|order| {
        let mut lowering = Lowering::new(model, entry, order).ok()?;
        for node in nodes.iter().map(|&id| model.node(id)) {
            if let Err(reason) = lowering.node(node) {
                log::debug!("not lowered whole: layer {:?} {reason}", node.name);
                return None;
            }
        }
        let end = lowering.end(exit).ok()?;
        Some(lowering.finish(end))
    })
}

/// What is still to be done to a value before it is the tensor.
#[derive(Debug, Clone, PartialEq)]
enum Pending {
    Nothing,
    /// Every so many rows and columns.
    Subsample([usize; 2]),
    Pointwise(Pointwise),
    /// The logarithm of the softmax over the channels of the only pixel.
    LogSoftmax,
}

/// A tensor of tract's graph.
#[derive(Debug, Clone)]
struct Tracked {
    value: Value,
    /// The shape once nothing is pending.
    shape: Shape,
    layout: Layout,
    pending: Pending,
}

struct Lowering<'a> {
    model: &'a TypedModel,
    graph: Graph,
    /// Order of the input's elements.
    input: DataLayout,
    tensors: HashMap<OutletId, Tracked>,
    /// The node being lowered.
    name: String,
}

/// Where a lowering ends.
#[derive(Clone, Copy)]
struct End {
    value: Value,
    order: DataLayout,
    log_softmax: bool,
}

impl<'a> Lowering<'a> {
    /// Begins with the tensor of `entry`, whose elements are taken to be in this
    /// order.
    fn new(model: &'a TypedModel, entry: OutletId, order: DataLayout) -> Step<Self> {
        use Dim::{Channel, Column, Row};
        let sizes = sizes(model, entry)?;
        let (h, w, c, roles) = match (order, &sizes[..]) {
            (DataLayout::Chw, &[1, c]) => (1, 1, c, vec![None, Some(Channel)]),
            (DataLayout::Chw, &[c, h, w]) => {
                (h, w, c, vec![Some(Channel), Some(Row), Some(Column)])
            }
            (DataLayout::Chw, &[1, c, h, w]) => {
                (h, w, c, vec![None, Some(Channel), Some(Row), Some(Column)])
            }
            (DataLayout::Nhwc, &[h, c]) => (h, 1, c, vec![Some(Row), Some(Channel)]),
            (DataLayout::Nhwc, &[h, w, c]) => {
                (h, w, c, vec![Some(Row), Some(Column), Some(Channel)])
            }
            (DataLayout::Nhwc, &[1, h, w, c]) => {
                (h, w, c, vec![None, Some(Row), Some(Column), Some(Channel)])
            }
            _ => return Err(format!("is of shape {sizes:?}, an image or a vector is needed")),
        };
        let shape = Shape { h, w, c };
        let graph = Graph::new(shape).map_err(text)?;
        let layout = Layout::of(&roles, shape);
        let input = Tracked { value: graph.input(), shape, layout, pending: Pending::Nothing };
        Ok(Lowering {
            model,
            graph,
            input: order,
            tensors: HashMap::from([(entry, input)]),
            name: "input".to_owned(),
        })
    }

    fn node(&mut self, node: &TypedNode) -> Step<()> {
        let [output] = &node.outputs[..] else {
            return Err(format!("has {} outputs", node.outputs.len()));
        };
        let outlet = OutletId::from(node.id);
        if output.fact.konst.is_some() || self.tensors.contains_key(&outlet) {
            return Ok(());
        }
        if output.fact.datum_type != f32::datum_type() {
            return Err(format!("computes {:?}, only 32-bit floats are", output.fact.datum_type));
        }
        self.name.clone_from(&node.name);
        let out = sizes(self.model, outlet)?;
        let tracked = if let Some(op) = node.op_as::<AxisOp>() {
            self.rearranged(node.inputs[0], op)?
        } else if node.op_is::<Identity>() {
            self.tracked(node.inputs[0])?
        } else if node.op_is::<MultiBroadcastTo>() {
            if sizes(self.model, node.inputs[0])? != out {
                return Err("is repeated".to_owned());
            }
            self.tracked(node.inputs[0])?
        } else if let Some(op) = node.op_as::<Conv>() {
            self.conv(node, op)?
        } else if let Some(op) = node.op_as::<EinSum>() {
            self.mix(node, op)?
        } else if let Some(op) = node.op_as::<TypedBinOp>() {
            self.binary(node, op, &out)?
        } else if let Some(op) = node.op_as::<ElementWiseOp>() {
            self.unary(node, op)?
        } else if let Some(op) = node.op_as::<Downsample>() {
            self.downsample(node, op)?
        } else if let Some(op) = node.op_as::<Reduce>() {
            self.reduce(node, op)?
        } else if let Some(op) = node.op_as::<MaxPool>() {
            self.max_pool(node, op)?
        } else if let Some(op) = node.op_as::<SumPool>() {
            self.average_pool(node, op)?
        } else if let Some(op) = node.op_as::<TypedConcat>() {
            self.concat(node, op)?
        } else if let Some(op) = node.op_as::<Slice>() {
            self.slice(node, op)?
        } else if let Some(op) = node.op_as::<StridedSlice>() {
            self.strided_slice(node, op)?
        } else if let Some(op) = node.op_as::<Pad>() {
            self.pad(node, op)?
        } else if let Some(op) = node.op_as::<Softmax>() {
            self.softmax(node, op)?
        } else {
            return Err("is not among the operators of the kernels".to_owned());
        };
        // A mistake here would be a wrong answer: the sizes are compared.
        let made: Vec<usize> = tracked
            .layout
            .axes
            .iter()
            .map(|atoms| atoms.iter().map(|a| a.size).product())
            .collect();
        if made != out {
            return Err(format!("is of shape {out:?}, but would be lowered to {made:?}"));
        }
        self.tensors.insert(outlet, tracked);
        Ok(())
    }

    /// Makes the tensor of `exit` one that the kernels can write.
    fn end(&mut self, exit: OutletId) -> Step<End> {
        "output".clone_into(&mut self.name);
        let log_softmax = self.tracked(exit)?.pending == Pending::LogSoftmax;
        let output = if log_softmax { self.tracked(exit)? } else { self.ready(exit)? };
        let order = if output.layout.is_in_order(Dim::ALL, output.shape) {
            DataLayout::Chw
        } else if output.layout.is_in_order([Dim::Row, Dim::Column, Dim::Channel], output.shape) {
            DataLayout::Nhwc
        } else {
            return Err("has its elements in another order than the kernels can write".to_owned());
        };
        Ok(End { value: output.value, order, log_softmax })
    }

    /// The graph from the entry to `end`; what else was lowered is left out.
    fn finish(mut self, end: End) -> Lowered {
        self.graph.set_output(end.value);
        let End { order, log_softmax, .. } = end;
        Lowered { graph: self.graph, input: self.input, output: order, log_softmax }
    }

    /// A tensor with what is still to be done to it.
    fn tracked(&self, outlet: OutletId) -> Step<Tracked> {
        self.tensors.get(&outlet).cloned().ok_or_else(|| "has a constant input".to_owned())
    }

    /// A tensor that is a kernels' value, with its channels in order.
    fn ready(&mut self, outlet: OutletId) -> Step<Tracked> {
        let mut tensor = self.tracked(outlet)?;
        match std::mem::replace(&mut tensor.pending, Pending::Nothing) {
            Pending::Nothing => {}
            Pending::Subsample(stride) => {
                let pool = Pool {
                    x: tensor.value,
                    kind: PoolKind::Max,
                    kernel: [1, 1],
                    stride,
                    padding: Padding::default(),
                };
                tensor.value = self.add(pool)?;
            }
            Pending::Pointwise(pointwise) => {
                if let Some(op) = pointwise.node(tensor.value) {
                    tensor.value = self.add(op)?;
                }
            }
            Pending::LogSoftmax => {
                return Err("follows a LogSoftmax, which is only known at the end".to_owned());
            }
        }
        if let Some(groups) = tensor.layout.take_shuffle(tensor.shape) {
            tensor.value = self.add(Op::Shuffle { x: tensor.value, groups })?;
        }
        self.tensors.insert(outlet, tensor.clone());
        Ok(tensor)
    }

    /// A tensor that a pointwise operator may be added to: what is pending stays
    /// so only where nobody else reads it.
    fn extendable(&mut self, outlet: OutletId) -> Step<(Tracked, Pointwise)> {
        let tensor = self.tracked(outlet)?;
        let alone = self.model.node(outlet.node).outputs[outlet.slot].successors.len() == 1;
        match tensor.pending {
            Pending::Pointwise(ref pointwise) if alone => {
                let pointwise = pointwise.clone();
                Ok((tensor, pointwise))
            }
            _ => {
                let tensor = self.ready(outlet)?;
                let pointwise = Pointwise::identity(tensor.shape.c);
                Ok((tensor, pointwise))
            }
        }
    }

    /// Adds a node named after tract's.
    fn add(&mut self, op: impl Into<Op>) -> Step<Value> {
        self.graph.add(self.name.clone(), op).map_err(text)
    }

    fn rearranged(&self, outlet: OutletId, op: &AxisOp) -> Step<Tracked> {
        let mut tensor = self.tracked(outlet)?;
        match op {
            AxisOp::Add(axis) => tensor.layout.add(*axis)?,
            AxisOp::Rm(axis) => tensor.layout.remove(*axis)?,
            AxisOp::Move(from, to) => tensor.layout.shift(*from, *to)?,
            AxisOp::Reshape(at, from, to) => {
                let to: Step<Vec<usize>> = to.iter().map(|d| d.to_usize().map_err(text)).collect();
                tensor.layout.reshape(*at, from.len(), &to?)?;
            }
        }
        Ok(tensor)
    }

    /// A constant input; `None` for a tensor that depends on the network's
    /// input.
    fn constant(&self, outlet: OutletId) -> Step<Option<Constant>> {
        let fact = self.model.outlet_fact(outlet).map_err(text)?;
        let Some(tensor) = &fact.konst else { return Ok(None) };
        if tensor.datum_type() != f32::datum_type() {
            return Err(format!("has a constant of {:?}", tensor.datum_type()));
        }
        tensor.try_as_plain_ram().and_then(|ram| ram.as_slice::<f32>()).map_err(text)?;
        Ok(Some(Constant(tensor.clone())))
    }
}

/// A constant of 32-bit floats in memory, shared with tract.
#[derive(Clone)]
struct Constant(Arc<Tensor>);

impl Constant {
    fn dims(&self) -> &[usize] {
        self.0.shape()
    }

    /// In row-major order.
    fn values(&self) -> &[f32] {
        let values = self.0.try_as_plain_ram().and_then(|ram| ram.as_slice::<f32>());
        values.expect("was checked when the constant was made")
    }

    /// As weights, which the kernels read where they are.
    fn shared(self) -> Weights {
        Weights::Shared(SharedWeights::new(self))
    }
}

impl AsRef<[f32]> for Constant {
    fn as_ref(&self) -> &[f32] {
        self.values()
    }
}

fn sizes(model: &TypedModel, outlet: OutletId) -> Step<Vec<usize>> {
    let fact = model.outlet_fact(outlet).map_err(text)?;
    let sizes = fact.shape.as_concrete().ok_or("has a shape that is not known")?;
    Ok(sizes.to_vec())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
