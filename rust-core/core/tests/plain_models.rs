//! The guard lets through what exporters write, and does not change it: each
//! network gives the same scores as tract alone, and the work that the guard
//! counts for convolutions and matrix products is the work that tract counts.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]

mod support;

use biglittle::network::{Model, ModelLimits, ModelSummary};
use support::{assert_same, element, networks, run};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::Cost;

/// What tract alone makes of the file: scores and multiply-accumulates.
fn bare_tract(bytes: &[u8], shape: &[usize]) -> (Vec<f32>, u64) {
    let mut model = onnx().model_for_read(&mut std::io::Cursor::new(bytes)).unwrap();
    model.set_input_fact(0, f32::fact(shape).into()).unwrap();
    model.set_output_fact(0, Default::default()).unwrap();
    let typed = model.into_typed().unwrap().into_decluttered().unwrap();
    let mut macs = 0;
    for node in typed.nodes() {
        let facts = typed.node_input_facts(node.id).unwrap();
        for (cost, count) in node.op.cost(&facts).unwrap() {
            let product = node.op.name() == "Conv" || node.op.name().starts_with("EinSum");
            if product && matches!(cost, Cost::FMA(_)) {
                macs += count.to_i64().unwrap() as u64;
            }
        }
    }
    let plan = typed.into_optimized().unwrap().into_runnable().unwrap();
    let input: Vec<f32> = (0..shape.iter().product()).map(element).collect();
    let input = Tensor::from_shape(shape, &input).unwrap();
    let outputs = plan.run(tvec!(input.into())).unwrap();
    (outputs[0].try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec(), macs)
}

fn slices(summary: &ModelSummary) -> bool {
    summary.operators.iter().any(|(op, _)| op == "Slice")
}

fn compare(name: &str, bytes: &[u8]) {
    let model = match Model::open(bytes, &ModelLimits::default()) {
        Ok(model) => model,
        Err(error) => panic!("{name}: {error}"),
    };
    let summary = model.summary();
    let (expected, macs) = bare_tract(bytes, &summary.input_shape);
    assert_same(name, &run(&model), &expected, 1e-5);
    assert_eq!(summary.output_shape.iter().product::<usize>(), expected.len(), "{name}");
    // tract computes no channels that a later slice drops.
    if slices(summary) {
        assert!(macs <= summary.macs, "{name}: multiply-accumulates");
    } else {
        assert_eq!(summary.macs, macs, "{name}: multiply-accumulates");
    }
    println!("{name}: {summary:?}");
}

#[test]
fn typical_exports_pass_unchanged() {
    for (name, bytes) in networks::all() {
        compare(name, &bytes);
    }
}
