//! Bundles: any byte changed, missing, added or swapped is refused by name.
//! The networks in these are not real: bundles do not look inside them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use biglittle::bundle::{Manifest, ModelBundle, sha256_hex};
use biglittle::{Error, ErrorKind, Result, RuntimeOptions, Threshold};
use serde_json::{Value, json};

/// A folder that a test draws up; removed when it ends.
struct Draft(tempfile::TempDir);

fn draft_manifest() -> Value {
    let network = |id: &str, side: u32| {
        json!({
            "id": id,
            "file": {"path": format!("{id}.onnx")},
            "input": {
                "width": side, "height": side, "channels": "gray", "fit": "stretch",
                "filter": "bilinear", "mean": [0.0], "std": [255.0],
            },
            "output": {"kind": "logits"},
            "provenance": {"authors": "a", "licence": "MIT", "source": "made up"},
        })
    };
    json!({
        "format_version": 1, "name": "pair", "version": "1.0.0", "description": "two answers",
        "labels": {"path": "labels.txt"},
        "networks": [network("little", 8), network("big", 16)],
        "levels": [
            {"name": "little", "networks": ["little"], "threshold": 0.5},
            {"name": "big", "networks": ["big"]},
        ],
        "provenance": {"authors": "a", "licence": "MIT", "source": "made up"},
    })
}

impl Draft {
    fn new() -> Self {
        let draft = Draft(tempfile::tempdir().unwrap());
        draft.write("labels.txt", b"no\nyes\n");
        draft.write("little.onnx", b"a little network");
        draft.write("big.onnx", b"a big network, bigger by far");
        draft.write("manifest.json", draft_manifest().to_string().as_bytes());
        draft
    }

    fn with(change: impl FnOnce(&mut Value)) -> Self {
        let draft = Draft::new();
        let mut manifest = draft_manifest();
        change(&mut manifest);
        draft.write("manifest.json", manifest.to_string().as_bytes());
        draft
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    fn pack(&self) -> Result<ModelBundle> {
        ModelBundle::from_draft(self.path(), |_, bytes| Ok(bytes.len() as u64))
    }

    fn folder_kept(self) -> tempfile::TempDir {
        self.folder();
        self.0
    }

    /// The packed bundle as a folder.
    fn folder(&self) -> PathBuf {
        let folder = self.path().join("packed");
        self.pack().unwrap().write_folder(&folder).unwrap();
        folder
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T>, words: &[&str]) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidBundle, "{error}");
    let text = error.to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text:?} lacks one of {words:?}");
    error
}

#[test]
fn a_draft_is_completed_and_comes_back_whole() {
    let draft = Draft::new();
    let bundle = draft.pack().unwrap();
    let manifest = bundle.manifest();
    assert_eq!(manifest.networks[1].macs, 28);
    assert_eq!(manifest.networks[0].file.sha256, sha256_hex(b"a little network"));
    assert_eq!(manifest.levels[0].threshold, Some(Threshold::new(0.5).unwrap()));
    assert_eq!(bundle.labels()[..], ["no", "yes"]);

    let archive = draft.path().join("pair.biglittle");
    bundle.write_archive(&archive).unwrap();
    for again in [
        ModelBundle::open(draft.folder()).unwrap(),
        ModelBundle::open(&archive).unwrap(),
        ModelBundle::from_bytes(&bundle.to_bytes()).unwrap(),
    ] {
        assert_eq!(again.manifest(), manifest);
        let big = manifest.network("big").unwrap();
        assert_eq!(again.network_bytes(big).unwrap()[..], b"a big network, bigger by far"[..]);
        assert_eq!(again.to_bytes(), bundle.to_bytes(), "packing is deterministic");
    }
    let left: Vec<_> = fs::read_dir(draft.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 6, "nothing temporary is left behind: {left:?}");
}

#[test]
fn every_flipped_bit_of_an_archive_is_refused() {
    let bytes = Draft::new().pack().unwrap().to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        refused(ModelBundle::from_bytes(&changed), &[]);
    }
    for length in [0, 1, 21, 64, bytes.len() / 2, bytes.len() - 1] {
        refused(ModelBundle::from_bytes(&bytes[..length]), &[]);
    }
    let longer = [&bytes[..], b"x"].concat();
    refused(ModelBundle::from_bytes(&[b"x", &bytes[..]].concat()), &[]);
    refused(ModelBundle::from_bytes(&longer), &[]);
}

/// An archive of `files` with a true sum, as somebody else could make it.
fn forge(
    files: &[(&str, &[u8])],
    hide: impl FnOnce(&mut zip::ZipWriter<Cursor<Vec<u8>>>),
) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.set_comment(format!("biglittle bundle sha256:{:064}", 0)).unwrap();
    for (name, bytes) in files {
        archive.start_file(*name, stored).unwrap();
        archive.write_all(bytes).unwrap();
    }
    hide(&mut archive);
    seal(archive.finish().unwrap().into_inner())
}

fn seal(mut archive: Vec<u8>) -> Vec<u8> {
    let end = archive.len() - 64;
    let sum = sha256_hex(&archive[..end]);
    archive[end..].copy_from_slice(sum.as_bytes());
    archive
}

#[test]
fn what_hides_in_a_sealed_archive_is_refused() {
    let folder = Draft::new().folder_kept();
    let names = ["manifest.json", "manifest.sha256", "labels.txt", "little.onnx", "big.onnx"];
    let read = |name: &&str| {
        (name.to_string(), fs::read(folder.path().join("packed").join(name)).unwrap())
    };
    let owned: Vec<(String, Vec<u8>)> = names.iter().map(read).collect();
    let files: Vec<(&str, &[u8])> = owned.iter().map(|(n, b)| (n.as_str(), &b[..])).collect();
    let good = forge(&files, |_| {});
    assert!(ModelBundle::from_bytes(&good).is_ok(), "the forger's own archive is as ours");

    let in_front = [b"#!/bin/sh\n", &good[..]].concat();
    refused(ModelBundle::from_bytes(&seal(in_front)), &[]);
    let compressed = forge(&files[1..], |archive| {
        let packed = zip::write::SimpleFileOptions::default();
        archive.start_file("../x\u{1b}[31m", packed).unwrap();
    });
    let error = refused(ModelBundle::from_bytes(&compressed), &["manifest.json", "missing"]);
    assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
    // Two files of one name: the writer refuses that, so one is renamed after.
    let twice = forge(&files, |archive| {
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        archive.start_file("lXttle.onnx", stored).unwrap();
        archive.write_all(b"another network").unwrap();
    });
    let mut twice = twice;
    for at in 0..twice.len() - 11 {
        if twice[at..].starts_with(b"lXttle.onnx") {
            twice[at + 1] = b'i';
        }
    }
    refused(ModelBundle::from_bytes(&seal(twice)), &[]);
    // A directory in which several entries point at the same bytes.
    let many: Vec<(String, Vec<u8>)> =
        (0..40).map(|i| (format!("f{i:02}"), vec![7; if i == 0 { 50_000 } else { 1 }])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(n, b)| (n.as_str(), &b[..])).collect();
    let mut overlapping = forge(&many, |_| {});
    let central: Vec<usize> = (0..overlapping.len() - 4)
        .filter(|at| overlapping[*at..].starts_with(b"PK\x01\x02"))
        .collect();
    let first = overlapping[central[0]..][..46].to_vec();
    for at in central {
        overlapping[at + 16..at + 28].copy_from_slice(&first[16..28]);
        overlapping[at + 42..at + 46].copy_from_slice(&first[42..46]);
    }
    refused(ModelBundle::from_bytes(&seal(overlapping)), &["f", "overlaps"]);
}

#[test]
fn every_flipped_byte_in_a_folder_is_refused_with_the_files_name() {
    let draft = Draft::new();
    let folder = draft.folder();
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            fs::write(entry.path(), &changed).unwrap();
            refused(ModelBundle::open(&folder), &[&name]);
        }
        fs::write(entry.path(), &bytes[1..]).unwrap();
        refused(ModelBundle::open(&folder), &[&name]);
        fs::write(entry.path(), bytes).unwrap();
    }
    assert!(ModelBundle::open(&folder).is_ok());
}

#[test]
fn missing_added_and_swapped_files_are_refused_by_name() {
    let draft = Draft::new();
    let folder = draft.folder();
    let at = |name: &str| folder.join(name);
    for name in ["manifest.json", "manifest.sha256", "labels.txt", "little.onnx", "big.onnx"] {
        fs::rename(at(name), draft.path().join("away")).unwrap();
        refused(ModelBundle::open(&folder), &[name, "is missing"]);
        fs::rename(draft.path().join("away"), at(name)).unwrap();
    }
    fs::write(at("extra.bin"), b"?").unwrap();
    refused(ModelBundle::open(&folder), &["extra.bin", "not named"]);
    fs::remove_file(at("extra.bin")).unwrap();
    fs::create_dir(at("more")).unwrap();
    refused(ModelBundle::open(&folder), &["more", "not a file"]);
    fs::remove_dir(at("more")).unwrap();
    fs::copy(at("little.onnx"), draft.path().join("little")).unwrap();
    fs::rename(at("big.onnx"), at("little.onnx")).unwrap();
    fs::rename(draft.path().join("little"), at("big.onnx")).unwrap();
    refused(ModelBundle::open(&folder), &[".onnx"]);
}

#[test]
fn manifests_that_make_no_sense_name_the_field() {
    type Change = fn(&mut Value);
    let cases: [(Change, &[&str]); 25] = [
        (|m| m["surprise"] = json!(1), &["manifest.json", "surprise"]),
        (|m| m["format_version"] = json!(2), &["format_version is 2", "reads 1"]),
        (|m| m["networks"][0]["input"]["colour"] = json!("red"), &["colour"]),
        (|m| m["networks"][0]["input"]["width"] = json!(0), &["\"little\"", "width is 0"]),
        (|m| m["networks"][0]["input"]["std"] = json!([0]), &["std holds 0"]),
        (|m| m["networks"][0]["output"]["temperature"] = json!(-1), &["temperature is -1"]),
        (|m| m["networks"][1]["id"] = json!("little"), &["\"little\" is there twice"]),
        (|m| m["networks"][1]["file"]["path"] = json!("little.onnx"), &["named twice"]),
        (|m| m["networks"][1]["file"]["path"] = json!("../big.onnx"), &["../big.onnx", "no name"]),
        (|m| m["networks"][1]["file"]["path"] = json!(".big"), &["no name"]),
        (|m| m["levels"] = json!([]), &["0 levels"]),
        (|m| m["levels"][0]["networks"] = json!(["tiny"]), &["\"tiny\""]),
        (|m| m["levels"][0]["networks"] = json!([]), &["level \"little\"", "no network"]),
        (|m| m["levels"][1]["networks"] = json!(["little"]), &["runs twice"]),
        (|m| m["levels"][0]["threshold"] = json!(null), &["level \"little\"", "no threshold"]),
        (|m| m["levels"][0]["threshold"] = json!("maybe"), &["maybe"]),
        (|m| m["levels"][0]["threshold"] = json!(70.2), &["\"little\"", "70.2", "0 and 1"]),
        (|m| m["levels"][0]["confidence"] = json!("negative_entropy"), &["0.5", "and 0"]),
        (|m| m["levels"][1]["threshold"] = json!("always_escalate"), &["\"big\"", "unsure"]),
        (|m| m["name"] = json!(""), &["name is \"\""]),
        (|m| m["description"] = json!("a\u{1b}[31m"), &["description", "control"]),
        (|m| m["provenance"]["licence"] = json!(" "), &["licence"]),
        (
            |m| {
                m["networks"][0]["output"]["kind"] = json!("binary_logit");
                m["levels"][0]["confidence"] = json!({"max_logit_p_norm": {"p": 2}});
            },
            &["one logit a class"],
        ),
        (|m| m["levels"][0]["confidence"] = json!({"max_logit_p_norm": {"p": 0}}), &["p = 0"]),
        (
            |m| {
                m["levels"].as_array_mut().unwrap().truncate(1);
            },
            &["\"big\" is in no level"],
        ),
    ];
    for (change, words) in cases {
        refused(Draft::with(change).pack(), words);
    }
}

#[test]
fn labels_that_make_no_sense_are_refused() {
    for (labels, words) in [
        (&b"only one\n"[..], "1 labels"),
        (b"", "0 labels"),
        (b"a\n\nb\n", "line 2"),
        (b"a\nb\x07\n", "line 2"),
        (b"a\n\xff\n", "UTF-8"),
        (&[b'\n'; 200_000], "100001 labels"),
    ] {
        let draft = Draft::new();
        draft.write("labels.txt", labels);
        refused(draft.pack(), &["labels.txt", words]);
    }
}

#[test]
fn what_is_no_bundle_at_all_is_said() {
    let draft = Draft::new();
    let error = ModelBundle::open(draft.path().join("nowhere")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("nowhere"), "{error}");
    draft.write("photo.jpg", b"\xff\xd8 a photo");
    refused(ModelBundle::open(draft.path().join("photo.jpg")), &["photo.jpg", "neither"]);
    refused(ModelBundle::from_memory([("a", *b"b")]), &["manifest.json", "missing"]);
}

#[test]
fn nothing_half_written_is_left_behind() {
    let draft = Draft::new();
    let bundle = draft.pack().unwrap();
    let out = draft.path().join("no/such/folder/x.biglittle");
    assert_eq!(bundle.write_archive(&out).unwrap_err().kind(), ErrorKind::Io);
    let taken = draft.folder();
    let error = bundle.write_folder(&taken).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert!(ModelBundle::open(&taken).is_ok(), "what was there is untouched");
}

#[test]
fn a_manifest_comes_back_from_json_whole() {
    let bundle = Draft::new().pack().unwrap();
    let json = serde_json::to_value(bundle.manifest()).unwrap();
    let again: Manifest = serde_json::from_value(json).unwrap();
    assert_eq!(&again, bundle.manifest());
}

#[test]
fn certificates_are_of_these_networks_or_refused() {
    let plain = Draft::new().pack().unwrap();
    let certificate = json!({
        "loss": "harm", "eps": 0.01, "delta": 0.05, "family": 1, "method": "exact",
        "n": 1000, "k": 4, "thresholds": [0.25], "confidences": ["margin"],
        "date": "2026-11-23", "models_sha256": plain.manifest().models_sha256(),
        "networks": plain.manifest().networks.iter()
            .map(|network| json!({"id": network.id, "sha256": network.file.sha256}))
            .collect::<Vec<_>>(),
        "data": {
            "sha256": "0".repeat(64), "rows": [10, 1000, 10],
            "split": {
                "seed": 0, "tune_percent": 20, "calibrate_percent": 40, "test_percent": 40,
            },
        },
        "tool_version": "0.1.0",
    });
    let with = |pointer: &str, value: Value| {
        let mut certificate = certificate.clone();
        *certificate.pointer_mut(pointer).unwrap() = value;
        Draft::with(|manifest| manifest["certificates"] = json!([certificate])).pack()
    };
    let good = with("/k", json!(4)).unwrap();
    assert_eq!(good.manifest().certificates.len(), 1);
    assert_eq!(ModelBundle::from_bytes(&good.to_bytes()).unwrap().manifest(), good.manifest());

    for (pointer, value, words) in [
        ("/networks/1/sha256", json!("1".repeat(64)), &["certificate 0", "\"big\"", "1111"][..]),
        ("/networks/0/id", json!("other"), &["certificate 0", "\"other\"", "has not"]),
        ("/models_sha256", json!("2".repeat(64)), &["models_sha256", "2222", "calibrate again"]),
        ("/confidences", json!(["max_probability"]), &["other confidences"]),
        ("/thresholds", json!([0.25, 0.5]), &["2 thresholds and 1 confidences"]),
        ("/eps", json!(0.0), &["eps is 0", "between 0 and 1"]),
        ("/delta", json!(1.0), &["delta is 1"]),
        ("/family", json!(0), &["family is 0"]),
        ("/date", json!("23.11.2026"), &["date is \"23.11.2026\"", "YYYY-MM-DD"]),
        ("/data/split/seed", json!(-1), &["`-1`, expected u64"]),
        ("/data/split/test_percent", json!(50), &["which is 110"]),
        ("/method", json!("guessed"), &["guessed"]),
    ] {
        refused(with(pointer, value), words);
    }
    let extra = |manifest: &mut Value| {
        manifest["certificates"] = json!([certificate]);
        manifest["certificates"][0]["note"] = "x".into();
    };
    refused(Draft::with(extra).pack(), &["unknown field `note`"]);
    // Other bytes of a network, and a certificate that still names the old ones.
    let other = Draft::with(|manifest| manifest["certificates"] = json!([certificate]));
    other.write("big.onnx", b"another big network");
    refused(other.pack(), &["certificate 0", "network \"big\"", "calibrate again"]);

    // In use where the threshold is the certified one or, with two levels, higher.
    let in_use = |threshold: Value| {
        let bundle = Draft::with(|manifest| {
            manifest["certificates"] = json!([certificate]);
            manifest["levels"][0]["threshold"] = threshold;
        });
        bundle.pack().unwrap().manifest().certificate_in_use().is_some()
    };
    assert!(in_use(json!(0.25)) && in_use(json!(0.5)) && in_use(json!("always_escalate")));
    assert!(!in_use(json!(0.2499)) && !in_use(json!("never_escalate")));
    assert!(plain.manifest().certificate_in_use().is_none());
}

#[test]
fn calibration_scores_are_of_these_networks_or_refused() {
    let plain = Draft::new().pack().unwrap();
    assert_eq!(RuntimeOptions::of_bundle(&plain).unwrap().drift, None);
    let counts: Vec<u64> = (0..32).collect();
    let scores = json!({
        "confidence": "margin", "models_sha256": plain.manifest().models_sha256(),
        "histogram": { "low": 0.0, "high": 1.0, "counts": counts },
    });
    let with = |pointer: &str, value: Value| {
        let mut scores = scores.clone();
        *scores.pointer_mut(pointer).unwrap() = value;
        Draft::with(|manifest| manifest["calibration_scores"] = scores).pack()
    };
    let good = with("/histogram/counts/0", json!(5)).unwrap();
    assert_eq!(ModelBundle::from_bytes(&good.to_bytes()).unwrap().manifest(), good.manifest());
    let drift = RuntimeOptions::of_bundle(&good).unwrap().drift.unwrap();
    assert_eq!((drift.calibration.counts[0], drift.calibration.counts[31]), (5, 31));

    for (pointer, value, words) in [
        ("/models_sha256", json!("2".repeat(64)), &["calibration_scores", "2222", "again"][..]),
        ("/confidence", json!("max_probability"), &["calibration_scores", "another confidence"]),
        ("/histogram/high", json!(2.0), &["from 0 to 2, but this confidence from 0 to 1"]),
        ("/histogram/low", json!(null), &["invalid type: null"]),
        ("/histogram/counts", json!(vec![0; 32]), &["no score in any bin"]),
        ("/histogram/counts", json!(vec![u64::MAX; 32]), &["more scores than there can be"]),
        ("/histogram/counts", json!(vec![1; 31]), &["length 31"]),
        ("/histogram/counts/3", json!(-1), &["`-1`, expected u64"]),
    ] {
        refused(with(pointer, value), words);
    }
    // Other bytes of a network, and scores of the old ones.
    let other = Draft::with(|manifest| manifest["calibration_scores"] = scores.clone());
    other.write("little.onnx", b"another little network");
    refused(other.pack(), &["calibration_scores", "calibrate again"]);
}
