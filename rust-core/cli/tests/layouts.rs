//! Whatever layout a photograph comes in, networks give the same answer; what chroma
//! at half the resolution does to answers is printed. Needs photographs and a bundle,
//! which are not part of the project:
//!
//! ```sh
//! BIGLITTLE_PHOTOS=my-photos BIGLITTLE_BUNDLE=target/imagenet/imagenet-pair.biglittle \
//!   cargo test --release -p biglittle-cli --test layouts -- --ignored --nocapture
//! ```

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "what it measures is for its reader")]

use std::path::PathBuf;

use biglittle::{
    Engine, EngineOptions, FrameView, ModelBundle, PixelFormat, Plane, Rotation, YuvEncoding,
};
use image::{RgbImage, imageops};

/// The answers of every level alone, and their scores.
fn answers(engine: &mut Engine, frame: &FrameView<'_>) -> Vec<(u32, f32)> {
    let levels = engine.bundle().manifest().levels.len();
    let answer = |level| {
        let outcome = engine.classify_at(level, frame).unwrap();
        (outcome.label.unwrap(), outcome.score)
    };
    (0..levels).map(answer).collect()
}

fn packed(picture: &RgbImage, format: PixelFormat) -> (Vec<u8>, usize) {
    let bytes = match format {
        PixelFormat::Rgba8 => picture.pixels().flat_map(|p| [p[0], p[1], p[2], 255]).collect(),
        PixelFormat::Bgra8 => picture.pixels().flat_map(|p| [p[2], p[1], p[0], 255]).collect(),
        _ => picture.as_raw().clone(),
    };
    (bytes, format.bytes_per_pixel())
}

/// Luma, and Cb and Cr of 2 by 2 pixels, in BT.601 and full range.
fn to_yuv(picture: &RgbImage) -> (Vec<u8>, Vec<[u8; 2]>) {
    let yuv = |x: u32, y: u32| {
        let pixel = picture.get_pixel(x.min(picture.width() - 1), y.min(picture.height() - 1));
        let [r, g, b] = pixel.0.map(f64::from);
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        [luma, (b - luma) / 1.772, (r - luma) / 1.402]
    };
    let (width, height) = picture.dimensions();
    let luma = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let half = (0..height).step_by(2).flat_map(|y| (0..width).step_by(2).map(move |x| (x, y)));
    let chroma = half.map(|(x, y)| {
        let four = [yuv(x, y), yuv(x + 1, y), yuv(x, y + 1), yuv(x + 1, y + 1)];
        [1, 2].map(|c| (128.0 + four.iter().map(|p| p[c]).sum::<f64>() / 4.0).round() as u8)
    });
    (luma.map(|(x, y)| yuv(x, y)[0].round() as u8).collect(), chroma.collect())
}

/// The RGB picture that a 4:2:0 frame stands for: chroma repeated.
fn to_rgb(luma: &[u8], chroma: &[[u8; 2]], width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let y_value = f64::from(luma[(y * width + x) as usize]);
        let pair = chroma[(y / 2 * width.div_ceil(2) + x / 2) as usize];
        let [cb, cr] = pair.map(|value| f64::from(value) - 128.0);
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
#[ignore = "needs BIGLITTLE_PHOTOS and BIGLITTLE_BUNDLE"]
fn every_layout_gives_the_same_answer() {
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
    ];
    let mut differences: [Differences; 5] = Default::default();
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
        let (luma, chroma) = to_yuv(&picture);
        let rgb = to_rgb(&luma, &chroma, picture.width(), picture.height());
        let rgb = classify(&mut engine, &rgb, PixelFormat::Rgb8, Rotation::None);
        let first = yuv(&mut engine, &luma, &chroma, &picture, PixelFormat::Nv12, Rotation::None);
        for format in [PixelFormat::Nv21, PixelFormat::Yuv420] {
            let answers = yuv(&mut engine, &luma, &chroma, &picture, format, Rotation::None);
            differences[1].add(&answers, &first);
        }
        differences[4].add(&rgb, &original);
        for (rotation, turned) in &turned[1..] {
            // Of a picture with odd sides other pixels share their chroma.
            let (luma, chroma) = to_yuv(turned);
            let answers = yuv(&mut engine, &luma, &chroma, turned, PixelFormat::Nv12, *rotation);
            differences[2].add(&answers, &rgb);
            differences[3].add(&answers, &original);
        }
        differences[2].add(&first, &rgb);
        differences[3].add(&first, &original);
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
    let (bytes, pixel) = packed(picture, format);
    let (width, height) = picture.dimensions();
    let frame = FrameView::packed(format, width, height, &bytes, width as usize * pixel).unwrap();
    answers(engine, &frame.with_rotation(rotation))
}

fn yuv(
    engine: &mut Engine,
    luma: &[u8],
    chroma: &[[u8; 2]],
    picture: &RgbImage,
    format: PixelFormat,
    rotation: Rotation,
) -> Vec<(u32, f32)> {
    let (width, half) = (picture.width() as usize, picture.width().div_ceil(2) as usize);
    let pairs: Vec<u8> = match format {
        PixelFormat::Nv21 => chroma.iter().flat_map(|[cb, cr]| [*cr, *cb]).collect(),
        _ => chroma.iter().flatten().copied().collect(),
    };
    let luma = Plane { data: luma, row_stride: width, pixel_stride: 1 };
    let pairs_plane = |data| Plane { data, row_stride: 2 * half, pixel_stride: 2 };
    let planes = match format {
        // As Android has it: two views of the pairs.
        PixelFormat::Yuv420 => {
            vec![luma, pairs_plane(&pairs[..pairs.len() - 1]), pairs_plane(&pairs[1..])]
        }
        _ => vec![luma, pairs_plane(&pairs)],
    };
    let frame = FrameView::new(format, picture.width(), picture.height(), &planes).unwrap();
    let frame = frame.with_yuv_encoding(YuvEncoding::default()).with_rotation(rotation);
    answers(engine, &frame)
}
