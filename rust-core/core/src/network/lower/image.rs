//! Operators with a window over an image: convolutions, pools, padding.

use biglittle_kernels::{
    Conv as KernelsConv, Op, Pad as KernelsPad, Padding, Pool, PoolKind, Shape,
};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::Downsample;
use tract_onnx::tract_core::ops::array::{Pad, PadMode};
use tract_onnx::tract_core::ops::cnn::{
    Conv, KernelFormat, MaxPool, PaddingSpec, PoolSpec, SumPool,
};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::layout::{Dim, Layout};
use super::{Lowering, Pending, Step, Tracked};

/// A window in the kernels' terms.
struct Window {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: Padding,
    /// What the graph states below and to the right, which may be less than
    /// `padding` where the output is rounded up.
    stated: [usize; 2],
    /// Rows and columns of the output.
    output: [usize; 2],
    roles: Vec<Option<Dim>>,
}

fn pair(values: &[usize]) -> Step<[usize; 2]> {
    <[usize; 2]>::try_from(values).map_err(|_| format!("has {} axes in its window", values.len()))
}

fn window(spec: &PoolSpec, input: &Tracked) -> Step<Window> {
    use Dim::{Channel, Column, Row};
    let roles = match spec.data_format {
        DataFormat::NCHW => vec![None, Some(Channel), Some(Row), Some(Column)],
        DataFormat::NHWC => vec![None, Some(Row), Some(Column), Some(Channel)],
        DataFormat::CHW => vec![Some(Channel), Some(Row), Some(Column)],
        DataFormat::HWC => vec![Some(Row), Some(Column), Some(Channel)],
    };
    let kernel = pair(&spec.kernel_shape)?;
    if input.layout != Layout::of(&roles, input.shape) {
        return Err("has a window over other axes than rows and columns".to_owned());
    }
    let (stride, dilation) = (pair(&spec.strides())?, pair(&spec.dilations())?);
    let size = [input.shape.h, input.shape.w];
    let computed = spec.computed_padding(&size);
    let mut before = [0; 2];
    let (mut after, mut stated, mut output) = ([0; 2], [0; 2], [0; 2]);
    for (i, axis) in computed.iter().enumerate() {
        let extent = (kernel[i] - 1) * dilation[i] + 1;
        let reach = axis.convoluted.saturating_sub(1) * stride[i] + extent;
        before[i] = axis.pad_before;
        // Only as much as the windows reach.
        after[i] = reach.saturating_sub(size[i] + before[i]);
        stated[i] = axis.pad_after;
        output[i] = axis.convoluted;
    }
    if let PaddingSpec::ExplicitOnnxPool(_, bottom_right, _) = &spec.padding {
        stated = pair(bottom_right)?;
    }
    let padding = Padding { top: before[0], left: before[1], bottom: after[0], right: after[1] };
    Ok(Window { kernel, stride, dilation, padding, stated, output, roles })
}

impl Lowering<'_> {
    /// The tensor that a node over a window makes.
    fn windowed(&mut self, op: impl Into<Op>, window: &Window, channels: usize) -> Step<Tracked> {
        let value = self.add(op)?;
        let shape = Shape { h: window.output[0], w: window.output[1], c: channels };
        let made = self.graph.shape(value).map_err(super::text)?;
        if made != shape {
            return Err(format!("is an image of {shape}, but would be lowered to {made}"));
        }
        let layout = Layout::of(&window.roles, shape);
        Ok(Tracked { value, shape, layout, pending: Pending::Nothing })
    }

    pub(super) fn conv(&mut self, node: &TypedNode, op: &Conv) -> Step<Tracked> {
        if op.q_params.is_some() || op.kernel_fmt != KernelFormat::OIHW || node.inputs.len() != 3 {
            return Err("is quantized or has its weights in another order".to_owned());
        }
        let (Some(weights), Some(bias)) =
            (self.constant(node.inputs[1])?, self.constant(node.inputs[2])?)
        else {
            return Err("has weights that are not constant".to_owned());
        };
        let input = self.ready(node.inputs[0])?;
        let window = window(&op.pool_spec, &input)?;
        let channels = op.output_channels();
        let bias = match *bias.values() {
            [one] => vec![one; channels],
            ref each => each.to_vec(),
        };
        let weights = weights.shared();
        let conv = KernelsConv {
            bias,
            stride: window.stride,
            padding: window.padding,
            dilation: window.dilation,
            groups: op.group,
            ..KernelsConv::new(input.value, channels, window.kernel, weights)
        };
        self.windowed(conv, &window, channels)
    }

    pub(super) fn max_pool(&mut self, node: &TypedNode, op: &MaxPool) -> Step<Tracked> {
        if op.with_index_outputs.is_some() {
            return Err("also makes indices".to_owned());
        }
        let input = self.ready(node.inputs[0])?;
        let window = window(&op.pool_spec, &input)?;
        self.pool(&input, &window, PoolKind::Max)
    }

    pub(super) fn average_pool(&mut self, node: &TypedNode, op: &SumPool) -> Step<Tracked> {
        if !op.normalize {
            return Err("sums without dividing".to_owned());
        }
        let mut input = self.ready(node.inputs[0])?;
        let mut window = window(&op.pool_spec, &input)?;
        let mut count_include_pad = op.count_include_pad;
        let rounds_up = matches!(op.pool_spec.padding, PaddingSpec::ExplicitOnnxPool(_, _, true));
        let p = &mut window.padding;
        if count_include_pad
            && rounds_up
            && (p.bottom > window.stated[0] || p.right > window.stated[1])
        {
            // The stated padding counts in the divisor and what the last window
            // reaches beyond it does not: the former becomes part of the image.
            let padding = Padding { bottom: window.stated[0], right: window.stated[1], ..*p };
            input.value = self.add(KernelsPad { x: input.value, padding })?;
            *p = Padding {
                top: 0,
                left: 0,
                bottom: p.bottom.saturating_sub(window.stated[0]),
                right: p.right.saturating_sub(window.stated[1]),
            };
            count_include_pad = false;
        }
        self.pool(&input, &window, PoolKind::Average { count_include_pad })
    }

    fn pool(&mut self, input: &Tracked, window: &Window, kind: PoolKind) -> Step<Tracked> {
        if window.dilation != [1, 1] {
            return Err("is a pool with dilation".to_owned());
        }
        let Window { kernel, stride, padding, .. } = *window;
        let pool = Pool { x: input.value, kind, kernel, stride, padding };
        self.windowed(Op::Pool(pool), window, input.shape.c)
    }

    pub(super) fn pad(&mut self, node: &TypedNode, op: &Pad) -> Step<Tracked> {
        match &op.mode {
            PadMode::Constant(value) => {
                let value = value.cast_to_scalar::<f32>().map_err(super::text)?;
                if value != 0.0 {
                    return Err(format!("pads with {value}, only zeros are"));
                }
            }
            PadMode::Reflect | PadMode::Edge => return Err("pads with copies".to_owned()),
        }
        let mut tensor = self.ready(node.inputs[0])?;
        let mut padding = Padding::default();
        let mut shape = tensor.shape;
        for (axis, &(before, after)) in op.pads.iter().enumerate() {
            if (before, after) == (0, 0) {
                continue;
            }
            match tensor.layout.whole(axis, tensor.shape) {
                Some(Dim::Row) => {
                    (padding.top, padding.bottom) = (before, after);
                    shape.h += before + after;
                }
                Some(Dim::Column) => {
                    (padding.left, padding.right) = (before, after);
                    shape.w += before + after;
                }
                _ => return Err("pads other axes than rows and columns".to_owned()),
            }
            for atom in &mut tensor.layout.axes[axis] {
                atom.size += before + after;
            }
        }
        tensor.value = self.add(KernelsPad { x: tensor.value, padding })?;
        tensor.shape = shape;
        Ok(tensor)
    }

    /// Every so many rows or columns: what is left of a strided convolution with
    /// a kernel of one pixel.
    pub(super) fn downsample(&mut self, node: &TypedNode, op: &Downsample) -> Step<Tracked> {
        let step = usize::try_from(op.stride).unwrap_or(0);
        if step == 0 || op.modulo != 0 {
            return Err(format!("takes every {} from {} on", op.stride, op.modulo));
        }
        let mut tensor = self.tracked(node.inputs[0])?;
        if !matches!(tensor.pending, Pending::Subsample(_)) {
            tensor = self.ready(node.inputs[0])?;
        }
        let mut stride = match tensor.pending {
            Pending::Subsample(stride) => stride,
            _ => [1, 1],
        };
        let (side, size) = match tensor.layout.whole(op.axis, tensor.shape) {
            Some(Dim::Row) => (&mut stride[0], &mut tensor.shape.h),
            Some(Dim::Column) => (&mut stride[1], &mut tensor.shape.w),
            _ => return Err("leaves out some of other axes than rows and columns".to_owned()),
        };
        if *side != 1 {
            return Err("leaves out some of the same axis twice".to_owned());
        }
        *side = step;
        *size = size.div_ceil(step);
        let size = *size;
        let atoms = &mut tensor.layout.axes[op.axis];
        if size == 1 {
            atoms.clear();
        }
        for atom in atoms {
            atom.size = size;
        }
        tensor.pending = Pending::Subsample(stride);
        Ok(tensor)
    }
}
