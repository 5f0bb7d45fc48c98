//! `quantize`: a bundle in int8, and what it loses.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::*;

/// A folder with the first `count` test digits as idx files, with labels or as
/// pictures without.
fn digits(scratch: &Scratch, name: &str, count: usize, labelled: bool) -> String {
    let (pixels, labels) = test_digits();
    let folder = scratch.path(name);
    if labelled {
        let idx = |kind: u8, dims: &[usize], data: &[u8]| {
            let mut bytes = vec![0, 0, 8, kind];
            bytes.extend(dims.iter().flat_map(|&dim| (dim as u32).to_be_bytes()));
            bytes.extend_from_slice(data);
            bytes
        };
        let images = idx(3, &[count, 28, 28], &pixels[..count * 784]);
        scratch.write(&format!("{name}/t-images-idx3-ubyte"), &images);
        scratch.write(&format!("{name}/t-labels-idx1-ubyte"), &idx(1, &[count], &labels[..count]));
    } else {
        fs::create_dir_all(&folder).unwrap();
        for index in 0..count {
            let digit = pixels[index * 784..][..784].to_vec();
            let digit = image::GrayImage::from_raw(28, 28, digit).unwrap();
            digit.save(Path::new(&folder).join(format!("{index}.png"))).unwrap();
        }
    }
    folder
}

#[test]
fn a_bundle_becomes_one_in_int8() {
    let scratch = Scratch::new();
    let data = digits(&scratch, "data", 1600, true);
    let out = scratch.path("int8.biglittle");
    let certified = certified();
    let split = ["--split", "50,25,25", "--images", "100"];
    let args = ["quantize", "-b", &certified, "-d", &data, "-o", &out, "--json"];
    let report = json(&[&args[..], &split].concat());
    for network in report["networks"].as_array().unwrap() {
        assert_eq!(
            (network["range_images"].clone(), network["images"].clone()),
            (100.into(), 1500.into())
        );
        assert_eq!(network["takes_pixels"], true);
        assert!(network["runtime"].as_str().unwrap().contains("int8"), "{network}");
        assert!(network["agreement"].as_f64().unwrap() > 0.99, "{network}");
        // Whether it is faster is for other tests to say, on an idle machine.
        let reasons = network["keep_float32"].as_array().unwrap();
        let of_time = |reason: &Value| reason.as_str().unwrap().contains("on this machine");
        assert!(reasons.iter().all(of_time), "{network}");
        let [before, after] = [0, 1].map(|side| network["bytes"][side].as_f64().unwrap());
        assert!(after < 0.31 * before, "{network}");
        let right = |side: usize| network["labelled"]["accuracy"][side].as_f64().unwrap();
        assert!(right(0) > 0.97 && (right(0) - right(1)).abs() < 0.005, "{network}");
        let labelled = &network["labelled"];
        let [more, fewer] = [0, 1].map(|side| labelled["only_right"][side].as_f64().unwrap());
        assert!((right(0) - right(1) - (more - fewer) / 1500.0).abs() < 1e-9, "{network}");
        assert!(labelled["mcnemar_p"].as_f64().unwrap() > 0.05, "{network}");
        let fast = network["runtime"].as_str().unwrap() != "kernels (portable, int8)";
        assert_eq!(network["median_ns"].is_array(), fast, "{network}");
    }
    // Good to the last byte, with nothing of the certificate left.
    assert!(good(&["verify", &out]).contains("2 networks opened"));
    let manifest = json(&["inspect", &out, "--json"])["manifest"].clone();
    assert_eq!(manifest.get("certificates"), None);
    assert_eq!(manifest.get("calibration_scores"), None);
    assert_eq!(manifest["version"], "1.0.0-int8");
    assert_eq!(manifest["networks"][0]["file"]["path"], "little.int8.onnx");
    assert_eq!(manifest["networks"][0]["calibration_table"]["path"], "little.int8.json");
    // What is there is neither replaced nor quantized again.
    refused(&args[..7], BAD_DATA, &["int8.biglittle", "exists already"]);
    let again = scratch.path("again");
    refused(
        &["quantize", "-b", &out, "-d", &data, "-o", &again],
        BAD_DATA,
        &["network \"little\" is in int8 already"],
    );
    assert!(!Path::new(&again).exists());
}

#[test]
fn one_network_alone_and_without_labels() {
    let scratch = Scratch::new();
    let data = digits(&scratch, "data", 200, false);
    let (bundle, out) = (bundle(), scratch.path("mixed"));
    let said = good(&[
        "quantize",
        "-b",
        &bundle,
        "-d",
        &data,
        "-o",
        &out,
        "--network",
        "little",
        "--split",
        "80,10,10",
        "--images",
        "80",
        "--leave-out",
        "0.0001",
    ]);
    assert!(said.contains("ranges of 80 images, judged on 120 others"), "{said}");
    assert!(said.contains("without labels"), "{said}");
    assert!(said.contains("biglittle calibrate"), "{said}");
    let report = json(&["inspect", &out, "--json"]);
    let runtime = |number: usize| report["networks"][number]["runtime"].as_str().unwrap();
    assert!(!runtime(1).contains("int8"), "{}", runtime(1));
    let table = fs::read_to_string(Path::new(&out).join("little.int8.json")).unwrap();
    let table: Value = serde_json::from_str(&table).unwrap();
    assert_eq!(table["images"], 80);
    assert_eq!(table["method"]["leave_out"], 0.0001);
    // A cascade of both kinds answers as well.
    let evaluated =
        json(&["evaluate", "-b", &out, "-d", &digits(&scratch, "more", 200, true), "--json"]);
    assert!(evaluated["cascade"]["accuracy"].as_f64().unwrap() > 0.98, "{evaluated}");
    // One network of a bundle can be measured as an engine runs it.
    let bench = json(&["bench", &out, "--network", "little", "--seconds", "0.01", "--json"]);
    assert_eq!(bench["networks"].as_array().unwrap().len(), 1);
    refused(&["bench", &out, "--network", "tiny"], BAD_DATA, &["\"tiny\"", "little, big"]);
}

#[test]
fn a_table_of_another_network_is_refused() {
    let scratch = Scratch::new();
    let folder = scratch.path("bundle");
    let from = models().join("mnist/bundle-int8");
    fs::create_dir(&folder).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), Path::new(&folder).join(entry.file_name())).unwrap();
    }
    // The tables in each other's place, every sum right but their own.
    let mut manifest: Value =
        serde_json::from_slice(&fs::read(Path::new(&folder).join("manifest.json")).unwrap())
            .unwrap();
    let networks = manifest["networks"].as_array_mut().unwrap();
    let tables = [0, 1].map(|number: usize| networks[number]["calibration_table"].clone());
    let [first, second] = tables;
    networks[0]["calibration_table"] = second;
    networks[1]["calibration_table"] = first;
    manifest.as_object_mut().unwrap().remove("certificates");
    manifest.as_object_mut().unwrap().remove("calibration_scores");
    reseal(&folder, &manifest.to_string());
    refused(&["verify", &folder], BAD_DATA, &["\"little\"", "is for a network with SHA-256"]);
}

#[test]
fn what_cannot_be_done_is_said_and_nothing_written() {
    let scratch = Scratch::new();
    let (bundle, data) = (bundle(), digits(&scratch, "data", 200, true));
    let out = scratch.path("out");
    let refuse = |more: &[&str], words: &[&str]| {
        let args = ["quantize", "-b", &bundle, "-d", &data, "-o", &out];
        refused(&[&args[..], more].concat(), BAD_DATA, words);
        assert!(!Path::new(&out).exists(), "{more:?}");
    };
    // 20 % of 200 for tuning, about.
    refuse(&[], &["at least 64 images", "of the 200 different ones in the data", "--split"]);
    refuse(&["--split", "90,5,5", "--images", "63"], &["at least 64", "there are 63"]);
    refuse(&["--split", "100,0,0"], &["none to judge the result on"]);
    refuse(&["--network", "tiny"], &["no network \"tiny\"", "little, big"]);
    let all = ["--split", "90,5,5", "--images", "100"];
    refuse(&[&all[..], &["--leave-out", "0.7"]].concat(), &["0.7", "below 0.5"]);
    refuse(&[&all[..], &["--leave-out=-1"]].concat(), &["-1", "from 0"]);
    let empty = scratch.path("empty");
    fs::create_dir(&empty).unwrap();
    refused(
        &["quantize", "-b", &bundle, "-d", &empty, "-o", &out],
        BAD_DATA,
        &["empty", "has neither"],
    );
    refuse(&[&all[..], &["--leave-out", "nan"]].concat(), &["NaN", "below 0.5"]);
    // Before the work, not after it.
    let nowhere = scratch.path("nowhere/out");
    refused(
        &["quantize", "-b", &bundle, "-d", &empty, "-o", &nowhere],
        BAD_DATA,
        &["nowhere/out", "cannot be written", "a folder that you can write to"],
    );
    let size = resealed(&scratch, "size", "\"width\": 28", "\"width\": 32");
    refused(
        &["quantize", "-b", &size, "-d", &data, "-o", &out],
        BAD_DATA,
        &["size", "network \"big\"", "correct `input`"],
    );
}

#[test]
fn images_that_are_broken_or_copies_are_told() {
    let scratch = Scratch::new();
    let (bundle, data) = (bundle(), digits(&scratch, "data", 100, false));
    let out = scratch.path("out");
    let picture = |index: usize| Path::new(&data).join(format!("{index}.png"));
    let args = ["quantize", "-b", &bundle, "-d", &data, "-o", &out, "--split", "90,5,5"];
    for index in 50..100 {
        fs::copy(picture(0), picture(index)).unwrap();
    }
    refused(&args, BAD_DATA, &["at least 64", "of the 50 different ones in the data"]);
    let bytes = fs::read(picture(7)).unwrap();
    fs::write(picture(7), &bytes[..100]).unwrap();
    refused(&args, BAD_DATA, &["7.png", "is not a PNG or JPEG that can be decoded"]);
    assert!(!Path::new(&out).exists());
}

/// The committed bundle in int8 with another table for its little network.
fn with_table(scratch: &Scratch, name: &str, old: &str, new: &str) -> String {
    let folder = scratch.path(name);
    good(&["pack", &int8_bundle(), "-o", &folder]);
    let path = Path::new(&folder).join("little.int8.json");
    let table = fs::read_to_string(&path).unwrap();
    assert!(table.contains(old), "{table}");
    let table = table.replacen(old, new, 1);
    fs::write(path, &table).unwrap();
    let path = Path::new(&folder).join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let entry = &mut manifest["networks"][0]["calibration_table"];
    entry["bytes"] = table.len().into();
    entry["sha256"] = biglittle::bundle::sha256_hex(table.as_bytes()).into();
    manifest.as_object_mut().unwrap().remove("certificates");
    manifest.as_object_mut().unwrap().remove("calibration_scores");
    reseal(&folder, &manifest.to_string());
    folder
}

fn int8_bundle() -> String {
    models().join("mnist/bundle-int8").display().to_string()
}

#[test]
fn a_bad_table_is_refused_on_every_machine() {
    let scratch = Scratch::new();
    let bad = [
        ("wide", "2.8214867", "3e38", "is too narrow"),
        ("twice", "\"10:6:node_conv6\"", "\"input\"", "the range of \"input\" is there twice"),
        ("missing", "\"10:6:node_conv6\"", "\"nobody\"", "no range for \"10:6:node_conv6\""),
        ("none", "500", "0", "images is 0"),
        ("far", "0.00418121", "7", "input_offset is 7"),
        ("cut", "  \"ranges\"", "", "it is no calibration table"),
    ];
    for (name, old, new, expected) in bad {
        let bundle = with_table(&scratch, name, old, new);
        refused(&["verify", &bundle], BAD_DATA, &[name, "network \"little\"", expected]);
    }
    // A range that no tensor asks for is no harm.
    let more = "\"input\": [";
    let bundle = with_table(&scratch, "more", more, &format!("\"nobody\": [0, 1],\n    {more}"));
    assert!(good(&["verify", &bundle]).contains("2 networks opened"));
}

#[test]
fn a_trace_in_float32_certifies_nothing_in_int8() {
    let scratch = Scratch::new();
    let (data, trace) = (digits(&scratch, "data", 200, true), scratch.path("t.parquet"));
    good(&["trace", "-b", &int8_bundle(), "-d", &data, "-o", &trace]);
    let calibrate = |trace: &str| {
        biglittle(&["calibrate", trace, "--loss", "harm", "--eps=0.2", "--delta=0.1"])
    };
    let said = |trace: &str| String::from_utf8(calibrate(trace).stderr).unwrap();
    // What a machine with int8 has recorded is taken; of another, the metadata of
    // the file says so, as here from now on.
    let mut bytes = fs::read(&trace).unwrap();
    let [int8, float] = [&b", int8)"[..], b", none)"];
    let places: Vec<usize> =
        (0..bytes.len() - int8.len()).filter(|&at| bytes[at..].starts_with(int8)).collect();
    assert_eq!(said(&trace).contains("is for int8"), places.is_empty(), "{}", said(&trace));
    places.iter().for_each(|&at| bytes[at..at + int8.len()].copy_from_slice(float));
    let trace = scratch.write("float.parquet", &bytes);
    let words = ["network \"little\" is for int8", "recorded on kernels", "that runs it in int8"];
    let (output, said) = (calibrate(&trace), said(&trace));
    assert_eq!(output.status.code(), Some(BAD_DATA), "{said}");
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}
