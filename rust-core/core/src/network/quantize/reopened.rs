//! Whether a file that was written is read as the same network.
//!
//! Layers are paired from the input on: each must have one on the other side that
//! reads the paired values and computes the same by the same numbers. Where all are
//! paired, both graphs compute the same.

use std::collections::HashMap;

use biglittle_kernels::{Conv, Graph, Node, Op, Padding, Shape, Value};

use super::weights::QuantizedWeights;

/// By how much a scale or bias that was computed anew may differ, relatively.
const ROUNDING: f32 = 1e-6;

/// All that decides what a layer computes.
struct Layer {
    inputs: Vec<Value>,
    /// The kind and what it is told, in words.
    kind: String,
    weights: Vec<i8>,
    /// Scales, shifts and biases.
    floats: Vec<f32>,
    out: Value,
    shape: Option<Shape>,
}

/// What of padding decides the output once its shape is known: what is below and to
/// the right of the last window may be stated or left out.
fn start(padding: Padding) -> [usize; 2] {
    [padding.top, padding.left]
}

impl Layer {
    fn of(graph: &Graph, node: &Node) -> Layer {
        let op = node.op();
        let (mut weights, mut floats) = (vec![], vec![]);
        let told = match op {
            Op::Conv(conv) => {
                let QuantizedWeights { values, scales } = QuantizedWeights::of(conv);
                (weights, floats) = (values, scales);
                floats.extend(&conv.bias);
                floats.resize(2 * conv.out_channels, 0.0);
                let Conv { kernel, stride, padding, dilation, groups, activation, .. } = conv;
                let (start, residual) = (start(*padding), conv.residual.is_some());
                format!("{:?}", (kernel, stride, start, dilation, groups, residual, activation))
            }
            Op::Pool(pool) => {
                format!("{:?}", (pool.kind, pool.kernel, pool.stride, start(pool.padding)))
            }
            Op::Add(binary) | Op::Mul(binary) => format!("{:?}", binary.activation),
            Op::Affine(affine) => {
                floats = [&affine.scale[..], &affine.shift].concat();
                format!("{:?}", affine.activation)
            }
            Op::Slice(slice) => format!("{:?}", (slice.start, slice.count)),
            Op::Shuffle { groups, .. } => groups.to_string(),
            Op::Activate(_, activation) => format!("{activation:?}"),
            Op::Pad(pad) => format!("{:?}", pad.padding),
            Op::GlobalAverage(_) | Op::Concat(_) | Op::Interleave(..) | Op::Softmax(_) => {
                String::new()
            }
            // Never equal by accident: it names its values.
            other => format!("{other:?}"),
        };
        let kind = format!("{} {told}", op.kind());
        let (out, shape) = (node.out(), graph.shape(node.out()).ok());
        Layer { inputs: op.inputs(), kind, weights, floats, out, shape }
    }

    /// Whether both compute the same where the other's inputs are `inputs` here.
    fn is(&self, other: &Layer, inputs: &[Value]) -> bool {
        let swapped = matches!(self.kind.split(' ').next(), Some("add" | "mul"))
            && self.inputs.iter().rev().eq(inputs);
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= ROUNDING * a.abs().max(b.abs());
        (self.inputs == inputs || swapped)
            && self.kind == other.kind
            && self.shape == other.shape
            && self.weights == other.weights
            && self.floats.len() == other.floats.len()
            && self.floats.iter().zip(&other.floats).all(close)
    }
}

/// Compares the graph that was written with the one that was read.
///
/// # Errors
/// The first layer that the other does not have.
pub(super) fn check_same(written: &Graph, opened: &Graph) -> Result<(), String> {
    let mut left: Vec<Layer> = opened.nodes().map(|node| Layer::of(opened, node)).collect();
    let mut paired = HashMap::from([(written.input(), opened.input())]);
    for node in written.nodes() {
        let layer = Layer::of(written, node);
        let inputs: Vec<Value> = layer.inputs.iter().map(|input| paired[input]).collect();
        let found = left.iter().position(|other| other.is(&layer, &inputs)).ok_or_else(|| {
            format!(
                "layer {:?} ({}) is another once it is written and read; please report it",
                node.name(),
                node.op().kind()
            )
        })?;
        paired.insert(node.out(), left.swap_remove(found).out);
    }
    let output = written.output().map(|output| paired[&output]);
    let shapes = [written.shape(written.input()).ok(), opened.shape(opened.input()).ok()];
    if left.is_empty() && output == opened.output() && shapes[0] == shapes[1] {
        return Ok(());
    }
    Err(format!(
        "it has {} layers more, or another input or output, once it is written and read; please \
         report it",
        left.len()
    ))
}

#[cfg(test)]
mod tests {
    use biglittle_kernels::{Activation, Binary, Padding, Pool, PoolKind, Shape};

    use super::*;

    /// A residual block between a convolution and a pool.
    struct Block {
        conv: Conv,
        pool: Pool,
        swapped: bool,
        more: bool,
    }

    impl Block {
        fn new() -> Block {
            let x = Graph::new(Shape::new(6, 6, 4)).unwrap().input();
            let weights: Vec<_> = (0..144).map(|i| (i % 11) as f32 - 5.0).collect();
            let conv = Conv {
                padding: Padding::same(1),
                bias: vec![0.5, 1.5, -2.5, 3.5],
                activation: Activation::Clip { lo: 0.0, hi: 6.0 },
                ..Conv::new(x, 4, [3, 3], weights)
            };
            let pool = Pool {
                x,
                kind: PoolKind::Average { count_include_pad: false },
                kernel: [2, 2],
                stride: [2, 2],
                padding: Padding::default(),
            };
            Block { conv, pool, swapped: false, more: false }
        }

        fn graph(&self) -> Graph {
            let mut graph = Graph::new(Shape::new(6, 6, 4)).unwrap();
            let input = graph.input();
            let x = graph.add("conv", self.conv.clone()).unwrap();
            let (x, y) = if self.swapped { (x, input) } else { (input, x) };
            let sum = Binary { x, y, activation: Activation::None };
            let x = graph.add("sum", Op::Add(sum)).unwrap();
            let mut last = graph.add("pool", Pool { x, ..self.pool }).unwrap();
            if self.more {
                last = graph.add("relu", Op::Activate(last, Activation::Relu)).unwrap();
            }
            graph.set_output(last);
            graph
        }
    }

    fn check(change: impl FnOnce(&mut Block)) -> Result<(), String> {
        let mut block = Block::new();
        change(&mut block);
        check_same(&Block::new().graph(), &block.graph())
    }

    #[test]
    fn equal_networks_are_the_same() {
        check(|_| {}).unwrap();
        check(|block| block.swapped = true).unwrap();
        check(|block| block.conv.bias[1] *= 1.0 + 1e-7).unwrap();
        // No window of the pool comes that far.
        check(|block| block.pool.padding.bottom = 1).unwrap();
    }

    #[test]
    fn whatever_decides_the_output_is_compared() {
        type Change = fn(&mut Block);
        let in_conv: [Change; 7] = [
            |b| b.conv.bias[1] += 1e-4,
            |b| b.conv.bias.clear(),
            |b| b.conv.activation = Activation::Relu,
            |b| b.conv.activation = Activation::Clip { lo: 0.0, hi: 5.9 },
            |b| b.conv.padding = Padding { top: 2, left: 1, bottom: 0, right: 1 },
            |b| {
                b.conv.dilation = [2, 2];
                b.conv.padding = Padding::same(2);
            },
            |b| {
                b.conv.weights =
                    b.conv.weights.to_f32().iter().rev().copied().collect::<Vec<_>>().into();
            },
        ];
        for (number, change) in in_conv.into_iter().enumerate() {
            let said = check(change).unwrap_err();
            assert!(said.contains("layer \"conv\" (conv)"), "{number}: {said}");
        }
        let in_pool: [Change; 3] = [
            |b| b.pool.kind = PoolKind::Max,
            |b| b.pool.stride = [1, 1],
            |b| b.pool.padding = Padding::same(1),
        ];
        for (number, change) in in_pool.into_iter().enumerate() {
            let said = check(change).unwrap_err();
            assert!(said.contains("layer \"pool\" (pool)"), "{number}: {said}");
        }
        let said = check(|block| block.more = true).unwrap_err();
        assert!(said.contains("1 layers more"), "{said}");
    }
}
