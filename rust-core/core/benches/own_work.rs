//! What biglittle adds to its networks: the cascade's own work per frame, and
//! opening a bundle. Side by side in one run:
//! `cargo bench -p biglittle`.

#![allow(missing_docs, reason = "criterion's macros make items without")]

use std::hint::black_box;
use std::path::Path;

use biglittle::bundle::ModelBundle;
use biglittle::calibrate::{ExactRule, LevelRows, Loss, Rows, Target};
use biglittle::cascade::{Cascade, Classifier, Level, Member};
use biglittle::decision::{Confidence, OutputSpec};
use biglittle::engine::SystemClock;
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

criterion_group!(benches, deciding, opening, preprocessing, calibrating);
criterion_main!(benches);
