//! What the kernels run gives the scores that tract gives, and the networks
//! that people use are run by the kernels.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]

mod support;

use biglittle::network::{Model, ModelLimits, Runtime, Session};
use support::networks;

/// Elements of a test input, in -1 to 1.
fn element(i: usize) -> f32 {
    ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1u32 << 23) as f32 - 1.0
}

fn run(model: &Model) -> Vec<f32> {
    let values: usize = model.summary().input_shape.iter().product();
    let input: Vec<f32> = (0..values).map(element).collect();
    let mut output = Vec::new();
    Session::new(model).unwrap().run(&input, &mut output).unwrap();
    output
}

/// Compares the kernels with tract and says what runs the network.
fn compare(name: &str, bytes: &[u8]) -> Runtime {
    let limits = ModelLimits::default();
    let model = Model::open(bytes, &limits).unwrap();
    let tract = Model::open_for_tract(bytes, &limits).unwrap();
    assert!(matches!(tract.runtime(), Runtime::Tract { .. }));
    let (scores, expected) = (run(&model), run(&tract));
    assert_eq!(scores.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
    for (score, value) in scores.iter().zip(&expected) {
        assert!((score - value).abs() <= 1e-4 * largest, "{name}: {scores:?} is not {expected:?}");
    }
    println!("{name}: {}", model.runtime());
    model.runtime().clone()
}

#[test]
fn networks_that_people_use_are_lowered_whole() {
    let mut failed = Vec::new();
    for (name, bytes) in networks::all() {
        let runtime = compare(name, &bytes);
        let tract = matches!(runtime, Runtime::Tract { .. });
        let expected =
            ["alexnet", "quantised", "upsampling", "old_operators", "new_operators", "attention"]
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

/// Real files: `BIGLITTLE_MODELS=folder cargo test real_files -- --ignored`.
#[test]
#[ignore = "needs a folder of ONNX files, named by BIGLITTLE_MODELS"]
fn real_files_are_lowered_whole() {
    let folder = std::env::var_os("BIGLITTLE_MODELS").expect("BIGLITTLE_MODELS names a folder");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "onnx") {
            let name = path.display().to_string();
            let runtime = compare(&name, &std::fs::read(&path).unwrap());
            assert!(matches!(runtime, Runtime::Kernels { .. }), "{name}: {runtime}");
            count += 1;
        }
    }
    assert!(count > 0, "no ONNX files in the folder");
}
