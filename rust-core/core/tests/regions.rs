//! Networks with layers that the kernels do not have: the kernels run the parts
//! around them, tract runs them, and the scores are those of tract alone.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail")]

mod support;

use std::cell::Cell;

use biglittle::network::{Part, Runtime};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use support::{Builder, compare, int, ints};

/// Rows and columns of the images here, and channels.
const SIDE: i64 = 28;
const CHANNELS: i64 = 16;

fn builder() -> Builder {
    Builder::new(13, &[1, CHANNELS, SIDE, SIDE])
}

/// A convolution that keeps the shape, with a clamp.
fn layer(b: &mut Builder, x: &str) -> String {
    let x = b.conv(x, CHANNELS, CHANNELS, 3, 1, 1);
    b.node("Relu", &[&x], vec![])
}

/// Something that the kernels do not have.
fn exotic(b: &mut Builder, x: &str) -> String {
    b.node("Erf", &[x], vec![])
}

fn head(b: &mut Builder, x: &str) -> String {
    let x = b.node("GlobalAveragePool", &[x], vec![]);
    let x = b.node("Flatten", &[&x], vec![]);
    b.gemm(&x, CHANNELS, 10)
}

/// Compares with tract and gives the operators that tract runs and the number
/// of the kernels' parts.
fn cut(name: &str, bytes: &[u8]) -> (Vec<String>, usize) {
    let runtime = compare(name, bytes);
    let Runtime::Mixed { parts, .. } = &runtime else { panic!("{name} runs on {runtime}") };
    let (mut operators, mut regions) = (vec![], 0);
    for part in parts {
        match part {
            Part::Tract { layers, .. } => {
                operators.extend(layers.iter().map(|layer| layer.operator.clone()));
                assert!(layers.iter().all(|layer| !layer.reason.is_empty()), "{runtime:?}");
            }
            Part::Kernels { layers, macs, .. } => {
                regions += 1;
                assert!(!layers.is_empty() && *macs > 0, "{runtime:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    (operators, regions)
}

#[test]
fn an_exotic_layer_anywhere_in_a_chain() {
    for at in 0..=4 {
        let mut b = builder();
        let mut x = "x".to_owned();
        for i in 0..4 {
            if i == at {
                x = exotic(&mut b, &x);
            }
            x = layer(&mut b, &x);
        }
        x = head(&mut b, &x);
        if at == 4 {
            x = exotic(&mut b, &x);
        }
        let found = cut(&format!("at {at}"), &b.finish(&x));
        assert_eq!(found, (vec!["Erf".to_owned()], if at == 0 || at == 4 { 1 } else { 2 }));
    }
}

#[test]
fn two_exotic_layers() {
    let mut b = builder();
    let mut x = layer(&mut b, "x");
    for _ in 0..2 {
        x = exotic(&mut b, &x);
        x = layer(&mut b, &x);
        x = layer(&mut b, &x);
    }
    let x = head(&mut b, &x);
    assert_eq!(cut("two", &b.finish(&x)), (vec!["Erf".to_owned(); 2], 3));
}

#[test]
fn an_exotic_layer_in_a_residual_branch() {
    let mut b = builder();
    let x = layer(&mut b, "x");
    let y = layer(&mut b, &x);
    let y = exotic(&mut b, &y);
    let y = layer(&mut b, &y);
    let x = b.node("Add", &[&x, &y], vec![]);
    let x = layer(&mut b, &x);
    let x = head(&mut b, &x);
    let (operators, regions) = cut("residual", &b.finish(&x));
    // Before the fork, on each side of the exotic layer, and behind the sum.
    assert_eq!((&operators[..], regions), (&["Erf".to_owned(), "Add".to_owned()][..], 4));
}

#[test]
fn an_exotic_layer_in_a_squeeze_and_excite_block() {
    let mut b = builder();
    let x = layer(&mut b, "x");
    let s = b.node("GlobalAveragePool", &[&x], vec![]);
    let s = b.conv(&s, CHANNELS, 4, 1, 1, 1);
    let s = exotic(&mut b, &s);
    let s = b.conv(&s, 4, CHANNELS, 1, 1, 1);
    let s = b.node("Sigmoid", &[&s], vec![]);
    let x = b.node("Mul", &[&x, &s], vec![]);
    let x = layer(&mut b, &x);
    let x = head(&mut b, &x);
    let (operators, regions) = cut("squeeze and excite", &b.finish(&x));
    assert!(operators.contains(&"Erf".to_owned()) && regions == 2, "{operators:?} {regions}");
}

/// tract moves such networks to channels last on some processors.
#[test]
fn an_exotic_layer_among_depthwise_convolutions() {
    let mut b = builder();
    let mut x = "x".to_owned();
    for i in 0..4 {
        x = b.conv(&x, CHANNELS, CHANNELS, 3, 1, CHANNELS);
        x = b.node("Relu", &[&x], vec![]);
        x = b.conv(&x, CHANNELS, CHANNELS, 1, 1, 1);
        if i == 1 {
            x = exotic(&mut b, &x);
        }
    }
    let x = head(&mut b, &x);
    assert_eq!(cut("depthwise", &b.finish(&x)), (vec!["Erf".to_owned()], 2));
}

/// The layers of a token mixer, over the last axis of three.
#[test]
fn a_part_without_an_image() {
    let mut b = Builder::new(13, &[1, 64, 7, 7]);
    let shape = b.ints(&[1, 64, 49]);
    let x = b.node("Reshape", &["x", &shape], vec![]);
    let x = b.node("Transpose", &[&x], vec![ints("perm", &[0, 2, 1])]);
    let x = exotic(&mut b, &x);
    let (w, v) = (b.weights(&[64, 256]), b.weights(&[256, 64]));
    let y = b.node("MatMul", &[&x, &w], vec![]);
    let y = b.node("Relu", &[&y], vec![]);
    let y = b.node("MatMul", &[&y, &v], vec![]);
    let x = b.node("Add", &[&x, &y], vec![]);
    let x = exotic(&mut b, &x);
    let x = b.node("ReduceMean", &[&x], vec![ints("axes", &[1]), int("keepdims", 0)]);
    let x = b.gemm(&x, 64, 10);
    let (operators, regions) = cut("tokens", &b.finish(&x));
    assert!(!operators.iter().any(|operator| operator.contains("EinSum")) || regions == 1);
}

/// A region of a few thousand multiplications is not worth two copies.
#[test]
fn small_parts_stay_with_tract() {
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let mut x = "x".to_owned();
    for _ in 0..3 {
        x = b.conv(&x, 4, 4, 3, 1, 1);
        x = exotic(&mut b, &x);
    }
    let runtime = compare("small", &b.finish(&x));
    let Runtime::Tract { layers, .. } = &runtime else { panic!("{runtime}") };
    assert!(runtime.to_string().contains("(Erf) is Erf"), "{runtime}");
    let small = layers.iter().filter(|layer| layer.reason.contains("too small")).count();
    assert_eq!(small, 3, "{layers:?}");
}

/// One layer of a random network.
#[derive(Debug, Clone, Copy)]
enum Layer {
    Conv,
    Pointwise,
    Depthwise,
    Relu,
    Relu6,
    Elu,
    Normalise,
    Add(usize),
    Gate,
    Exotic(usize),
    Pool,
}

fn layers() -> impl Strategy<Value = Vec<Layer>> {
    use Layer::*;
    let one = prop_oneof![
        4 => Just(Conv),
        3 => Just(Pointwise),
        2 => Just(Depthwise),
        2 => Just(Relu),
        1 => Just(Relu6),
        1 => Just(Elu),
        1 => Just(Normalise),
        2 => (0usize..6).prop_map(Add),
        1 => Just(Gate),
        1 => (0usize..6).prop_map(Exotic),
        1 => Just(Pool),
    ];
    proptest::collection::vec(one, 3..14)
}

fn network(layers: &[Layer], whole: bool) -> Vec<u8> {
    let mut b = builder();
    let c = CHANNELS;
    // The tensors of the present size; the last is the one that goes on.
    let mut all = vec!["x".to_owned()];
    for layer in layers {
        let x = all.last().unwrap().clone();
        let earlier = |back: &usize| all[all.len().saturating_sub(1 + back)].clone();
        let y = match layer {
            Layer::Conv => b.conv(&x, c, c, 3, 1, 1),
            Layer::Pointwise => b.conv(&x, c, c, 1, 1, 1),
            Layer::Depthwise => b.conv(&x, c, c, 3, 1, c),
            Layer::Relu => b.node("Relu", &[&x], vec![]),
            Layer::Relu6 => {
                let (low, high) = (b.floats(&[], &[0.0]), b.floats(&[], &[6.0]));
                b.node("Clip", &[&x, &low, &high], vec![])
            }
            Layer::Elu => exotic(&mut b, &x),
            Layer::Normalise => {
                let x = b.node("LRN", &[&x], vec![int("size", 3)]);
                b.batch_norm(&x, c)
            }
            Layer::Add(back) => b.node("Add", &[&x, &earlier(back)], vec![]),
            Layer::Gate => {
                let s = b.node("GlobalAveragePool", &[&x], vec![]);
                let s = b.conv(&s, c, c, 1, 1, 1);
                let s = b.node("HardSigmoid", &[&s], vec![]);
                b.node("Mul", &[&x, &s], vec![])
            }
            Layer::Exotic(back) => b.node("Max", &[&x, &earlier(back)], vec![]),
            Layer::Pool => {
                all.clear();
                let attributes = vec![
                    ints("kernel_shape", &[3, 3]),
                    ints("strides", &[2, 2]),
                    ints("pads", &[1; 4]),
                ];
                b.node("MaxPool", &[&x], attributes)
            }
        };
        all.push(y);
    }
    let mut x = all.pop().unwrap();
    if whole {
        x = head(&mut b, &x);
    }
    b.finish(&x)
}

#[test]
fn random_networks_are_cut_exactly() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let (cases, mixed) = (Cell::new(0), Cell::new(0));
    let result = runner.run(&(layers(), any::<bool>()), |(layers, whole)| {
        let runtime = compare(&format!("{layers:?}"), &network(&layers, whole));
        cases.set(cases.get() + 1);
        mixed.set(mixed.get() + usize::from(matches!(runtime, Runtime::Mixed { .. })));
        Ok(())
    });
    result.unwrap();
    assert!(3 * mixed.get() > cases.get(), "{} of {} were cut", mixed.get(), cases.get());
}
