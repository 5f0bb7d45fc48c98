//! Simulated days: their numbers, counted by hand; what never happens; what is
//! refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};
use support::device::{Row, metadata, write};
use support::*;

fn devices() -> PathBuf {
    models().join("../rust-core/core/tests/data/devices")
}

fn device(name: &str) -> String {
    devices().join(format!("{name}.jsonl")).display().to_string()
}

/// A trace of the first 2,000 test digits, recorded once.
fn trace() -> &'static str {
    static TRACE: OnceLock<String> = OnceLock::new();
    TRACE.get_or_init(|| {
        let path = format!("{}/simulate.parquet", env!("CARGO_TARGET_TMPDIR"));
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(format!("{path}.parts"));
        let data = models().join("mnist").display().to_string();
        good(&["trace", "-b", &certified(), "-d", &data, "-o", &path, "--samples", "2000"]);
        path
    })
}

/// `simulate` of the MNIST bundle as JSON.
fn simulated(more: &[&str]) -> Value {
    let bundle = certified();
    json(&[&["simulate", "-b", &bundle, "-t", trace(), "--json"][..], more].concat())
}

/// Rows with scores from 0 to 1, answers of little that are wrong where the score
/// is low, and times of 1 and 20 ms.
fn made_up(scratch: &Scratch) -> (String, Vec<Row>) {
    let meta = metadata(trace());
    let models = meta["models_sha256"].as_str().unwrap().to_owned();
    let row = |index: usize| {
        // Well mixed, each once.
        let score = index * 617 % 1_000;
        Row {
            split: "test",
            models: models.clone(),
            label: Some(3),
            answers: [if score < 400 && score.is_multiple_of(5) { 4 } else { 3 }, 3],
            margin: Some(score as f32 / 1_000.0),
            cpu_ns: Some([1_000_000, 20_000_000]),
        }
    };
    let rows: Vec<Row> = (0..1_000).map(row).collect();
    let path = scratch.path("made-up.parquet");
    write(&path, &meta, &rows, &[]);
    (path, rows)
}

/// The MNIST bundle with three certificates that were never earned: the floor is
/// at 0.3, and at full battery the threshold at 0.9.
fn several(scratch: &Scratch) -> String {
    let folder = scratch.path("several");
    good(&["pack", &certified(), "-o", &folder]);
    let path = format!("{folder}/manifest.json");
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let certificate = |eps: f64, threshold: f64| {
        let mut certificate = manifest["certificates"][0].clone();
        (certificate["eps"], certificate["thresholds"]) = (json!(eps), json!([threshold]));
        certificate
    };
    let all = json!([certificate(0.05, 0.3), certificate(0.02, 0.6), certificate(0.01, 0.9)]);
    manifest["certificates"] = all;
    manifest["levels"][0]["threshold"] = json!(0.3);
    reseal(&folder, &manifest.to_string());
    folder
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn near(value: &Value, expected: f64) {
    let found = number(value);
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

#[test]
fn every_number_is_that_of_a_count_by_hand() {
    let scratch = Scratch::new();
    let (path, rows) = made_up(&scratch);
    // 100 seconds of a hot phone: level 3, where the threshold is the floor.
    let reading = |at_s: u64| {
        let values = r#""battery_percent":90,"charging":false,"thermal_level":"severe""#;
        format!("{{\"reading\":{{\"at_ms\":{},{values}}}}}\n", at_s * 1_000)
    };
    let header = r#"{"format_version":1,"name":"short","description":"a short day"}"#;
    let lines: String = (0..=10).map(|step| reading(7_000 + step * 10)).collect();
    let device = scratch.write("short.jsonl", format!("{header}\n{lines}").as_bytes());
    let bundle = several(&scratch);
    let options = ["--order", "cycle", "--fps", "15", "--milliwatts", "100,1000", "--json"];
    let args = ["simulate", "-b", &bundle, "-t", &path, "-d", &device];
    let day = json(&[&args[..], &options].concat());
    // 1,500 frames: all rows, and half of them again.
    let frames: Vec<_> = rows.iter().chain(&rows[..500]).collect();
    let asks = |row: &&&Row| row.margin.unwrap() <= 0.3;
    let big = frames.iter().filter(asks).count() as f64;
    let little_wrong = |row: &&&Row| row.answers[0] != 3;
    let wrong = frames.iter().filter(|row| !asks(row)).filter(little_wrong).count() as f64;
    assert!(big > 400.0 && wrong > 0.0, "{big} {wrong}");
    assert_eq!(number(&day["seconds"]), 100.0);
    assert!((number(&day["seconds_at_level"][3]) - 100.0).abs() < 1e-6);
    assert_eq!(count(&day["frames"]["seen"]), 1_500);
    assert_eq!(count(&day["frames"]["big"]) as f64, big);
    assert_eq!(count(&day["frames"]["little"]) as f64, 1_500.0 - big);
    near(&day["escalation"], big / 1_500.0);
    near(&day["accuracy"]["share"], 1.0 - wrong / 1_500.0);
    near(&day["bad"]["share"], wrong / 1_500.0);
    assert_eq!(count(&day["accuracy"]["n"]), 1_000, "each row counts once");
    assert!((number(&day["floors"][0]) - 0.3).abs() < 1e-6);
    assert_eq!(day["thresholds"], day["floors"]);
    // Little took 1 ms of each frame, big 20 ms of those that escalated.
    near(&day["saved"]["cpu"], 1.0 - (1_500.0 + 20.0 * big) / (20.0 * 1_500.0));
    let [little_macs, big_macs] = [174_976.0, 50_804_480.0];
    let macs = little_macs * 1_500.0 + big_macs * big;
    near(&day["saved"]["mac_ratio"], macs / (big_macs * 1_500.0));
    let joules = [1_500.0 * 1e-3 * 0.1, big * 20e-3 * 1.0];
    near(&day["saved"]["energy"]["joules"][0], joules[0]);
    near(&day["saved"]["energy"]["joules"][3], joules[0] + joules[1]);
    assert_eq!(day["saved"]["energy"]["provenance"], "table_x_latency");
    assert_eq!(count(&day["outside_certificate"]), 0);
}

#[test]
fn with_one_certificate_it_is_the_cascade_of_the_bundle() {
    let day = simulated(&["-d", &device("day_asleep"), "--order", "cycle"]);
    // Ten minutes, then nine hours of sleep, then nine minutes.
    assert_eq!(count(&day["frames"]["seen"]), (9 + 9) * 600);
    assert!(number(&day["asleep_seconds"]) > 8.8 * 3_600.0);
    let awake: f64 = day["seconds_at_level"].as_array().unwrap().iter().map(number).sum();
    assert!((awake + number(&day["asleep_seconds"]) - number(&day["seconds"])).abs() < 1e-6);
    let happened = day["happenings"].as_array().unwrap();
    assert_eq!(happened.len(), 1);
    assert!(happened[0]["what"].as_str().unwrap().contains("asleep"));
    // The report counts the same rows at the same threshold.
    let scratch = Scratch::new();
    let page = scratch.path("report.html");
    let report = json(&["report", trace(), "-o", &page, "--json"]);
    let rows = count(&report["rows"]);
    assert_eq!(count(&day["rows"]), rows);
    let once = simulated(&["-d", &device("day_asleep"), "--order", "cycle", "--fps", "1"]);
    let frames = count(&once["frames"]["seen"]);
    assert_eq!(frames, 1_080);
    // 1,080 frames go through all rows once, and some twice.
    assert!(frames > rows, "{rows}");
    let close = (number(&once["escalation"]) - number(&report["escalation"])).abs();
    assert!(close < 0.01, "{close}");
    assert!(number(&once["saved"]["cpu"]) > 0.5);
}

#[test]
fn every_recording_keeps_the_floor_and_gives_the_same_bytes_twice() {
    let scratch = Scratch::new();
    let mut names = 0;
    for entry in fs::read_dir(devices()).unwrap() {
        let path = entry.unwrap().path().display().to_string();
        if !path.ends_with(".jsonl") || path.ends_with(".golden.jsonl") {
            continue;
        }
        names += 1;
        let (a, b) = (scratch.path("a.html"), scratch.path("b.html"));
        let args = ["-d", &path, "--fps", "2", "--audit", "0.05", "--seed", "3"];
        let first = simulated(&[&args[..], &["--report", &a]].concat());
        let second = simulated(&[&args[..], &["--report", &b]].concat());
        assert_eq!(first, second, "{path}");
        assert_eq!(fs::read(&a).unwrap(), fs::read(&b).unwrap(), "{path}");
        assert_eq!(count(&first["outside_certificate"]), 0, "{path}");
        let (low, floor) = (number(&first["thresholds"][0]), number(&first["floors"][0]));
        assert!(low >= floor && floor > 0.57, "{path}: {low} {floor}");
        assert!(count(&first["frames"]["audited"]) > 0 || number(&first["seconds"]) < 60.0);
    }
    assert!(names >= 12, "{names}");
}

#[test]
fn modes_budgets_and_guards_do_what_they_say() {
    let scratch = Scratch::new();
    let (path, _) = made_up(&scratch);
    let bundle = several(&scratch);
    let day = device("morning_to_empty");
    let run = |more: &[&str]| {
        let base = ["simulate", "-b", &bundle, "-t", &path, "-d", &day, "--fps", "1", "--json"];
        json(&[&base[..], more].concat())
    };
    let plain = run(&[]);
    // A budget of 40 % can be kept; one of 10 % cannot, since 30 % of the scores
    // lie below the floor.
    let fair = run(&["--budget-share", "0.4"]);
    assert!(number(&fair["escalation"]) < 0.405 && number(&fair["escalation"]) > 0.25);
    assert!(number(&fair["escalation"]) < number(&plain["escalation"]));
    assert_eq!(fair["budget_infeasible"], Value::Null);
    let poor = run(&["--budget-share", "0.1"]);
    let advice = &poor["budget_infeasible"];
    assert!((number(&advice["nearest_rate"]) - 0.3).abs() < 0.06, "{advice}");
    assert!(number(&advice["suggested_frames_per_second"]) < 0.5);
    assert!(number(&poor["budget_infeasible_seconds"]) > 3_600.0);
    assert_eq!(count(&poor["outside_certificate"]), 0);
    // 2 mJ by little and 40 mJ by big: 18 mJ are 40 % again.
    let costs = ["--frame-costs", "2,40"];
    let energy = run(&[&["--budget-energy", "18"][..], &costs].concat());
    assert_eq!(energy["escalation"], fair["escalation"]);
    let battery = ["--battery-until", "16", "--battery-joules", "40000", "--reserve", "10"];
    let until = run(&[&battery[..], &["--other-milliwatts", "500"], &costs].concat());
    assert!(number(&until["escalation"]) < number(&plain["escalation"]));
    // By leave below the floor, and counted.
    let bold = run(&["--budget-share", "0.1", "--accuracy-may-drop"]);
    assert!(number(&bold["escalation"]) < 0.11);
    let marked = count(&bold["outside_certificate"]);
    assert_eq!(marked, count(&bold["frames"]["below_certificate"]));
    assert!(marked > 1_000, "{marked}");
    // Modes.
    let (saver, precise) = (run(&["--mode", "saver"]), run(&["--mode", "precise"]));
    assert_eq!(number(&saver["seconds_at_level"][0]) + number(&saver["seconds_at_level"][1]), 0.0);
    assert!(number(&saver["escalation"]) < number(&plain["escalation"]));
    assert!((number(&precise["floors"][0]) - 0.9).abs() < 1e-6);
    assert!(number(&precise["escalation"]) > 0.89);
    // The guard lets big run every fourth second at most.
    let guarded = run(&["--storm-guard", "0.25"]);
    let frames = &guarded["frames"];
    assert!(count(&frames["big"]) <= count(&frames["seen"]) / 4 + 3, "{frames}");
    assert!(count(&frames["dropped"]) > 0 && count(&frames["degraded"]) == 0);
    let quick = run(&["--storm-guard", "0.25", "--latency-first"]);
    assert_eq!(quick["frames"]["degraded"], frames["dropped"]);
    assert_eq!(quick["outside_certificate"], quick["frames"]["degraded"]);
    // Half the frames at level 3 where the advice is heeded.
    let heeded = run(&["--heed-advice"]);
    let level_3 = number(&plain["seconds_at_level"][3]);
    let fewer = count(&plain["frames"]["seen"]) - count(&heeded["frames"]["seen"]);
    assert!((fewer as f64 - level_3 / 2.0).abs() <= 2.0, "{fewer} {level_3}");
    // The books of the phone hold the truth in their interval.
    let audited = run(&["--audit", "0.02"]);
    let estimate = &audited["saved"]["estimate"];
    let truth = number(&audited["saved"]["cpu"]);
    let [low, high] = [number(&estimate["ci95"][0]), number(&estimate["ci95"][1])];
    assert!(low <= truth + 1e-9 && truth <= high + 1e-9, "{truth} in {estimate}");
}

/// A phone on which big alone gets too hot: the policy keeps it below severe and
/// the promise, and so many figures stay what they are.
#[test]
fn the_policy_never_lets_the_phone_get_hot_where_big_alone_does() {
    let scratch = Scratch::new();
    let (path, _) = made_up(&scratch);
    let bundle = several(&scratch);
    for (name, phone) in [
        ("warm", r#"{"name":"warm","ambient_celsius":31,"sun_watts":0.6,"battery_joules":9000}"#),
        ("hot", r#"{"name":"hot","ambient_celsius":31,"sun_watts":0.8,"battery_joules":8000}"#),
        ("low", r#"{"name":"low","ambient_celsius":32,"sun_watts":0.5,"battery_percent":15}"#),
    ] {
        let phone = scratch.write(&format!("{name}.json"), phone.as_bytes());
        let args = ["simulate", "-b", &bundle, "-t", &path, "--phone", &phone, "--big-ms", "40"];
        let found = json(&[&args[..], &["--fps", "15", "--json"]].concat());
        let of = |policy: &str| {
            let all = found["policies"].as_array().unwrap();
            all.iter().find(|figures| figures["policy"] == policy).unwrap().clone()
        };
        let severe = |figures: &Value| -> f64 {
            figures["seconds_at_thermal_level"].as_array().unwrap()[3..].iter().map(number).sum()
        };
        let [own, big, little, fixed] =
            ["biglittle", "always_big", "always_little", "fixed_threshold"].map(of);
        assert!(severe(&big) > 30.0, "{name}: {big}");
        assert_eq!(severe(&own), 0.0, "{name}: {own}");
        assert_eq!(count(&own["below_certificate"]), 0, "{name}");
        assert!(count(&little["below_certificate"]) > 1_000);
        assert!(number(&own["hours"]) > number(&big["hours"]), "{name}");
        assert!(number(&own["hours"]) <= number(&little["hours"]) + 1e-9, "{name}");
        // It uses what the phone has to spare for more than the promise asks.
        assert!(number(&own["loss"]) <= number(&fixed["loss"]), "{name}");
        assert!(number(&own["accuracy"]) >= number(&little["accuracy"]));
        assert_eq!(found["energy_provenance"], "modelled");
    }
}

#[test]
fn a_modelled_day_is_the_same_everywhere() {
    let scratch = Scratch::new();
    let (path, _) = made_up(&scratch);
    let bundle = several(&scratch);
    let run = |report: &str| {
        let args = ["simulate", "-b", &bundle, "-t", &path, "--phone", "sun", "--big-ms", "50"];
        json(
            &[&args[..], &["--order", "cycle", "--hours", "2", "--json", "--report", report]]
                .concat(),
        )
    };
    let (a, b) = (scratch.path("a.html"), scratch.path("b.html"));
    let found = run(&a);
    assert_eq!(found, run(&b));
    assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap());
    let figures: Vec<_> = found["policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|figures| {
            format!(
                "{} {:.4} h, {:.3} C, {} frames, {:.5} escalated, {:.5} right, {:.2} J",
                figures["policy"].as_str().unwrap(),
                number(&figures["hours"]),
                number(&figures["hottest_celsius"]),
                count(&figures["frames"]),
                number(&figures["escalation"]),
                number(&figures["accuracy"]),
                number(&figures["network_joules"]),
            )
        })
        .collect();
    assert_eq!(figures, GOLDEN);
}

const GOLDEN: [&str; 4] = [
    "biglittle 2.0000 h, 42.011 C, 72000 frames, 0.31585 escalated, 0.98237 right, 2807.58 J",
    "fixed_threshold 2.0000 h, 42.001 C, 72000 frames, 0.30100 escalated, 0.98100 right, 2728.48 J",
    "always_big 2.0000 h, 44.850 C, 72000 frames, 1.00000 escalated, 1.00000 right, 7258.60 J",
    "always_little 2.0000 h, 40.631 C, 72000 frames, 0.00000 escalated, 0.92000 right, 450.00 J",
];

#[test]
fn names_from_files_are_escaped() {
    let scratch = Scratch::new();
    let text = fs::read_to_string(device("user_modes")).unwrap();
    let (header, rest) = text.split_once('\n').unwrap();
    let mut header: Value = serde_json::from_str(header).unwrap();
    header["name"] = "<script>alert(1)</script>".into();
    header["description"] = "\"><img src=x onerror=alert(2)>".into();
    let device = scratch.write("evil.jsonl", format!("{header}\n{rest}").as_bytes());
    let page = scratch.path("evil.html");
    simulated(&["-d", &device, "--report", &page]);
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"), "not escaped");
    assert!(html.contains("&lt;script&gt;") && html.contains("script-src 'none'"));
    assert!(html.contains("the user chose saver"));
    // A page is replaced, something else is not.
    simulated(&["-d", &device, "--report", &page]);
    let other = scratch.write("precious.txt", b"precious");
    let (bundle, day) = (certified(), device.clone());
    let args = ["simulate", "-b", &bundle, "-t", trace(), "-d", &day, "--report", &other];
    refused(&args, BAD_DATA, &["precious.txt", "is no HTML page"]);
}

#[test]
fn what_cannot_be_is_said() {
    let scratch = Scratch::new();
    let (bundle, day) = (certified(), device("user_modes"));
    let run = |trace: &str, device: &str, more: &[&str], code: i32, words: &[&str]| {
        let args = ["simulate", "-b", &bundle, "-t", trace, "-d", device];
        refused(&[&args[..], more].concat(), code, words);
    };
    // Recordings.
    let text = fs::read_to_string(&day).unwrap();
    let header = text.lines().next().unwrap();
    let text_file = |name: &str, text: &str| scratch.write(name, text.as_bytes());
    let damaged = text_file("damaged.jsonl", &text.replacen("{\"reading\"", "{\"reeding\"", 1));
    run(trace(), &damaged, &[], BAD_DATA, &["damaged.jsonl", "line 2"]);
    run(trace(), &text_file("empty.jsonl", ""), &[], BAD_DATA, &["empty.jsonl", "is empty"]);
    run(trace(), &text_file("none.jsonl", header), &[], BAD_DATA, &["none.jsonl", "has no events"]);
    let at_once = format!("{header}\n{}", r#"{"reading":{"at_ms":5}}"#.to_owned() + "\n");
    run(
        trace(),
        &text_file("once.jsonl", &at_once),
        &[],
        BAD_DATA,
        &["once.jsonl", "lasts no time"],
    );
    let apart = format!("{at_once}{}", r#"{"reading":{"at_ms":18446744073709551615}}"#);
    run(trace(), &text_file("apart.jsonl", &apart), &[], BAD_DATA, &["2 events but lasts no time"]);
    // Frames follow such a step of the clock, and must not stand still there.
    let header_and_two = format!("{at_once}{}\n", r#"{"reading":{"at_ms":1005}}"#);
    let absurd = format!(
        "{header_and_two}{}\n{}\n",
        r#"{"reading":{"at_ms":1000000000000000000}}"#,
        r#"{"reading":{"at_ms":1000000000000010000}}"#
    );
    let absurd = text_file("absurd.jsonl", &absurd);
    run(trace(), &absurd, &[], BAD_DATA, &["absurd.jsonl", "years: at most 10"]);
    let not_text = scratch.write("bytes.jsonl", b"\xff\xfe");
    run(trace(), &not_text, &[], BAD_DATA, &["bytes.jsonl", "is not UTF-8 text"]);
    run(
        trace(),
        &scratch.path("missing.jsonl"),
        &[],
        BAD_DATA,
        &["missing.jsonl", "cannot be read"],
    );
    run(trace(), scratch.0.path().to_str().unwrap(), &[], BAD_DATA, &["it is a folder"]);
    // Traces.
    run(&day, &day, &[], BAD_DATA, &["user_modes.jsonl", "Parquet"]);
    let mut meta = metadata(trace());
    meta["manifest"]["networks"][1]["file"]["sha256"] = "1".repeat(64).into();
    let mut rows = vec![];
    let other = scratch.path("other.parquet");
    // Its sum has to be right, so that it is a good trace of another bundle.
    let changed: biglittle::bundle::Manifest = {
        let fields = meta["manifest"].as_object_mut().unwrap();
        fields.remove("certificates");
        fields.remove("calibration_scores");
        serde_json::from_value(meta["manifest"].clone()).unwrap()
    };
    meta["models_sha256"] = changed.models_sha256().into();
    rows.push(Row {
        split: "test",
        models: changed.models_sha256(),
        label: Some(3),
        answers: [3, 3],
        margin: Some(0.5),
        cpu_ns: None,
    });
    write(&other, &meta, &rows, &[]);
    run(&other, &day, &[], BAD_DATA, &["other.parquet", "another network \"big\""]);
    let tune = scratch.path("tune.parquet");
    let meta = metadata(trace());
    let row = Row {
        split: "tune",
        models: meta["models_sha256"].as_str().unwrap().to_owned(),
        ..rows[0].clone()
    };
    write(&tune, &meta, &[row], &[]);
    run(&tune, &day, &[], BAD_DATA, &["tune.parquet", "no rows of the split test"]);
    // Options.
    run(trace(), &day, &["--budget-share", "1.5"], BAD_DATA, &["big_share is 1.5", "0 to 1"]);
    run(trace(), &day, &["--audit", "2"], BAD_DATA, &["audit.probability is 2"]);
    run(trace(), &day, &["--storm-guard", "0"], BAD_DATA, &["storm.runs_per_second is 0"]);
    let budget = ["--budget-energy", "5", "--frame-costs", "1,0"];
    run(trace(), &day, &budget, BAD_DATA, &["big_millijoules is 0"]);
    run(trace(), &day, &["--budget-energy", "5"], BAD_USAGE, &["--frame-costs"]);
    let both = ["--budget-share", "0.1", "--budget-energy", "5", "--frame-costs", "1,2"];
    run(trace(), &day, &both, BAD_USAGE, &["cannot be used with"]);
    run(trace(), &day, &["--fps", "0"], BAD_USAGE, &["from 0.001 to 1000"]);
    run(trace(), &day, &["--latency-first"], BAD_USAGE, &["--storm-guard"]);
    run(trace(), &day, &["--phone", "sun"], BAD_USAGE, &["cannot be used with"]);
    refused(&["simulate", "-b", &bundle, "-t", trace()], BAD_USAGE, &["--device"]);
    // Far too many frames are refused, not begun.
    let minutes = |count: u64| -> String {
        let line = |minute: u64| format!("{{\"reading\":{{\"at_ms\":{}}}}}\n", minute * 600_000);
        format!("{header}\n{}", (0..count).map(line).collect::<String>())
    };
    let long = text_file("long.jsonl", &minutes(2_000));
    run(
        trace(),
        &long,
        &["--fps", "1000"],
        BAD_DATA,
        &["at most 100000000 are simulated", "--fps"],
    );
    // Phones.
    let phone = |phone: &str, more: &[&str], words: &[&str]| {
        let args = ["simulate", "-b", &bundle, "-t", trace(), "--phone", phone];
        refused(&[&args[..], more].concat(), BAD_DATA, words);
    };
    phone("moon", &[], &["moon", "takes room, sun or a JSON file"]);
    phone(&text_file("bad.json", r#"{"idle_watts":-1}"#), &[], &["bad.json", "idle_watts is -1"]);
    phone("sun", &["--big-ms", "0"], &["--big-ms", "big_milliseconds is 0"]);
    phone("sun", &["--fps", "1000"], &["20000000 are simulated"]);
    let args = ["simulate", "-b", &bundle, "-t", &tune, "--phone", "sun", "--split", "all"];
    refused(&args, BAD_DATA, &["tune.parquet", "has no times"]);
}

#[test]
fn without_labels_it_is_agreement() {
    let scratch = Scratch::new();
    let (_, rows) = made_up(&scratch);
    let path = scratch.path("unlabelled.parquet");
    write(&path, &metadata(trace()), &rows, &["label"]);
    let args = ["simulate", "-b", &certified(), "-t", &path, "-d", &device("user_modes"), "--json"];
    let day = json(&args);
    assert_eq!(day["loss"], "disagree");
    assert!(number(&day["accuracy"]["share"]) > 0.99);
}
