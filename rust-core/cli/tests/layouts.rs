//! Whatever layout a picture comes in, networks give the same answer: always tried on
//! digits. What chroma at half the resolution does to answers on photographs is
//! printed, which needs photographs and a bundle that are not part of the project:
//!
//! ```sh
//! BIGLITTLE_PHOTOS=my-photos BIGLITTLE_BUNDLE=target/imagenet/imagenet-pair.biglittle \
//!   cargo test --release -p biglittle-cli --test layouts -- --ignored --nocapture
//! ```

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "what it measures is for its reader")]

#[path = "../src/commands/golden/layout.rs"]
mod layout;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use biglittle::{
    Engine, EngineOptions, FrameView, ModelBundle, PixelFormat, Rotation, YuvEncoding,
};
use flate2::read::GzDecoder;
use image::{RgbImage, imageops};
use layout::Camera;

/// The answers of every level alone, and their scores.
fn answers(engine: &mut Engine, frame: &FrameView<'_>) -> Vec<(u32, f32)> {
    let levels = engine.bundle().manifest().levels.len();
    let answer = |level| {
        let outcome = engine.classify_at(level, frame).unwrap();
        (outcome.label.unwrap(), outcome.score)
    };
    (0..levels).map(answer).collect()
}

/// The RGB picture that an NV12 frame stands for: chroma repeated.
fn to_rgb(frame: &FrameView<'_>) -> RgbImage {
    let [luma, chroma] = frame.planes() else { panic!("NV12 has two planes") };
    RgbImage::from_fn(frame.width(), frame.height(), |x, y| {
        let y_value = f64::from(luma.data[y as usize * luma.row_stride + x as usize]);
        let at = (y / 2) as usize * chroma.row_stride + 2 * (x / 2) as usize;
        let [cb, cr] = [at, at + 1].map(|at| f64::from(chroma.data[at]) - 128.0);
        let green = y_value - 0.344_136 * cb - 0.714_136 * cr;
        image::Rgb([y_value + 1.402 * cr, green, y_value + 1.772 * cb].map(|v| v.round() as u8))
    })
}

/// How far answers are from those of a reference.
#[derive(Default)]
struct Differences {
    frames: usize,
    levels: usize,
    labels: usize,
    score: f32,
}

impl Differences {
    fn add(&mut self, answers: &[(u32, f32)], reference: &[(u32, f32)]) {
        self.frames += 1;
        self.levels = answers.len();
        for (a, b) in answers.iter().zip(reference) {
            self.labels += usize::from(a.0 != b.0);
            self.score = self.score.max((a.1 - b.1).abs());
        }
    }

    fn print(&self, what: &str) {
        let Differences { frames, labels, score, .. } = self;
        let answers = frames * self.levels;
        println!("{what}: {labels} of {answers} answers differ, scores by at most {score}");
    }
}

#[test]
fn every_layout_of_a_digit_gives_the_same_answer() {
    let mnist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mnist");
    let bundle = ModelBundle::open(mnist.join("bundle")).unwrap();
    let mut engine = Engine::open(bundle, &EngineOptions::default()).unwrap();
    let file = File::open(mnist.join("t10k-images-idx3-ubyte.gz")).unwrap();
    let mut bytes = vec![0; 16 + 24 * 784];
    GzDecoder::new(file).read_exact(&mut bytes).unwrap();
    for digit in bytes[16..].chunks(784) {
        // Yellow on violet, three times as large, with even sides.
        let picture = RgbImage::from_fn(84, 84, |x, y| {
            let ink = digit[(y / 3 * 28 + x / 3) as usize];
            image::Rgb([ink.max(20), (u16::from(ink) * 9 / 10) as u8, (60 - ink / 5).min(60)])
        });
        let mut same = |reference: PixelFormat, formats: &[PixelFormat]| {
            let upright = classify(&mut engine, &picture, reference, Rotation::None);
            for (rotation, turned) in turns(&picture) {
                let first = classify(&mut engine, &turned, reference, rotation);
                let mut difference = Differences::default();
                difference.add(&first, &upright);
                assert_eq!(difference.labels, 0, "{reference:?} {rotation:?}");
                assert!(difference.score <= 0.02, "{reference:?} {rotation:?}");
                for format in formats {
                    let answers = classify(&mut engine, &turned, *format, rotation);
                    assert_eq!(answers, first, "{format:?} {rotation:?}");
                }
            }
        };
        same(PixelFormat::Rgb8, &[PixelFormat::Rgba8, PixelFormat::Bgra8]);
        same(PixelFormat::Nv12, &[PixelFormat::Nv21, PixelFormat::Yuv420]);
    }
}

#[test]
#[ignore = "needs BIGLITTLE_PHOTOS and BIGLITTLE_BUNDLE"]
fn every_layout_of_a_photograph() {
    let variable = |name| PathBuf::from(std::env::var(name).unwrap());
    let bundle = ModelBundle::open(variable("BIGLITTLE_BUNDLE")).unwrap();
    let mut engine = Engine::open(bundle, &EngineOptions::default()).unwrap();
    let entries = std::fs::read_dir(variable("BIGLITTLE_PHOTOS")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "png" || e == "jpg"));
    files.sort();
    assert!(!files.is_empty());
    let names = [
        "packed layouts, turned, to RGB",
        "YUV layouts to NV12",
        "NV12, turned, to the RGB that it stands for",
        "NV12, turned, to the photograph in RGB",
        "the RGB that NV12 stands for to the photograph in RGB",
        "NV12, turned, to NV12",
    ];
    let mut differences: [Differences; 6] = Default::default();
    for file in &files {
        let picture = image::open(file).unwrap().to_rgb8();
        let original = classify(&mut engine, &picture, PixelFormat::Rgb8, Rotation::None);
        let turned = turns(&picture);
        for (rotation, turned) in &turned {
            for format in [PixelFormat::Rgba8, PixelFormat::Bgra8] {
                let answers = classify(&mut engine, turned, format, *rotation);
                differences[0].add(&answers, &original);
            }
        }
        let rgb = {
            let camera = Camera::new(picture.clone(), PixelFormat::Nv12, YuvEncoding::default());
            to_rgb(&camera.frame().unwrap())
        };
        let rgb = classify(&mut engine, &rgb, PixelFormat::Rgb8, Rotation::None);
        let first = classify(&mut engine, &picture, PixelFormat::Nv12, Rotation::None);
        for format in [PixelFormat::Nv21, PixelFormat::Yuv420] {
            let answers = classify(&mut engine, &picture, format, Rotation::None);
            differences[1].add(&answers, &first);
        }
        differences[4].add(&rgb, &original);
        for (rotation, turned) in &turned {
            // Of a picture with odd sides other pixels share their chroma.
            let answers = classify(&mut engine, turned, PixelFormat::Nv12, *rotation);
            differences[2].add(&answers, &rgb);
            differences[3].add(&answers, &original);
            differences[5].add(&answers, &first);
        }
    }
    for (difference, name) in differences.iter().zip(names) {
        difference.print(name);
    }
    assert_eq!(differences[0].labels + differences[1].labels, 0);
    assert!(differences[0].score.max(differences[1].score) <= 0.02);
}

/// The picture as sensors that are turned see it.
fn turns(picture: &RgbImage) -> [(Rotation, RgbImage); 4] {
    [
        (Rotation::None, picture.clone()),
        (Rotation::Clockwise90, imageops::rotate270(picture)),
        (Rotation::Half, imageops::rotate180(picture)),
        (Rotation::Clockwise270, imageops::rotate90(picture)),
    ]
}

fn classify(
    engine: &mut Engine,
    picture: &RgbImage,
    format: PixelFormat,
    rotation: Rotation,
) -> Vec<(u32, f32)> {
    let camera = Camera::new(picture.clone(), format, YuvEncoding::default());
    answers(engine, &camera.frame().unwrap().with_rotation(rotation))
}
