//! What the kernels run gives the scores that tract gives, and the networks
//! that people use are run by the kernels.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]

mod support;

use biglittle::network::{Model, ModelLimits, Runtime};
use support::{compare, networks, run};

#[test]
fn networks_that_people_use_are_lowered_whole() {
    let mut failed = Vec::new();
    for (name, bytes) in networks::all() {
        let runtime = compare(name, &bytes);
        println!("{name}: {runtime}");
        let tract = !matches!(runtime, Runtime::Kernels { .. });
        let expected =
            ["alexnet", "quantized", "upsampling", "old_operators", "new_operators", "attention"]
                .contains(&name);
        if tract != expected {
            failed.push(format!("{name}: {runtime}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// A single output takes as much packed memory as a whole vector of them.
#[test]
fn what_the_kernels_cannot_hold_stays_with_tract() {
    let mut b = support::Builder::new(13, &[1, 1 << 20]);
    let w = b.weights(&[1 << 20, 1]);
    let x = b.node("MatMul", &["x", &w], vec![]);
    let bytes = b.finish(&x);
    let limits = ModelLimits { max_memory_bytes: 32 << 20, ..ModelLimits::default() };
    let model = Model::open(&bytes, &limits).unwrap();
    let text = model.runtime().to_string();
    assert!(text.starts_with("tract, because") && text.contains("packed weights"), "{text}");
    assert_eq!(run(&model).len(), 1);
    compare("one output", &bytes);
}
