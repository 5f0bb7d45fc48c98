//! Every operator in f64, by its definition.

use super::Network;
use biglittle_kernels::{Activation, Conv, Op, Padding, Pool, PoolKind, Shape, Value, Weights};
use std::collections::HashMap;

#[derive(Clone)]
pub struct Tensor {
    pub shape: Shape,
    pub data: Vec<f64>,
}

impl Tensor {
    fn zeros(shape: Shape) -> Self {
        Self { shape, data: vec![0.0; shape.len()] }
    }

    fn at(&self, y: usize, x: usize, c: usize) -> f64 {
        self.data[(y * self.shape.w + x) * self.shape.c + c]
    }

    /// The value at a position that may lie in the padding.
    fn padded(&self, y: isize, x: isize, c: usize) -> Option<f64> {
        let inside = y >= 0 && x >= 0 && y < self.shape.h as isize && x < self.shape.w as isize;
        inside.then(|| self.at(y as usize, x as usize, c))
    }

    fn from(shape: Shape, mut f: impl FnMut(usize, usize, usize) -> f64) -> Self {
        let mut t = Self::zeros(shape);
        let mut i = 0;
        for y in 0..shape.h {
            for x in 0..shape.w {
                for c in 0..shape.c {
                    t.data[i] = f(y, x, c);
                    i += 1;
                }
            }
        }
        t
    }
}

pub fn activate(a: Activation, x: f64) -> f64 {
    let clamp = |v: f64, lo: f64, hi: f64| {
        if v < lo {
            lo
        } else if v > hi {
            hi
        } else {
            v
        }
    };
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    match a {
        Activation::None => x,
        Activation::Relu => clamp(x, 0.0, f64::INFINITY),
        Activation::Clip { lo, hi } => clamp(x, f64::from(lo), f64::from(hi)),
        Activation::HardSwish => x * clamp(x / 6.0 + 0.5, 0.0, 1.0),
        Activation::HardSigmoid { alpha, beta } => {
            clamp(f64::from(alpha) * x + f64::from(beta), 0.0, 1.0)
        }
        Activation::Silu => x * sigmoid(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::LeakyRelu { slope } => {
            if x < 0.0 {
                f64::from(slope) * x
            } else {
                x
            }
        }
        _ => unreachable!("all activations are above"),
    }
}

pub fn weights(w: &Weights) -> Vec<f32> {
    match w {
        Weights::F32(v) => v.clone(),
        _ => unreachable!("random graphs have f32 weights"),
    }
}

fn conv(c: &Conv, t: &HashMap<Value, Tensor>, out: Shape, largest: &mut f64) -> Tensor {
    let x = &t[&c.x];
    let w = weights(&c.weights);
    let (inputs, per) = (x.shape.c / c.groups, out.c / c.groups);
    Tensor::from(out, |y, ox, o| {
        let group = o / per;
        let mut sum = c.bias.get(o).map_or(0.0, |&b| f64::from(b));
        for ky in 0..c.kernel[0] {
            for kx in 0..c.kernel[1] {
                let iy = (y * c.stride[0] + ky * c.dilation[0]) as isize - c.padding.top as isize;
                let ix = (ox * c.stride[1] + kx * c.dilation[1]) as isize - c.padding.left as isize;
                for i in 0..inputs {
                    let Some(v) = x.padded(iy, ix, group * inputs + i) else { break };
                    let at = ((o * inputs + i) * c.kernel[0] + ky) * c.kernel[1] + kx;
                    sum += v * f64::from(w[at]);
                }
            }
        }
        sum += c.residual.map_or(0.0, |r| t[&r].at(y, ox, o));
        *largest = largest.max(sum.abs());
        activate(c.activation, sum)
    })
}

fn pool(p: &Pool, x: &Tensor, out: Shape) -> Tensor {
    Tensor::from(out, |y, ox, c| {
        let (mut max, mut sum, mut n) = (f64::NEG_INFINITY, 0.0, 0);
        for ky in 0..p.kernel[0] {
            for kx in 0..p.kernel[1] {
                let iy = (y * p.stride[0] + ky) as isize - p.padding.top as isize;
                let ix = (ox * p.stride[1] + kx) as isize - p.padding.left as isize;
                if let Some(v) = x.padded(iy, ix, c) {
                    (max, sum, n) = (max.max(v), sum + v, n + 1);
                }
            }
        }
        match p.kind {
            PoolKind::Max => max,
            PoolKind::Average { count_include_pad: true } => {
                sum / (p.kernel[0] * p.kernel[1]) as f64
            }
            PoolKind::Average { .. } => sum / f64::from(n),
        }
    })
}

/// The output, and the largest magnitude of any intermediate value.
pub fn evaluate(net: &Network, x: &[f32]) -> (Vec<f64>, f64) {
    let input = x.iter().map(|&v| f64::from(v)).collect();
    let mut t = HashMap::from([(net.graph.input(), Tensor { shape: net.input, data: input })]);
    let mut largest = 1.0f64;
    for (op, out) in &net.nodes {
        let shape = net.shape(*out);
        let same = |p: &Tensor, f: &dyn Fn(f64) -> f64| Tensor {
            shape: p.shape,
            data: p.data.iter().map(|&v| f(v)).collect(),
        };
        let pixel = |p: &Tensor, y: usize, x: usize, c: usize| {
            if p.shape == shape { p.at(y, x, c) } else { p.at(0, 0, c) }
        };
        let result = match op {
            Op::Conv(c) => conv(c, &t, shape, &mut largest),
            Op::Linear(l) => {
                let s = t[&l.x].shape;
                let c = Conv {
                    bias: l.bias.clone(),
                    activation: l.activation,
                    ..Conv::new(l.x, l.out_channels, [s.h, s.w], l.weights.clone())
                };
                conv(&c, &t, shape, &mut largest)
            }
            Op::Pool(p) => pool(p, &t[&p.x], shape),
            Op::GlobalAverage(x) => {
                let n = (t[x].shape.h * t[x].shape.w) as f64;
                let step = shape.c;
                Tensor::from(shape, |_, _, c| {
                    t[x].data.iter().skip(c).step_by(step).sum::<f64>() / n
                })
            }
            Op::Add(b) => Tensor::from(shape, |y, x, c| {
                let v = pixel(&t[&b.x], y, x, c) + pixel(&t[&b.y], y, x, c);
                largest = largest.max(v.abs());
                activate(b.activation, v)
            }),
            Op::Mul(b) => Tensor::from(shape, |y, x, c| {
                let v = pixel(&t[&b.x], y, x, c) * pixel(&t[&b.y], y, x, c);
                largest = largest.max(v.abs());
                activate(b.activation, v)
            }),
            Op::Affine(a) => Tensor::from(shape, |y, x, c| {
                let v = t[&a.x].at(y, x, c) * f64::from(a.scale[c]) + f64::from(a.shift[c]);
                largest = largest.max(v.abs());
                activate(a.activation, v)
            }),
            Op::Concat(cat) => Tensor::from(shape, |y, x, c| {
                let mut c = c;
                for v in &cat.xs {
                    if c < t[v].shape.c {
                        return t[v].at(y, x, c);
                    }
                    c -= t[v].shape.c;
                }
                unreachable!("channel is of one part")
            }),
            Op::Slice(s) => Tensor::from(shape, |y, x, c| t[&s.x].at(y, x, s.start + c)),
            Op::Shuffle { x: v, groups } => Tensor::from(shape, |y, x, c| {
                t[v].at(y, x, c % groups * (shape.c / groups) + c / groups)
            }),
            Op::Interleave(a, b) => {
                Tensor::from(shape, |y, x, c| t[if c % 2 == 0 { a } else { b }].at(y, x, c / 2))
            }
            Op::Activate(x, a) => same(&t[x], &|v| activate(*a, v)),
            Op::Softmax(v) => Tensor::from(shape, |y, x, c| {
                let max = (0..shape.c).map(|i| t[v].at(y, x, i)).fold(f64::MIN, f64::max);
                let sum: f64 = (0..shape.c).map(|i| (t[v].at(y, x, i) - max).exp()).sum();
                (t[v].at(y, x, c) - max).exp() / sum
            }),
            Op::Pad(p) => {
                let Padding { top, left, .. } = p.padding;
                Tensor::from(shape, |y, x, c| {
                    let (y, x) = (y as isize - top as isize, x as isize - left as isize);
                    t[&p.x].padded(y, x, c).unwrap_or(0.0)
                })
            }
            _ => unreachable!("all operators are above"),
        };
        t.insert(*out, result);
    }
    (t[&net.output].data.clone(), largest)
}
