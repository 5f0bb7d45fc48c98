//! Layers that int8 models compute in floats: what stays in floats, and that it is
//! the documented arithmetic.

mod common;

use biglittle_kernels::{
    Activation, Binary, Concat, Conv, ErrorKind, Graph, Isa, Linear, Model, Op, Options, Padding,
    Range, Shape,
};
use common::integers::{Reference, observe, session, sets};
use common::{Network, Rng, generate, says};

/// Compares every set with the reference, chained and not.
fn equals_reference(graph: &Graph, r: &mut Rng) {
    let shape = graph.shape(graph.input()).expect("here");
    let inputs = [r.floats(shape.len()), r.floats(shape.len())];
    let ranges = observe(graph, &inputs);
    let reference = Reference::new(graph, &ranges);
    let want = reference.run(&reference.input(&inputs[0]));
    for isa in sets() {
        for fuse in [false, true] {
            let options = Options { isa: Some(isa), fuse, ..Options::default() };
            let mut got = vec![0.0; want.len()];
            session(graph, &ranges, &options).run(&inputs[0], &mut got).expect("runs");
            assert_eq!(got, want, "{isa}");
        }
    }
}

#[test]
fn a_cheap_softmax_in_the_middle_stays_in_floats() {
    let mut r = Rng::new(5);
    let mut net = Network::new(Shape::new(32, 32, 3));
    let mut x = net.graph.input();
    for _ in 0..2 {
        let conv = generate::conv(&net, &mut r, x, 20, [3, 3], 1);
        x = net.add(Conv { padding: Padding::same(1), activation: Activation::Relu, ..conv });
    }
    let mean = net.add(Op::GlobalAverage(x));
    let soft = net.add(Op::Softmax(mean));
    // one reader of floats, two of bytes
    let again = net.add(Op::Softmax(soft));
    let sum = Binary { x: soft, y: again, activation: Activation::None };
    let sum = net.add(Op::Add(sum));
    let both = net.add(Op::Concat(Concat { xs: vec![sum, soft, mean] }));
    let last = generate::conv(&net, &mut r, both, 5, [1, 1], 1);
    net.add(last);
    equals_reference(&net.graph.simplified(), &mut r);
}

#[test]
fn a_cheap_sum_too_long_for_32_bits_stays_in_floats() {
    let mut r = Rng::new(6);
    let mut net = Network::new(Shape::new(96, 96, 3));
    let mut x = net.graph.input();
    for _ in 0..3 {
        let conv = generate::conv(&net, &mut r, x, 10, [3, 3], 1);
        x = net.add(Conv { padding: Padding::same(1), activation: Activation::Relu, ..conv });
    }
    let count = 96 * 96 * 10;
    let weights = generate::weights(&mut r, count, count).into();
    let (bias, activation) = (vec![0.25], Activation::None);
    net.add(Linear { x, out_channels: 1, weights, bias, activation });
    equals_reference(&net.graph.simplified(), &mut r);
}

/// Activations of a gate that read bytes because others read them too.
#[test]
fn a_gate_may_start_from_bytes() {
    let mut r = Rng::new(8);
    let mut net = Network::new(Shape::new(16, 16, 20));
    let x = net.graph.input();
    let conv = generate::conv(&net, &mut r, x, 20, [3, 3], 1);
    let x = net.add(Conv { padding: Padding::same(1), ..conv });
    let mean = net.add(Op::GlobalAverage(x));
    let gate = net.add(Op::Activate(mean, Activation::Sigmoid));
    let gated = net.add(Op::Mul(Binary { x, y: gate, activation: Activation::None }));
    let sum = net.add(Op::Add(Binary { x: gated, y: mean, activation: Activation::Relu }));
    // a clamp inside the range that is given
    let mean = net.add(Op::GlobalAverage(sum));
    let clip = Activation::Clip { lo: 0.25, hi: 0.5 };
    let conv = generate::conv(&net, &mut r, mean, 20, [1, 1], 1);
    let gate = net.add(Conv { activation: clip, ..conv });
    net.add(Op::Mul(Binary { x: sum, y: gate, activation: Activation::None }));
    equals_reference(&net.graph.simplified(), &mut r);
}

#[test]
fn weights_and_biases_in_floats_are_checked_too() {
    let scalar = Options { isa: Some(Isa::Scalar), ..Options::default() };
    let gated = |bias: f32, weight: f32| {
        let mut g = Graph::new(Shape::new(32, 32, 16)).expect("valid");
        let conv = Conv::new(g.input(), 16, [3, 3], vec![0.1; 16 * 16 * 9]);
        let x = g.add("conv", Conv { padding: Padding::same(1), ..conv }).expect("fits");
        let mean = g.add("mean", Op::GlobalAverage(x)).expect("fits");
        let bias = vec![bias; 16];
        let gate = Conv { bias, ..Conv::new(mean, 16, [1, 1], vec![weight; 256]) };
        let y = g.add("gate", gate).expect("fits");
        g.add("mul", Op::Mul(Binary { x, y, activation: Activation::None })).expect("fits");
        Model::compile_int8(g, &[Range { lo: -1.0, hi: 1.0 }; 5], &scalar)
    };
    assert!(gated(0.5, 0.5).is_ok());
    let kind = ErrorKind::NotQuantizable;
    says(gated(f32::NAN, 0.5), kind, &["'gate'", "bias", "finite"]);
    says(gated(0.5, f32::INFINITY), kind, &["'gate'", "weight", "finite"]);
}
