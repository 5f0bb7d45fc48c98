//! Random graphs in int8 on every instruction set of the machine: not one bit
//! may differ from the documented arithmetic.

mod common;

use biglittle_kernels::{ErrorKind, Isa, Model, Options};
use common::integers::{Reference, observe, session, sets};
use common::{Rng, generate};

fn graphs() -> u64 {
    let n = std::env::var("KERNELS_GRAPHS").ok().and_then(|n| n.parse().ok());
    n.unwrap_or(1_600)
}

fn check(seeds: std::ops::Range<u64>) {
    let scalar = Options { isa: Some(Isa::Scalar), ..Options::default() };
    for seed in seeds {
        let mut r = Rng::new(seed);
        let graph = generate::network(&mut r).graph.simplified();
        let input = graph.shape(graph.input()).expect("of this graph");
        let inputs: Vec<Vec<f32>> = (0..2).map(|_| r.floats(input.len())).collect();
        let mut ranges = observe(&graph, &inputs);
        if r.chance(4) {
            // narrower than what comes, so that a lot saturates
            ranges.iter_mut().for_each(|r| (r.lo, r.hi) = (r.lo * 0.5, r.hi * 0.25 + r.lo * 0.25));
            ranges.iter_mut().for_each(|r| r.hi = r.hi.max(r.lo));
        }
        if let Err(e) = Model::compile_int8(graph.clone(), &ranges, &scalar) {
            // in so small a network it costs too much anywhere but at the end
            assert_eq!(e.kind(), ErrorKind::NotQuantizable, "{e}");
            assert!(e.to_string().contains("softmax is not the output, and too large"), "{e}");
            continue;
        }
        let reference = Reference::new(&graph, &ranges);
        let x: Vec<f32> = inputs[0].iter().map(|v| v * 1.3).collect();
        let bytes = reference.input(&x);
        let want = reference.run(&bytes);
        for isa in sets() {
            for fuse in [false, true] {
                let strip_bytes = r.pick(&[1, 700, 5_000, 1 << 20]);
                let options = Options { isa: Some(isa), fuse, strip_bytes, ..Options::default() };
                let mut session = session(&graph, &ranges, &options);
                let mut got = vec![0.0; want.len()];
                // what a run leaves behind must not matter
                session.run(&vec![f32::NAN; x.len()], &mut got).expect("runs");
                session.run(&x, &mut got).expect("runs");
                same(&got, &want, || format!("seed {seed} {options:?}\n{}", describe(&graph)));
                session.run_bytes(&bytes, &mut got).expect("runs");
                same(&got, &want, || format!("bytes, seed {seed} {options:?}"));
            }
        }
    }
}

#[track_caller]
fn same(got: &[f32], want: &[f32], what: impl Fn() -> String) {
    for (i, (a, b)) in got.iter().zip(want).enumerate() {
        assert!(a.to_bits() == b.to_bits(), "output {i} is {a}, not {b}: {}", what());
    }
}

fn describe(graph: &biglittle_kernels::Graph) -> String {
    let mut text = String::new();
    for node in graph.nodes() {
        let mut op = format!("{:?}", node.op());
        op.truncate(90);
        text += &format!("{:?} {}: {op}\n", node.out(), graph.shape(node.out()).expect("here"));
    }
    text
}

// quarters, so that they run side by side
#[test]
fn first_quarter() {
    check(0..graphs() / 4);
}

#[test]
fn second_quarter() {
    check(graphs() / 4..graphs() / 2);
}

#[test]
fn third_quarter() {
    check(graphs() / 2..graphs() * 3 / 4);
}

#[test]
fn fourth_quarter() {
    check(graphs() * 3 / 4..graphs());
}
