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
    // The certificate is of the committed networks.
    manifest.as_object_mut().unwrap().remove("certificates");
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
