//! What biglittle adds to its networks: the cascade's own work per frame, and
//! opening a bundle. Side by side in one run:
//! `cargo bench -p biglittle`.

#![allow(missing_docs, reason = "criterion's macros make items without")]

use std::hint::black_box;
use std::path::Path;

use biglittle::bundle::ModelBundle;
use biglittle::calibrate::{ExactRule, LevelRows, Loss, Rows, Target};
use biglittle::cascade::{Cascade, Classifier, Level, Member};
use biglittle::clock::Times;
use biglittle::decision::ScoreHistogram;
use biglittle::decision::{Confidence, OutputSpec};
use biglittle::device::{DeviceReading, ThermalLevel};
use biglittle::engine::{
    AlarmOptions, DriftReference, Frame, Runtime, RuntimeOptions, SystemClock,
};
use biglittle::gate::Signature;
use biglittle::monitor::{Answered, AuditOptions, DriftOptions};
use biglittle::policy::{Budget, BudgetKind};
use biglittle::preprocess::Preprocessor;
use biglittle::{Engine, EngineOptions, FrameView, Opening, PixelFormat, Threshold};
use criterion::{Criterion, criterion_group, criterion_main};

/// Copies fixed logits, as cheap as a network can be.
struct Fixed(Vec<f32>);

impl Classifier<()> for Fixed {
    fn classify(&mut self, (): &(), output: &mut Vec<f32>) -> biglittle::Result<()> {
        output.extend_from_slice(&self.0);
        Ok(())
    }

    fn macs(&self) -> u64 {
        1
    }
}

fn cascade(classes: usize, committee: bool) -> Cascade<Fixed> {
    let level = |threshold| {
        let logits = (0..classes).map(|class| (class * 7 % classes) as f32 * 0.01).collect();
        let member = Member { classifier: Fixed(logits), output: OutputSpec::logits() };
        Level { members: vec![member], committee, confidence: Confidence::Margin, threshold }
    };
    let levels = vec![level(Threshold::ALWAYS_ESCALATE), level(Threshold::NEVER_ESCALATE)];
    Cascade::new(levels, classes).expect("the levels are in range")
}

/// Decide, account and copy; both levels run, so a frame that the little
/// network answers costs half.
fn deciding(criterion: &mut Criterion) {
    let clock = SystemClock::new();
    let mut group = criterion.benchmark_group("deciding");
    for (name, classes, committee) in
        [("10 classes", 10, false), ("1000 classes", 1000, false), ("1000, committee", 1000, true)]
    {
        let mut cascade = cascade(classes, committee);
        group.bench_function(name, |bencher| bencher.iter(|| cascade.run(black_box(&()), &clock)));
    }
    group.finish();
}

fn mnist() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mnist/bundle")
}

fn opening(criterion: &mut Criterion) {
    let archive = ModelBundle::open(mnist()).expect("the committed bundle is good").to_bytes();
    let mut group = criterion.benchmark_group("opening MNIST");
    group.sample_size(20);
    group.bench_function("bundle, folder", |bencher| bencher.iter(|| ModelBundle::open(mnist())));
    group.bench_function("bundle, archive", |bencher| {
        bencher.iter(|| ModelBundle::from_bytes(&archive));
    });
    for (name, opening) in [("little only", Opening::Lazy), ("both", Opening::Eager)] {
        let options = EngineOptions { opening, ..EngineOptions::default() };
        group.bench_function(format!("bundle and engine, {name}"), |bencher| {
            bencher.iter(|| {
                let bundle = ModelBundle::open(mnist()).expect("the committed bundle is good");
                Engine::open(bundle, &options)
            });
        });
    }
    group.finish();
}

fn preprocessing(criterion: &mut Criterion) {
    let bundle = ModelBundle::open(mnist()).expect("the committed bundle is good");
    let mut preprocessor =
        Preprocessor::new(&bundle.manifest().networks[0].input).expect("the spec is in range");
    let mut tensor = preprocessor.make_tensor().expect("the spec is in range");
    let mut group = criterion.benchmark_group("preprocessing to 28x28");
    for (name, format, side) in
        [("28x28 gray", PixelFormat::Gray8, 28), ("640x640 RGBA", PixelFormat::Rgba8, 640)]
    {
        let stride = side as usize * format.bytes_per_pixel();
        let pixels = vec![127; stride * side as usize];
        let frame = FrameView::packed(format, side, side, &pixels, stride)
            .expect("the frame fits its pixels");
        group.bench_function(name, |bencher| {
            bencher.iter(|| preprocessor.run(black_box(&frame), &mut tensor));
        });
    }
    group.finish();
}

fn runtime() -> Runtime {
    let mut calibration = ScoreHistogram::empty((0.0, 1.0));
    (0..1000u16).for_each(|n| calibration.add(f32::from(n) / 1000.0));
    let threshold = Threshold::new(0.3).expect("it is a number");
    let options = RuntimeOptions {
        budget: Some(Budget { kind: BudgetKind::BigShare(0.2), costs: None }),
        audit: Some(AuditOptions::default()),
        accuracy_alarm: Some(AlarmOptions { expected: 0.01, alarming: 0.03 }),
        drift: Some(DriftReference {
            options: DriftOptions { every: 1, ..DriftOptions::default() },
            calibration,
        }),
        ..RuntimeOptions::uncertified(threshold).expect("any threshold will do")
    };
    Runtime::new(&options, "bench", (0.0, 1.0)).expect("the options are in range")
}

/// Frame `index` of a video at 10 a second, with a reading every 10 seconds.
fn watch(runtime: &mut Runtime, index: u64) {
    let at_ms = index * 100;
    if index.is_multiple_of(100) {
        runtime.push_reading(&DeviceReading {
            at_ms,
            battery_percent: Some(60.0),
            thermal_level: Some(ThermalLevel::Light),
            thermal_headroom: Some(0.75),
            ..DeviceReading::default()
        });
    }
    let plan = runtime.begin(at_ms);
    let score = (index * 7919 % 997) as f32 / 997.0;
    let accepted = plan.effective.threshold.accepts(score);
    let answered = if accepted { Answered::Little } else { Answered::Big };
    let differs = (!accepted || plan.audit.is_some()).then_some(false);
    let total = Times { wall_ns: 10_000, cpu_ns: 10_000 };
    let frame = Frame { score, accepted, answered, differs, total, ..Frame::default() };
    runtime.finish(&plan, &frame);
}

/// Policy, rate controller, audit, drift and accounting together.
fn watching(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("watching");
    let (mut frames, mut index) = (runtime(), 0);
    group.bench_function("a frame", |bencher| {
        bencher.iter(|| {
            index += 1;
            watch(&mut frames, black_box(index));
        });
    });
    let pixels = vec![127; 640 * 480 * 4];
    let frame = FrameView::packed(PixelFormat::Rgba8, 640, 480, &pixels, 640 * 4)
        .expect("the frame fits its pixels");
    group.bench_function("signature of 640x480 RGBA", |bencher| {
        bencher.iter(|| Signature::of(black_box(&frame)));
    });
    group.sample_size(10);
    group.bench_function("a day at 10 frames a second, scores only", |bencher| {
        bencher.iter(|| {
            let mut day = runtime();
            (0..864_000).for_each(|index| watch(&mut day, index));
            day
        });
    });
    group.finish();
}

/// The exact rule over a million rows in memory, 2 % of them bad.
fn calibrating(criterion: &mut Criterion) {
    const ROWS: usize = 1_000_000;
    let score = |row: usize| (row.wrapping_mul(2_654_435_761) % 1_000_003) as f32 / 1_000_003.0;
    let rows = Rows {
        levels: vec![
            LevelRows {
                answers: (0..ROWS).map(|row| Some(u32::from(row % 50 == 0))).collect(),
                scores: (0..ROWS).map(score).collect(),
            },
            LevelRows { answers: vec![Some(0); ROWS], scores: Vec::new() },
        ],
        labels: vec![Some(0); ROWS],
        groups: Vec::new(),
    };
    let target = Target::new(0.009, 0.05).expect("both are in range");
    let mut group = criterion.benchmark_group("calibrating");
    group.sample_size(20);
    group.bench_function("1,000,000 rows, exact rule", |bencher| {
        bencher.iter(|| {
            let mut rule = ExactRule::new(target, ROWS as u64);
            for row in 0..rows.len() {
                rule.push(rows.levels[0].scores[row], rows.is_bad(row, 0, Loss::Harm));
            }
            rule.finish()
        });
    });
    group.finish();
}

criterion_group!(benches, deciding, watching, opening, preprocessing, calibrating);
criterion_main!(benches);
