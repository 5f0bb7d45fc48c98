//! The engine as Kotlin and Swift hold it, on the digits bundle: answers, two
//! threads at once, closing and cancelling while it runs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use biglittle::PixelFormat;
use biglittle::device::{DeviceReading, ThermalLevel, UserMode};
use biglittle::engine::{AlarmOptions, Opening};
use biglittle::frame::{YuvMatrix, YuvRange};
use biglittle::monitor::EnergyModel;
use biglittle::policy::{Budget, BudgetKind, FloorCause};
use biglittle_ffi::{
    Answer, EngineOptions, FrameLayout, NativeEngine, NativeError, PlaneLayout, RuntimeOptions,
    StateOrigin,
};

const SIDE: u32 = 28;
const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/mnist/bundle");

fn options(runtime: Option<RuntimeOptions>) -> EngineOptions {
    EngineOptions { opening: Opening::Eager, runtime, state_path: None }
}

fn counting() -> RuntimeOptions {
    RuntimeOptions {
        mode: None,
        accuracy_may_drop: false,
        budget: None,
        audit: None,
        accuracy_alarm: None,
        recalibration: None,
        gate: None,
        storm: None,
    }
}

fn open() -> Arc<NativeEngine> {
    NativeEngine::open_path(BUNDLE.into(), options(Some(counting()))).unwrap()
}

fn layout(format: PixelFormat, side: u32, planes: &[(u32, u32)]) -> FrameLayout {
    let planes =
        planes.iter().map(|&(row_stride, pixel_stride)| PlaneLayout { row_stride, pixel_stride });
    FrameLayout {
        format,
        width: side,
        height: side,
        planes: planes.collect(),
        rotation_degrees: 0,
        crop: None,
        matrix: YuvMatrix::Bt601,
        range: YuvRange::Full,
    }
}

/// A white bar on black: a one.
fn one() -> Vec<u8> {
    let mut pixels = vec![0; (SIDE * SIDE) as usize];
    for row in 5..23 {
        for column in 13..15 {
            pixels[(row * SIDE + column) as usize] = 255;
        }
    }
    pixels
}

/// A one over a lying one: the little network is unsure.
fn unsure() -> Vec<u8> {
    let mut pixels = one();
    for column in 5..23 {
        for row in 13..15 {
            pixels[(row * SIDE + column) as usize] = 255;
        }
    }
    pixels
}

fn classify(engine: &NativeEngine, pixels: &[u8]) -> Result<Answer, NativeError> {
    engine.classify(pixels, &[], &[], layout(PixelFormat::Gray8, SIDE, &[(SIDE, 1)]))
}

#[test]
fn a_frame_in_an_answer_out() {
    let engine = open();
    let answer = classify(&engine, &one()).unwrap();
    assert_eq!(answer.label_name.as_deref(), Some("1"));
    assert_eq!((answer.tier, answer.escalated, answer.levels.len()), (0, false, 1));
    assert_eq!(answer.threshold, engine.describe().unwrap().levels[0].threshold.unwrap());
    assert!(answer.macs > 0 && answer.times.cpu_ns > 0);
    let answer = classify(&engine, &unsure()).unwrap();
    assert_eq!((answer.escalated, answer.levels.len()), (true, 2));

    let savings = engine.savings(EnergyModel::MacModel).unwrap();
    assert_eq!((savings.frames.seen, savings.frames.little, savings.frames.big), (2, 1, 1));
    let status = engine.status().unwrap();
    assert_eq!(status.escalation_rate, 0.5);
    assert_eq!(engine.labels().unwrap().len(), 10);
    assert!(engine.summary_json().unwrap().contains("\"sessions\":1"));
}

#[test]
fn readings_modes_and_budgets_reach_the_policy() {
    let engine = open();
    let reading = DeviceReading {
        at_ms: 1_000,
        battery_percent: Some(5.0),
        thermal_level: Some(ThermalLevel::None),
        ..DeviceReading::default()
    };
    assert_eq!(engine.status().unwrap().level, 1, "nothing is known yet");
    engine.push_reading(reading).unwrap();
    assert_eq!(engine.status().unwrap().level, 3);
    engine.set_mode(UserMode::Precise).unwrap();
    assert_eq!(engine.status().unwrap().floor_cause, FloorCause::PreciseMode);
    let half = Budget { kind: BudgetKind::BigShare(0.5), costs: None };
    engine.set_budget(Some(half)).unwrap();
    assert_eq!(engine.status().unwrap().target_rate, 0.05, "the level asks for less");
    let none = Budget { kind: BudgetKind::BigShare(0.0), costs: None };
    engine.set_budget(Some(none)).unwrap();
    assert_eq!(engine.status().unwrap().target_rate, 0.0);
    let wrong = Budget { kind: BudgetKind::BigShare(1.5), costs: None };
    let error = engine.set_budget(Some(wrong)).unwrap_err();
    assert!(
        matches!(&error, NativeError::InvalidArgument(text) if text.contains("1.5")),
        "{error}"
    );
    assert_eq!(engine.status().unwrap().target_rate, 0.0, "the one before stays");
}

#[test]
fn without_run_time_options_nothing_is_counted() {
    let engine = NativeEngine::open_path(BUNDLE.into(), options(None)).unwrap();
    engine.push_reading(DeviceReading::default()).unwrap();
    for error in [
        engine.status().err(),
        engine.savings(EnergyModel::MacModel).err(),
        engine.summary_json().err(),
        engine.set_mode(UserMode::Saver).err(),
        engine.save_state().err(),
    ] {
        assert!(matches!(error, Some(NativeError::InvalidArgument(_))), "{error:?}");
    }
    assert_eq!(engine.state_origin().unwrap(), StateOrigin::Fresh);
}

#[test]
fn bad_input_is_an_error_that_says_what() {
    let engine = open();
    let pixels = one();
    let gray = layout(PixelFormat::Gray8, SIDE, &[(SIDE, 1)]);
    let refused = |planes: [&[u8]; 3], layout: FrameLayout| match engine
        .classify(planes[0], planes[1], planes[2], layout)
        .unwrap_err()
    {
        NativeError::InvalidFrame(text) => text,
        other => panic!("{other:?}"),
    };
    let empty: [&[u8]; 3] = [&[], &[], &[]];
    assert!(refused(empty, gray.clone()).contains("plane 0"));
    let short = refused([&pixels[1..], &[], &[]], gray.clone());
    assert!(short.contains("783") && short.contains("784"), "{short}");
    let turned = FrameLayout { rotation_degrees: 45, ..gray.clone() };
    assert!(refused([&pixels, &[], &[]], turned).contains("45"));
    let four = FrameLayout { planes: vec![gray.planes[0]; 4], ..gray.clone() };
    assert!(refused([&pixels, &[], &[]], four).contains("4 planes"));
    // The last chroma rows are missing.
    let yuv = layout(PixelFormat::Yuv420, SIDE, &[(SIDE, 1), (14, 1), (14, 1)]);
    let chroma = vec![128; 14 * 14];
    let missing = refused([&pixels, &chroma, &chroma[14..]], yuv.clone());
    assert!(missing.contains("182") && missing.contains("196"), "{missing}");
    let answer = engine.classify(&pixels, &chroma, &chroma, yuv).unwrap();
    assert_eq!(answer.label_name.as_deref(), Some("1"));

    let error = NativeEngine::open_bytes(b"not a bundle", options(None)).err().unwrap();
    assert!(matches!(error, NativeError::InvalidBundle(_)), "{error:?}");
    let alarm = AlarmOptions { expected: 0.01, alarming: 0.03 };
    let alone = RuntimeOptions { accuracy_alarm: Some(alarm), ..counting() };
    let error = NativeEngine::open_path(BUNDLE.into(), options(Some(alone))).err().unwrap();
    assert!(matches!(&error, NativeError::InvalidArgument(text) if text.contains("audit")));
    let error = NativeEngine::open_path("nowhere".into(), options(None)).err().unwrap();
    assert!(matches!(&error, NativeError::Io(text) if text.contains("nowhere")), "{error:?}");
}

#[test]
fn a_closed_engine_says_so() {
    let engine = open();
    engine.close().unwrap();
    engine.close().unwrap();
    engine.cancel().unwrap();
    for error in [
        classify(&engine, &one()).err(),
        engine.push_reading(DeviceReading::default()).err(),
        engine.set_mode(UserMode::Saver).err(),
        engine.status().err(),
        engine.labels().err(),
        engine.describe().err(),
        engine.save_state().err(),
    ] {
        assert!(matches!(error, Some(NativeError::Closed(_))), "{error:?}");
    }
}

/// Engines that are closed, cancelled and asked while two threads run
/// frames on each: every call ends with an answer or one of three errors.
/// `BIGLITTLE_TRIALS=1000` makes it a thousand.
#[test]
fn closing_while_it_runs_is_never_more_than_an_error() {
    let trials = std::env::var("BIGLITTLE_TRIALS").map_or(200, |text| text.parse().unwrap());
    let pixels = unsure();
    let bytes = biglittle::ModelBundle::open(BUNDLE).unwrap().to_bytes();
    let (answers, closed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for trial in 0..trials {
        // Lazily: opening a thousand big networks is not what is tested.
        let lazy = EngineOptions { opening: Opening::Lazy, ..options(Some(counting())) };
        let engine = NativeEngine::open_bytes(&bytes, lazy).unwrap();
        let one = one();
        thread::scope(|scope| {
            for pixels in [&one, &pixels] {
                let (engine, answers, closed) = (&engine, &answers, &closed);
                scope.spawn(move || {
                    loop {
                        match classify(engine, pixels) {
                            Ok(_) => answers.fetch_add(1, Relaxed),
                            Err(NativeError::Busy(_) | NativeError::Cancelled(_)) => 0,
                            Err(NativeError::Closed(_)) => {
                                closed.fetch_add(1, Relaxed);
                                break;
                            }
                            Err(other) => panic!("trial {trial}: {other:?}"),
                        };
                    }
                });
            }
            for _ in 0..trial % 7 {
                thread::yield_now();
            }
            let _ = engine.push_reading(DeviceReading::default());
            engine.cancel().unwrap();
            let _ = engine.status();
            engine.close().unwrap();
        });
        assert!(matches!(engine.status(), Err(NativeError::Closed(_))));
    }
    assert_eq!(closed.load(Relaxed), 2 * trials);
    assert!(answers.load(Relaxed) > 0, "no frame was ever answered");
}
