//! Random networks: single operators of any parameters, and the blocks that
//! real networks are made of.

use super::{Network, Rng};
use biglittle_kernels::{
    Activation, Affine, Binary, Concat, Conv, Linear, Op, Pad, Padding, Pool, PoolKind, Shape,
    Slice, Value,
};

/// Largest side of an image, most channels of the input and most of a layer.
/// Miri interprets every instruction: it gets tiny tensors.
const SIDE: usize = if cfg!(miri) { 5 } else { 13 };
const INPUTS: usize = if cfg!(miri) { 6 } else { 34 };
const OUTPUTS: usize = if cfg!(miri) { 6 } else { 40 };

pub fn activation(r: &mut Rng) -> Activation {
    match r.range(0, 11) {
        0 | 1 => Activation::Relu,
        2 => Activation::Clip { lo: 0.0, hi: 6.0 },
        3 => Activation::Clip { lo: -0.5, hi: 0.75 },
        4 => Activation::HardSwish,
        5 => Activation::HardSigmoid { alpha: 0.2, beta: 0.5 },
        6 => Activation::Silu,
        7 => Activation::Sigmoid,
        8 => Activation::LeakyRelu { slope: 0.1 },
        _ => Activation::None,
    }
}

/// Weights of about unit gain.
pub fn weights(r: &mut Rng, n: usize, fan_in: usize) -> Vec<f32> {
    let scale = 1.7 / (fan_in as f32).sqrt();
    r.floats(n).iter().map(|w| w * scale).collect()
}

/// A convolution of given form with random weights.
pub fn conv(
    net: &Network,
    r: &mut Rng,
    x: Value,
    out: usize,
    kernel: [usize; 2],
    groups: usize,
) -> Conv {
    let inputs = net.shape(x).c / groups;
    let fan_in = inputs * kernel[0] * kernel[1];
    Conv {
        bias: if r.chance(5) { Vec::new() } else { r.floats(out) },
        groups,
        ..Conv::new(x, out, kernel, weights(r, out * fan_in, fan_in))
    }
}

fn padding(r: &mut Rng, most: usize) -> Padding {
    let mut side = || r.range(0, most);
    Padding { top: side(), left: side(), bottom: side(), right: side() }
}

/// A convolution of any form.
fn any_conv(net: &mut Network, r: &mut Rng, x: Value) {
    let c = net.shape(x).c;
    let kernel = match r.range(0, 5) {
        0 | 1 => [1, 1],
        2 => [3, 3],
        3 => [5, 5],
        _ => [r.range(1, 7), r.range(1, 7)],
    };
    let divisors: Vec<usize> = (1..=c).filter(|g| c.is_multiple_of(*g)).collect();
    let (groups, out) = match r.range(0, 5) {
        0 | 1 => (c, c),
        2 => {
            let g = r.pick(&divisors);
            (g, g * r.range(1, 4))
        }
        _ => (1, r.range(1, OUTPUTS)),
    };
    let mut op = conv(net, r, x, out, kernel, groups);
    op.stride = match r.range(0, 3) {
        0 | 1 => [1, 1],
        2 => [2, 2],
        _ => [r.range(1, 3), r.range(1, 3)],
    };
    if r.chance(5) {
        op.dilation = [r.range(1, 3), r.range(1, 3)];
    }
    op.padding = if r.chance(2) { Padding::same(kernel[0] / 2) } else { padding(r, kernel[0] - 1) };
    op.activation = activation(r);
    let fused = r.chance(3);
    if let (true, Ok(out)) = (fused, net.try_add(op.clone())) {
        // once more, with a tensor of its shape as residual
        op.residual = Some(out);
    }
    let _ = net.try_add(op); // a kernel larger than the image is not added
}

/// Expand, depthwise, optionally squeeze-and-excite, project, residual.
pub fn inverted_residual(net: &mut Network, r: &mut Rng, x: Value) {
    let s = net.shape(x);
    let wide = r.range(1, 3) * s.c;
    let kernel = r.pick(&[3, 5]);
    let act = activation(r);
    let e = conv(net, r, x, wide, [1, 1], 1);
    let e = net.add(Conv { activation: act, ..e });
    let d = conv(net, r, e, wide, [kernel, kernel], wide);
    let stride = r.range(1, 2);
    let mut d = net.add(Conv {
        activation: act,
        stride: [stride, stride],
        padding: Padding::same(kernel / 2),
        ..d
    });
    if r.chance(2) {
        d = squeeze_excite(net, r, d);
    }
    let out = if r.chance(2) { s.c } else { r.range(1, 30) };
    let p = conv(net, r, d, out, [1, 1], 1);
    let p = net.add(p);
    if net.shape(p) == s {
        let (x, y) = if r.chance(2) { (x, p) } else { (p, x) };
        net.add(Op::Add(Binary { x, y, activation: Activation::None }));
    }
}

fn squeeze_excite(net: &mut Network, r: &mut Rng, x: Value) -> Value {
    let c = net.shape(x).c;
    let g = net.add(Op::GlobalAverage(x));
    let narrow = conv(net, r, g, c.div_ceil(4), [1, 1], 1);
    let narrow = net.add(Conv { activation: Activation::Relu, ..narrow });
    let gate = conv(net, r, narrow, c, [1, 1], 1);
    let gate = net.add(gate);
    let gate = net.add(Op::Activate(gate, Activation::HardSigmoid { alpha: 0.2, beta: 0.5 }));
    net.add(Op::Mul(Binary { x, y: gate, activation: Activation::None }))
}

/// Split, a branch, concat, shuffle.
fn shuffle_unit(net: &mut Network, r: &mut Rng, x: Value) {
    let c = net.shape(x).c;
    if c % 2 == 1 {
        return;
    }
    let keep = net.add(Slice { x, start: 0, count: c / 2 });
    let work = net.add(Slice { x, start: c / 2, count: c / 2 });
    let a = conv(net, r, work, c / 2, [1, 1], 1);
    let a = net.add(Conv { activation: Activation::Relu, ..a });
    let d = conv(net, r, a, c / 2, [3, 3], c / 2);
    let d = net.add(Conv { padding: Padding::same(1), ..d });
    let b = conv(net, r, d, c / 2, [1, 1], 1);
    let b = net.add(Conv { activation: Activation::Relu, ..b });
    let both = net.add(Concat { xs: vec![keep, b] });
    net.add(Op::Shuffle { x: both, groups: 2 });
}

/// Squeeze, two branches, concat.
fn fire(net: &mut Network, r: &mut Rng, x: Value) {
    let n = r.pick(&[4, 8, 16, 5]);
    let s = conv(net, r, x, n, [1, 1], 1);
    let s = net.add(Conv { activation: Activation::Relu, ..s });
    let (n1, n3) = (r.pick(&[16, 32, 7]), r.pick(&[16, 20, 9]));
    let a = conv(net, r, s, n1, [1, 1], 1);
    let a = net.add(Conv { activation: Activation::Relu, ..a });
    let b = conv(net, r, s, n3, [3, 3], 1);
    let b = net.add(Conv { activation: Activation::Relu, padding: Padding::same(1), ..b });
    let mut xs = vec![a, b];
    if r.chance(3) {
        xs.push(x);
    }
    net.add(Concat { xs });
}

fn pool(r: &mut Rng, x: Value) -> Pool {
    let kernel = [r.range(1, 3), r.range(1, 3)];
    let kind = match r.range(0, 2) {
        0 => PoolKind::Average { count_include_pad: r.chance(2) },
        _ => PoolKind::Max,
    };
    let padding = Padding {
        top: r.range(0, kernel[0] - 1),
        left: r.range(0, kernel[1] - 1),
        bottom: r.range(0, kernel[0] - 1),
        right: r.range(0, kernel[1] - 1),
    };
    let stride = [r.range(1, 2), r.range(1, 2)];
    Pool { x, kind, kernel, stride, padding }
}

/// A convolution, a pool and a pointwise convolution, as networks begin.
fn pooled(net: &mut Network, r: &mut Rng, x: Value) {
    let (kernel, n) = (r.pick(&[1, 3, 5]), r.range(1, OUTPUTS));
    let c = conv(net, r, x, n, [kernel, kernel], 1);
    let stride = r.range(1, 2);
    let x = net.add(Conv {
        padding: Padding::same(kernel / 2),
        stride: [stride, stride],
        activation: activation(r),
        ..c
    });
    if let Ok(x) = net.try_add(pool(r, x)) {
        let n = r.range(1, OUTPUTS);
        let c = conv(net, r, x, n, [1, 1], 1);
        net.add(Conv { activation: activation(r), ..c });
    }
}

/// One node that is no convolution.
fn other(net: &mut Network, r: &mut Rng, x: Value) {
    let s = net.shape(x);
    let act = activation(r);
    match r.range(0, 11) {
        0 | 1 => drop(net.try_add(pool(r, x))),
        2 => drop(net.add(Op::Add(Binary { x, y: x, activation: act }))),
        3 => {
            let pixel = net.add(Op::GlobalAverage(x));
            let (x, y) = if r.chance(2) { (x, pixel) } else { (pixel, x) };
            let b = Binary { x, y, activation: act };
            net.add(if r.chance(2) { Op::Add(b) } else { Op::Mul(b) });
        }
        4 | 5 => {
            let (scale, shift) = (r.floats(s.c), r.floats(s.c));
            net.add(Affine { x, scale, shift, activation: act });
        }
        6 => drop(net.add(Op::Activate(x, act))),
        7 => {
            // sigmoid and gate as exporters write them
            let kind = if r.chance(2) {
                Activation::Sigmoid
            } else {
                Activation::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 }
            };
            let gate = net.add(Op::Activate(x, kind));
            let (x, y) = if r.chance(2) { (x, gate) } else { (gate, x) };
            net.add(Op::Mul(Binary { x, y, activation: Activation::None }));
        }
        8 => {
            let start = r.range(0, s.c - 1);
            net.add(Slice { x, start, count: r.range(1, s.c - start) });
        }
        9 => {
            let groups = (1..=s.c).rev().find(|g| s.c.is_multiple_of(*g) && *g <= 4).unwrap_or(1);
            net.add(Op::Shuffle { x, groups });
        }
        10 => drop(net.add(Pad { x, padding: padding(r, 2) })),
        _ => drop(net.add(Op::Softmax(x))),
    }
}

/// A random network of a few nodes or blocks.
pub fn network(r: &mut Rng) -> Network {
    let side = |r: &mut Rng| if r.chance(6) { 1 } else { r.range(1, SIDE) };
    let input = Shape::new(side(r), side(r), r.range(1, INPUTS));
    let mut net = Network::new(input);
    for _ in 0..r.range(1, 5) {
        // mostly the newest tensor, sometimes an older one
        let x = if r.chance(6) && !net.nodes.is_empty() {
            net.nodes[r.range(0, net.nodes.len() - 1)].1
        } else {
            net.output
        };
        if net.shape(x).len() > 20_000 {
            break;
        }
        match r.range(0, 10) {
            0 | 1 => inverted_residual(&mut net, r, x),
            2 => shuffle_unit(&mut net, r, x),
            3 => fire(&mut net, r, x),
            4 | 5 => other(&mut net, r, x),
            6 => pooled(&mut net, r, x),
            _ => any_conv(&mut net, r, x),
        }
    }
    if net.nodes.is_empty() || r.chance(6) {
        let x = net.output;
        let n = net.shape(x).len();
        let out_channels = r.range(1, OUTPUTS);
        let weights = weights(r, n * out_channels, n).into();
        let bias = r.floats(out_channels);
        net.add(Linear { x, out_channels, weights, bias, activation: Activation::None });
    }
    net
}
