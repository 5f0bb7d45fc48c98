//! Recorded devices through the policy and the rate controller: the thresholds
//! that every language and platform must give for the same files.
//!
//! `BIGLITTLE_BLESS=1 cargo test -p biglittle --test devices` writes the
//! expected files anew: floats with the fewest digits that give back the same bits.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use biglittle::Threshold;
use biglittle::device::DeviceTrace;
use biglittle::engine::{DeviceReplay, ReplayStep, RuntimeOptions};
use biglittle::policy::{CertifiedThreshold, PolicyOptions};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/devices")
}

fn traces() -> Vec<(PathBuf, DeviceTrace)> {
    let mut paths: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".jsonl") && !name.ends_with(".golden.jsonl")
        })
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let trace = DeviceTrace::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        (path, trace)
    };
    paths.into_iter().map(read).collect()
}

/// The certificates of the recordings: eps and threshold.
const CERTIFICATES: [(f64, f32); 4] = [(0.001, 0.95), (0.005, 0.8), (0.01, 0.6), (0.05, 0.2)];

fn options() -> RuntimeOptions {
    let certificates = CERTIFICATES
        .map(|(eps, t)| CertifiedThreshold { eps, threshold: Threshold::new(t).unwrap() });
    RuntimeOptions::new(PolicyOptions::new(certificates.to_vec(), 0.01).unwrap())
}

/// Two frames follow each event, at its time, with the scores 0.9 and 0.3. The
/// policy promises eps 0.01.
fn replay(trace: &DeviceTrace) -> Vec<ReplayStep> {
    let mut replay = DeviceReplay::new(options(), (0.0, 1.0), vec![0.9, 0.3]).unwrap();
    trace.events.iter().map(|event| replay.step(event).unwrap()).collect()
}

#[test]
fn thresholds_are_the_expected_ones() {
    let traces = traces();
    assert!(traces.len() >= 12, "only {} recordings", traces.len());
    for (path, trace) in traces {
        let found: String =
            replay(&trace).iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        let golden = path.with_extension("golden.jsonl");
        if std::env::var_os("BIGLITTLE_BLESS").is_some() {
            fs::write(&golden, &found).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap();
        for (number, (found, expected)) in (1..).zip(found.lines().zip(expected.lines())) {
            assert_eq!(found, expected, "{}:{number}", golden.display());
        }
        assert_eq!(found.lines().count(), expected.lines().count(), "{}", golden.display());
    }
}

fn demands(name: &str) -> Vec<ReplayStep> {
    let (_, trace) = traces().into_iter().find(|(_, trace)| trace.header.name == name).unwrap();
    replay(&trace)
}

/// The expected files could hold anything: these are what the scenarios are for.
#[test]
fn the_scenarios_show_what_they_are_for() {
    for (_, trace) in traces() {
        for line in replay(&trace) {
            assert!(line.threshold.value() >= 0.6, "{}: the certified floor", trace.header.name);
        }
        let text = trace.to_text();
        assert!(DeviceTrace::parse(&text).unwrap().to_text() == text, "{}", trace.header.name);
    }
    let day = demands("morning_to_empty");
    assert!(day.windows(2).skip(2).all(|pair| pair[1].level >= pair[0].level));
    assert_eq!(day.last().unwrap().level, 3);

    let sun = demands("video_call_in_the_sun");
    let least = sun.iter().map(|line| line.target_rate).fold(1.0, f64::min);
    assert!(least < 0.05, "{least}");
    assert!(sun.iter().any(|line| line.level == 3));
    assert!(sun.last().unwrap().level < 3, "it cools again");

    let back = demands("clock_jumps_back");
    assert!(back[15..18].iter().all(|line| line.level == 3));

    let plug = demands("charging_flaps");
    assert!(plug[3..80].iter().all(|line| line.level == 2), "no flapping");
    assert!(plug.last().unwrap().level < 2);

    let sleep = demands("day_asleep");
    assert_eq!(sleep[10].level, 2, "nobody saw it cool");

    let reboot = demands("reboot");
    assert!(reboot[11..].iter().all(|line| line.level >= 2));
}
