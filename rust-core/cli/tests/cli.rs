//! The command line as a process: what it prints, and how it refuses.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::*;

#[test]
fn the_demo_shows_what_the_cascade_saves() {
    let report = json(&["demo", "--samples", "300", "--json"]);
    assert_eq!(report["samples"], 300);
    for configuration in ["little", "big", "cascade"] {
        let figures = &report[configuration];
        assert!(figures["accuracy"].as_f64().unwrap() > 0.97, "{figures}");
        assert!(figures["cpu_ns_per_sample"].as_f64().unwrap() > 0.0);
        assert!(figures["macs_per_sample"].as_f64().unwrap() > 0.0);
    }
    let number = |path: &str| report.pointer(path).unwrap().as_f64().unwrap();
    let rate = number("/cascade/escalation_rate");
    assert!(rate > 0.0 && rate < 0.1, "{rate}");
    let macs = number("/little/macs_per_sample") + rate * number("/big/macs_per_sample");
    assert!((number("/cascade/macs_per_sample") / macs - 1.0).abs() < 1e-9);
    let saved = 1.0 - macs / number("/big/macs_per_sample");
    assert!((number("/cascade/macs_saved") - saved).abs() < 1e-9);
    let cpu = number("/cascade/cpu_ns_per_sample") / number("/big/cpu_ns_per_sample");
    assert!((number("/cascade/cpu_saved") - (1.0 - cpu)).abs() < 1e-9);

    let text = good(&["demo", "--samples", "300"]);
    for words in ["little alone", "big alone", "cascade", "95 % interval", "least sure", "█"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colour codes where the output is no terminal");
}

#[test]
fn run_prints_a_line_a_file() {
    let scratch = Scratch::new();
    let digits = scratch.digits(3);
    let bundle = bundle();
    let mut args = vec!["run", "--bundle", &bundle];
    args.extend(digits.iter().map(|(path, _)| path.as_str()));
    let text = good(&args);
    assert_eq!(text.lines().count(), 3);
    for (line, (path, label)) in text.lines().zip(&digits) {
        assert!(line.starts_with(&format!("{path}: {label} ")), "{line}");
    }
    args.push("--json");
    let answers = json(&args);
    assert_eq!(answers[1]["label"], digits[1].1.to_string());
    assert_eq!(answers[1]["label_index"], digits[1].1);
    assert!(answers[1]["macs"].as_u64().unwrap() > 0);
}

#[test]
fn run_says_which_levels_ran_and_what_failed() {
    let scratch = Scratch::new();
    let digits = scratch.digits(3);
    let files = |args: &mut Vec<String>| args.extend(digits.iter().map(|(path, _)| path.clone()));
    let run = |bundle: &str, json: bool| {
        let mut args: Vec<String> = ["run", "-b", bundle].map(str::to_owned).into();
        files(&mut args);
        args.extend(json.then(|| "--json".to_owned()));
        let output = biglittle(&args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(SUCCESS));
        output
    };
    let answers = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).unwrap();

    let good = run(&bundle(), true);
    assert!(good.stderr.is_empty());
    let answer = &answers(&good)[0];
    assert_eq!(answer["failure"], Value::Null);
    assert_eq!(answer["levels"].as_array().unwrap().len(), 1, "the first digit is an easy one");
    let level = &answer["levels"][0];
    assert_eq!((&level["name"], &level["label"]), (&answer["level"], &answer["label"]));
    assert_eq!((&level["score"], &level["macs"]), (&answer["score"], &answer["macs"]));
    assert_eq!(level["escalation"], Value::Null);
    assert!(level["cpu_ns"].is_u64());

    // The big network does not fit its manifest, which shows when it is needed.
    let wide = resealed(&scratch, "wide", "\"width\": 28", "\"width\": 32");
    let manifest = fs::read_to_string(Path::new(&wide).join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["levels"][0]["threshold"] = "always_escalate".into();
    reseal(&wide, &manifest.to_string());
    for json in [true, false] {
        let output = run(&wide, json);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(errors.lines().count(), 1, "said once: {errors}");
        let words = format!("warning: {}: a network failed: network \"big\"", digits[0].0);
        assert!(errors.starts_with(&words), "{errors}");
        if json {
            for answer in answers(&output).as_array().unwrap() {
                assert_eq!(
                    (&answer["status"], &answer["level"]),
                    (&"fallback".into(), &"little".into())
                );
                assert!(answer["failure"].as_str().unwrap().contains("32"), "{answer}");
                let [little, big] = &answer["levels"].as_array().unwrap()[..] else { panic!() };
                assert_eq!(little["escalation"], "score not above the threshold");
                assert_eq!((&big["score"], &big["label"]), (&Value::Null, &Value::Null));
                assert_eq!(big["escalation"], "the network could not be run");
            }
        } else {
            assert_eq!(String::from_utf8_lossy(&output.stdout).matches("fallback").count(), 3);
        }
    }
}

#[test]
fn run_goes_on_after_a_file_that_is_no_image() {
    let scratch = Scratch::new();
    let digit = &scratch.digits(1)[0].0;
    let text = scratch.write("notes.png", b"these are notes");
    let missing = scratch.path("missing.jpg");
    let output = biglittle(&["run", "-b", &bundle(), &text, digit, &missing]);
    assert_eq!(output.status.code(), Some(BAD_DATA));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("notes.png: is not a PNG or JPEG"), "{errors}");
    assert!(errors.contains("missing.jpg: cannot be read"), "{errors}");
    assert!(errors.contains("2 of 3 files"), "{errors}");
}

#[test]
fn pack_verify_and_inspect_agree() {
    let scratch = Scratch::new();
    let one = scratch.path("mnist.biglittle");
    let folder = scratch.path("mnist");
    assert!(good(&["pack", &bundle(), "-o", &one]).contains("2 networks in 2 levels"));
    good(&["pack", &bundle(), "-o", &folder]);
    for path in [&one, &folder, &bundle()] {
        assert!(good(&["verify", path]).contains("good, 2 networks opened"));
        let report = json(&["inspect", path, "--json"]);
        assert_eq!(report["labels"], 10);
        assert_eq!(report["manifest"]["levels"][0]["name"], "little");
        assert_eq!(report["networks"][0]["macs"], report["manifest"]["networks"][0]["macs"]);
    }
    let network = Path::new(&bundle()).join("little.onnx").display().to_string();
    assert!(good(&["verify", &network]).contains("good, 1 network opened"));
    let text = good(&["inspect", &network]);
    assert!(text.contains("[1, 1, 28, 28]") && text.contains("runs on kernels ("), "{text}");
    refused(&["pack", &bundle(), "-o", &folder], BAD_DATA, &["exists already"]);
    assert!(Path::new(&folder).join("manifest.json").exists());
    let left = fs::read_dir(scratch.path(".")).unwrap().count();
    assert_eq!(left, 2, "nothing temporary is left");
}

#[test]
fn pack_writes_nothing_that_verify_refuses() {
    let scratch = Scratch::new();
    let wide = resealed(&scratch, "wide", "\"width\": 28", "\"width\": 32");
    refused(&["verify", &wide], BAD_DATA, &["wide", "\"big\"", "32"]);
    let data = models().join("mnist").display().to_string();
    refused(&["evaluate", "-b", &wide, "-d", &data], BAD_DATA, &["wide", "\"big\"", "32"]);
    for output in [scratch.path("out.biglittle"), scratch.path("out")] {
        refused(&["pack", &wide, "-o", &output], BAD_DATA, &["wide", "\"big\"", "32"]);
        assert!(!Path::new(&output).exists());
    }
}

#[test]
fn endings_are_matched_without_case() {
    let scratch = Scratch::new();
    let one = scratch.path("MNIST.BigLittle");
    good(&["pack", &bundle(), "-o", &one]);
    assert!(Path::new(&one).is_file());
    good(&["verify", &one]);
    let network = scratch.path("LITTLE.ONNX");
    fs::copy(Path::new(&bundle()).join("little.onnx"), &network).unwrap();
    good(&["verify", &network]);
    let plain = scratch.path("plain");
    fs::copy(&one, &plain).unwrap();
    good(&["verify", &plain]);
    let text = scratch.write("notes.txt", b"these are notes");
    for command in ["verify", "inspect", "bench"] {
        let words = ["notes.txt", ".onnx", ".biglittle", "folder"];
        refused(&[command, &text], BAD_DATA, &words);
    }
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused_at_once() {
    let scratch = Scratch::new();
    for name in ["pipe.onnx", "pipe.biglittle"] {
        let path = scratch.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        refused(&["verify", &path], BAD_DATA, &[name, "pipe or device"]);
    }
    for name in ["zero.onnx", "zero.biglittle"] {
        let path = scratch.path(name);
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        refused(&["inspect", &path], BAD_DATA, &[name, "pipe or device"]);
    }
}

#[test]
fn damage_is_refused_by_name() {
    let scratch = Scratch::new();
    let folder = scratch.path("mnist");
    good(&["pack", &bundle(), "-o", &folder]);
    let big = Path::new(&folder).join("big.onnx");
    let mut bytes = fs::read(&big).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&big, &bytes).unwrap();
    for command in ["verify", "inspect", "bench"] {
        refused(&[command, &folder], BAD_DATA, &["mnist", "big.onnx", "SHA-256"]);
    }
    refused(&["run", "-b", &folder, "x.png"], BAD_DATA, &["big.onnx"]);
    let junk = scratch.write("junk.onnx", b"not a network at all");
    for command in ["verify", "inspect", "bench"] {
        refused(&[command, &junk], BAD_DATA, &["junk.onnx"]);
    }
    // A network that passes for bytes but not for a network.
    fs::write(&big, b"junk").unwrap();
    let out = scratch.path("out.biglittle");
    refused(&["pack", &folder, "-o", &out], BAD_DATA, &["\"big\""]);
    assert!(!Path::new(&out).exists(), "nothing half-written");
    refused(
        &["verify", &scratch.path("nowhere.onnx")],
        BAD_DATA,
        &["nowhere.onnx", "cannot be read"],
    );
    refused(&["verify", &scratch.path("nowhere")], BAD_DATA, &["nowhere", "cannot be read"]);
}

#[test]
fn bench_counts_runs() {
    let report = json(&["bench", &bundle(), "--seconds", "0.05", "--json"]);
    assert_eq!(report["networks"][0]["network"], "little");
    for network in report["networks"].as_array().unwrap() {
        let ns = |name: &str| network[name].as_u64().unwrap();
        assert!(ns("runs") >= 10);
        assert!(ns("min_ns") <= ns("median_ns") && ns("median_ns") <= ns("p99_ns"));
    }
    for time in ["lazy_median_ns", "eager_median_ns"] {
        assert!(report["open"][time].as_u64().unwrap() > 0, "{report}");
    }
    assert!(report["open"]["runs"].as_u64().unwrap() > 1);
    let text = good(&["bench", &bundle(), "--seconds", "0.05"]);
    assert!(text.contains("GFLOP/s") && text.contains("bundle opened in"), "{text}");
    let network = Path::new(&bundle()).join("little.onnx").display().to_string();
    let report = json(&["bench", &network, "--seconds", "0.05", "--json"]);
    assert_eq!(report["networks"].as_array().unwrap().len(), 1);
    assert_eq!(report["open"], Value::Null);
    assert!(!good(&["bench", &network, "--seconds", "0.05"]).contains("bundle opened"));
}

#[test]
fn every_report_has_its_json() {
    let scratch = Scratch::new();
    let one = scratch.path("mnist.biglittle");
    let packed = json(&["pack", &bundle(), "-o", &one, "--json"]);
    assert_eq!(packed, serde_json::json!({ "bundle": one, "networks": 2, "levels": 2 }));
    let verified = json(&["verify", &one, "--json"]);
    let expected = serde_json::json!({
        "target": one, "valid": true, "networks": 2, "certificates": 0, "certified": false,
    });
    assert_eq!(verified, expected);
    let network = Path::new(&bundle()).join("little.onnx").display().to_string();
    assert_eq!(json(&["verify", &network, "--json"])["networks"], 1);
    let inspected = json(&["inspect", &network, "--json"]);
    assert_eq!(inspected["input_shape"], serde_json::json!([1, 1, 28, 28]));
    // A refusal is a sentence, with nothing on standard output.
    for command in ["verify", "inspect", "bench"] {
        refused(&[command, &scratch.path("none"), "--json"], BAD_DATA, &["none"]);
    }
}

#[test]
fn colours_follow_the_terminal_and_no_color() {
    let errors = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biglittle"));
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        let output = command.args(["verify", "/nowhere"]).envs(variables.iter().copied()).output();
        String::from_utf8(output.unwrap().stderr).unwrap()
    };
    assert!(!errors(&[]).contains('\u{1b}'), "standard error is no terminal here");
    assert!(errors(&[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    assert!(!errors(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
}

#[test]
fn pack_says_where_it_cannot_write() {
    let scratch = Scratch::new();
    let file = scratch.write("file", b"");
    for parent in [&scratch.path("nowhere"), &file] {
        for name in ["out.biglittle", "out"] {
            let output = Path::new(parent).join(name).display().to_string();
            refused(&["pack", &bundle(), "-o", &output], BAD_DATA, &[&output, "cannot be written"]);
        }
    }
    fs::create_dir(scratch.path("folder.biglittle")).unwrap();
    let output = scratch.path("folder.biglittle");
    refused(&["pack", &bundle(), "-o", &output], BAD_DATA, &["folder.biglittle"]);
    let left = fs::read_dir(scratch.path(".")).unwrap().count();
    assert_eq!(left, 2, "nothing temporary is left");
}

#[test]
fn damaged_archives_are_refused_in_one_sentence() {
    let scratch = Scratch::new();
    let one = scratch.path("mnist.biglittle");
    good(&["pack", &bundle(), "-o", &one]);
    let bytes = fs::read(&one).unwrap();
    let refuses = |what: &str, bytes: &[u8]| {
        let bad = scratch.write("bad.biglittle", bytes);
        for command in ["verify", "inspect"] {
            let output = biglittle(&[command, &bad]);
            assert_eq!(output.status.code(), Some(BAD_DATA), "{what}: {output:?}");
            refused(&[command, &bad], BAD_DATA, &["bad.biglittle"]);
        }
    };
    let step = bytes.len() / 12;
    // Places all over the file, and the directory and the sum at its end.
    let places = (0..bytes.len()).step_by(step).chain([1, 30, 100, 200].map(|n| bytes.len() - n));
    for place in places {
        let mut flipped = bytes.clone();
        flipped[place] ^= 0x10;
        refuses(&format!("byte {place} changed"), &flipped);
        refuses(&format!("{place} bytes left"), &bytes[..place]);
    }
    refuses("a byte more", &[&bytes[..], b"x"].concat());
    refuses("a byte before", &[b"x", &bytes[..]].concat());
    refuses("twice", &[&bytes[..], &bytes[..]].concat());
    refuses("zeros", &[0; 10_000]);
}

#[test]
fn wrong_usage_has_its_own_code() {
    refused(&[], BAD_USAGE, &["Usage"]);
    refused(&["dance"], BAD_USAGE, &["dance"]);
    refused(&["run"], BAD_USAGE, &["required"]);
    refused(&["demo", "--samples", "0"], BAD_USAGE, &["0"]);
    refused(&["demo", "--samples", "10001"], BAD_USAGE, &["10000"]);
    refused(&["bench", "x", "--seconds", "nan"], BAD_USAGE, &["0.01 to 3600"]);
    refused(&["schema", "--json"], BAD_USAGE, &["--json"]);
    refused(&["completions", "bash", "--json"], BAD_USAGE, &["--json"]);
    refused(&["completions", "cobol"], BAD_USAGE, &["cobol"]);
    assert!(good(&["--help"]).contains("Exit codes"));
    assert!(good(&["completions", "bash"]).contains("biglittle"));
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let committed = fs::read_to_string(models().join("manifest.schema.json")).unwrap();
    assert_eq!(
        good(&["schema"]),
        committed,
        "write it anew: biglittle schema > models/manifest.schema.json"
    );
}

/// Runs with a standard output that nobody reads.
fn with_closed_output(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_biglittle"));
    command.args(args).stderr(Stdio::piped());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = command.stdout(writer).spawn().unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_closed_pipe_is_no_error() {
    let bundle = bundle();
    for args in [
        &["schema"][..],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["inspect", &bundle],
        &["inspect", &bundle, "--json"],
    ] {
        let output = with_closed_output(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(SUCCESS), "{args:?}: {errors}");
        assert!(errors.is_empty(), "{args:?}: {errors}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one_sentence() {
    let bundle = bundle();
    for args in [
        &["schema"][..],
        &["completions", "bash"],
        &["inspect", &bundle],
        &["verify", &bundle, "--json"],
        &["demo", "--samples", "1"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_biglittle"));
        let output = command.args(args).stdout(full).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(BAD_DATA), "{args:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{args:?}: {errors}");
        assert!(errors.contains("cannot write the output"), "{args:?}: {errors}");
    }
}
