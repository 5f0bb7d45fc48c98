//! Calibration from traces: certificates, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};
use support::device::{Row, metadata, rows, write};
use support::*;

/// A trace of the first 3,000 test digits, recorded once.
fn trace() -> &'static str {
    static TRACE: OnceLock<String> = OnceLock::new();
    TRACE.get_or_init(|| {
        let path = format!("{}/calibrate.parquet", env!("CARGO_TARGET_TMPDIR"));
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(format!("{path}.parts"));
        let data = models().join("mnist").display().to_string();
        let split = ["--split", "20,60,20", "--samples", "3000"];
        good(&[&["trace", "-b", &bundle(), "-d", &data, "-o", &path][..], &split].concat());
        path
    })
}

/// The metadata of a trace from devices, which report no raw values.
fn device_metadata() -> Value {
    let mut meta = metadata(trace());
    meta["has_outputs"] = false.into();
    meta
}

#[test]
fn a_certificate_goes_into_a_new_bundle_and_only_fits_its_networks() {
    let scratch = Scratch::new();
    let (bundle, new) = (bundle(), scratch.path("new"));
    let args = |bundle: &str, new: &str| -> Vec<String> {
        let args = ["calibrate", trace(), "--loss", "harm", "--eps", "0.01,0.02", "-b", bundle];
        [&args[..], &["-o", new, "--date", "2026-11-23"]]
            .concat()
            .iter()
            .map(|a| (*a).into())
            .collect()
    };
    fn strs(args: &[String]) -> Vec<&str> {
        args.iter().map(String::as_str).collect()
    }
    let mut json_args = args(&bundle, &new);
    json_args.push("--json".into());
    let report = json(&strs(&json_args));
    let certificates = report["certificates"].as_array().unwrap();
    assert_eq!(certificates.len(), 2);
    for (certificate, eps) in certificates.iter().zip([0.01, 0.02]) {
        assert_eq!((&certificate["eps"], &certificate["family"]), (&json!(eps), &json!(2)));
        assert_eq!(certificate["date"], "2026-11-23");
        assert_eq!(certificate["method"], "exact");
        assert!(certificate["test"]["loss"].as_f64().unwrap() <= eps);
        let rows = certificate["data"]["rows"].as_array().unwrap();
        assert_eq!(rows.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), 3_000);
        assert_eq!(rows[1], certificate["n"]);
    }
    assert_eq!(json(&["verify", &new, "--json"])["certified"], true);
    assert_eq!(json(&["verify", &bundle, "--json"])["certified"], false);
    assert!(good(&["inspect", &new]).contains("certified for harm of at most 1.000 %"));
    // What drift is measured against: the calibration rows' margins.
    let text = fs::read_to_string(Path::new(&new).join("manifest.json")).unwrap();
    let scores = serde_json::from_str::<Value>(&text).unwrap()["calibration_scores"].clone();
    assert_eq!(scores["confidence"], "margin");
    let counts = scores["histogram"]["counts"].as_array().unwrap();
    assert_eq!(
        counts.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(),
        certificates[0]["n"]
    );
    assert!(counts[31].as_u64() > counts[0].as_u64(), "{counts:?}");
    assert!(good(&["inspect", &new]).contains("drift is watched"));
    // The same trace gives the same bundle, byte for byte.
    let again = scratch.path("again");
    good(&strs(&args(&bundle, &again)));
    let manifest = |folder: &str| fs::read(Path::new(folder).join("manifest.json")).unwrap();
    assert_eq!(manifest(&new), manifest(&again));
    refused(&strs(&args(&bundle, &again)), BAD_DATA, &["again", "exists already"]);

    // What was used once is not used again, unless that is said.
    let forced = scratch.path("forced");
    let again = args(&new, &forced);
    refused(&strs(&again), BAD_DATA, &["rows were used before", "voids the promise", "--force"]);
    assert!(!Path::new(&forced).exists());
    let with_force = [&strs(&again)[..], &["--force"]].concat();
    assert!(good(&with_force).contains("careful:"));
    let saved: Value = serde_json::from_slice(&manifest(&forced)).unwrap();
    assert_eq!(saved["certificates"][0]["data"]["reused_rows"], certificates[0]["n"]);
    let other_seed = args(&bundle, &scratch.path("seed"));
    let other_seed = [&strs(&other_seed)[..], &["--seed", "9"]].concat();
    refused(&other_seed, BAD_DATA, &["rows were used before"]);

    // A certificate says nothing of other networks or another way to score.
    let mut text = String::from_utf8(manifest(&new)).unwrap();
    let little = metadata(trace())["manifest"]["networks"][0]["file"]["sha256"].clone();
    let (files, certified) = text.split_once("\"certificates\"").unwrap();
    let certified = certified.replace(little.as_str().unwrap(), &"0".repeat(64));
    text = format!("{files}\"certificates\"{certified}");
    reseal(&new, &text);
    refused(
        &["verify", &new],
        BAD_DATA,
        &["certificate 0", "network \"little\"", "calibrate again"],
    );
    let text = String::from_utf8(manifest(&forced)).unwrap();
    reseal(&forced, &text.replacen("\"temperature\": ", "\"temperature\": 1", 1));
    refused(&["verify", &forced], BAD_DATA, &["certificate 0", "models_sha256"]);
}

#[test]
fn the_committed_bundle_is_certified() {
    assert_eq!(json(&["verify", &certified(), "--json"])["certified"], true);
    assert!(good(&["inspect", &certified()]).contains("certified for harm of at most 0.100 %"));
}

#[test]
fn thresholds_follow_the_rule_to_the_row() {
    let scratch = Scratch::new();
    let meta = device_metadata();
    let mut rows = rows(&meta);
    let path = scratch.path("rows.parquet");
    let calibrate = |path: &str, loss: &str| {
        json(&["calibrate", path, "--loss", loss, "--eps", "0.05", "--json"])
    };
    write(&path, &meta, &rows, &[]);
    let report = calibrate(&path, "harm");
    // BinomCDF(38; 1000, 0.05) <= 0.05 < BinomCDF(39; 1000, 0.05).
    assert_eq!(
        (&report["certificates"][0]["n"], &report["certificates"][0]["k"]),
        (&json!(1000), &json!(38))
    );
    // The 39th of the bad scores 0.99, 0.98, ...
    let threshold = report["certificates"][0]["thresholds"][0].as_f64().unwrap();
    assert_eq!(threshold as f32, 0.61);
    assert!(report["certificates"][0]["test"].is_null(), "the test split is empty");
    rows.reverse();
    write(&path, &meta, &rows, &["label"]);
    assert_eq!(
        calibrate(&path, "disagree")["certificates"][0]["thresholds"],
        report["certificates"][0]["thresholds"]
    );
    refused(
        &["calibrate", &path, "--loss", "harm", "--eps", "0.05"],
        BAD_DATA,
        &["1000 of the 1000 calibration rows have no label", "--loss disagree"],
    );

    // Scores that are none are counted and escalate.
    rows[0].margin = Some(f32::NAN);
    rows[1].margin = None;
    rows[2].margin = Some(f32::INFINITY);
    write(&path, &meta, &rows, &[]);
    let report = calibrate(&path, "harm");
    assert_eq!((&report["unusable"], &report["not_finite"]), (&json!(3), &json!(4)));
    refused(
        &["calibrate", &path, "--loss", "harm", "--eps", "0.001"],
        BAD_DATA,
        &["1000 calibration samples are too few", "at least 2995 are needed"],
    );
    refused(&["calibrate", &path, "--loss", "harm", "--eps", "1.5"], BAD_DATA, &["eps is 1.5"]);
    refused(
        &["calibrate", &path, "--loss", "harm", "--eps", "0.05", "--confidence", "max_probability"],
        BAD_DATA,
        &["no column levels.little.max_probability"],
    );
}

#[test]
fn traces_that_are_none_are_refused() {
    let scratch = Scratch::new();
    let refuse = |path: &str, words: &[&str]| {
        refused(&["calibrate", path, "--loss", "harm", "--eps", "0.05"], BAD_DATA, words);
    };
    let whole = fs::read(trace()).unwrap();
    for length in [0, 3, 100, whole.len() / 2, whole.len() - 1] {
        let path = scratch.write("cut.parquet", &whole[..length]);
        refuse(&path, &["cut.parquet", "is not a whole Parquet file"]);
    }
    refuse(
        &scratch.write("notes.txt", b"these are notes, and quite long ones"),
        &["notes.txt", "not a whole"],
    );
    refuse(&scratch.path("nowhere"), &["nowhere", "cannot be read"]);
    refuse(&scratch.path("."), &["is not a file"]);
    // Damage anywhere is an error or changes nothing that is read; never a panic.
    for at in (0..whole.len()).step_by(whole.len() / 60) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let path = scratch.write("damaged.parquet", &damaged);
        let output = biglittle(&["calibrate", &path, "--loss", "harm", "--eps", "0.05"]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!([0, 1].contains(&output.status.code().unwrap()), "byte {at}: {errors}");
        assert!(errors.lines().count() <= 1 && !errors.contains("panicked"), "byte {at}: {errors}");
    }

    let meta = device_metadata();
    let path = scratch.path("rows.parquet");
    let good = rows(&meta);
    let with = |change: &dyn Fn(&mut Row)| {
        let mut rows = good.clone();
        change(&mut rows[500]);
        write(&path, &meta, &rows, &[]);
    };
    with(&|row| row.label = Some(10));
    refuse(&path, &["rows 0 to 999", "the label 10", "labels 0 to 9"]);
    with(&|row| row.answers[1] = -1);
    refuse(&path, &["the answer -1"]);
    with(&|row| row.models = "f".repeat(64));
    refuse(&path, &["a row of other models", "give each its own trace"]);
    with(&|row| row.split = "train");
    refuse(&path, &["the split \"train\""]);
    write(&path, &meta, &good, &["margin"]);
    refuse(&path, &["has no column levels.little.margin"]);
    let changed = |pointer: &str, value: Value| {
        let mut meta = meta.clone();
        *meta.pointer_mut(pointer).unwrap() = value;
        write(&path, &meta, &good, &[]);
    };
    changed("/schema_version", json!(2));
    refuse(&path, &["schema_version is 2", "reads 1"]);
    changed("/manifest/networks/0/file/sha256", json!("f".repeat(64)));
    refuse(&path, &["its metadata", "models_sha256"]);
    changed("/manifest/levels/0/networks/0", json!("nobody"));
    refuse(&path, &["its metadata", "\"nobody\""]);
    write(&path, &meta, &good, &[]);
    let wide = resealed(&scratch, "wide", "\"width\": 28", "\"width\": 32");
    refused(
        &["calibrate", &path, "--loss", "harm", "--eps", "0.05", "-b", &wide],
        BAD_DATA,
        &["recorded with other inputs"],
    );
    let usage = ["calibrate", &path, "--loss", "harm", "--eps", "0.05", "-o", "x"];
    assert_eq!(biglittle(&usage).status.code(), Some(BAD_USAGE));
    refused(
        &["calibrate", &path, "--loss", "harm", "--eps", "0.05", "--date", "2026-02-30"],
        BAD_DATA,
        &["date is \"2026-02-30\"", "YYYY-MM-DD"],
    );
}

#[test]
fn groups_count_as_one_sample_each() {
    let scratch = Scratch::new();
    let digits = scratch.digits(150);
    let list = |group: &dyn Fn(usize) -> String| {
        let mut text = "file,label,group\n".to_owned();
        for (index, (_, label)) in digits.iter().enumerate() {
            text += &format!("digit{index}.png,{label},{}\n", group(index));
        }
        scratch.write("labels.csv", text.as_bytes());
    };
    let calibrate = |name: &str| {
        let trace = scratch.path(name);
        let args = ["trace", "-b", &bundle(), "-d", &scratch.path("."), "-o", &trace];
        good(&[&args[..], &["--split", "20,60,20"]].concat());
        json(&["calibrate", &trace, "--loss", "disagree", "--eps", "0.25", "--json"])
    };
    list(&|index| format!("clip {}", index / 2));
    let found = calibrate("clips.parquet");
    let certificate = &found["certificates"][0];
    assert_eq!(certificate["method"], "sequence_hoeffding_bentkus");
    assert_eq!(certificate["data"]["rows"][1].as_u64(), certificate["n"].as_u64().map(|n| 2 * n));
    assert!(certificate["test"]["loss_ci95"].is_null(), "losses are not 0 or 1");
    // A group of one is a row.
    list(&|index| if index < 75 { format!("alone {index}") } else { String::new() });
    let found = calibrate("alone.parquet");
    assert_eq!(found["certificates"][0]["method"], "exact");
    assert_eq!(found["certificates"][0]["n"], found["certificates"][0]["data"]["rows"][1]);
}

#[test]
#[cfg(unix)]
fn what_is_given_twice_is_refused() {
    let twice = ["calibrate", trace(), "--loss", "harm", "--eps", "0.01,0.02,0.01"];
    refused(&twice, BAD_DATA, &["--eps has 0.01 twice"]);
    let scratch = Scratch::new();
    let other = scratch.path("link.parquet");
    std::os::unix::fs::symlink(trace(), &other).unwrap();
    let same = ["search", trace(), &other, "--loss", "harm", "--eps", "0.01"];
    refused(&same, BAD_DATA, &["link.parquet", "is given twice"]);
}

#[test]
fn an_output_needs_its_folder() {
    let scratch = Scratch::new();
    let data = models().join("mnist").display().to_string();
    let nowhere = scratch.path("nowhere/out");
    let (bundle, trace) = (bundle(), trace());
    let record = ["trace", "-b", &bundle, "-d", &data, "-o", &nowhere];
    refused(&record, BAD_DATA, &["nowhere/out", "does not exist: create it first"]);
    let report = ["report", trace, "-o", &nowhere];
    refused(&report, BAD_DATA, &["nowhere/out", "does not exist: create it first"]);
    assert!(!Path::new(&scratch.path("nowhere")).exists());
}
