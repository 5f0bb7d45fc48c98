//! `EinSum` with constant weights: pointwise convolutions and fully connected
//! layers.

use biglittle_kernels::{Conv, Linear, Shape};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::einsum::EinSum;

use super::layout::{Atom, Dim, Layout, strides};
use super::{Lowering, Pending, Step, Tracked, sizes};

/// The axes of an `EinSum` by what they do.
struct Roles {
    /// Axis of the input, axis of the weights: summed over.
    contracted: Vec<(usize, usize)>,
    /// Axis of the input, axis of the output: unchanged.
    passed: Vec<(usize, usize)>,
    /// Axis of the weights, axis of the output: new channels.
    made: Vec<(usize, usize)>,
}

fn roles(op: &EinSum, x: usize, input: &[usize], weights: &[usize]) -> Step<Roles> {
    let mut roles = Roles { contracted: vec![], passed: vec![], made: vec![] };
    for axis in op.axes.iter_all_axes() {
        let one = |positions: &[usize]| match positions {
            [] => Ok(None),
            &[position] => Ok(Some(position)),
            _ => Err(format!("takes a diagonal ({})", op.axes)),
        };
        let (i, w) = (one(&axis.inputs[x])?, one(&axis.inputs[1 - x])?);
        let size = i.map_or(1, |i| input[i]).max(w.map_or(1, |w| weights[w]));
        match (i, w, one(&axis.outputs[0])?) {
            (Some(i), Some(w), _) if input[i] != weights[w] => {
                return Err(format!("repeats an axis ({})", op.axes));
            }
            (Some(i), Some(w), None) => roles.contracted.push((i, w)),
            (Some(i), None, Some(o)) => roles.passed.push((i, o)),
            (None, Some(w), Some(o)) => roles.made.push((w, o)),
            _ if size == 1 => {}
            _ => return Err(format!("is no channel mix ({})", op.axes)),
        }
    }
    roles.made.sort_by_key(|&(_, o)| o);
    Ok(roles)
}

impl Lowering<'_> {
    pub(super) fn mix(&mut self, node: &TypedNode, op: &EinSum) -> Step<Tracked> {
        if op.q_params.is_some() || op.operating_dt != f32::datum_type() || node.inputs.len() != 2 {
            return Err("is not a product of two tensors of 32-bit floats".to_owned());
        }
        let (x, weights) = match (self.constant(node.inputs[0])?, self.constant(node.inputs[1])?) {
            (None, Some(weights)) => (0, weights),
            (Some(weights), None) => (1, weights),
            _ => return Err("multiplies two tensors that are not constant".to_owned()),
        };
        let (dims, values) = (weights.dims(), weights.values());
        let input = self.tracked(node.inputs[x])?;
        let roles = roles(op, x, &sizes(self.model, node.inputs[x])?, dims)?;
        let contracted = |axis: usize| roles.contracted.iter().any(|&(i, _)| i == axis);
        let pointwise = {
            let covered = |dim| input.layout.covered(dim, contracted);
            let all = |dim: Dim| covered(dim) == dim.size(input.shape);
            if !all(Dim::Channel) {
                return Err(format!("does not sum over all channels ({})", op.axes));
            }
            if all(Dim::Row) && all(Dim::Column) {
                false
            } else if covered(Dim::Row) == 1 && covered(Dim::Column) == 1 {
                true
            } else {
                return Err(format!("sums over some of the pixels ({})", op.axes));
            }
        };
        // A strided convolution has been split in two; here it becomes one again.
        let (input, stride) = match input.pending {
            Pending::Subsample(stride) if pointwise => (input, stride),
            _ => (self.ready(node.inputs[x])?, [1, 1]),
        };

        let steps = strides(dims);
        let mut along = vec![0; input.layout.axes.len()];
        for &(i, w) in &roles.contracted {
            along[i] = steps[w];
        }
        let offsets = |dim| input.layout.offsets(dim, input.shape, &along, contracted);
        let (rows, columns) =
            if pointwise { (vec![0], vec![0]) } else { (offsets(Dim::Row), offsets(Dim::Column)) };
        let channels = offsets(Dim::Channel);
        let count: usize = roles.made.iter().map(|&(w, _)| dims[w]).product();
        // Where the weights of an output are in the constant, in the kernels'
        // order, and where each output's begin.
        let mut places = Vec::with_capacity(channels.len() * rows.len() * columns.len());
        for channel in &channels {
            for row in &rows {
                places.extend(columns.iter().map(|column| channel + row + column));
            }
        }
        let first = |output: usize| {
            let (mut at, mut rest) = (0, output);
            for &(w, _) in roles.made.iter().rev() {
                at += rest % dims[w] * steps[w];
                rest /= dims[w];
            }
            at
        };
        let in_order = places.iter().enumerate().all(|(i, &place)| i == place)
            && (0..count).all(|output| first(output) == output * places.len());
        let weights = if in_order {
            weights.clone().shared()
        } else {
            let mut reordered = Vec::with_capacity(values.len());
            for output in 0..count {
                let from = &values[first(output)..];
                reordered.extend(places.iter().map(|&place| from[place]));
            }
            reordered.into()
        };

        let (value, shape) = if pointwise {
            let conv = Conv { stride, ..Conv::new(input.value, count, [1, 1], weights) };
            (self.add(conv)?, Shape { c: count, ..input.shape })
        } else {
            let linear = Linear {
                x: input.value,
                out_channels: count,
                weights,
                bias: vec![],
                activation: Default::default(),
            };
            (self.add(linear)?, Shape { h: 1, w: 1, c: count })
        };
        let mut axes = vec![vec![]; sizes(self.model, node.id.into())?.len()];
        for &(i, o) in &roles.passed {
            axes[o].clone_from(&input.layout.axes[i]);
        }
        let mut stride = count;
        for &(w, o) in &roles.made {
            stride /= dims[w];
            if dims[w] > 1 {
                axes[o] = vec![Atom { dim: Dim::Channel, size: dims[w], stride }];
            }
        }
        Ok(Tracked { value, shape, layout: Layout { axes }, pending: Pending::Nothing })
    }
}
