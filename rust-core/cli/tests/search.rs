//! Searching the networks of traces.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::*;

/// A bundle with only these networks of the MNIST one, each a level.
fn part(scratch: &Scratch, name: &str, networks: &[usize]) -> String {
    let folder = scratch.path(name);
    fs::create_dir(&folder).unwrap();
    for file in ["labels.txt", "little.onnx", "big.onnx", "manifest.json"] {
        fs::copy(Path::new(&bundle()).join(file), Path::new(&folder).join(file)).unwrap();
    }
    let path = Path::new(&folder).join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for list in ["networks", "levels"] {
        let all = manifest[list].as_array().unwrap().clone();
        manifest[list] = networks.iter().map(|network| all[*network].clone()).collect();
    }
    manifest["name"] = name.into();
    fs::write(&path, manifest.to_string()).unwrap();
    let packed = scratch.path(&format!("{name}.biglittle"));
    good(&["pack", &folder, "-o", &packed]);
    packed
}

fn trace(scratch: &Scratch, bundle: &str, name: &str, more: &[&str]) -> String {
    let path = scratch.path(name);
    let data = models().join("mnist").display().to_string();
    let args = ["trace", "-b", bundle, "-d", &data, "-o", &path, "--samples", "2000"];
    good(&[&args[..], more].concat());
    path
}

#[test]
fn traces_are_searched_together_and_alone_alike() {
    let scratch = Scratch::new();
    let both = trace(&scratch, &bundle(), "both.parquet", &[]);
    let little = trace(&scratch, &part(&scratch, "a", &[0]), "little.parquet", &[]);
    let big = trace(&scratch, &part(&scratch, "b", &[1]), "big.parquet", &[]);
    let search = |traces: &[&str], more: &[&str]| {
        json(&[&["search", "--loss", "harm", "--eps", "0.01", "--json"], traces, more].concat())
    };
    let found = search(&[&both], &[]);
    // The order of traces and where a network comes from change nothing.
    assert_eq!(found, search(&[&big, &little], &[]));
    assert_eq!(found, search(&[&both, &little], &[]));
    let candidates = found["candidates"].as_array().unwrap();
    // Three alone, the pair by four scores, and with a committee by four.
    assert_eq!(candidates.len(), 11);
    let costs: Vec<f64> = candidates.iter().map(|c| c["cost"].as_f64().unwrap()).collect();
    assert!(costs.windows(2).all(|pair| pair[0] <= pair[1]), "the cheapest first");
    let point = |c: &Value| (c["cost"].as_f64().unwrap(), c["accuracy"].as_f64().unwrap());
    for candidate in candidates {
        let (cost, accuracy) = point(candidate);
        let is_beaten = candidates.iter().map(point).any(|(other_cost, other_accuracy)| {
            (other_cost < cost && other_accuracy >= accuracy)
                || (other_cost <= cost && other_accuracy > accuracy)
        });
        assert_eq!(candidate["on_front"], !is_beaten, "{candidate}");
    }

    // A pair is what `calibrate` makes of it.
    let pair = candidates
        .iter()
        .find(|c| {
            let networks = json!([["little"], ["big"]]);
            let levels: Vec<_> =
                c["levels"].as_array().unwrap().iter().map(|l| &l["networks"]).collect();
            json!(levels) == networks
                && c["confidence"] == "max_probability"
                && c["levels"][1]["committee"] == false
        })
        .unwrap();
    let calibrated = json(&[
        "calibrate",
        &both,
        "--loss",
        "harm",
        "--eps",
        "0.01",
        "--no-tune",
        "--json",
        "--confidence",
        "max_probability",
    ]);
    let certificate = &calibrated["certificates"][0];
    assert_eq!(pair["thresholds"], certificate["thresholds"]);
    for field in ["loss", "escalation", "accuracy"] {
        assert_eq!(pair[field], certificate["test"][field], "{field}");
    }
    let rate = pair["escalation"].as_f64().unwrap();
    let cost = 174_976.0 + rate * 50_804_480.0;
    assert!((pair["cost"].as_f64().unwrap() / cost - 1.0).abs() < 1e-12);

    let text = good(&[
        "search", &both, "--loss", "disagree", "--eps", "0.01", "--cost", "cpu", "--top", "3",
    ]);
    assert!(
        text.contains("CPU/sample is measured") && text.contains("little -> mean with big"),
        "{text}"
    );

    let other = trace(&scratch, &part(&scratch, "c", &[1]), "other.parquet", &["--seed", "4"]);
    let refuse = |traces: &[&str], words: &[&str]| {
        refused(
            &[&["search", "--loss", "harm", "--eps", "0.01"], traces].concat(),
            BAD_DATA,
            words,
        );
    };
    refuse(
        &[&both, &other],
        &["other.parquet", "another division into splits than", "both.parquet"],
    );
    let none = trace(&scratch, &bundle(), "none.parquet", &["--no-outputs"]);
    refuse(&[&none], &["none.parquet", "no raw values"]);
    refused(&["search", &both, "--loss", "harm", "--eps", "0.0001"], BAD_DATA, &["too few"]);
    let few = scratch.path("few.parquet");
    let data = models().join("mnist").display().to_string();
    good(&["trace", "-b", &bundle(), "-d", &data, "-o", &few, "--samples", "1000"]);
    refuse(&[&both, &few], &["few.parquet", "other data"]);
}
