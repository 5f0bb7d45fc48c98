//! Well-known networks give what ONNX Runtime gives, on the kernels with every
//! instruction set of this machine and on tract; in int8 they give the same on every
//! machine.
//!
//! `ci/test goldens` builds the networks (models/zoo) and runs this. By hand:
//! `BIGLITTLE_ZOO=target/zoo cargo test -p biglittle --test golden_networks -- --ignored`.
//! With BIGLITTLE_BLESS=1 it writes tests/golden/int8_zoo.txt, for when what int8
//! computes is meant to change.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use biglittle::bundle::sha256_hex;
use biglittle::network::{
    CalibrationTable, Execution, Isa, Model, ModelLimits, OpenOptions, QuantizeOptions,
    RangeMethod, Runtime, Session, quantize,
};
use support::golden::{self, Golden};
use support::seeded::{reseeded, widened};

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

/// The logits of two images in int8, as bytes.
fn int8_logits(network: &[u8], table: &CalibrationTable, isa: Isa) -> Vec<u8> {
    let execution = Execution::Kernels(isa);
    let options = OpenOptions { table: Some(table), execution, ..OpenOptions::default() };
    let model = Model::open_with(network, options).unwrap();
    assert!(model.runtime().to_string().contains("int8"), "{}", model.runtime());
    let values = model.summary().input_shape.iter().product();
    let (mut session, mut logits) = (Session::new(&model).unwrap(), Vec::new());
    let outputs = [1, 2].map(|number: usize| {
        let image: Vec<f32> = (0..values).map(|i| support::element(i + number * values)).collect();
        session.run(&image, &mut logits).unwrap();
        logits.clone()
    });
    // Or nothing of the image has come through.
    assert_ne!(outputs[0], outputs[1]);
    outputs.concat().iter().flat_map(|logit| logit.to_le_bytes()).collect()
}

#[test]
#[ignore = "needs the networks of models/zoo, in the folder that BIGLITTLE_ZOO names"]
fn networks_in_int8_have_the_same_logits_on_every_machine() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/int8_zoo.txt");
    let mut names = vec![
        "efficientnet_lite0",
        "mobilenet_v1_025",
        "mobilenet_v3_small",
        "shufflenet",
        "resnet8",
        "efficientnet_b0",
        "mobilenet_v2",
        "squeezenet",
    ];
    if support::emulated() {
        assert_eq!(Isa::detect_int8(), Some(Isa::Neon));
        names.truncate(5);
    }
    let mut found = BTreeMap::new();
    for golden in zoo().filter(|golden| names.contains(&&*golden.name)) {
        let since = Instant::now();
        let network = reseeded(&golden.bytes);
        let options = QuantizeOptions {
            limits: ModelLimits::default(),
            method: RangeMethod::MinMax,
            input_range: [-1.0, 1.0],
        };
        let image: Vec<f32> = (0..golden.input.len()).map(support::element).collect();
        let quantized = quantize(&network, &options, &mut |each| each(&image)).unwrap();
        let ranges = quantized.ranges.into_iter().map(|(name, range)| (name, widened(range)));
        let table = CalibrationTable::new(
            sha256_hex(&quantized.network),
            sha256_hex(&network),
            1,
            RangeMethod::MinMax,
            0.0,
            ranges.collect(),
        );
        let sums = Isa::available()
            .into_iter()
            // The reference is too slow in an emulator.
            .filter(|isa| isa.has_int8() && !(support::emulated() && *isa == Isa::Scalar))
            .map(|isa| (isa, sha256_hex(&int8_logits(&quantized.network, &table, isa))));
        let sums: Vec<(Isa, String)> = sums.collect();
        assert!(sums.iter().all(|(_, sum)| *sum == sums[0].1), "{}: {sums:?}", golden.name);
        println!("{} in int8: {sums:?} ({:.1} s)", golden.name, since.elapsed().as_secs_f64());
        found.insert(golden.name, sums[0].1.clone());
    }
    assert_eq!(found.len(), names.len());
    if std::env::var_os("BIGLITTLE_BLESS").is_some() {
        let lines = found.iter().map(|(name, sum)| format!("{name} {sum}\n"));
        fs::write(&file, lines.collect::<String>()).unwrap();
    }
    let stored = fs::read_to_string(file).unwrap();
    let mut stored: BTreeMap<_, _> =
        stored.lines().map(|line| line.split_once(' ').expect("a name and a sum")).collect();
    stored.retain(|name, _| names.contains(name));
    let found: BTreeMap<_, _> = found.iter().map(|(name, sum)| (&**name, &**sum)).collect();
    assert_eq!(found, stored);
}
