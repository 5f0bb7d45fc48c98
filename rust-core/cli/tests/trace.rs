//! Traces: recorded, killed and gone on with, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use support::*;

fn mnist() -> String {
    models().join("mnist").display().to_string()
}

fn rows(path: &str) -> Vec<Row> {
    let file = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    file.get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

fn field<'a>(row: &'a Row, path: &[&str]) -> &'a Field {
    let (name, rest) = path.split_first().unwrap();
    let (_, field) = row.get_column_iter().find(|(found, _)| found == name).unwrap();
    match field {
        Field::Group(row) if !rest.is_empty() => self::field(row, rest),
        field => field,
    }
}

/// A row without what the clock says.
fn timeless(row: &Row) -> String {
    let text = row.to_string();
    let parts = text.split(", ").filter(|part| !part.contains("_ns:"));
    parts.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_trace_has_what_the_networks_made_of_every_sample() {
    let scratch = Scratch::new();
    let (bundle, trace) = (bundle(), scratch.path("t.parquet"));
    let args = ["trace", "-b", &bundle, "-d", &mnist(), "-o", &trace, "--samples", "300"];
    let report = json(&[&args[..], &["--json"]].concat());
    assert_eq!((&report["rows"], &report["skipped"]), (&300.into(), &0.into()));
    let rows = rows(&trace);
    assert_eq!(rows.len(), 300);
    let scale = json(&["evaluate", "-b", &bundle, "-d", &mnist(), "--samples", "300", "--json"]);
    for (level, name) in [("little", "/little/accuracy"), ("big", "/big/accuracy")] {
        let right = rows.iter().filter(|row| {
            let label = field(row, &["label"]);
            field(row, &["levels", level, "answer"]) == label
        });
        let accuracy = right.count() as f64 / 300.0;
        assert_eq!(scale.pointer(name).unwrap().as_f64().unwrap(), accuracy);
    }
    let escalated = rows.iter().filter(|row| {
        let Field::Float(margin) = field(row, &["levels", "little", "margin"]) else { return true };
        *margin <= 0.5740318
    });
    let rate = scale.pointer("/cascade/escalation_rate").unwrap().as_f64().unwrap();
    assert_eq!(escalated.count() as f64 / 300.0, rate);
    let Field::ListInternal(outputs) = field(&rows[0], &["networks", "big", "outputs"]) else {
        panic!("a list of raw values")
    };
    assert_eq!(outputs.elements().len(), 10);
    // Once it is there, nothing is recorded over it, and no parts are left.
    refused(&args, BAD_DATA, &["t.parquet", "exists already"]);
    assert!(!Path::new(&scratch.path("t.parquet.parts")).exists());

    let small = scratch.path("small.parquet");
    let args = ["trace", "-b", &bundle, "-d", &mnist(), "-o", &small, "--samples", "300"];
    good(&[&args[..], &["--no-outputs"]].concat());
    let size = |path: &str| fs::metadata(path).unwrap().len();
    // 300 rows of 20 raw values, which hardly compress.
    assert!(size(&small) + 300 * 20 * 3 < size(&trace), "{} {}", size(&small), size(&trace));
}

#[cfg(unix)]
#[test]
fn a_killed_run_goes_on_where_it_was() {
    if std::env::var_os("BIGLITTLE_EMULATED").is_some() {
        println!("not run: the emulator starts no other program");
        return;
    }
    let scratch = Scratch::new();
    let (bundle, data) = (bundle(), mnist());
    let (whole, killed) = (scratch.path("whole.parquet"), scratch.path("killed.parquet"));
    fn args<'a>(bundle: &'a str, data: &'a str, out: &'a str) -> [&'a str; 9] {
        ["trace", "-b", bundle, "-d", data, "-o", out, "--samples", "6000"]
    }
    good(&args(&bundle, &data, &whole));

    let parts = scratch.path("killed.parquet.parts");
    let part = |parts: &str| {
        let mut found: Vec<_> = fs::read_dir(parts)
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        found.retain(|path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "parquet"));
        found.sort();
        found
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_biglittle"))
        .args(args(&bundle, &data, &killed))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while part(&parts).is_empty() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    // SIGKILL: nothing is cleaned up.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!Path::new(&killed).exists(), "killed before the end");
    let first = part(&parts);
    assert_eq!(first.len(), 1, "killed after the first part");
    let stamp = fs::metadata(&first[0]).unwrap().modified().unwrap();

    // Another run has to be the same run.
    let other = [&args(&bundle, &data, &killed)[..], &["--seed", "1"]].concat();
    refused(
        &other,
        BAD_DATA,
        &["killed.parquet", "begun with another bundle, data set or options"],
    );
    assert_eq!(fs::metadata(&first[0]).unwrap().modified().unwrap(), stamp, "not recorded anew");
    good(&args(&bundle, &data, &killed));
    assert!(!Path::new(&parts).exists());
    let (whole, killed) = (rows(&whole), rows(&killed));
    assert_eq!(whole.len(), 6_000);
    assert!(whole.iter().map(timeless).eq(killed.iter().map(timeless)));
}

#[test]
fn splits_follow_groups_and_pictures_not_order() {
    let scratch = Scratch::new();
    let digits = scratch.digits(40);
    let trace = |list: &[(usize, &str)], name: &str| {
        let mut text = "file,group\n".to_owned();
        for (index, group) in list {
            text += &format!("digit{index}.png,{group}\n");
        }
        scratch.write("labels.csv", text.as_bytes());
        let out = scratch.path(name);
        good(&["trace", "-b", &bundle(), "-d", &scratch.path("."), "-o", &out]);
        rows(&out)
            .iter()
            .map(|row| {
                assert_eq!(field(row, &["label"]), &Field::Null, "no labels were given");
                let text = |name: &str| field(row, &[name]).to_string();
                (text("sample"), text("split"))
            })
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(digits.len(), 40);
    let forwards: Vec<_> = (0..40).map(|index| (index, "")).collect();
    let backwards: Vec<_> = (0..40).rev().map(|index| (index, "")).collect();
    let alone = trace(&forwards, "a.parquet");
    assert_eq!(alone, trace(&backwards, "b.parquet"));
    assert!(
        ["\"tune\"", "\"calibrate\"", "\"test\""]
            .iter()
            .all(|split| alone.values().any(|found| found == split))
    );
    let clips: Vec<_> = (0..40).map(|index| (index, ["x", "y"][index % 2])).collect();
    let grouped = trace(&clips, "c.parquet");
    let of_clip = |clip: usize| {
        let splits =
            (0..40).filter(|i| i % 2 == clip).map(|i| &grouped[&format!("\"digit{i}.png\"")]);
        splits.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!((of_clip(0), of_clip(1)), (1, 1));
}

#[test]
fn pictures_that_do_not_decode_are_counted_and_few() {
    let scratch = Scratch::new();
    scratch.digits(9);
    scratch.write("digit3.png", b"not a picture");
    let out = scratch.path("t.parquet");
    let (bundle, data) = (bundle(), scratch.path("."));
    let args = ["trace", "-b", &bundle, "-d", &data, "-o", &out];
    refused(
        &args,
        BAD_DATA,
        &["digit3.png", "than the 0 that may be skipped (1 %)", "--allow-skipped"],
    );
    assert!(!Path::new(&out).exists());
    let output = biglittle(&[&args[..], &["--allow-skipped", "12", "--json"]].concat());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("warning: skipped digit3.png:"), "{errors}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["rows"], &report["skipped"]), (&8.into(), &1.into()));
    assert!(rows(&out).iter().all(|row| field(row, &["sample"]).to_string() != "\"digit3.png\""));
}
