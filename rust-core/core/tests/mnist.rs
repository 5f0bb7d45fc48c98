//! The committed MNIST bundle through the engine: real networks, real digits.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use biglittle::network::{Model, ModelLimits, Session};
use biglittle::preprocess::Preprocessor;
use biglittle::{
    AnswerStatus, Engine, EngineOptions, ErrorKind, EscalationReason, FrameView, ModelBundle,
    Opening, PixelFormat, Rotation, Threshold,
};
use serde::Deserialize;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mnist")
}

fn bundle() -> ModelBundle {
    ModelBundle::open(models().join("bundle")).unwrap()
}

fn engine(opening: Opening) -> Engine {
    Engine::open(bundle(), &EngineOptions { opening, ..EngineOptions::default() }).unwrap()
}

/// Logits of the first test digits by ONNX Runtime.
#[derive(Deserialize)]
struct Golden {
    labels: Vec<u32>,
    little: Vec<Vec<f32>>,
    big: Vec<Vec<f32>>,
}

fn golden() -> Golden {
    serde_json::from_str(&fs::read_to_string(models().join("golden.json")).unwrap()).unwrap()
}

/// The pixels of the first test digits.
fn digits(count: usize) -> Vec<Vec<u8>> {
    let file = fs::File::open(models().join("t10k-images-idx3-ubyte.gz")).unwrap();
    let mut bytes = vec![0; 16 + count * 784];
    std::io::Read::read_exact(&mut flate2::read::GzDecoder::new(file), &mut bytes).unwrap();
    bytes[16..].chunks(784).map(<[u8]>::to_vec).collect()
}

fn frame(pixels: &[u8]) -> FrameView<'_> {
    FrameView::packed(PixelFormat::Gray8, 28, 28, pixels, 28).unwrap()
}

#[test]
fn an_engine_may_move_to_another_thread() {
    let mut engine = engine(Opening::Lazy);
    let digits = digits(1);
    let there = std::thread::spawn(move || engine.classify(&frame(&digits[0])).unwrap().label);
    assert_eq!(there.join().unwrap(), Some(golden().labels[0]));
}

#[test]
fn logits_are_those_of_onnx_runtime() {
    let bundle = bundle();
    let golden = golden();
    for (id, expected) in [("little", &golden.little), ("big", &golden.big)] {
        let spec = bundle.manifest().network(id).unwrap();
        let bytes = bundle.network_bytes(spec).unwrap();
        let model = Model::open(bytes, &ModelLimits::default()).unwrap();
        let mut session = Session::new(&model).unwrap();
        let mut preprocessor = Preprocessor::new(&spec.input).unwrap();
        let mut tensor = preprocessor.make_tensor().unwrap();
        let mut logits = Vec::new();
        assert!(expected.len() >= 16);
        for (pixels, expected) in digits(expected.len()).iter().zip(expected) {
            preprocessor.run(&frame(pixels), &mut tensor).unwrap();
            session.run(tensor.data(), &mut logits).unwrap();
            assert_eq!(logits.len(), expected.len());
            for (logit, expected) in logits.iter().zip(expected) {
                assert!((logit - expected).abs() <= 1e-4, "{id}: {logits:?} {expected:?}");
            }
        }
    }
}

#[test]
fn digits_are_recognised_however_the_networks_were_opened() {
    let golden = golden();
    for opening in [Opening::Lazy, Opening::Eager, Opening::WarmUp] {
        let mut engine = engine(opening);
        let mut worker = engine.worker().unwrap();
        for (pixels, label) in digits(16).iter().zip(&golden.labels) {
            let outcome = engine.classify(&frame(pixels)).unwrap();
            assert_eq!(outcome.label, Some(*label));
            assert_eq!(engine.label(*label).unwrap(), label.to_string());
            assert_eq!(outcome.status, AnswerStatus::Accepted);
            let twin = worker.classify(&frame(pixels)).unwrap();
            assert_eq!((twin.label, twin.score), (outcome.label, outcome.score));
        }
    }
}

#[test]
fn a_turned_camera_sees_the_same_digit() {
    let mut engine = engine(Opening::Lazy);
    for pixels in digits(8) {
        let upright = engine.classify(&frame(&pixels)).unwrap();
        // A quarter turn counterclockwise in the buffer, to be turned back.
        let turned: Vec<u8> = (0..784).map(|i| pixels[(i % 28) * 28 + (27 - i / 28)]).collect();
        let view = frame(&turned).with_rotation(Rotation::Clockwise90);
        let seen = engine.classify(&view).unwrap();
        assert_eq!((seen.label, seen.score), (upright.label, upright.score));
    }
}

#[test]
fn thresholds_decide_who_answers() {
    let mut engine = engine(Opening::Lazy);
    let digits = digits(1);
    let digit = frame(&digits[0]);
    engine.set_threshold(0, Threshold::NEVER_ESCALATE).unwrap();
    let little = engine.classify(&digit).unwrap();
    engine.set_threshold(0, Threshold::ALWAYS_ESCALATE).unwrap();
    let both = engine.classify(&digit).unwrap();
    let big = engine.classify_at(1, &digit).unwrap();
    assert_eq!((little.tier, little.levels.len()), (0, 1));
    assert_eq!((both.tier, both.levels.len()), (1, 2));
    assert_eq!(both.levels[0].escalation, Some(EscalationReason::LowScore));
    assert_eq!((big.tier, big.levels.len(), big.score), (1, 1, both.score));
    assert_eq!(both.macs, little.macs + big.macs);
    assert!(both.times.wall_ns > 0 && both.times.cpu_ns > 0);
    assert_eq!(engine.classify_at(2, &digit).unwrap_err().kind(), ErrorKind::InvalidArgument);
    let worker = engine.worker().unwrap().classify(&digit).unwrap();
    assert_eq!(worker.tier, 1, "a worker starts with the thresholds of its engine");
}

/// The committed bundle with another big network.
fn with_big(bytes: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> ModelBundle {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(models().join("bundle")).unwrap().flatten() {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    fs::write(folder.path().join("big.onnx"), bytes).unwrap();
    let path = folder.path().join("manifest.json");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    // The certificate and its scores are of the committed networks.
    for key in ["certificates", "calibration_scores"] {
        manifest.as_object_mut().unwrap().remove(key);
    }
    change(&mut manifest);
    fs::write(&path, manifest.to_string()).unwrap();
    let macs = |id: &str, _: &[u8]| Ok(if id == "little" { 174_976 } else { 50_804_480 });
    ModelBundle::from_draft(folder.path(), macs).unwrap()
}

#[test]
fn a_broken_big_network_leaves_the_littles_answer_marked() {
    let broken = Arc::new(with_big(b"no network at all", |_| {}));
    for opening in [Opening::Eager, Opening::WarmUp] {
        let options = EngineOptions { opening, ..EngineOptions::default() };
        let error = Engine::open(broken.clone(), &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidModel);
        assert!(error.to_string().contains("\"big\""), "{error}");
    }
    let mut engine = Engine::open(broken, &EngineOptions::default()).unwrap();
    engine.set_threshold(0, Threshold::ALWAYS_ESCALATE).unwrap();
    let digits = digits(2);
    for pixels in &digits {
        let outcome = engine.classify(&frame(pixels)).unwrap();
        assert_eq!((outcome.status, outcome.tier), (AnswerStatus::Fallback, 0));
        assert!(outcome.label.is_some());
        assert!(outcome.failure.unwrap().to_string().contains("\"big\""));
    }
}

#[test]
fn a_manifest_that_misdescribes_its_network_is_refused() {
    let big = fs::read(models().join("bundle/big.onnx")).unwrap();
    let little = fs::read(models().join("bundle/little.onnx")).unwrap();
    let refused = |bundle: ModelBundle, words: [&str; 2]| {
        let options = EngineOptions { opening: Opening::Eager, ..EngineOptions::default() };
        let error = Engine::open(bundle, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidBundle);
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    refused(with_big(&big, |m| m["networks"][1]["input"]["width"] = 32.into()), ["\"big\"", "32"]);
    refused(with_big(&little, |_| {}), ["174976", "50804480"]);
    let map: Vec<u32> = (0..9).collect();
    refused(
        with_big(&big, |m| m["networks"][1]["output"]["label_map"] = map.clone().into()),
        ["delivers 10", "9: correct the labels"],
    );
}

#[test]
fn a_frame_that_does_not_fit_is_an_error_of_the_frame() {
    let error = FrameView::packed(PixelFormat::Gray8, 28, 28, &[0; 783], 28).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidFrame);
    assert!(error.to_string().contains("783 bytes"), "{error}");
}

mod watched {
    use super::*;
    use biglittle::device::{DeviceReading, UserMode};
    use biglittle::engine::RuntimeOptions;
    use biglittle::gate::GateOptions;
    use biglittle::monitor::AuditOptions;
    use biglittle::storm::{StormOptions, StormPriority};

    fn options() -> RuntimeOptions {
        RuntimeOptions::of_bundle(&bundle()).unwrap()
    }

    fn watched(runtime: RuntimeOptions) -> Engine {
        let options = EngineOptions { runtime: Some(runtime), ..EngineOptions::default() };
        Engine::open(bundle(), &options).unwrap()
    }

    fn audits(probability: f64) -> Option<AuditOptions> {
        let raised_probability = probability;
        let seed = Some(0);
        Some(AuditOptions { probability, raised_probability, seed, ..AuditOptions::default() })
    }

    fn always_escalate() -> RuntimeOptions {
        RuntimeOptions::uncertified(Threshold::ALWAYS_ESCALATE).unwrap()
    }

    #[test]
    fn answers_are_the_same_with_books_and_audits_beside_them() {
        let mut plain = engine(Opening::Lazy);
        let mut watched = watched(RuntimeOptions { audit: audits(0.5), ..options() });
        let mut audited = 0;
        let digits = digits(60);
        for (at_ms, pixels) in (0..).zip(&digits) {
            watched.push_reading(&DeviceReading { at_ms, ..DeviceReading::default() });
            let (a, b) = (plain.classify(&frame(pixels)), watched.classify(&frame(pixels)));
            let (a, b) = (a.unwrap(), b.unwrap());
            assert_eq!((a.label, a.score, a.tier, a.status), (b.label, b.score, b.tier, b.status));
            assert!(!b.marks.below_certificate && !b.marks.reused && !b.marks.degraded);
            audited += u64::from(b.marks.audited);
        }
        let books = watched.runtime().unwrap().summary().accounting;
        assert_eq!((books.frames.seen, books.frames.audited), (60, audited));
        assert!((15..45).contains(&audited), "{audited}");
        assert_eq!(books.little + books.big + books.overhead, books.total);
        assert!(books.saving().is_some());
        assert!(books.audits.macs > 0 && books.overhead.macs == books.audits.macs);
        assert!(watched.set_threshold(0, Threshold::NEVER_ESCALATE).is_err());
    }

    #[test]
    fn every_worker_audits_other_frames() {
        let first = watched(RuntimeOptions { audit: audits(0.5), ..options() });
        let second = first.worker().unwrap();
        let third = second.worker().unwrap();
        let digits = digits(40);
        let audited = [first, second, third].map(|mut engine| {
            let marks = |pixels: &Vec<u8>| engine.classify(&frame(pixels)).unwrap().marks;
            digits.iter().map(marks).map(|marks| marks.audited).collect::<Vec<_>>()
        });
        assert!(audited[0] != audited[1] && audited[1] != audited[2] && audited[0] != audited[2]);
    }

    #[test]
    fn a_still_picture_is_reused_until_it_changes() {
        let gate = Some(GateOptions { max_age_ms: 1_000_000, ..GateOptions::default() });
        let mut engine = watched(RuntimeOptions { gate, ..options() });
        let digits = digits(2);
        let first = engine.classify(&frame(&digits[0])).unwrap();
        let again = engine.classify(&frame(&digits[0])).unwrap();
        assert!(!first.marks.reused && again.marks.reused);
        assert_eq!((again.label, again.levels.len(), again.macs), (first.label, 0, 0));
        assert!(!engine.classify(&frame(&digits[1])).unwrap().marks.reused);
        let frames = engine.runtime().unwrap().summary().accounting.frames;
        assert_eq!((frames.seen, frames.reused), (3, 1));
    }

    #[test]
    fn what_would_have_been_reused_is_audited() {
        // A gate that takes every picture for the last one.
        let blind =
            GateOptions { mean_difference: 255.0, cell_difference: 255, max_age_ms: 1_000_000 };
        let runtime = RuntimeOptions { gate: Some(blind), audit: audits(1.0), ..options() };
        let mut engine = watched(runtime);
        let digits = digits(30);
        for pixels in &digits {
            assert!(!engine.classify(&frame(pixels)).unwrap().marks.reused);
        }
        let audit = engine.runtime().unwrap().summary().audit;
        let share = audit.disagreement().unwrap().share;
        assert!(audit.drawn == 30 && share > 0.6, "each digit for the one before: {share}");
    }

    #[test]
    fn a_storm_drops_frames_or_degrades_answers() {
        let storm = |priority| {
            let options =
                StormOptions { runs_per_second: 1e-6, burst: 2.0, deadline_ms: 0.0, priority };
            Some(options)
        };
        let pixels = &digits(1)[0];
        let certificate = storm(StormPriority::CertificateFirst);
        let mut strict = watched(RuntimeOptions { storm: certificate, ..always_escalate() });
        let latency = storm(StormPriority::LatencyFirst);
        let mut quick = watched(RuntimeOptions { storm: latency, ..always_escalate() });
        for index in 0..5 {
            let (a, b) = (strict.classify(&frame(pixels)), quick.classify(&frame(pixels)));
            let (a, b) = (a.unwrap(), b.unwrap());
            if index < 2 {
                assert_eq!((a.tier, b.tier), (1, 1));
                continue;
            }
            assert_eq!((a.status, a.label), (AnswerStatus::Dropped, None));
            assert_eq!((b.status, b.tier, b.marks.degraded), (AnswerStatus::Fallback, 0, true));
            assert!(b.label.is_some());
        }
        let counts = |engine: &Engine| engine.runtime().unwrap().summary().accounting.frames;
        assert_eq!((counts(&strict).dropped, counts(&strict).big), (3, 2));
        assert_eq!((counts(&quick).degraded, counts(&quick).big), (3, 2));
    }

    #[test]
    fn below_the_floor_by_leave_is_marked_and_workers_begin_anew() {
        let mut options = always_escalate();
        options.policy.accuracy_may_drop = true;
        options.policy.levels[0].target_rate = 0.0;
        options.policy.levels.iter_mut().for_each(|level| level.target_rate = 0.0);
        options.rate_step = 1.0;
        let mut engine = watched(options);
        let digits = digits(20);
        let marked = digits.iter().filter(|pixels| {
            let outcome = engine.classify(&frame(pixels)).unwrap();
            assert_eq!(outcome.marks.below_certificate, outcome.tier == 0);
            outcome.marks.below_certificate
        });
        let marked = marked.count() as u64;
        let frames = engine.runtime().unwrap().summary().accounting.frames;
        assert!(marked > 10 && frames.below_certificate == marked, "{frames:?}");
        engine.runtime_mut().unwrap().set_mode(UserMode::Precise);
        assert_eq!(engine.classify(&frame(&digits[0])).unwrap().tier, 1);
        let worker = engine.worker().unwrap();
        assert_eq!(worker.runtime().unwrap().summary().accounting.frames.seen, 0);
    }
}
