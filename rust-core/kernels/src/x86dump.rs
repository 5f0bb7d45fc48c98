//! temporary
#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::unwrap_used)]
use crate::graph::*;
pub fn save(g: &Graph, path: &str) {
    let mut o: Vec<f32> = vec![];
    let s = g.shapes[0];
    o.extend([
        s.h as f32,
        s.w as f32,
        s.c as f32,
        g.nodes.len() as f32,
        g.output.unwrap().0 as f32,
    ]);
    let vf = |o: &mut Vec<f32>, v: &[f32]| {
        o.push((v.len() >> 12) as f32);
        o.push((v.len() & 4095) as f32);
        o.extend_from_slice(v)
    };
    let act = |o: &mut Vec<f32>, a: Activation| match a {
        Activation::None => o.extend([0.0, 0.0, 0.0]),
        Activation::Relu => o.extend([1.0, 0.0, 0.0]),
        Activation::Clip { lo, hi } => o.extend([2.0, lo, hi]),
        Activation::HardSwish => o.extend([3.0, 0.0, 0.0]),
        Activation::HardSigmoid { alpha, beta } => o.extend([4.0, alpha, beta]),
        Activation::Silu => o.extend([5.0, 0.0, 0.0]),
        Activation::Sigmoid => o.extend([6.0, 0.0, 0.0]),
        Activation::LeakyRelu { slope } => o.extend([7.0, slope, 0.0]),
        _ => panic!(),
    };
    let mut names = String::new();
    for n in &g.nodes {
        names += &n.name;
        names.push('\n');
        match &n.op {
            Op::Conv(c) => {
                o.extend([
                    0.0,
                    c.x.0 as f32,
                    c.out_channels as f32,
                    c.kernel[0] as f32,
                    c.kernel[1] as f32,
                    c.stride[0] as f32,
                    c.stride[1] as f32,
                    c.padding.top as f32,
                    c.padding.left as f32,
                    c.padding.bottom as f32,
                    c.padding.right as f32,
                    c.dilation[0] as f32,
                    c.dilation[1] as f32,
                    c.groups as f32,
                    c.residual.map_or(-1.0, |v| v.0 as f32),
                ]);
                act(&mut o, c.activation);
                vf(&mut o, &c.bias);
                vf(&mut o, &c.weights.to_f32());
            }
            Op::Linear(l) => {
                o.extend([1.0, l.x.0 as f32, l.out_channels as f32]);
                act(&mut o, l.activation);
                vf(&mut o, &l.bias);
                vf(&mut o, &l.weights.to_f32());
            }
            Op::Pool(p) => o.extend([
                2.0,
                p.x.0 as f32,
                match p.kind {
                    PoolKind::Max => 0.0,
                    PoolKind::Average { count_include_pad: false } => 1.0,
                    _ => 2.0,
                },
                p.kernel[0] as f32,
                p.kernel[1] as f32,
                p.stride[0] as f32,
                p.stride[1] as f32,
                p.padding.top as f32,
                p.padding.left as f32,
                p.padding.bottom as f32,
                p.padding.right as f32,
            ]),
            Op::GlobalAverage(x) => o.extend([3.0, x.0 as f32]),
            Op::Add(b) => {
                o.extend([4.0, b.x.0 as f32, b.y.0 as f32]);
                act(&mut o, b.activation)
            }
            Op::Mul(b) => {
                o.extend([5.0, b.x.0 as f32, b.y.0 as f32]);
                act(&mut o, b.activation)
            }
            Op::Affine(a) => {
                o.extend([6.0, a.x.0 as f32]);
                vf(&mut o, &a.scale);
                vf(&mut o, &a.shift);
                act(&mut o, a.activation)
            }
            Op::Concat(c) => {
                o.extend([7.0, c.xs.len() as f32]);
                o.extend(c.xs.iter().map(|v| v.0 as f32));
            }
            Op::Slice(s) => o.extend([8.0, s.x.0 as f32, s.start as f32, s.count as f32]),
            Op::Shuffle { x, groups } => o.extend([9.0, x.0 as f32, *groups as f32]),
            Op::Interleave(a, b) => o.extend([10.0, a.0 as f32, b.0 as f32]),
            Op::Activate(x, a) => {
                o.extend([11.0, x.0 as f32]);
                act(&mut o, *a)
            }
            Op::Softmax(x) => o.extend([12.0, x.0 as f32]),
            Op::Pad(p) => o.extend([
                13.0,
                p.x.0 as f32,
                p.padding.top as f32,
                p.padding.left as f32,
                p.padding.bottom as f32,
                p.padding.right as f32,
            ]),
        }
    }
    let b: Vec<u8> = o.iter().flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(path, b).unwrap();
    std::fs::write(format!("{path}.names"), names).unwrap();
}
pub fn load(path: &str) -> Graph {
    let b = std::fs::read(path).unwrap();
    let names = std::fs::read_to_string(format!("{path}.names")).unwrap();
    let mut it = b.chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]]));
    let mut f = move || it.next().unwrap();
    macro_rules! u {
        () => {
            f() as usize
        };
    }
    macro_rules! v {
        () => {
            Value(u!())
        };
    }
    macro_rules! vf {
        () => {{
            let n = u!() * 4096;
            let n = n + u!();
            (0..n).map(|_| f()).collect::<Vec<f32>>()
        }};
    }
    macro_rules! act {
        () => {{
            let (k, a, b) = (u!(), f(), f());
            match k {
                0 => Activation::None,
                1 => Activation::Relu,
                2 => Activation::Clip { lo: a, hi: b },
                3 => Activation::HardSwish,
                4 => Activation::HardSigmoid { alpha: a, beta: b },
                5 => Activation::Silu,
                6 => Activation::Sigmoid,
                _ => Activation::LeakyRelu { slope: a },
            }
        }};
    }
    let s = Shape::new(u!(), u!(), u!());
    let (n, out) = (u!(), v!());
    let mut g = Graph::new(s).unwrap();
    let mut names = names.lines();
    for _ in 0..n {
        let k = u!();
        let op = match k {
            0 => {
                let (x, oc) = (v!(), u!());
                let (kernel, stride) = ([u!(), u!()], [u!(), u!()]);
                let padding = Padding { top: u!(), left: u!(), bottom: u!(), right: u!() };
                let dilation = [u!(), u!()];
                let groups = u!();
                let r = f();
                let activation = act!();
                let bias = vf!();
                let weights = vf!();
                Op::Conv(Conv {
                    bias,
                    stride,
                    padding,
                    dilation,
                    groups,
                    residual: (r >= 0.0).then_some(Value(r as usize)),
                    activation,
                    ..Conv::new(x, oc, kernel, weights)
                })
            }
            1 => {
                let (x, oc, activation) = (v!(), u!(), act!());
                let bias = vf!();
                Op::Linear(Linear { x, out_channels: oc, bias, weights: vf!().into(), activation })
            }
            2 => Op::Pool(Pool {
                x: v!(),
                kind: match u!() {
                    0 => PoolKind::Max,
                    1 => PoolKind::Average { count_include_pad: false },
                    _ => PoolKind::Average { count_include_pad: true },
                },
                kernel: [u!(), u!()],
                stride: [u!(), u!()],
                padding: Padding { top: u!(), left: u!(), bottom: u!(), right: u!() },
            }),
            3 => Op::GlobalAverage(v!()),
            4 => Op::Add(Binary { x: v!(), y: v!(), activation: act!() }),
            5 => Op::Mul(Binary { x: v!(), y: v!(), activation: act!() }),
            6 => Op::Affine(Affine { x: v!(), scale: vf!(), shift: vf!(), activation: act!() }),
            7 => {
                let n = u!();
                Op::Concat(Concat { xs: (0..n).map(|_| v!()).collect() })
            }
            8 => Op::Slice(Slice { x: v!(), start: u!(), count: u!() }),
            9 => Op::Shuffle { x: v!(), groups: u!() },
            10 => Op::Interleave(v!(), v!()),
            11 => Op::Activate(v!(), act!()),
            12 => Op::Softmax(v!()),
            _ => Op::Pad(Pad {
                x: v!(),
                padding: Padding { top: u!(), left: u!(), bottom: u!(), right: u!() },
            }),
        };
        g.add(names.next().unwrap(), op).unwrap();
    }
    g.set_output(out);
    g
}
