//! What the documentation promises: layouts, weight forms, NaN and infinities,
//! sharing, profiles, memory.

mod common;

use biglittle_kernels::{
    Activation, Conv, DataLayout, ErrorKind, Graph, Isa, Model, Op, Options, Padding, Pool,
    PoolKind, Profile, Session, Shape, Weights, WinogradUse,
};
use common::{Network, Rng, generate, reference, run, to_nhwc};
use std::sync::Arc;

fn session(graph: &Graph, options: &Options) -> Session {
    Session::new(Arc::new(Model::compile(graph.clone(), options).expect("compiles")))
}

#[test]
fn chw_and_nhwc_slices() {
    for c in [1, 2, 3, 16, 33] {
        let mut r = Rng::new(c as u64);
        let shape = Shape::new(9, 21, c);
        let mut net = Network::new(shape);
        let out = r.pick(&[1, 7, 40]);
        let op = generate::conv(&net, &mut r, net.graph.input(), out, [3, 3], 1);
        net.add(Conv { padding: Padding::same(1), ..op });
        let chw = r.floats(shape.len());
        let nhwc = to_nhwc(shape, &chw);
        for isa in Isa::available() {
            let options = Options { isa: Some(isa), ..Options::default() };
            let want = run(&net, &nhwc, &options);
            let mut got = vec![0.0; want.len()];
            session(&net.graph, &options).run(&chw, &mut got).expect("runs");
            assert_eq!(to_nhwc(net.shape(net.output), &got), want, "{isa} {c} channels");
        }
    }
}

#[test]
fn half_and_int8_weights_are_unpacked() {
    let data: Vec<i8> = (0..6 * 4).map(|i| (i * 11 % 255 - 127) as i8).collect();
    let scales = vec![0.5, 0.25, 2.0, 1.0, 0.125, 4.0];
    let floats: Vec<f32> =
        data.iter().enumerate().map(|(i, &q)| f32::from(q) * scales[i / 4]).collect();
    let mut outputs = Vec::new();
    // small integers times powers of two are exact in half precision
    let half = |x: &f32| -> u16 {
        if *x == 0.0 {
            return 0;
        }
        let bits = x.to_bits();
        (bits >> 16 & 0x8000) as u16
            | (((bits >> 23 & 0xff) - 112) << 10 | bits >> 13 & 0x3ff) as u16
    };
    for weights in [
        Weights::F32(floats.clone()),
        Weights::F16(floats.iter().map(half).collect()),
        Weights::I8 { data, scales: scales.clone() },
    ] {
        let mut g = Graph::new(Shape::new(3, 3, 4)).expect("valid");
        g.add("conv", Conv::new(g.input(), 6, [1, 1], weights)).expect("fits");
        let mut out = [0.0; 54];
        let x = Rng::new(5).floats(36);
        session(&g, &Options::default()).run(&x, &mut out).expect("runs");
        outputs.push(out);
    }
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0], outputs[2]);
}

#[test]
fn nan_and_infinity_flow_through() {
    let activations = [
        Activation::None,
        Activation::Relu,
        Activation::Clip { lo: -1.0, hi: 6.0 },
        Activation::HardSwish,
        Activation::Silu,
        Activation::Sigmoid,
        Activation::LeakyRelu { slope: 0.1 },
        Activation::HardSigmoid { alpha: 0.2, beta: 0.5 },
    ];
    for isa in Isa::available() {
        for a in activations {
            for c in [1, 5, 16] {
                let mut g = Graph::new(Shape::new(4, 5, c)).expect("valid");
                let mut identity = vec![0.0; c];
                identity.fill(1.0);
                let dw = Conv { groups: c, ..Conv::new(g.input(), c, [1, 1], identity) };
                let x = g.add("same", Conv { activation: a, ..dw }).expect("fits");
                g.add(
                    "max",
                    Pool {
                        x,
                        kind: PoolKind::Max,
                        kernel: [2, 2],
                        stride: [1, 1],
                        padding: Padding::default(),
                    },
                )
                .expect("fits");
                let options = Options {
                    isa: Some(isa),
                    input_layout: DataLayout::Nhwc,
                    output_layout: DataLayout::Nhwc,
                    ..Options::default()
                };
                let mut s = session(&g, &options);
                let mut x = vec![0.25; 20 * c];
                x[7 * c] = f32::NAN; // row 1, column 2
                x[18 * c] = f32::INFINITY; // row 3, column 3
                let mut out = vec![0.0; 12 * c];
                s.run(&x, &mut out).expect("runs");
                let infinite = reference::activate(a, f64::INFINITY) as f32;
                for (i, pixel) in out.chunks(c).enumerate() {
                    let (y, x) = (i / 4, i % 4);
                    let nan = (y == 0 || y == 1) && (x == 1 || x == 2);
                    assert_eq!(pixel[0].is_nan(), nan, "{isa} {a:?} {c}: pixel {y},{x}");
                    if y == 2 && (x == 2 || x == 3) {
                        assert!((pixel[0] - infinite).abs() < 1e-6 || pixel[0] == infinite);
                    }
                    assert!(pixel[1..].iter().all(|v| v.is_finite()), "{isa} {a:?} {c}");
                }
            }
        }
    }
}

#[test]
fn sessions_share_a_model_and_repeat_exactly() {
    let mut r = Rng::new(3);
    let mut net = Network::new(Shape::new(20, 20, 16));
    let x = net.graph.input();
    generate::inverted_residual(&mut net, &mut r, x);
    let model = Arc::new(Model::compile(net.graph, &Options::default()).expect("compiles"));
    let x = r.floats(20 * 20 * 16);
    let outputs: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let work = |_| {
            let (model, x) = (model.clone(), &x);
            scope.spawn(move || {
                let mut out = vec![0.0; model.output_shape().len()];
                let mut s = Session::new(model);
                s.run(x, &mut out).expect("runs");
                s.run(x, &mut out).expect("runs");
                out
            })
        };
        let threads: Vec<_> = (0..3).map(work).collect();
        threads.into_iter().map(|t| t.join().expect("no panic")).collect()
    });
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0], outputs[2]);
}

#[test]
fn profile_names_layers_and_instruction_set() {
    let mut r = Rng::new(9);
    let mut net = Network::new(Shape::new(12, 12, 16));
    let x = net.graph.input();
    generate::inverted_residual(&mut net, &mut r, x);
    for isa in Isa::available() {
        let options = Options { isa: Some(isa), ..Options::default() };
        let mut s = session(&net.graph, &options);
        let mut profile = Profile::new(s.model());
        let x = r.floats(s.model().input_shape().len());
        let mut out = vec![0.0; s.model().output_shape().len()];
        let mut again = out.clone();
        s.run_profiled(&x, &mut out, &mut profile).expect("runs");
        s.run(&x, &mut again).expect("runs");
        assert_eq!(out, again);
        assert_eq!((profile.isa, profile.runs), (isa, 1));
        assert!(profile.layers.iter().any(|l| l.kind == "depthwise" && l.name == "n1"));
        assert_eq!(profile.layers.iter().map(|l| l.macs).sum::<u64>(), s.model().macs());
        let mut other = profile.clone();
        other.layers.pop();
        let e = s.run_profiled(&x, &mut out, &mut other).expect_err("of another model");
        assert_eq!(e.kind(), ErrorKind::WrongLength);
    }
}

/// A block like MobileNetV2's, large enough for several strips.
#[test]
fn strips_of_any_height_agree() {
    let mut r = Rng::new(77);
    for (stride, kernel) in [(1, 3), (2, 3), (1, 5), (2, 5)] {
        let mut net = Network::new(Shape::new(61, 47, 24));
        let e = generate::conv(&net, &mut r, net.graph.input(), 72, [1, 1], 1);
        let e = net.add(Conv { activation: Activation::Clip { lo: 0.0, hi: 6.0 }, ..e });
        let d = generate::conv(&net, &mut r, e, 72, [kernel, kernel], 72);
        let d = net.add(Conv { padding: Padding::same(kernel / 2), stride: [stride, stride], ..d });
        let p = generate::conv(&net, &mut r, d, 24, [1, 1], 1);
        net.add(p);
        let x = r.floats(net.input.len());
        for isa in Isa::available() {
            let base = Options { isa: Some(isa), ..Options::default() };
            let want = run(&net, &x, &Options { fuse: false, ..base });
            let mut smallest = usize::MAX;
            for strip_bytes in [1 << 24, 1 << 19, 1 << 17, 1 << 15, 1] {
                let options = Options { strip_bytes, ..base };
                let got = run(&net, &x, &options);
                let error = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(error < 1e-4, "{isa} {strip_bytes}: {error}");
                let model = Model::compile(net.graph.clone(), &options).expect("compiles");
                assert!(model.arena_bytes() <= smallest);
                smallest = model.arena_bytes();
            }
        }
    }
}

#[test]
fn winograd_agrees_on_large_layers() {
    let mut r = Rng::new(8);
    for kernel in [3, 5] {
        let mut net = Network::new(Shape::new(30, 17, 70));
        let (x, padding) = (net.graph.input(), Padding::same(kernel / 2));
        let c = generate::conv(&net, &mut r, x, 50, [kernel, kernel], 1);
        let c = net.add(Conv { padding, activation: Activation::Relu, ..c });
        let d = generate::conv(&net, &mut r, c, 50, [kernel, kernel], 1);
        net.add(Conv { padding, residual: Some(c), ..d });
        let x = r.floats(net.input.len());
        let (want, largest) = reference::evaluate(&net, &x);
        for isa in Isa::available() {
            for winograd in [WinogradUse::Off, WinogradUse::Auto, WinogradUse::Always] {
                let options = Options { isa: Some(isa), winograd, ..Options::default() };
                let got = run(&net, &x, &options);
                let error = got
                    .iter()
                    .zip(&want)
                    .map(|(&a, b)| (f64::from(a) - b).abs())
                    .fold(0.0, f64::max);
                assert!(
                    error / largest < 1e-5,
                    "{kernel} {isa} {winograd:?}: {error} of {largest}"
                );
            }
        }
    }
}

#[test]
fn a_max_pool_keeps_nan_wherever_it_is() {
    for isa in Isa::available() {
        for kernel in 2..5 {
            for at in 0..kernel * kernel {
                let mut g = Graph::new(Shape::new(kernel, kernel, 1)).expect("valid");
                g.add(
                    "max",
                    Pool {
                        x: g.input(),
                        kind: PoolKind::Max,
                        kernel: [kernel, kernel],
                        stride: [1, 1],
                        padding: Padding::default(),
                    },
                )
                .expect("fits");
                let mut x: Vec<f32> = (0..kernel * kernel).map(|i| i as f32 - 4.0).collect();
                let mut out = [0.0];
                let mut s = session(&g, &Options { isa: Some(isa), ..Options::default() });
                s.run(&x, &mut out).expect("runs");
                assert_eq!(out[0], (kernel * kernel - 1) as f32 - 4.0, "{isa} {kernel}");
                x[at] = f32::NAN;
                s.run(&x, &mut out).expect("runs");
                assert!(out[0].is_nan(), "{isa} {kernel}: NaN at {at} became {}", out[0]);
            }
        }
    }
}

#[test]
fn activations_are_exact_at_the_ends() {
    for isa in Isa::available() {
        let mut g = Graph::new(Shape::new(1, 1, 6)).expect("valid");
        g.add("sigmoid", Op::Activate(g.input(), Activation::Sigmoid)).expect("fits");
        let mut out = [0.0; 6];
        let x = [-200.0, -20.0, 0.0, 20.0, 200.0, 1e-4];
        session(&g, &Options { isa: Some(isa), ..Options::default() })
            .run(&x, &mut out)
            .expect("runs");
        for (x, y) in x.iter().zip(out) {
            let want = 1.0 / (1.0 + (-f64::from(*x)).exp());
            assert!((f64::from(y) - want).abs() < 1e-6 * want.max(1e-30) + 1e-38, "{isa} {x}");
        }
    }
}
