//! Well-known networks give what ONNX Runtime gives, on the kernels with every
//! instruction set of this machine and on tract.
//!
//! `ci/test goldens` builds the networks (models/zoo) and runs this. By hand:
//! `BIGLITTLE_ZOO=target/zoo cargo test -p biglittle --test golden_networks -- --ignored`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]

mod support;

use std::time::Instant;

use biglittle::network::{Execution, Isa, Model, Runtime};
use support::golden::{self, Golden};

/// Largest difference of a logit; they spread over several units.
const TOLERANCE: f32 = 1e-4;
/// Under emulation, the bytes of the largest network that is also run by what no
/// phone would run it with.
const EMULATED_BYTES: usize = 8 << 20;

/// All networks of the folder that `BIGLITTLE_ZOO` names.
fn zoo() -> impl Iterator<Item = Golden> {
    golden::read_all("BIGLITTLE_ZOO", "zoo.tsv").map(|(golden, _)| golden)
}

/// Whether `golden` is too much for an emulator to run in passing on `runtime`.
fn too_slow_here(golden: &Golden, runtime: &str) -> bool {
    let too_slow = support::emulated() && golden.bytes.len() > EMULATED_BYTES;
    if too_slow {
        println!("{} on {runtime}: not run, too slow in an emulator", golden.name);
    }
    too_slow
}

/// Prints how it went and keeps what is wrong.
fn judge(wrong: &mut Vec<String>, name: &str, runtime: &str, difference: f32, since: Instant) {
    let line = format!("{name} on {runtime}: {difference:.1e}");
    println!("{line} ({:.1} s)", since.elapsed().as_secs_f64());
    if difference.is_nan() || difference > TOLERANCE {
        wrong.push(line);
    }
}

#[test]
#[ignore = "needs the networks of models/zoo, in the folder that BIGLITTLE_ZOO names"]
fn lowered_networks_agree_with_onnx_runtime_on_every_instruction_set() {
    let mut wrong = Vec::new();
    for golden in zoo() {
        for isa in Isa::available() {
            if isa != Isa::detect() && too_slow_here(&golden, isa.name()) {
                continue;
            }
            let since = Instant::now();
            let model = Model::open_with(&golden.bytes, Execution::Kernels(isa).into()).unwrap();
            if !matches!(model.runtime(), Runtime::Kernels { .. }) || model.isa() != Some(isa) {
                wrong.push(format!("{} runs on {}", golden.name, model.runtime()));
                break;
            }
            let difference = golden.difference(&model, |_| 1.0).unwrap();
            judge(&mut wrong, &golden.name, &model.runtime().to_string(), difference, since);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "needs the networks of models/zoo, in the folder that BIGLITTLE_ZOO names"]
fn tract_agrees_with_onnx_runtime() {
    let mut wrong = Vec::new();
    for golden in zoo() {
        if too_slow_here(&golden, "tract") {
            continue;
        }
        let since = Instant::now();
        let model = Model::open_with(&golden.bytes, Execution::Tract.into()).unwrap();
        assert!(matches!(model.runtime(), Runtime::Tract { .. }));
        let difference = golden.difference(&model, |_| 1.0).unwrap();
        judge(&mut wrong, &golden.name, "tract", difference, since);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
