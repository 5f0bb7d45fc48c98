//! The node tests of the `onnx` package: each is refused by the guard or gives
//! what it should, on the kernels with every instruction set of this machine
//! where they run it, and on tract.
//!
//! `ci/test goldens` writes the tests (models/zoo/operators.py) and runs this.
//! By hand: `BIGLITTLE_ONNX_TESTS=target/operators cargo test -p biglittle
//! --test onnx_operators -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use biglittle::network::{Execution, Isa, Model, ModelLimits, Runtime};
use support::golden::{self, Golden};

/// Largest difference from the expected value or, above 1, relative to it: some
/// are given to four digits only.
const TOLERANCE: f32 = 1e-4;

/// Tests that the guard refuses: operators and forms that no image classifier
/// needs. A test that leaves or joins them is a change to be made here.
const REFUSED: &str = include_str!("onnx_operators_refused.txt");

/// What became of one operator's tests.
#[derive(Default)]
struct Count {
    kernels: usize,
    partly: usize,
    tract: usize,
    refused: usize,
}

/// The largest scaled difference on all that can run the test.
fn differences(golden: &Golden, model: &Model) -> Vec<(String, f32)> {
    let mut models = vec![Model::open_with(&golden.bytes, Execution::Tract.into()).unwrap()];
    if !matches!(model.runtime(), Runtime::Tract { .. }) {
        let sets = Isa::available();
        let open = |isa| Model::open_with(&golden.bytes, Execution::Kernels(isa).into()).unwrap();
        models.extend(sets.into_iter().map(open));
    }
    let difference = |model: &Model| {
        let scale = |expected: f32| expected.abs().max(1.0);
        (model.runtime().to_string(), golden.difference(model, scale).unwrap())
    };
    models.iter().map(difference).collect()
}

fn print_table(counts: &BTreeMap<String, Count>) {
    let row = |name: &str, counts: &mut dyn Iterator<Item = &Count>| {
        let mut sums = [0; 4];
        for Count { kernels, partly, tract, refused } in counts {
            for (sum, count) in sums.iter_mut().zip([kernels, partly, tract, refused]) {
                *sum += count;
            }
        }
        let [kernels, partly, tract, refused] = sums;
        println!("{name:<24}{kernels:>8}{partly:>8}{tract:>8}{refused:>8}");
    };
    println!("\n{:<24}{:>8}{:>8}{:>8}{:>8}", "operator", "kernels", "partly", "tract", "refused");
    for (operator, count) in counts {
        row(operator, &mut std::iter::once(count));
    }
    row("all", &mut counts.values());
}

#[test]
#[ignore = "needs the tests of models/zoo/operators.py, in the folder that BIGLITTLE_ONNX_TESTS \
            names"]
fn operators_do_what_onnx_says_or_are_refused() {
    let listed: BTreeSet<&str> = REFUSED.lines().filter(|line| !line.starts_with('#')).collect();
    let mut refused = BTreeSet::new();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (golden, operator) in golden::read_all("BIGLITTLE_ONNX_TESTS", "operators.tsv") {
        let count = counts.entry(operator).or_default();
        let model = match Model::open(&golden.bytes, &ModelLimits::default()) {
            Ok(model) => model,
            Err(error) => {
                count.refused += 1;
                println!("{} refused: {error}", golden.name);
                refused.insert(golden.name);
                continue;
            }
        };
        *match model.runtime() {
            Runtime::Kernels { .. } => &mut count.kernels,
            Runtime::Tract { .. } => &mut count.tract,
            _ => &mut count.partly,
        } += 1;
        for (runtime, difference) in differences(&golden, &model) {
            if difference.is_nan() || difference > TOLERANCE {
                wrong.push(format!("{} on {runtime}: {difference:e}", golden.name));
            }
        }
    }
    print_table(&counts);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let names: BTreeSet<&str> = refused.iter().map(String::as_str).collect();
    let new: Vec<_> = names.difference(&listed).collect();
    assert!(new.is_empty(), "refused, but not listed in onnx_operators_refused.txt: {new:#?}");
    let gone: Vec<_> = listed.difference(&names).collect();
    assert!(
        gone.is_empty(),
        "no longer refused: take out of onnx_operators_refused.txt: {gone:#?}"
    );
}
