//! Operators on each element: sums, products, clamps, activations.

use biglittle_kernels::{Activation, Affine, Binary, Op, Shape};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math::{Ln, Neg, Tanh};
use tract_onnx::tract_core::ops::nn::{HardSwish, LeakyRelu, Sigmoid, Silu};

use super::layout::{Dim, Layout, strides};
use super::pointwise::Pointwise;
use super::{Constant, Lowering, Pending, Step, Tracked, sizes};

/// A constant's value for each channel of a tensor.
fn per_channel(constant: &Constant, layout: &Layout, shape: Shape) -> Step<Vec<f32>> {
    let (dims, values) = (constant.dims(), constant.values());
    if values.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits()) {
        return Ok(vec![values.first().copied().ok_or("has an empty constant")?; shape.c]);
    }
    let used = |axis: usize| dims[axis] > 1;
    if dims.len() != layout.axes.len()
        || Dim::ALL.iter().any(|&dim| dim != Dim::Channel && layout.covered(dim, used) > 1)
    {
        return Err(format!("has a constant of shape {dims:?}, one value a channel is"));
    }
    let offsets = layout.offsets(Dim::Channel, shape, &strides(dims), used);
    Ok(offsets.iter().map(|&at| values[at]).collect())
}

impl Lowering<'_> {
    pub(super) fn binary(
        &mut self,
        node: &TypedNode,
        op: &TypedBinOp,
        out: &[usize],
    ) -> Step<Tracked> {
        let &[a, b] = &node.inputs[..] else {
            return Err(format!("has {} inputs", node.inputs.len()));
        };
        let name = op.0.name();
        match (self.constant(a)?, self.constant(b)?) {
            (None, None) => self.pair(name, a, b),
            (None, Some(constant)) => self.with_constant(name, a, &constant, out, false),
            (Some(constant), None) => self.with_constant(name, b, &constant, out, true),
            (Some(_), Some(_)) => Err("has two constants".to_owned()),
        }
    }

    fn with_constant(
        &mut self,
        name: &str,
        x: OutletId,
        constant: &Constant,
        out: &[usize],
        constant_first: bool,
    ) -> Step<Tracked> {
        if sizes(self.model, x)? != out {
            return Err("is repeated to the shape of a constant".to_owned());
        }
        // The channels must be in order before constants are assigned to them.
        if self.tracked(x)?.layout.take_shuffle(self.tracked(x)?.shape).is_some() {
            self.ready(x)?;
        }
        let (tensor, pointwise) = self.extendable(x)?;
        let constants = per_channel(constant, &tensor.layout, tensor.shape)?;
        let (ones, zeros) = (vec![1.0; constants.len()], vec![0.0; constants.len()]);
        let mapped = |f: fn(f32) -> f32| constants.iter().map(|&v| f(v)).collect::<Vec<f32>>();
        let (scale, shift) = match (name, constant_first) {
            ("Add", _) => (ones, constants),
            ("Sub", false) => (ones, mapped(|v| -v)),
            ("Sub", true) => (mapped(|_| -1.0), constants),
            ("Mul", _) => (constants, zeros),
            ("Div", false) => (mapped(|v| 1.0 / v), zeros),
            ("Max" | "Min", _) => {
                let bound = constants[0];
                if bound.is_nan() || constants.iter().any(|v| v.to_bits() != bound.to_bits()) {
                    return Err("has another bound for each channel".to_owned());
                }
                let pointwise = match name {
                    "Max" => pointwise.then_max(bound),
                    _ => pointwise.then_min(bound),
                };
                return Ok(Tracked { pending: Pending::Pointwise(pointwise), ..tensor });
            }
            _ => return Err(format!("is {name} with a constant")),
        };
        if scale.iter().chain(&shift).any(|v| !v.is_finite()) {
            return Err("has a constant that is not finite".to_owned());
        }
        self.then_affine(x, tensor, &pointwise, &scale, &shift)
    }

    fn then_affine(
        &mut self,
        x: OutletId,
        tensor: Tracked,
        pointwise: &Pointwise,
        scale: &[f32],
        shift: &[f32],
    ) -> Step<Tracked> {
        if let Some(both) = pointwise.then_affine(scale, shift) {
            return Ok(Tracked { pending: Pending::Pointwise(both), ..tensor });
        }
        let tensor = self.ready(x)?;
        let identity = Pointwise::identity(tensor.shape.c);
        let one = identity.then_affine(scale, shift).ok_or("has a constant that is not finite")?;
        Ok(Tracked { pending: Pending::Pointwise(one), ..tensor })
    }

    /// Two tensors, one of which may be a single pixel.
    fn pair(&mut self, name: &str, a: OutletId, b: OutletId) -> Step<Tracked> {
        if name == "Mul" {
            for (x, gate) in [(a, b), (b, a)] {
                if let Some(product) = self.hard_swish(x, gate)? {
                    return Ok(product);
                }
            }
        }
        let (x, mut y) = (self.ready(a)?, self.ready(b)?);
        let pixel = |s: Shape| (s.h, s.w) == (1, 1);
        let larger = if pixel(x.shape) { &y } else { &x };
        for (axis, atoms) in larger.layout.axes.iter().enumerate() {
            for one in [&x, &y] {
                let other = one.layout.axes.get(axis);
                let same = other == Some(atoms);
                let channels = atoms.iter().any(|atom| atom.dim == Dim::Channel);
                let repeated = pixel(one.shape) && !channels && other.is_some_and(Vec::is_empty);
                if !same && !repeated {
                    return Err("joins tensors with different axes".to_owned());
                }
            }
        }
        let (shape, layout) = (larger.shape, larger.layout.clone());
        if name == "Sub" {
            let (scale, shift) = (vec![-1.0; y.shape.c], vec![0.0; y.shape.c]);
            let activation = Activation::None;
            y.value = self.add(Affine { x: y.value, scale, shift, activation })?;
        }
        let binary = Binary { x: x.value, y: y.value, activation: Activation::None };
        let value = match name {
            "Add" | "Sub" => self.add(Op::Add(binary))?,
            "Mul" => self.add(Op::Mul(binary))?,
            _ => return Err(format!("is {name} of two tensors")),
        };
        Ok(Tracked { value, shape, layout, pending: Pending::Nothing })
    }

    /// `x * clamp(x / 6 + 1 / 2, 0, 1)`, or a multiple of it.
    fn hard_swish(&mut self, x: OutletId, gate: OutletId) -> Step<Option<Tracked>> {
        let (x, gate) = (self.tracked(x)?, self.tracked(gate)?);
        let Pending::Pointwise(pointwise) = &gate.pending else { return Ok(None) };
        let Some(factor) = pointwise.hard_swish_factor() else { return Ok(None) };
        if x.pending != Pending::Nothing || x.value != gate.value || x.layout != gate.layout {
            return Ok(None);
        }
        let value = self.add(Op::Activate(x.value, Activation::HardSwish))?;
        let channels = x.shape.c;
        let scaled = Pointwise::identity(channels)
            .then_affine(&vec![factor; channels], &vec![0.0; channels])
            .ok_or("has a factor that is not finite")?;
        Ok(Some(Tracked { value, pending: Pending::Pointwise(scaled), ..x }))
    }

    pub(super) fn unary(&mut self, node: &TypedNode, op: &ElementWiseOp) -> Step<Tracked> {
        let x = node.inputs[0];
        let activation = if op.0.is::<Sigmoid>() {
            Activation::Sigmoid
        } else if op.0.is::<Silu>() {
            Activation::Silu
        } else if op.0.is::<HardSwish>() {
            Activation::HardSwish
        } else if let Some(leaky) = op.0.downcast_ref::<LeakyRelu>() {
            Activation::LeakyRelu { slope: leaky.alpha }
        } else if op.0.is::<Tanh>() {
            return self.tanh(x);
        } else if op.0.is::<Ln>() {
            return self.logarithm(x);
        } else if op.0.is::<Neg>() {
            let (tensor, pointwise) = self.extendable(x)?;
            let channels = tensor.shape.c;
            let (scale, shift) = (vec![-1.0; channels], vec![0.0; channels]);
            return self.then_affine(x, tensor, &pointwise, &scale, &shift);
        } else {
            return Err(format!("is {}, an activation that the kernels do not have", op.0.name()));
        };
        let mut tensor = self.ready(x)?;
        tensor.value = self.add(Op::Activate(tensor.value, activation))?;
        Ok(tensor)
    }

    /// `2 * sigmoid(2 * x) - 1`.
    fn tanh(&mut self, x: OutletId) -> Step<Tracked> {
        let mut tensor = self.ready(x)?;
        let (twos, zeros) = (vec![2.0; tensor.shape.c], vec![0.0; tensor.shape.c]);
        let activation = Activation::Sigmoid;
        tensor.value =
            self.add(Affine { x: tensor.value, scale: twos.clone(), shift: zeros, activation })?;
        let minus_ones = vec![-1.0; tensor.shape.c];
        let pointwise = Pointwise::identity(tensor.shape.c).then_affine(&twos, &minus_ones);
        tensor.pending = pointwise.map_or(Pending::Nothing, Pending::Pointwise);
        Ok(tensor)
    }
}
