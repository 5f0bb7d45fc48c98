//! Hostile and malformed graphs give errors that say what is wrong.

use biglittle_kernels::{
    Activation, Affine, Binary, Concat, Conv, Error, ErrorKind, Graph, Isa, Linear, Model, Op,
    Options, Pad, Padding, Pool, PoolKind, Session, Shape, Slice, Weights, limits,
};
use std::sync::Arc;

fn graph() -> Graph {
    Graph::new(Shape::new(8, 8, 4)).expect("valid")
}

/// The error of adding one node to a graph with an 8x8x4 input.
fn refused(op: impl FnOnce(&Graph) -> Op) -> Error {
    let mut g = graph();
    let op = op(&g);
    let error = g.add("bad", op).expect_err("refused");
    assert!(error.to_string().starts_with("node 'bad': "), "{error}");
    error
}

#[track_caller]
fn says(error: &Error, kind: ErrorKind, parts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "'{error}' lacks '{part}'");
    }
}

fn conv(g: &Graph) -> Conv {
    Conv::new(g.input(), 2, [3, 3], vec![0.0; 2 * 4 * 9])
}

#[test]
fn input_shapes() {
    for shape in [Shape::new(0, 8, 3), Shape::new(8, 0, 3), Shape::new(8, 8, 0)] {
        says(&Graph::new(shape).expect_err("empty"), ErrorKind::LimitExceeded, &["0", "1..="]);
    }
    let huge = Shape::new(limits::MAX_EXTENT, limits::MAX_EXTENT, limits::MAX_EXTENT);
    says(&Graph::new(huge).expect_err("huge"), ErrorKind::LimitExceeded, &["268435456"]);
    let most = Shape::new(usize::MAX, 1, 1);
    says(&Graph::new(most).expect_err("huge"), ErrorKind::LimitExceeded, &["1048576"]);
}

#[test]
fn convolution_parameters() {
    let limit = ErrorKind::LimitExceeded;
    let invalid = ErrorKind::InvalidGraph;
    const BIG: usize = limits::MAX_WINDOW + 1;
    type Case = (&'static dyn Fn(&mut Conv), ErrorKind, &'static [&'static str]);
    let cases: [Case; 16] = [
        (&|c| c.stride = [0, 1], limit, &["stride 0", "4096"]),
        (&|c| c.stride = [1, usize::MAX], limit, &["stride", "4096"]),
        (&|c| c.dilation = [1, 0], limit, &["dilation 0", "4096"]),
        (&|c| c.dilation = [BIG, 1], limit, &["dilation 4097", "4096"]),
        (&|c| c.dilation = [4, 4], invalid, &["9", "8"]),
        (&|c| c.kernel = [0, 3], limit, &["kernel 0"]),
        (&|c| c.kernel = [BIG, 3], limit, &["kernel 4097"]),
        (&|c| c.kernel = [9, 3], invalid, &["kernel height 9", "8"]),
        (&|c| c.padding.left = usize::MAX, limit, &["padding", "4096"]),
        (&|c| c.padding.bottom = BIG, limit, &["padding 4097", "4096"]),
        (&|c| c.groups = 0, invalid, &["groups 0"]),
        (&|c| c.groups = 3, invalid, &["groups 3", "4 input", "2 output"]),
        (&|c| c.out_channels = 0, limit, &["channels 0"]),
        (&|c| c.out_channels = usize::MAX, limit, &["channels"]),
        (&|c| c.bias = vec![0.0; 3], invalid, &["3 biases", "2 needed"]),
        (&|c| c.weights = Weights::F16(vec![0; 71]), invalid, &["71 weights", "72 needed"]),
    ];
    for (change, kind, parts) in cases {
        let error = refused(|g| {
            let mut c = conv(g);
            change(&mut c);
            c.into()
        });
        says(&error, kind, parts);
    }
}

#[test]
fn weights_scales_and_activations() {
    let error = refused(|g| {
        let mut c = conv(g);
        c.weights = Weights::I8 { data: vec![0; 72], scales: vec![1.0; 3] };
        c.into()
    });
    says(&error, ErrorKind::InvalidGraph, &["3 weight scales", "2 needed"]);
    for a in [
        Activation::Clip { lo: 1.0, hi: 0.0 },
        Activation::Clip { lo: f32::NAN, hi: 0.0 },
        Activation::HardSigmoid { alpha: f32::INFINITY, beta: 0.0 },
        Activation::LeakyRelu { slope: f32::NAN },
    ] {
        says(&refused(|g| Op::Activate(g.input(), a)), ErrorKind::InvalidGraph, &[]);
    }
}

#[test]
fn other_operators() {
    let invalid = ErrorKind::InvalidGraph;
    let e = refused(|g| Slice { x: g.input(), start: 3, count: 2 }.into());
    says(&e, invalid, &["2 channels from 3", "4"]);
    let e = refused(|g| Slice { x: g.input(), start: usize::MAX, count: 2 }.into());
    says(&e, invalid, &["slice"]);
    let e = refused(|g| Op::Shuffle { x: g.input(), groups: 3 });
    says(&e, invalid, &["groups 3", "4 channels"]);
    let e = refused(|_| Concat { xs: vec![] }.into());
    says(&e, ErrorKind::LimitExceeded, &["concat of 0", "1024"]);
    let e = refused(|g| {
        let (scale, shift) = (vec![1.0; 5], vec![1.0; 4]);
        Affine { x: g.input(), scale, shift, activation: Activation::None }.into()
    });
    says(&e, invalid, &["5 scales", "4 needed"]);
    let e = refused(|g| {
        Linear {
            x: g.input(),
            out_channels: 10,
            weights: vec![0.0; 100].into(),
            bias: vec![],
            activation: Activation::None,
        }
        .into()
    });
    says(&e, invalid, &["100 weights", "2560 needed"]);
    let e = refused(|g| {
        let padding = Padding { top: 2, ..Padding::default() };
        Pool { x: g.input(), kind: PoolKind::Max, kernel: [2, 2], stride: [1, 1], padding }.into()
    });
    says(&e, invalid, &["top padding 2", "kernel 2"]);
    let e = refused(|g| Pad { x: g.input(), padding: Padding::same(usize::MAX) }.into());
    says(&e, ErrorKind::LimitExceeded, &["padding"]);
}

#[test]
fn shapes_that_do_not_meet() {
    let mut g = graph();
    let x = g.input();
    let narrow = g.add("conv", conv(&g)).expect("fits");
    let b = Binary { x, y: narrow, activation: Activation::None };
    let e = g.add("sum", Op::Add(b)).expect_err("refused");
    says(&e, ErrorKind::InvalidGraph, &["node 'sum'", "8x8x4", "6x6x2"]);
    let e = g.add("cat", Concat { xs: vec![x, narrow] }).expect_err("refused");
    says(&e, ErrorKind::InvalidGraph, &["node 'cat'", "6x6x2"]);
    let e = g.add("res", Conv { residual: Some(x), ..conv(&g) }).expect_err("refused");
    says(&e, ErrorKind::InvalidGraph, &["residual is 8x8x4", "6x6x2"]);
    // refused nodes leave no trace
    assert!(g.validate().is_ok());
    assert_eq!(g.shape(narrow).expect("there"), Shape::new(6, 6, 2));
}

#[test]
fn values_of_other_graphs_and_empty_graphs() {
    let mut other = graph();
    let a = other.add("a", Op::Activate(other.input(), Activation::Relu)).expect("fits");
    let e = refused(|_| Op::Activate(a, Activation::Relu));
    says(&e, ErrorKind::InvalidGraph, &["value 1"]);
    let g = graph();
    says(&g.validate().expect_err("empty"), ErrorKind::InvalidGraph, &["no node"]);
    assert!(Model::compile(g, &Options::default()).is_err());
    other.set_output(other.input());
    assert!(other.validate().is_err());
}

#[test]
fn memory_is_limited() {
    let compile = |shape: Shape, change: &dyn Fn(&mut Conv), limit: usize| {
        let mut g = Graph::new(shape).expect("valid");
        let mut c = Conv::new(g.input(), 4, [1, 1], vec![0.0; 4 * shape.c]);
        change(&mut c);
        g.add("conv", c).expect("valid");
        let options = Options { memory_limit: limit, ..Options::default() };
        Model::compile(g, &options).map(|_| ())
    };
    let small = Shape::new(16, 16, 4);
    compile(small, &|_| {}, 1 << 20).expect("fits");
    let e = compile(small, &|_| {}, 4_000).expect_err("arena");
    says(&e, ErrorKind::LimitExceeded, &["4000 bytes"]);
    // wide padding multiplies rows
    let tall = Shape::new(1 << 12, 4, 4);
    let pad = |c: &mut Conv| c.padding = Padding { left: 4000, right: 4000, ..c.padding };
    let e = compile(tall, &pad, 1 << 26).expect_err("arena");
    says(&e, ErrorKind::LimitExceeded, &["67108864 bytes"]);
    // many taps and many rows make a large table
    let tall = Shape::new(1 << 18, 1, 1);
    let taps = |c: &mut Conv| {
        c.kernel = [4096, 1];
        c.weights = vec![0.0; 4 * 4096].into();
        c.padding = Padding { top: 2000, bottom: 2000, ..c.padding };
    };
    let e = compile(tall, &taps, 1 << 26).expect_err("tables");
    says(&e, ErrorKind::LimitExceeded, &["node 'conv'", "tables"]);
    let wide = Shape::new(1, 1, 1 << 16);
    let e = compile(wide, &|_| {}, 1 << 20).expect_err("weights");
    says(&e, ErrorKind::LimitExceeded, &["node 'conv'", "weights"]);
}

#[test]
fn slices_of_wrong_length() {
    let mut g = graph();
    g.add("relu", Op::Activate(g.input(), Activation::Relu)).expect("fits");
    let model = Model::compile(g, &Options::default()).expect("compiles");
    let mut session = Session::new(Arc::new(model));
    let mut out = [0.0; 256];
    let e = session.run(&[0.0; 255], &mut out).expect_err("short");
    says(&e, ErrorKind::WrongLength, &["input", "255", "256"]);
    let e = session.run(&[0.0; 256], &mut out[1..]).expect_err("short");
    says(&e, ErrorKind::WrongLength, &["output", "255", "256"]);
    session.run(&[0.0; 256], &mut out).expect("right");
}

#[test]
fn sets_of_other_machines() {
    let mut g = graph();
    g.add("relu", Op::Activate(g.input(), Activation::Relu)).expect("fits");
    for isa in [Isa::Avx512, Isa::Avx2, Isa::Neon, Isa::Scalar] {
        let options = Options { isa: Some(isa), ..Options::default() };
        let compiled = Model::compile(g.clone(), &options);
        assert_eq!(compiled.is_ok(), isa.is_available());
    }
}
