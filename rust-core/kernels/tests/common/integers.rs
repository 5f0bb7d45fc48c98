//! int8 networks by the documented arithmetic, one number at a time.

use biglittle_kernels::{
    Activation, Binary, Conv, DataLayout, Graph, Isa, Model, Node, Op, Options, Padding, Pool,
    PoolKind, Quantization, Range, Session, Shape, Value, Weights, quantize_weights,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Ranges of all values over a few inputs in NHWC order, by the portable float
/// kernels, which give the same numbers everywhere.
pub fn observe(graph: &Graph, inputs: &[Vec<f32>]) -> Vec<Range> {
    let options =
        Options { isa: Some(Isa::Scalar), input_layout: DataLayout::Nhwc, ..Options::default() };
    let model = Model::compile_observed(graph.clone(), &options).expect("compiles");
    let mut output = vec![0.0; model.output_shape().len()];
    let mut session = Session::new(Arc::new(model));
    let mut ranges: HashMap<Value, Range> = HashMap::new();
    for input in inputs {
        let mut see = |value: Value, tensor: biglittle_kernels::TensorView<'_>| {
            let first = tensor.pixels().next().expect("a pixel")[0];
            let r = ranges.entry(value).or_insert(Range { lo: first, hi: first });
            for &x in tensor.pixels().flatten() {
                (r.lo, r.hi) = (r.lo.min(x), r.hi.max(x));
            }
        };
        session.run_observed(input, &mut output, &mut see).expect("observes");
    }
    graph.values().map(|(v, ..)| ranges[&v]).collect()
}

/// A tensor in NHWC order.
#[derive(Clone)]
struct Tensor {
    shape: Shape,
    data: Vec<u8>,
}

impl Tensor {
    fn at(&self, y: usize, x: usize, c: usize) -> u8 {
        self.data[(y * self.shape.w + x) * self.shape.c + c]
    }

    fn inside(&self, y: isize, x: isize) -> bool {
        y >= 0 && x >= 0 && y < self.shape.h as isize && x < self.shape.w as isize
    }

    fn from(shape: Shape, mut f: impl FnMut(usize, usize, usize) -> u8) -> Self {
        let mut data = Vec::with_capacity(shape.len());
        for y in 0..shape.h {
            for x in 0..shape.w {
                data.extend((0..shape.c).map(|c| f(y, x, c)));
            }
        }
        Self { shape, data }
    }
}

/// How the network was quantized, from its ranges.
pub struct Reference<'a> {
    graph: &'a Graph,
    quantization: HashMap<Value, Quantization>,
    /// Nodes that compute floats from floats, by what they compute.
    in_floats: HashSet<Value>,
}

/// Softmax, sums too long for 32 bits, and the small layers of
/// squeeze-and-excite.
fn in_floats(g: &Graph) -> HashSet<Value> {
    let shape = |v: Value| g.shape(v).expect("of this graph");
    let macs = |out: Value, c: &Conv| {
        let per = c.kernel[0] * c.kernel[1] * shape(c.x).c / c.groups;
        (shape(out).len() * per) as u64
    };
    let (mut floats, mut gates) = (HashSet::new(), HashSet::new());
    let nodes: Vec<_> = g.nodes().collect();
    for node in nodes.iter().rev() {
        let mut readers = nodes.iter().filter(|n| n.op().inputs().contains(&node.out())).peekable();
        let to_gate = readers.peek().is_some()
            && g.output() != Some(node.out())
            && readers.all(|r| match r.op() {
                Op::Mul(b) => shape(b.x) != shape(b.y),
                _ => gates.contains(&r.out()),
            });
        let pixel = |v: Value| shape(v).len() == shape(v).c;
        let float = match node.op() {
            Op::Softmax(_) => true,
            Op::Conv(c) => {
                let long = shape(c.x).len() * 255 * 127 > i32::MAX as usize;
                let fixed = c.padding == Padding::default() && c.groups == 1;
                let small = pixel(c.x) && c.kernel == [1, 1] && fixed && c.residual.is_none();
                // a twentieth, and each product counts as eight
                if to_gate && small && macs(node.out(), c) * 160 <= g.macs() {
                    gates.insert(node.out());
                }
                long && [shape(c.x).h, shape(c.x).w] == c.kernel
            }
            Op::Activate(x, _) => {
                if to_gate && pixel(*x) {
                    gates.insert(node.out());
                }
                false
            }
            _ => false,
        };
        if float || gates.contains(&node.out()) {
            floats.insert(node.out());
        }
    }
    floats
}

fn clamped(op: &Op) -> Option<(f32, f32)> {
    match op {
        Op::Conv(c) => c.activation.clamp(),
        Op::Linear(l) => l.activation.clamp(),
        Op::Add(b) | Op::Mul(b) => b.activation.clamp(),
        Op::Affine(a) => a.activation.clamp(),
        _ => None,
    }
}

/// Whether bytes go through the operator unchanged.
fn moves(op: &Op) -> bool {
    match op {
        Op::Pool(p) => p.kind == PoolKind::Max,
        Op::Concat(_) | Op::Interleave(..) | Op::Slice(_) | Op::Shuffle { .. } | Op::Pad(_) => true,
        _ => false,
    }
}

fn rows(c: &Conv) -> Vec<(Vec<i8>, f32)> {
    match &c.weights {
        Weights::I8 { data, scales } => {
            data.chunks(data.len() / scales.len()).map(<[i8]>::to_vec).zip(scales.clone()).collect()
        }
        w => {
            let w = w.to_f32();
            w.chunks(w.len() / c.out_channels).map(quantize_weights).collect()
        }
    }
}

fn round(v: f32, lo: f64, hi: f64) -> u8 {
    f64::from(v).round_ties_even().clamp(lo, hi) as u8
}

fn quantization(lo: f32, hi: f32, finest: f64) -> Quantization {
    let scale = ((f64::from(hi) - f64::from(lo)) / 255.0).max(finest) as f32;
    if scale < f32::MIN_POSITIVE {
        return Quantization { scale: 1.0, zero_point: 0 };
    }
    let zero_point = (-f64::from(lo) / f64::from(scale)).round_ties_even() as u8;
    Quantization { scale, zero_point }
}

impl<'a> Reference<'a> {
    pub fn new(graph: &'a Graph, ranges: &[Range]) -> Self {
        let mut range: HashMap<Value, (f32, f32)> =
            graph.values().zip(ranges).map(|((v, ..), r)| (v, (r.lo, r.hi))).collect();
        let mut set: HashMap<Value, Value> = graph.values().map(|(v, ..)| (v, v)).collect();
        for node in graph.nodes() {
            if let Some((lo, hi)) = clamped(node.op()) {
                let r = range.get_mut(&node.out()).expect("a range");
                *r = (r.0.clamp(lo, hi), r.1.clamp(lo, hi));
            }
            for x in node.op().inputs().into_iter().filter(|_| moves(node.op())) {
                let (from, to) = (set[&x], set[&node.out()]);
                set.values_mut().filter(|s| **s == from).for_each(|s| *s = to);
            }
        }
        let mut all: HashMap<Value, (f32, f32)> = HashMap::new();
        for (v, ..) in graph.values() {
            let r = all.entry(set[&v]).or_insert((0.0, 0.0));
            *r = (r.0.min(range[&v].0), r.1.max(range[&v].1));
        }
        let width = |v: Value| {
            let r = all[&set[&v]];
            f64::from(r.1) - f64::from(r.0)
        };
        let mut finest: HashMap<Value, f64> = HashMap::new();
        for node in graph.nodes() {
            let most = |v: &[f32]| v.iter().map(|v| f64::from(v.abs())).fold(0.0, f64::max);
            let largest = match node.op() {
                Op::Conv(c) => {
                    let w = c.weights.to_f32();
                    let sums = w.chunks(w.len() / c.out_channels).enumerate().map(|(o, row)| {
                        row.iter().map(|w| f64::from(w.abs())).sum::<f64>() * width(c.x)
                            + c.bias.get(o).map_or(0.0, |b| f64::from(b.abs()))
                    });
                    sums.fold(0.0, f64::max) + c.residual.map_or(0.0, width)
                }
                Op::Pool(p) => width(p.x),
                Op::GlobalAverage(x) => width(*x),
                Op::Add(b) => width(b.x) + width(b.y),
                Op::Mul(b) => width(b.x) * width(b.y),
                Op::Affine(a) => most(&a.scale) * width(a.x) + most(&a.shift),
                _ => 0.0,
            };
            let f = finest.entry(set[&node.out()]).or_insert(0.0);
            *f = f.max(largest / f64::from(1u32 << 30));
        }
        let quantization = graph
            .values()
            .map(|(v, ..)| {
                let ((lo, hi), f) = (all[&set[&v]], finest.get(&set[&v]).copied().unwrap_or(0.0));
                (v, quantization(lo, hi, f))
            })
            .collect();
        Self { graph, quantization, in_floats: in_floats(graph) }
    }

    fn q(&self, v: Value) -> (f64, i32) {
        let q = self.quantization[&v];
        (f64::from(q.scale), i32::from(q.zero_point))
    }

    /// The input's bytes.
    pub fn input(&self, x: &[f32]) -> Vec<u8> {
        let q = self.quantization[&self.graph.input()];
        x.iter().map(|&v| q.byte(v)).collect()
    }

    /// Bounds of a clamp in bytes.
    fn bounds(&self, v: Value, a: Activation) -> (f64, f64) {
        let (lo, hi) = a.clamp().expect("a clamp");
        let (s, z) = self.q(v);
        let byte = |x: f32| (f64::from(x) / s + f64::from(z)).round_ties_even().clamp(0.0, 255.0);
        (byte(lo), byte(hi))
    }

    /// The output for an input of bytes in NHWC order.
    pub fn run(&self, input: &[u8]) -> Vec<f32> {
        let g = self.graph;
        let shape = |v: Value| g.shape(v).expect("of this graph");
        let input = Tensor { shape: shape(g.input()), data: input.to_vec() };
        let mut t = HashMap::from([(g.input(), input)]);
        let output = g.output().expect("an output");
        // tensors that are stored as floats; their bytes are in `t` too
        let mut floats: HashMap<Value, Vec<f32>> = HashMap::new();
        for node in g.nodes() {
            let (op, out, s) = (node.op(), node.out(), shape(node.out()));
            let mut readers = g.nodes().filter(|n| n.op().inputs().contains(&out)).peekable();
            let last = match out == output {
                true => readers.peek().is_none(),
                false => readers.all(|n| self.in_floats.contains(&n.out())),
            };
            if let Some(v) = self.floats(node, &t, &floats, s, last) {
                let bytes = v.iter().map(|&v| self.quantization[&out].byte(v)).collect();
                t.insert(out, Tensor { shape: s, data: bytes });
                // an activation may have to convert to bytes
                if last || !matches!(op, Op::Activate(..)) {
                    floats.insert(out, v);
                }
                continue;
            }
            let tensor = match op {
                Op::Conv(c) => {
                    let (lo, hi) = self.bounds(out, c.activation);
                    let v = self.conv(c, &t, s, self.q(out), |v| v);
                    Tensor { shape: s, data: v.iter().map(|&v| round(v, lo, hi)).collect() }
                }
                Op::GlobalAverage(x) => {
                    let (n, sums) = self.centred(*x, &t[x]);
                    let ((sx, _), (so, zo)) = (self.q(*x), self.q(out));
                    let scale = (sx / so / n as f64) as f32;
                    Tensor::from(s, |_, _, c| round(sums[c].mul_add(scale, zo as f32), 0.0, 255.0))
                }
                Op::Pool(p) => self.pool(p, &t[&p.x], s, out),
                Op::Add(b) => {
                    let (x, y) = sides(b, &t, s);
                    let ((sx, zx), (sy, zy), (so, zo)) = (self.q(x), self.q(y), self.q(out));
                    let (sx, sy) = ((sx / so) as f32, (sy / so) as f32);
                    let zeros = f64::from(zx) * f64::from(sx) + f64::from(zy) * f64::from(sy);
                    let offset = (f64::from(zo) - zeros) as f32;
                    let (lo, hi) = self.bounds(out, b.activation);
                    both(&t, (x, y), s, |a, b| {
                        let b = f32::from(b).mul_add(sy, offset);
                        round(f32::from(a).mul_add(sx, b), lo, hi)
                    })
                }
                Op::Mul(b) => {
                    let (x, y) = sides(b, &t, s);
                    let ((sx, zx), (sy, zy), (so, zo)) = (self.q(x), self.q(y), self.q(out));
                    let scale = (sx * sy / so) as f32;
                    let (lo, hi) = self.bounds(out, b.activation);
                    both(&t, (x, y), s, |a, b| {
                        let product = (i32::from(a) - zx) * (i32::from(b) - zy);
                        round((product as f32).mul_add(scale, zo as f32), lo, hi)
                    })
                }
                Op::Affine(a) => {
                    let ((sx, zx), (so, zo)) = (self.q(a.x), self.q(out));
                    let (lo, hi) = self.bounds(out, a.activation);
                    Tensor::from(s, |y, x, c| {
                        let scale = (sx * f64::from(a.scale[c]) / so) as f32;
                        let offset = (f64::from(a.shift[c]) / so + f64::from(zo)) as f32;
                        let v = (i32::from(t[&a.x].at(y, x, c)) - zx) as f32;
                        round(v.mul_add(scale, offset), lo, hi)
                    })
                }
                Op::Activate(x, a) => {
                    let ((sx, zx), (so, zo)) = (self.q(*x), self.q(out));
                    Tensor::from(s, |y, w, c| {
                        let v = f64::from(i32::from(t[x].at(y, w, c)) - zx) * sx;
                        let v = super::reference::activate(*a, v) / so;
                        (v.round_ties_even() + f64::from(zo)).clamp(0.0, 255.0) as u8
                    })
                }
                Op::Concat(c) => Tensor::from(s, |y, x, mut channel| {
                    for v in &c.xs {
                        if channel < t[v].shape.c {
                            return t[v].at(y, x, channel);
                        }
                        channel -= t[v].shape.c;
                    }
                    unreachable!("channel is of one part")
                }),
                Op::Slice(p) => Tensor::from(s, |y, x, c| t[&p.x].at(y, x, p.start + c)),
                Op::Shuffle { x: v, groups } => Tensor::from(s, |y, x, c| {
                    t[v].at(y, x, c % groups * (s.c / groups) + c / groups)
                }),
                Op::Interleave(a, b) => {
                    Tensor::from(s, |y, x, c| t[if c % 2 == 0 { a } else { b }].at(y, x, c / 2))
                }
                Op::Pad(p) => {
                    let (Padding { top, left, .. }, zero) = (p.padding, self.q(p.x).1 as u8);
                    Tensor::from(s, |y, x, c| {
                        let (y, x) = (y as isize - top as isize, x as isize - left as isize);
                        let inside = t[&p.x].inside(y, x);
                        if inside { t[&p.x].at(y as usize, x as usize, c) } else { zero }
                    })
                }
                op => unreachable!("{} is not tested here", op.kind()),
            };
            t.insert(out, tensor);
        }
        if let Some(floats) = floats.remove(&output) {
            return floats;
        }
        let q = self.quantization[&output];
        t[&output].data.iter().map(|&b| q.real(b)).collect()
    }

    /// The sums of each channel less its zero point, and how many numbers each
    /// has.
    fn centred(&self, v: Value, x: &Tensor) -> (usize, Vec<f32>) {
        let n = x.shape.h * x.shape.w;
        let sum = |c: usize| -> i32 {
            x.data.iter().skip(c).step_by(x.shape.c).map(|&b| i32::from(b)).sum()
        };
        (n, (0..x.shape.c).map(|c| (sum(c) - self.q(v).1 * n as i32) as f32).collect())
    }

    /// What a node computes in floats, or for readers in floats; `None` where it
    /// computes bytes.
    fn floats(
        &self,
        node: &Node,
        t: &HashMap<Value, Tensor>,
        floats: &HashMap<Value, Vec<f32>>,
        s: Shape,
        last: bool,
    ) -> Option<Vec<f32>> {
        let float = self.in_floats.contains(&node.out());
        let real = |v: Value| {
            let q = self.quantization[&v];
            let bytes = || t[&v].data.iter().map(|&b| q.real(b)).collect();
            floats.get(&v).cloned().unwrap_or_else(bytes)
        };
        match node.op() {
            Op::Conv(c) if float => {
                let (lo, hi) = c.activation.clamp().expect("a clamp");
                let (x, from) = (real(c.x), t[&c.x].shape);
                let outputs = rows(c).into_iter().enumerate().map(|(o, (w, scale))| {
                    let mut parts = [0.0f32; 4];
                    for (i, &v) in x.iter().enumerate() {
                        let (pixel, input) = (i / from.c, i % from.c);
                        let w = f32::from(w[input * from.h * from.w + pixel]);
                        parts[input % 4] = w.mul_add(v, parts[input % 4]);
                    }
                    let sum = (parts[0] + parts[1]) + (parts[2] + parts[3]);
                    sum.mul_add(scale, c.bias.get(o).copied().unwrap_or(0.0)).max(lo).min(hi)
                });
                Some(outputs.collect())
            }
            Op::Conv(c) if last && c.residual.is_none() => {
                let (lo, hi) = c.activation.clamp().expect("a clamp");
                let channels = t[&c.x].shape.c;
                let depthwise = c.groups > 1 && [c.groups, c.out_channels] == [channels; 2];
                (!depthwise).then(|| self.conv(c, t, s, (1.0, 0), |v| v.max(lo).min(hi)))
            }
            Op::GlobalAverage(x) if last => {
                let (n, sums) = self.centred(*x, &t[x]);
                let scale = (self.q(*x).0 / n as f64) as f32;
                Some(sums.iter().map(|v| v * scale).collect())
            }
            // from bytes to bytes it is a table
            Op::Activate(x, a) if floats.contains_key(x) || float && last => {
                let activate = |v: &f32| super::reference::activate(*a, f64::from(*v)) as f32;
                Some(real(*x).iter().map(activate).collect())
            }
            Op::Softmax(x) => {
                let softmax = |x: &[f32]| -> Vec<f32> {
                    let most = x.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v));
                    let power = |v: &f32| (f64::from(*v) - f64::from(most)).exp();
                    let sum: f64 = x.iter().map(power).sum();
                    x.iter().map(|v| (power(v) / sum) as f32).collect()
                };
                Some(real(*x).chunks(s.c).flat_map(softmax).collect())
            }
            _ => None,
        }
    }

    /// A convolution before it is rounded to bytes, in steps of the output.
    fn conv(
        &self,
        c: &Conv,
        t: &HashMap<Value, Tensor>,
        s: Shape,
        (so, zo): (f64, i32),
        store: impl Fn(f32) -> f32,
    ) -> Vec<f32> {
        let (x, weights, (sx, zx)) = (&t[&c.x], rows(c), self.q(c.x));
        let (inputs, per) = (x.shape.c / c.groups, s.c / c.groups);
        let mut values = Vec::with_capacity(s.len());
        for (y, ox, o) in
            (0..s.h).flat_map(|y| (0..s.w).flat_map(move |x| (0..s.c).map(move |o| (y, x, o))))
        {
            let ((w, sw), mut sum) = (&weights[o], 0i64);
            for (ky, kx) in (0..c.kernel[0]).flat_map(|y| (0..c.kernel[1]).map(move |x| (y, x))) {
                let iy = (y * c.stride[0] + ky * c.dilation[0]) as isize - c.padding.top as isize;
                let ix = (ox * c.stride[1] + kx * c.dilation[1]) as isize - c.padding.left as isize;
                for i in 0..if x.inside(iy, ix) { inputs } else { 0 } {
                    let v = x.at(iy as usize, ix as usize, o / per * inputs + i);
                    let w = w[(i * c.kernel[0] + ky) * c.kernel[1] + kx];
                    sum += i64::from((i32::from(v) - zx) * i32::from(w));
                }
            }
            let sum = i32::try_from(sum).expect("the plan has bounded the sum");
            let scale = match w.iter().all(|&w| w == 0) {
                true => 0.0,
                false => (sx * f64::from(*sw) / so) as f32,
            };
            let bias = c.bias.get(o).map_or(0.0, |&b| f64::from(b));
            let mut offset = bias / so + f64::from(zo);
            let mut before = None;
            if let Some(r) = c.residual {
                let (sr, zr) = self.q(r);
                let factor = (sr / so) as f32;
                offset -= f64::from(zr) * f64::from(factor);
                before = Some((f32::from(t[&r].at(y, ox, o)), factor));
            }
            let offset = offset as f32;
            let offset = before.map_or(offset, |(r, factor)| r.mul_add(factor, offset));
            values.push(store((sum as f32).mul_add(scale, offset)));
        }
        values
    }

    fn pool(&self, p: &Pool, x: &Tensor, s: Shape, out: Value) -> Tensor {
        let ((sx, zx), (so, zo)) = (self.q(p.x), self.q(out));
        Tensor::from(s, |y, ox, c| {
            let (mut most, mut sum, mut n) = (0, 0, 0);
            for (ky, kx) in (0..p.kernel[0]).flat_map(|y| (0..p.kernel[1]).map(move |x| (y, x))) {
                let iy = (y * p.stride[0] + ky) as isize - p.padding.top as isize;
                let ix = (ox * p.stride[1] + kx) as isize - p.padding.left as isize;
                if x.inside(iy, ix) {
                    let v = x.at(iy as usize, ix as usize, c);
                    (most, sum, n) = (most.max(v), sum + i32::from(v) - zx, n + 1);
                }
            }
            let divisor = match p.kind {
                PoolKind::Max => return most,
                PoolKind::Average { count_include_pad: true } => p.kernel[0] * p.kernel[1],
                PoolKind::Average { .. } => n,
            };
            let scale = (sx / so / divisor as f64) as f32;
            round((sum as f32).mul_add(scale, zo as f32), 0.0, 255.0)
        })
    }
}

/// The side of full size first.
fn sides(b: &Binary, t: &HashMap<Value, Tensor>, s: Shape) -> (Value, Value) {
    if t[&b.x].shape == s { (b.x, b.y) } else { (b.y, b.x) }
}

fn both(
    t: &HashMap<Value, Tensor>,
    (x, y): (Value, Value),
    s: Shape,
    f: impl Fn(u8, u8) -> u8,
) -> Tensor {
    let (a, b) = (&t[&x], &t[&y]);
    Tensor::from(s, |y, x, c| {
        f(a.at(y, x, c), if b.shape == s { b.at(y, x, c) } else { b.at(0, 0, c) })
    })
}

/// An int8 session for NHWC slices.
pub fn session(graph: &Graph, ranges: &[Range], options: &Options) -> Session {
    let options =
        Options { input_layout: DataLayout::Nhwc, output_layout: DataLayout::Nhwc, ..*options };
    let model = Model::compile_int8(graph.clone(), ranges, &options).expect("compiles");
    Session::new(Arc::new(model))
}

/// All sets of the machine that have int8.
pub fn sets() -> Vec<Isa> {
    Isa::available().into_iter().filter(|isa| isa.has_int8()).collect()
}
