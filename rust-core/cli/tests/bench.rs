//! `bench` as a process: its profile, its choice of runtime, and runs on
//! command.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::*;

fn network() -> String {
    models().join("mnist/bundle/little.onnx").display().to_string()
}

/// An instruction set that every machine of the architecture has.
fn isa() -> &'static str {
    if cfg!(target_arch = "aarch64") { "neon" } else { "scalar" }
}

#[test]
fn a_profile_has_every_layer_and_its_share() {
    let arguments = ["bench", &network(), "--seconds", "0.05", "--profile"];
    let report = json(&[&arguments[..], &["--json"]].concat());
    let network = &report["networks"][0];
    let number = |value: &Value| value.as_f64().unwrap();
    assert!(number(&network["peak_gflops"]) > 0.0 && number(&network["gflops"]) > 0.0);
    let layers = network["layers"]["layers"].as_array().unwrap();
    assert!(layers.len() > 3, "{network}");
    let sum = |key: &str| layers.iter().map(|layer| number(&layer[key])).sum::<f64>();
    assert_eq!(sum("macs"), number(&network["macs"]));
    let transfer = number(&network["layers"]["transfer_ns"]);
    let total = number(&network["layers"]["total_ns"]);
    assert!((sum("ns") + transfer - total).abs() < 1.0);
    assert!((sum("share") + transfer / total - 1.0).abs() < 1e-6);
    let text = good(&arguments);
    for words in ["of this core's", "of peak", "share", "kind", "copies of input and output"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn runtime_and_instruction_set_can_be_chosen() {
    let arguments = ["bench", &network(), "--seconds", "0.05", "--json"];
    let report = json(&[&arguments[..], &["--isa", isa()]].concat());
    assert_eq!(report["networks"][0]["instruction_set"], isa());
    let report = json(&[&arguments[..], &["--runtime", "tract", "--profile"]].concat());
    let network = &report["networks"][0];
    assert!(network["runtime"].as_str().unwrap().starts_with("tract, because"), "{network}");
    assert_eq!((&network["layers"], &network["instruction_set"]), (&Value::Null, &Value::Null));
    let text =
        good(&["bench", &self::network(), "--seconds", "0.05", "--runtime", "tract", "--profile"]);
    assert!(text.contains("No profile: tract runs the network"), "{text}");

    let foreign = if cfg!(target_arch = "aarch64") { "avx2" } else { "neon" };
    let words = ["little.onnx", "does not have the instruction set", foreign, "scalar"];
    refused(&["bench", &self::network(), "--isa", foreign], BAD_DATA, &words);
    let both = ["bench", &self::network(), "--isa", isa(), "--runtime", "tract"];
    refused(&both, BAD_USAGE, &["--isa", "--runtime"]);
    refused(&["bench", &self::network(), "--isa", "mmx"], BAD_USAGE, &["mmx", "avx2"]);
}

/// Starts an interactive bench, writes `input`, closes it and waits.
fn interactive(extra: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_biglittle"))
        .args(["bench", &network(), "--interactive"])
        .args(extra)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that has ended reads no more.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn it_runs_on_command() {
    let output = interactive(&[], "run 3\nrun 1\nquit\nrun 9\n");
    assert_eq!(output.status.code(), Some(SUCCESS), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    let loaded: Value = serde_json::from_str(lines[0]).unwrap();
    assert!(loaded["network"].as_str().unwrap().ends_with("little.onnx"));
    assert!(loaded["runtime"].as_str().unwrap().starts_with("kernels ("), "{loaded}");
    assert!(loaded["instruction_set"].is_string() && loaded["open_ns"].as_u64().unwrap() > 0);
    for (line, runs) in [(lines[1], 3), (lines[2], 1)] {
        let pairs: Vec<&str> = line.split(' ').collect();
        assert_eq!(pairs.len(), runs, "{line}");
        for pair in pairs {
            let (wall, cpu) = pair.split_once(':').unwrap();
            assert!(wall.parse::<u64>().unwrap() > 0, "{line}");
            cpu.parse::<u64>().unwrap();
        }
    }
    let output = interactive(&["--runtime", "tract"], "");
    assert_eq!(output.status.code(), Some(SUCCESS));
    let loaded: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(loaded["instruction_set"], Value::Null);
}

#[test]
fn it_answers_before_the_input_ends() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_biglittle"))
        .args(["bench", &network(), "--interactive"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    for _ in 0..2 {
        input.write_all(b"run 2\n").unwrap();
        line.clear();
        output.read_line(&mut line).unwrap();
        assert_eq!(line.split(' ').count(), 2, "{line}");
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(SUCCESS));
    line.clear();
    output.read_to_string(&mut line).unwrap();
    assert_eq!(line, "");
}

#[test]
fn a_malformed_command_is_a_sentence() {
    for input in ["run\n", "run 0\n", "run many\n", "run 99999999999999999999999\n"] {
        let output = interactive(&[], input);
        assert_eq!(output.status.code(), Some(BAD_DATA), "{input}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("`run N` with N from 1 to"), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert_eq!(output.stdout.split(|byte| *byte == b'\n').count(), 2, "only the first line");
    }
    refused(&["bench", &bundle(), "--interactive"], BAD_DATA, &["2 networks", "one", "--network"]);
    let usage = ["bench", &network(), "--interactive", "--profile"];
    refused(&usage, BAD_USAGE, &["--interactive", "--profile"]);
}
