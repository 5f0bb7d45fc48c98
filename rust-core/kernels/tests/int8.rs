//! What the documentation promises of int8 models: bytes, layouts, weight
//! forms, saturation, bounds, errors.

mod common;

use biglittle_kernels::{
    Activation, Conv, DataLayout, ErrorKind, Graph, Isa, Linear, Model, Op, Options, Padding, Pool,
    PoolKind, Precision, Profile, Range, Session, Shape, Weights, quantize_weights,
};
use common::integers::{Reference, observe, session, sets};
use common::{Network, Rng, generate, says, to_nhwc};
use std::sync::Arc;

const UNIT: Range = Range { lo: -1.0, hi: 1.0 };

/// Without scalar, whose sums take long.
fn fast_sets() -> Vec<Isa> {
    sets().into_iter().filter(|&isa| isa != Isa::Scalar).collect()
}

fn scalar() -> Options {
    Options { isa: Some(Isa::Scalar), ..Options::default() }
}

/// A small network with a block, simplified, and its ranges.
fn small(r: &mut Rng) -> (Graph, Vec<Range>) {
    let mut net = Network::new(Shape::new(12, 10, 3));
    let stem = generate::conv(&net, r, net.graph.input(), 20, [3, 3], 1);
    let x = net.add(Conv { padding: Padding::same(1), activation: Activation::Relu, ..stem });
    generate::inverted_residual(&mut net, r, x);
    let graph = net.graph.simplified();
    let inputs = vec![r.floats(12 * 10 * 3)];
    let ranges = observe(&graph, &inputs);
    (graph, ranges)
}

#[test]
fn bytes_are_the_input_and_layouts_agree() {
    for c in [1, 2, 3, 16, 33] {
        let mut r = Rng::new(c as u64);
        let shape = Shape::new(9, 150, c);
        let mut net = Network::new(shape);
        let op = generate::conv(&net, &mut r, net.graph.input(), 7, [3, 3], 1);
        net.add(Conv { padding: Padding::same(1), ..op });
        let (out, ranges) = (net.shape(net.output), [UNIT, Range { lo: -2.0, hi: 2.0 }]);
        let chw = r.floats(shape.len());
        let nhwc = to_nhwc(shape, &chw);
        let reference = Reference::new(&net.graph, &ranges);
        let want = reference.run(&reference.input(&nhwc));
        for isa in sets() {
            let options = Options { isa: Some(isa), ..Options::default() };
            let model =
                Model::compile_int8(net.graph.clone(), &ranges, &options).expect("compiles");
            let q = model.input_quantization().expect("int8");
            let mut session = Session::new(Arc::new(model));
            let mut got = vec![0.0; want.len()];
            session.run(&chw, &mut got).expect("runs");
            assert_eq!(to_nhwc(out, &got), want, "{isa}, {c} channels");
            let bytes: Vec<u8> = chw.iter().map(|&x| q.byte(x)).collect();
            session.run_bytes(&bytes, &mut got).expect("runs");
            assert_eq!(to_nhwc(out, &got), want, "{isa}, {c} channels of bytes");
        }
    }
}

/// Runs one operator on random bytes, on every set, like the reference.
fn like_the_reference(r: &mut Rng, net: &Network, what: &str) {
    let shape = net.shape(net.graph.input());
    // narrow enough that some of it saturates
    let ranges = [UNIT, Range { lo: -0.7, hi: 0.8 }];
    let reference = Reference::new(&net.graph, &ranges);
    let x: Vec<u8> = (0..shape.len()).map(|_| r.range(0, 255) as u8).collect();
    let want = reference.run(&x);
    for isa in sets() {
        let (input_layout, output_layout) = (DataLayout::Nhwc, DataLayout::Nhwc);
        let options = Options { isa: Some(isa), input_layout, output_layout, ..Options::default() };
        let mut got = vec![0.0; want.len()];
        session(&net.graph, &ranges, &options).run_bytes(&x, &mut got).expect("runs");
        assert_eq!(got, want, "{isa}, {shape}, {what}");
    }
}

#[test]
fn depthwise_of_any_width() {
    // what fills blocks of channels and what does not, and rows as short as a tile
    let mut r = Rng::new(7);
    for c in [1, 15, 16, 17, 32, 40, 64, 80, 96, 112, 128, 130] {
        for (kernel, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
            for (h, w) in [(1, 1), (3, 2), (6, 7), (7, 8), (9, 11)] {
                let mut net = Network::new(Shape::new(h, w, c));
                let op = generate::conv(&net, &mut r, net.graph.input(), c, [kernel; 2], c);
                let activation = r.pick(&[Activation::None, Activation::Relu]);
                let padding = Padding::same(kernel / 2);
                net.add(Conv { padding, activation, stride: [stride; 2], ..op });
                like_the_reference(&mut r, &net, &format!("kernel {kernel}, stride {stride}"));
            }
        }
    }
}

#[test]
fn max_pools_of_any_width() {
    let mut r = Rng::new(8);
    for c in [3, 16, 30, 48, 64, 70, 128] {
        for (kernel, stride) in [(2, 2), (3, 1), (3, 2)] {
            let mut net = Network::new(Shape::new(7, 9, c));
            let x = net.graph.input();
            let (kernel, stride, padding) = ([kernel; 2], [stride; 2], Padding::same(1));
            net.add(Pool { x, kind: PoolKind::Max, kernel, stride, padding });
            like_the_reference(&mut r, &net, &format!("kernel {kernel:?}, stride {stride:?}"));
        }
    }
}

#[test]
fn pixels_may_be_the_quantized_input() {
    // (pixel - 127) / 128
    let mut g = Graph::new(Shape::new(1, 1, 1)).expect("valid");
    g.add("same", Conv::new(g.input(), 1, [1, 1], vec![127.0])).expect("fits");
    let ranges = [Range { lo: -127.0 / 128.0, hi: 1.0 }, Range { lo: -127.0, hi: 127.0 }];
    for isa in sets() {
        let options = Options { isa: Some(isa), ..Options::default() };
        let mut session = session(&g, &ranges, &options);
        for pixel in 0..=255u8 {
            let (mut a, mut b) = ([0.0], [0.0]);
            session.run_bytes(&[pixel], &mut a).expect("runs");
            session.run(&[(f32::from(pixel) - 127.0) / 128.0], &mut b).expect("runs");
            assert_eq!(a, [(f32::from(pixel) - 127.0) / 128.0 * 127.0]);
            assert_eq!(a, b);
        }
        let mut out = [0.0];
        for (x, want) in [(f32::INFINITY, 127.0), (f32::NEG_INFINITY, -126.007_81), (9.0, 127.0)] {
            session.run(&[x], &mut out).expect("runs");
            assert_eq!(out, [want], "{isa} {x}");
        }
        session.run(&[f32::NAN], &mut out).expect("runs");
        assert_eq!(out, [-126.007_81], "{isa}: NaN is the lowest value");
    }
}

#[test]
fn int8_weights_are_taken_as_they_are() {
    let mut r = Rng::new(4);
    let (graph, ranges) = small(&mut r);
    let x = r.floats(12 * 10 * 3);
    let mut stored = graph.clone();
    let mut restored = graph.clone();
    for node in graph.nodes() {
        let Op::Conv(c) = node.op() else { continue };
        let (mut data, mut scales) = (Vec::new(), Vec::new());
        let floats = c.weights.to_f32();
        for row in floats.chunks(floats.len() / c.out_channels) {
            let (q, scale) = quantize_weights(row);
            data.extend(q);
            scales.push(scale);
        }
        let weights = Weights::I8 { data, scales };
        let floats = weights.to_f32().into_owned();
        stored.replace(node.out(), Conv { weights, ..c.clone() }).expect("fits");
        restored.replace(node.out(), Conv { weights: floats.into(), ..c.clone() }).expect("fits");
    }
    for isa in sets() {
        let options = Options { isa: Some(isa), ..Options::default() };
        let run = |g: &Graph| {
            let mut s = session(g, &ranges, &options);
            let mut out = vec![0.0; s.model().output_shape().len()];
            s.run(&x, &mut out).expect("runs");
            out
        };
        assert_eq!(run(&graph), run(&stored), "{isa}");
        // scales may differ in their last bit
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * a.abs().max(0.1);
        let (a, b) = (run(&graph), run(&restored));
        let same = a.iter().zip(&b).filter(|&p| near(p)).count();
        assert!(same * 100 >= a.len() * 98, "{isa}: {same} of {}", a.len());
    }
}

/// Extreme weights and bytes: sums at both ends, saturation in both directions.
#[test]
fn extremes() {
    for (inputs, kernel) in [(1, [3, 3]), (67, [1, 1]), (16, [3, 3]), (80, [5, 5])] {
        for groups in [1, inputs] {
            let mut g = Graph::new(Shape::new(7, 9, inputs)).expect("valid");
            let per = inputs / groups * kernel[0] * kernel[1];
            let weights: Vec<f32> = (0..inputs)
                .flat_map(|o| {
                    let sign = [1.0, -1.0][o % 2];
                    (0..per).map(move |i| if o % 3 == 2 && i % 2 == 1 { -sign } else { sign })
                })
                .collect();
            let conv = Conv::new(g.input(), inputs, kernel, weights);
            let padding = Padding::same(kernel[0] / 2);
            let x = g.add("conv", Conv { groups, padding, ..conv }).expect("fits");
            let same = vec![1.0; inputs];
            g.add("out", Conv { groups: inputs, ..Conv::new(x, inputs, [1, 1], same) })
                .expect("fits");
            let full = per as f32;
            for (lo, hi) in [(0.0, 1.0), (-1.0, 0.0), (-1.0, 1.0)] {
                for out in [full, full / 10.0, 1e-3] {
                    let out = Range { lo: -out, hi: out };
                    let ranges = [Range { lo, hi }, out, out];
                    let reference = Reference::new(&g, &ranges);
                    for fill in [0u8, 255, 128, 1] {
                        let mut bytes = vec![fill; 7 * 9 * inputs];
                        bytes.iter_mut().step_by(5).for_each(|b| *b = 255 - *b);
                        let want = reference.run(&bytes);
                        for isa in sets() {
                            let options = Options { isa: Some(isa), ..Options::default() };
                            let mut got = vec![0.0; want.len()];
                            let mut s = session(&g, &ranges, &options);
                            s.run_bytes(&bytes, &mut got).expect("runs");
                            assert_eq!(got, want, "{isa} {inputs} {kernel:?} {groups} {fill}");
                        }
                    }
                }
            }
        }
    }
}

/// The largest sum that 32 bits hold is computed; one product more is refused.
#[test]
fn sums_are_bounded() {
    const MOST: usize = (i32::MAX / (255 * 127)) as usize;
    let graph = |inputs: usize, sign: f32| {
        let mut g = Graph::new(Shape::new(1, 1, inputs)).expect("valid");
        let weights = vec![sign; inputs].into();
        let (bias, activation) = (Vec::new(), Activation::None);
        let x = g.input();
        g.add("fc", Linear { x, out_channels: 1, weights, bias, activation }).expect("fits");
        g
    };
    assert!(MOST * 255 * 127 <= i32::MAX as usize && (MOST + 1) * 255 * 127 > i32::MAX as usize);
    for sign in [1.0, -1.0] {
        for range in [Range { lo: 0.0, hi: 255.0 }, Range { lo: -255.0, hi: 0.0 }] {
            for isa in sets() {
                let options = Options { isa: Some(isa), ..Options::default() };
                let mut s = session(&graph(MOST, sign), &[range, UNIT], &options);
                let mut out = [0.0];
                s.run(&vec![range.lo + range.hi; MOST], &mut out).expect("runs");
                // the sum of bytes times the scales 1 and 1 / 127
                let sum = MOST as f32 * 255.0 * 127.0 * sign * range.hi.max(range.lo).signum();
                let sum = if range.lo < 0.0 { -(sum.abs()) * sign } else { sum.abs() * sign };
                assert_eq!(out, [sum.mul_add(1.0 / 127.0, 0.0)], "{isa} {sign}");
            }
        }
    }
    let ranges = [Range { lo: 0.0, hi: 255.0 }, UNIT];
    let refused = Model::compile_int8(graph(MOST + 1, 1.0), &ranges, &scalar());
    says(refused, ErrorKind::NotQuantizable, &["'fc'", "66312", "66311", "too large a part"]);
}

/// Ranges that are far too narrow saturate, as on every other machine.
#[test]
fn narrow_ranges_saturate() {
    let mut r = Rng::new(11);
    let (graph, ranges) = small(&mut r);
    let x = r.floats(12 * 10 * 3);
    for narrow in [1e-3, 1e-9, 1e-25, 0.0] {
        let ranges: Vec<Range> = ranges
            .iter()
            .enumerate()
            .map(
                |(i, r)| {
                    if i % 2 == 1 { Range { lo: r.lo * narrow, hi: r.hi * narrow } } else { *r }
                },
            )
            .collect();
        let reference = Reference::new(&graph, &ranges);
        let want = reference.run(&reference.input(&x));
        for isa in sets() {
            let options = Options { isa: Some(isa), ..Options::default() };
            let mut s = session(&graph, &ranges, &options);
            let mut got = vec![0.0; want.len()];
            s.run(&x, &mut got).expect("runs");
            assert_eq!(got, want, "{isa} {narrow}");
        }
    }
}

#[test]
fn bad_ranges_are_refused() {
    let mut g = Graph::new(Shape::new(4, 4, 3)).expect("valid");
    g.add("conv", Conv::new(g.input(), 2, [1, 1], vec![0.5; 6])).expect("fits");
    let kind = ErrorKind::NotQuantizable;
    let compile = |ranges: &[Range]| Model::compile_int8(g.clone(), ranges, &scalar());
    says(compile(&[UNIT]), kind, &["1 ranges", "2 needed"]);
    says(compile(&[UNIT; 3]), kind, &["3 ranges", "2 needed"]);
    for (lo, hi) in [(f32::NAN, 1.0), (0.0, f32::INFINITY), (1.0, -1.0), (0.0, f32::NAN)] {
        says(compile(&[Range { lo, hi }, UNIT]), kind, &["node 'input'", "range"]);
        says(compile(&[UNIT, Range { lo, hi }]), kind, &["node 'conv'", "range"]);
    }
    let huge = Range { lo: f32::MIN, hi: f32::MAX };
    assert!(compile(&[huge, huge]).is_ok());
    // no float32 is a step of what these weights could make of it
    let mut vast = Graph::new(Shape::new(4, 4, 3)).expect("valid");
    let x = vast.add("vast", Conv::new(vast.input(), 2, [1, 1], vec![1e30; 6])).expect("fits");
    vast.add("last", Conv::new(x, 2, [1, 1], vec![0.5; 4])).expect("fits");
    let refused = Model::compile_int8(vast, &[huge; 3], &scalar());
    says(refused, kind, &["node 'vast'", "can reach", "keep the network in f32"]);
    let mut bad = g.clone();
    let out = bad.output().expect("there");
    bad.replace(out, Conv::new(g.input(), 2, [1, 1], vec![f32::NAN; 6])).expect("fits");
    says(Model::compile_int8(bad, &[UNIT; 2], &scalar()), kind, &["'conv'", "weight", "finite"]);
}

#[test]
fn operators_without_int8_form_are_named() {
    let kind = ErrorKind::NotQuantizable;
    let mut g = Graph::new(Shape::new(4, 4, 3)).expect("valid");
    let conv = Conv::new(g.input(), 3, [1, 1], vec![0.5; 9]);
    let x = g.add("conv", Conv { activation: Activation::Silu, ..conv }).expect("fits");
    let e = Model::compile_int8(g.clone(), &[UNIT; 2], &scalar());
    says(e, kind, &["node 'conv'", "Silu", "simplified"]);
    let simple = g.clone().simplified();
    assert!(Model::compile_int8(simple, &[UNIT; 3], &scalar()).is_ok());
    let soft = g.add("soft", Op::Softmax(x)).expect("fits");
    g.add("relu", Op::Activate(soft, Activation::Relu)).expect("fits");
    let e = Model::compile_int8(g.simplified(), &[UNIT; 5], &scalar());
    says(e, kind, &["node 'soft'", "softmax", "f32"]);
}

#[test]
fn softmax_ends_a_network() {
    let mut r = Rng::new(2);
    let mut g = Graph::new(Shape::new(1, 1, 12)).expect("valid");
    let x = g.add("conv", Conv::new(g.input(), 10, [1, 1], r.floats(120))).expect("fits");
    let logits = g.clone();
    g.add("soft", Op::Softmax(x)).expect("fits");
    let x = r.floats(12);
    let mut first = None;
    for isa in sets() {
        let options = Options { isa: Some(isa), ..Options::default() };
        let run = |g: &Graph| {
            let ranges = vec![UNIT; g.values().count()];
            let mut out = [0.0; 10];
            session(g, &ranges, &options).run(&x, &mut out).expect("runs");
            out
        };
        let (logits, got) = (run(&logits), run(&g));
        let sum: f64 = logits.iter().map(|&v| f64::from(v).exp()).sum();
        for (l, p) in logits.iter().zip(got) {
            assert!((f64::from(*l).exp() / sum - f64::from(p)).abs() < 1e-7);
        }
        assert_eq!(*first.get_or_insert(got), got, "{isa}");
    }
}

#[test]
fn slices_and_models_of_the_wrong_kind() {
    let mut r = Rng::new(1);
    let (graph, ranges) = small(&mut r);
    let mut int8 = session(&graph, &ranges, &scalar());
    let n = int8.model().output_shape().len();
    let (mut out, x) = (vec![0.0; n], vec![0.0; 360]);
    let wrong = ErrorKind::WrongLength;
    says(int8.run(&x[1..], &mut out), wrong, &["input", "359", "360"]);
    says(int8.run_bytes(&[0; 361], &mut out), wrong, &["input", "361", "360"]);
    says(int8.run_bytes(&[0; 360], &mut out[1..]), wrong, &["output"]);
    let wrong = ErrorKind::WrongPrecision;
    says(int8.run_observed(&x, &mut out, &mut |_, _| {}), wrong, &["compile_observed"]);
    let model = Model::compile(graph, &Options::default()).expect("compiles");
    assert_eq!((model.precision(), model.input_quantization()), (Precision::F32, None));
    assert_eq!(int8.model().precision(), Precision::Int8);
    let mut float = Session::new(Arc::new(model));
    says(float.run_bytes(&[0; 360], &mut out), wrong, &["bytes", "float"]);
    says(float.run_observed(&x, &mut out, &mut |_, _| {}), wrong, &["compile_observed"]);
}

#[test]
fn sets_of_other_machines() {
    let mut g = Graph::new(Shape::new(4, 4, 3)).expect("valid");
    g.add("conv", Conv::new(g.input(), 2, [1, 1], vec![0.5; 6])).expect("fits");
    for isa in [Isa::Avx512, Isa::Avx2, Isa::Neon, Isa::Scalar] {
        let options = Options { isa: Some(isa), ..Options::default() };
        let compiled = Model::compile_int8(g.clone(), &[UNIT; 2], &options);
        assert_eq!(compiled.is_ok(), isa.has_int8(), "{isa}");
        if let Err(e) = compiled {
            assert_eq!(e.kind(), ErrorKind::IsaUnavailable);
        }
    }
    let best = Model::compile_int8(g, &[UNIT; 2], &Options::default());
    match (Isa::detect_int8(), best) {
        (Some(isa), Ok(model)) => assert_eq!(model.isa(), isa),
        (None, Err(e)) => assert_eq!(e.kind(), ErrorKind::IsaUnavailable),
        other => panic!("{other:?}"),
    }
    assert_ne!(Isa::detect_int8(), Some(Isa::Scalar));
}

#[test]
fn memory_is_limited() {
    let mut g = Graph::new(Shape::new(16, 16, 4)).expect("valid");
    g.add("conv", Conv::new(g.input(), 64, [3, 3], vec![0.5; 64 * 36])).expect("fits");
    let compile = |memory_limit| {
        let options = Options { memory_limit, ..scalar() };
        Model::compile_int8(g.clone(), &[UNIT; 2], &options)
    };
    says(compile(100), ErrorKind::LimitExceeded, &["100 bytes"]);
    let m = compile(1 << 20).expect("fits");
    let int8 = (m.weight_bytes(), m.arena_bytes());
    let m = Model::compile(g.clone(), &scalar()).expect("fits");
    assert!(int8.0 * 3 < m.weight_bytes(), "{int8:?} of {}", m.weight_bytes());
}

#[test]
fn profiles_name_layers() {
    let mut r = Rng::new(9);
    let (graph, ranges) = small(&mut r);
    for isa in sets() {
        let options = Options { isa: Some(isa), ..Options::default() };
        let mut s = session(&graph, &ranges, &options);
        let mut profile = Profile::new(s.model());
        let x = r.floats(360);
        let q = s.model().input_quantization().expect("int8");
        let bytes: Vec<u8> = x.iter().map(|&x| q.byte(x)).collect();
        let (mut a, mut b) = (vec![0.0; s.model().output_shape().len()], Vec::new());
        b.clone_from(&a);
        s.run_profiled(&x, &mut a, &mut profile).expect("runs");
        s.run_bytes_profiled(&bytes, &mut b, &mut profile).expect("runs");
        assert_eq!((a, profile.runs), (b, 2));
        assert!(profile.layers.iter().any(|l| l.kind == "depthwise"));
    }
}

/// int8 is near the float network: the ranges and scales mean something.
#[test]
fn near_the_float_network() {
    let mut r = Rng::new(21);
    for _ in 0..10 {
        let (graph, ranges) = small(&mut r);
        let x = r.floats(360);
        let mut want = vec![0.0; graph.shape(graph.output().expect("there")).expect("here").len()];
        let options = Options {
            input_layout: DataLayout::Nhwc,
            output_layout: DataLayout::Nhwc,
            ..Options::default()
        };
        let float = Model::compile(graph.clone(), &options).expect("compiles");
        Session::new(Arc::new(float)).run(&x, &mut want).expect("runs");
        let mut got = want.clone();
        for isa in fast_sets() {
            let options = Options { isa: Some(isa), ..Options::default() };
            session(&graph, &ranges, &options).run(&x, &mut got).expect("runs");
            let sum = |f: &dyn Fn(usize) -> f32| -> f32 { (0..got.len()).map(f).sum() };
            let error = sum(&|i| (got[i] - want[i]).powi(2)) / sum(&|i| want[i].powi(2));
            assert!(error.sqrt() < 0.05, "{isa}: relative error {}", error.sqrt());
        }
    }
}
