//! Operators along whole axes: joins, parts, means, softmax.

use biglittle_kernels::{Concat, Op, Padding, Pool, PoolKind, Shape, Slice as KernelsSlice};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::{DimLike, ToDim};
use tract_onnx::tract_core::ops::array::{Slice, StridedSlice, TypedConcat};
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Softmax, SoftmaxKind};

use super::layout::{Atom, Dim};
use super::pointwise::Pointwise;
use super::{Lowering, Pending, Step, Tracked, sizes};

/// The parts of an axis of `channels` in order.
fn channels(count: usize) -> Vec<Atom> {
    if count == 1 { vec![] } else { vec![Atom { dim: Dim::Channel, size: count, stride: 1 }] }
}

impl Lowering<'_> {
    pub(super) fn concat(&mut self, node: &TypedNode, op: &TypedConcat) -> Step<Tracked> {
        let mut values = Vec::with_capacity(node.inputs.len());
        let mut result: Option<Tracked> = None;
        for &outlet in &node.inputs {
            let mut tensor = self.ready(outlet)?;
            values.push(tensor.value);
            if tensor.layout.axes.get(op.axis) != Some(&channels(tensor.shape.c)) {
                return Err("joins on another axis than the channels".to_owned());
            }
            tensor.layout.axes[op.axis].clear();
            match &mut result {
                None => result = Some(tensor),
                Some(first) => {
                    let pixels = |s: Shape| (s.h, s.w);
                    if first.layout != tensor.layout || pixels(first.shape) != pixels(tensor.shape)
                    {
                        return Err("joins tensors with different axes".to_owned());
                    }
                    first.shape.c += tensor.shape.c;
                }
            }
        }
        let mut result = result.ok_or("joins nothing")?;
        result.layout.axes[op.axis] = channels(result.shape.c);
        result.value = self.add(Concat { xs: values })?;
        Ok(result)
    }

    pub(super) fn slice(&mut self, node: &TypedNode, op: &Slice) -> Step<Tracked> {
        let tensor = self.ready(node.inputs[0])?;
        let (start, end) =
            (op.start.to_usize().map_err(super::text)?, op.end.to_usize().map_err(super::text)?);
        self.part(tensor, op.axis, start, end)
    }

    /// A slice as the file has it, over several axes and with a step.
    pub(super) fn strided_slice(&mut self, node: &TypedNode, op: &StridedSlice) -> Step<Tracked> {
        let list = |input: usize| {
            let fact = self.model.outlet_fact(node.inputs[input]).map_err(super::text)?;
            let list = fact.konst.as_ref().ok_or("takes a part that depends on the input")?;
            Ok::<Tensor, String>(list.cast_to::<i64>().map_err(super::text)?.into_owned())
        };
        let numbers = |list: &Tensor| {
            let ram = list.try_as_plain_ram().map_err(super::text)?;
            Ok::<Vec<i64>, String>(ram.as_slice::<i64>().map_err(super::text)?.to_vec())
        };
        let (begin, end) = (list(1)?, list(2)?);
        let steps = op.optional_steps_input.map(list).transpose()?;
        if steps.is_some_and(|steps| numbers(&steps).is_ok_and(|all| all.iter().any(|&s| s != 1))) {
            return Err("takes every so many".to_owned());
        }
        let axes = match op.optional_axes_input.map(list).transpose()? {
            Some(axes) => numbers(&axes)?,
            None => (0..begin.len() as i64).collect(),
        };
        let sizes = sizes(self.model, node.inputs[0])?;
        let mut tensor = self.ready(node.inputs[0])?;
        for (at, axis) in axes.into_iter().enumerate() {
            let axis = if axis < 0 { axis + sizes.len() as i64 } else { axis };
            let axis = usize::try_from(axis).map_err(super::text)?;
            let size = sizes.get(axis).ok_or("takes a part of an axis that is not there")?;
            let bounds = op.prepare_one_dim(at, &size.to_dim(), &begin, &end, &[]);
            let bounds = bounds.map_err(super::text)?;
            if bounds.shrink {
                return Err("drops an axis".to_owned());
            }
            let start = bounds.begin.to_usize().map_err(super::text)?;
            let end = bounds.end.to_usize().map_err(super::text)?;
            tensor = self.part(tensor, axis, start, end)?;
        }
        Ok(tensor)
    }

    /// A part of an axis: of the channels, or all of any.
    fn part(
        &mut self,
        mut tensor: Tracked,
        axis: usize,
        start: usize,
        end: usize,
    ) -> Step<Tracked> {
        let Some(count) = end.checked_sub(start).filter(|&count| count > 0) else {
            return Err(format!("takes {start}..{end}"));
        };
        match tensor.layout.whole(axis, tensor.shape) {
            Some(dim) if (start, end) == (0, dim.size(tensor.shape)) => Ok(tensor),
            Some(Dim::Channel) => {
                tensor.value = self.add(KernelsSlice { x: tensor.value, start, count })?;
                tensor.shape.c = count;
                tensor.layout.axes[axis] = channels(count);
                Ok(tensor)
            }
            _ => Err("takes a part of another axis than the channels".to_owned()),
        }
    }

    /// Sums and largest values over all rows or columns or both.
    pub(super) fn reduce(&mut self, node: &TypedNode, op: &Reduce) -> Step<Tracked> {
        let kind = match op.reducer {
            Reducer::Sum => PoolKind::Average { count_include_pad: false },
            Reducer::Max => PoolKind::Max,
            _ => return Err(format!("reduces by {:?}", op.reducer)),
        };
        let mut tensor = self.ready(node.inputs[0])?;
        let mut kernel = [1, 1];
        for &axis in &op.axes {
            let atoms = tensor.layout.axes.get(axis).ok_or("reduces an axis that is not there")?;
            match tensor.layout.whole(axis, tensor.shape) {
                _ if atoms.is_empty() => continue,
                Some(Dim::Row) => kernel[0] = tensor.shape.h,
                Some(Dim::Column) => kernel[1] = tensor.shape.w,
                _ => return Err("reduces other axes than rows and columns".to_owned()),
            }
            tensor.layout.axes[axis].clear();
        }
        let count = kernel[0] * kernel[1];
        let all = kernel == [tensor.shape.h, tensor.shape.w];
        if count > 1 {
            tensor.value = if all && op.reducer == Reducer::Sum {
                self.add(Op::GlobalAverage(tensor.value))?
            } else {
                let (stride, padding) = ([1, 1], Padding::default());
                self.add(Op::Pool(Pool { x: tensor.value, kind, kernel, stride, padding }))?
            };
            tensor.shape.h /= kernel[0];
            tensor.shape.w /= kernel[1];
            if op.reducer == Reducer::Sum {
                // A product with the inverse follows where the graph has a mean.
                let c = tensor.shape.c;
                let sum = Pointwise::identity(c).then_affine(&vec![count as f32; c], &vec![0.0; c]);
                tensor.pending = sum.map_or(Pending::Nothing, Pending::Pointwise);
            }
        }
        Ok(tensor)
    }

    pub(super) fn softmax(&mut self, node: &TypedNode, op: &Softmax) -> Step<Tracked> {
        let mut tensor = self.over_channels(node, op)?;
        match op.kind {
            SoftmaxKind::Softmax => tensor.value = self.add(Op::Softmax(tensor.value))?,
            SoftmaxKind::LogSoftmax => log_softmax(&mut tensor)?,
        }
        Ok(tensor)
    }

    /// A logarithm: only that of a softmax is known. The softmax itself is left
    /// without a reader then, and is not computed.
    pub(super) fn logarithm(&mut self, outlet: OutletId) -> Step<Tracked> {
        let before = self.model.node(outlet.node);
        match before.op_as::<Softmax>() {
            Some(op) if op.kind == SoftmaxKind::Softmax => {
                let mut tensor = self.over_channels(before, op)?;
                log_softmax(&mut tensor)?;
                Ok(tensor)
            }
            _ => Err("is a logarithm, but not of a softmax".to_owned()),
        }
    }

    /// The input of a softmax over the channels of each pixel.
    fn over_channels(&mut self, node: &TypedNode, op: &Softmax) -> Step<Tracked> {
        let tensor = self.ready(node.inputs[0])?;
        let covers = |dim: Dim, all: usize| {
            tensor.layout.covered(dim, |axis| op.axes.contains(&axis)) == all
        };
        if op.quant_output_dt.is_some()
            || !covers(Dim::Channel, tensor.shape.c)
            || !covers(Dim::Row, 1)
            || !covers(Dim::Column, 1)
        {
            return Err("is over other axes than the channels".to_owned());
        }
        Ok(tensor)
    }
}

fn log_softmax(tensor: &mut Tracked) -> Step<()> {
    if (tensor.shape.h, tensor.shape.w) != (1, 1) {
        return Err("is a logarithm over each pixel of an image".to_owned());
    }
    tensor.pending = Pending::LogSoftmax;
    Ok(())
}
