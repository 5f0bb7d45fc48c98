//! Hashes of what int8 networks answer: the same on every machine.

mod common;
#[path = "../examples/bench/nets.rs"]
mod nets;
#[path = "../examples/bench/ours.rs"]
mod ours;

use biglittle_kernels::{
    Activation, Binary, Conv, DataLayout, Graph, Isa, Model, Op, Options, Padding, Range, Session,
    Shape,
};
use common::integers::{observe, session, sets};
use common::{Network, Rng, generate};
use std::sync::Arc;

/// FNV-1a of the bits of all answers.
fn hash(graph: &Graph, inputs: &[Vec<f32>], isa: Isa) -> u64 {
    let options = Options { isa: Some(isa), ..Options::default() };
    let mut session = session(graph, &observe(graph, &inputs[..1]), &options);
    let mut out = vec![0.0; session.model().output_shape().len()];
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for x in inputs {
        session.run(x, &mut out).expect("runs");
        for byte in out.iter().flat_map(|v| v.to_bits().to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    hash
}

fn check(name: &str, graph: &Graph, want: u64) {
    let n = graph.shape(graph.input()).expect("of this graph").len();
    let mut r = Rng::new(7);
    let inputs: Vec<Vec<f32>> = (0..2).map(|_| r.floats(n)).collect();
    for isa in sets() {
        let got = hash(graph, &inputs, isa);
        assert_eq!(got, want, "{name} on {isa}: {got:#018x}, not {want:#018x}");
    }
}

fn network(name: &str, want: u64) {
    let (_, [side, channels]) = nets::NETS.into_iter().find(|n| n.0 == name).expect("in the list");
    let mut b = ours::Ours::new(side, channels);
    let x = b.graph.input();
    nets::build(&mut b, x, name);
    check(name, &b.graph.simplified(), want);
}

#[test]
fn mobilenet_v1() {
    network("mobilenet_v1_0.25", 0x72e8_2dcf_22dc_b434);
}

#[test]
fn resnet8() {
    network("resnet8", 0x4459_5922_c95a_0080);
}

#[test]
fn lenet() {
    network("lenet", 0xad95_e466_e849_7ca5);
}

#[test]
fn mnist_little() {
    network("mnist_little", 0x017e_b7f4_d067_fa96);
}

#[test]
fn mlp() {
    network("mlp", 0x346b_1034_ed2b_fb9e);
}

/// Layers in floats between layers in bytes, and a softmax.
#[test]
fn squeeze_and_excite() {
    let mut r = Rng::new(3);
    let mut net = Network::new(Shape::new(32, 32, 3));
    let mut x = net.graph.input();
    for activation in [Activation::Silu, Activation::HardSwish] {
        let conv = generate::conv(&net, &mut r, x, 24, [3, 3], 1);
        x = net.add(Conv { padding: Padding::same(1), activation, ..conv });
        let mean = net.add(Op::GlobalAverage(x));
        let narrow = generate::conv(&net, &mut r, mean, 6, [1, 1], 1);
        let narrow = net.add(Conv { activation, ..narrow });
        let gate = generate::conv(&net, &mut r, narrow, 24, [1, 1], 1);
        let gate = net.add(Conv { activation: Activation::Sigmoid, ..gate });
        x = net.add(Op::Mul(Binary { x, y: gate, activation: Activation::None }));
    }
    let mean = net.add(Op::GlobalAverage(x));
    let last = generate::conv(&net, &mut r, mean, 10, [1, 1], 1);
    let last = net.add(last);
    net.add(Op::Softmax(last));
    check("squeeze-and-excite", &net.graph.simplified(), 0x82b9_0ba7_4742_5345);
}

/// All operators, among them activations by table.
#[test]
fn random_networks() {
    let mut all = 0u64;
    for seed in 0..40 {
        let mut r = Rng::new(seed);
        let graph = generate::network(&mut r).graph.simplified();
        let ranges = vec![Range { lo: -1.0, hi: 1.0 }; graph.values().count()];
        let scalar = Options { isa: Some(Isa::Scalar), ..Options::default() };
        if Model::compile_int8(graph.clone(), &ranges, &scalar).is_err() {
            // a softmax that is not the output, in so small a network
            continue;
        }
        let n = graph.shape(graph.input()).expect("of this graph").len();
        let inputs = [r.floats(n), r.floats(n)];
        let hashes: Vec<u64> = sets().iter().map(|&isa| hash(&graph, &inputs, isa)).collect();
        assert!(hashes.iter().all(|&h| h == hashes[0]), "seed {seed}: {hashes:x?}");
        all = all.rotate_left(1) ^ hashes[0];
    }
    assert_eq!(all, 0x088f_87f7_56e3_b71d, "{all:#018x}");
}

/// The answers above come from ranges of the float network, which must be the
/// same everywhere too.
#[test]
fn ranges() {
    let mut b = ours::Ours::new(32, 3);
    let x = b.graph.input();
    nets::build(&mut b, x, "resnet8");
    let options =
        Options { isa: Some(Isa::Scalar), output_layout: DataLayout::Nhwc, ..Options::default() };
    let model = Model::compile_observed(b.graph, &options).expect("compiles");
    let mut out = [0.0; 10];
    Session::new(Arc::new(model)).run(&Rng::new(7).floats(32 * 32 * 3), &mut out).expect("runs");
    let bits = out.iter().fold(0u32, |h, v| h.rotate_left(5) ^ v.to_bits());
    assert_eq!(bits, 0xdbac_9710, "{bits:#010x}");
}
