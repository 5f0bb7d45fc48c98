//! Graphs that are read, changed, simplified and observed.

mod common;

use biglittle_kernels::{
    Activation, Conv, DataLayout, ErrorKind, Graph, Model, Op, Options, Session, Shape, Value,
};
use common::{Rng, generate, reference, run};
use std::sync::Arc;

#[test]
fn simplified_graphs_compute_the_same() {
    for seed in 0..150 {
        let mut r = Rng::new(seed);
        let mut net = generate::network(&mut r);
        let x = r.floats(net.input.len());
        let (want, largest) = reference::evaluate(&net, &x);
        net.graph = net.graph.simplified();
        net.graph.validate().expect("valid");
        for node in net.graph.nodes() {
            let fused = match node.op() {
                Op::Conv(c) => c.activation,
                Op::Add(b) | Op::Mul(b) => b.activation,
                Op::Affine(a) => a.activation,
                Op::Linear(_) => panic!("a fully connected layer is left"),
                _ => Activation::None,
            };
            assert!(fused.clamp().is_some(), "{fused:?} is part of '{}'", node.name());
        }
        let got = run(&net, &x, &Options::default());
        for (a, b) in got.iter().zip(&want) {
            assert!((f64::from(*a) - b).abs() / largest < 1e-5, "seed {seed}: {a}, not {b}");
        }
    }
}

#[test]
fn every_value_is_shown() {
    for seed in 0..60 {
        let mut r = Rng::new(seed);
        let graph = generate::network(&mut r).graph.simplified();
        let shape = |v: Value| graph.shape(v).expect("of this graph");
        let options = Options {
            input_layout: DataLayout::Nhwc,
            output_layout: DataLayout::Nhwc,
            ..Options::default()
        };
        let model = Model::compile_observed(graph.clone(), &options).expect("compiles");
        let mut session = Session::new(Arc::new(model));
        let x = r.floats(shape(graph.input()).len());
        let output = graph.output().expect("an output");
        let mut out = vec![0.0; shape(output).len()];
        let mut seen = Vec::new();
        let mut shown = Vec::new();
        session
            .run_observed(&x, &mut out, &mut |value, tensor| {
                assert_eq!(tensor.shape(), shape(value));
                let data: Vec<f32> = tensor.pixels().flatten().copied().collect();
                assert_eq!(data.len(), shape(value).len());
                if value == graph.input() {
                    assert_eq!(data, x);
                }
                if value == output {
                    shown = data;
                }
                seen.push(value);
            })
            .expect("runs");
        assert_eq!(seen, graph.values().map(|(v, ..)| v).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(shown, out);
    }
}

#[test]
fn operations_are_replaced_only_by_fitting_ones() {
    let mut g = Graph::new(Shape::new(4, 4, 2)).expect("valid");
    let conv = |g: &Graph, out: usize, w: f32| Conv::new(g.input(), out, [1, 1], vec![w; 2 * out]);
    let c = g.add("conv", conv(&g, 3, 1.0)).expect("fits");
    let e = g.replace(c, conv(&g, 4, 1.0)).expect_err("another shape");
    assert_eq!(e.kind(), ErrorKind::InvalidGraph);
    assert!(e.to_string().contains("'conv'") && e.to_string().contains("4x4x4"), "{e}");
    let e = g.replace(c, Op::Activate(c, Activation::Relu)).expect_err("reads itself");
    assert!(e.to_string().contains("not before"), "{e}");
    assert!(g.replace(g.input(), conv(&g, 3, 1.0)).is_err());
    g.replace(c, conv(&g, 3, 2.0)).expect("fits");
    let names: Vec<(&str, Shape)> = g.values().map(|(_, n, s)| (n, s)).collect();
    assert_eq!(names, [("input", Shape::new(4, 4, 2)), ("conv", Shape::new(4, 4, 3))]);
    assert_eq!((g.output(), g.nodes().len()), (Some(c), 1));
}
