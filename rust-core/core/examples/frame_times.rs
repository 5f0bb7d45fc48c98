//! Times the way from a camera frame to a network's input, for `ci/bench-frames`.
//!
//! Usage: frame_times SECONDS [NETWORK.onnx]
//!
//! Prints a line for every case: size, layout, filter, antialias, way, and the
//! median of the nanoseconds that one frame took. A case runs for so many seconds.
//! `naive` is what one writes first: convert every pixel, then look at four
//! neighbours of each output. `network` is one run of the network, to compare.

#![allow(clippy::print_stdout, reason = "its lines are read by ci/bench-frames")]

use std::hint::black_box;
use std::time::Instant;

use biglittle::network::{Model, ModelLimits, Session};
use biglittle::preprocess::{ChannelOrder, Fit, PreprocessSpec, Preprocessor, ResizeFilter};
use biglittle::{FrameView, PixelFormat, Plane, Result};

const SIDE: usize = 224;
const SIZES: [(usize, usize); 3] = [(640, 480), (1280, 720), (1920, 1080)];

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments.next().ok_or("usage: frame_times SECONDS [NETWORK]")?.parse()?;
    for (width, height) in SIZES {
        let bytes = noise(width * height * 4);
        for format in [PixelFormat::Nv12, PixelFormat::Rgba8] {
            let frame = frame(format, width, height, &bytes)?;
            for (filter, antialias) in [
                (ResizeFilter::Bilinear, false),
                (ResizeFilter::Bilinear, true),
                (ResizeFilter::Box, true),
                (ResizeFilter::Bicubic, true),
            ] {
                let mut preprocessor = Preprocessor::new(&spec(filter, antialias))?;
                let mut tensor = preprocessor.make_tensor()?;
                let time = median(seconds, || {
                    preprocessor.run(&frame, &mut tensor)?;
                    black_box(tensor.data());
                    Ok(())
                })?;
                report(&frame, &format!("{filter:?} {antialias} biglittle"), time);
            }
            let mut out = vec![0.0; 3 * SIDE * SIDE];
            let time = median(seconds, || {
                naive(&frame, &mut out);
                black_box(&out);
                Ok(())
            })?;
            report(&frame, "Bilinear false naive", time);
        }
    }
    if let Some(path) = arguments.next() {
        let mut session =
            Session::new(&Model::open(&std::fs::read(path)?, &ModelLimits::default())?)?;
        let input = vec![0.5; 3 * SIDE * SIDE];
        let mut output = Vec::new();
        let time = median(seconds, || {
            output.clear();
            session.run(&input, &mut output)
        })?;
        println!("- - - - network {time}");
    }
    Ok(())
}

fn report(frame: &FrameView<'_>, what: &str, time: u128) {
    println!("{}x{} {:?} {what} {time}", frame.width(), frame.height(), frame.format());
}

/// The centre crop of ImageNet networks.
fn spec(filter: ResizeFilter, antialias: bool) -> PreprocessSpec {
    PreprocessSpec {
        width: SIDE as u32,
        height: SIDE as u32,
        channels: ChannelOrder::Rgb,
        fit: Fit::CenterCrop { fraction: 0.875 },
        filter,
        antialias,
        mean: vec![127.0; 3],
        std: vec![128.0; 3],
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn frame(format: PixelFormat, width: usize, height: usize, bytes: &[u8]) -> Result<FrameView<'_>> {
    let plane = |data, pixel_stride| Plane { data, row_stride: width * pixel_stride, pixel_stride };
    let luma = plane(&bytes[..width * height], 1);
    let chroma = Plane { row_stride: width, ..plane(&bytes[width * height..], 2) };
    let planes = match format {
        PixelFormat::Nv12 => vec![luma, chroma],
        _ => vec![plane(bytes, 4)],
    };
    FrameView::new(format, width as u32, height as u32, &planes)
}

/// The median time of one call, in nanoseconds.
fn median(seconds: f64, mut run: impl FnMut() -> Result<()>) -> Result<u128> {
    run()?;
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed().as_secs_f64() < seconds {
        let one = Instant::now();
        run()?;
        times.push(one.elapsed().as_nanos());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn naive(frame: &FrameView<'_>, out: &mut [f32]) {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let planes = frame.planes();
    let mut rgb = vec![[0u8; 3]; width * height];
    for y in 0..height {
        for x in 0..width {
            rgb[y * width + x] = if frame.format() == PixelFormat::Nv12 {
                let luma = f32::from(planes[0].data[y * width + x]);
                let chroma = &planes[1].data[y / 2 * width + x / 2 * 2..];
                let (cb, cr) = (f32::from(chroma[0]) - 128.0, f32::from(chroma[1]) - 128.0);
                [luma + 1.402 * cr, luma - 0.344 * cb - 0.714 * cr, luma + 1.772 * cb]
                    .map(|value| value.round().clamp(0.0, 255.0) as u8)
            } else {
                let pixel = &planes[0].data[(y * width + x) * 4..];
                [pixel[0], pixel[1], pixel[2]]
            };
        }
    }
    let side = (0.875 * height as f32) as usize;
    let (left, top, scale) = ((width - side) / 2, (height - side) / 2, side as f32 / SIDE as f32);
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
        let (fx, fy) = ((x as f32 + 0.5) * scale - 0.5, (y as f32 + 0.5) * scale - 0.5);
        let (x0, y0) = (fx.max(0.0) as usize, fy.max(0.0) as usize);
        let (dx, dy) = (fx - x0 as f32, fy - y0 as f32);
        for channel in 0..3 {
            let at = |x: usize, y: usize| {
                let (x, y) = (left + x.min(side - 1), top + y.min(side - 1));
                f32::from(rgb[y * width + x][channel])
            };
            let upper = at(x0, y0) * (1.0 - dx) + at(x0 + 1, y0) * dx;
            let lower = at(x0, y0 + 1) * (1.0 - dx) + at(x0 + 1, y0 + 1) * dx;
            let value = upper * (1.0 - dy) + lower * dy;
            out[(channel * SIDE + y) * SIDE + x] = (value - 127.0) / 128.0;
        }
    }
}
