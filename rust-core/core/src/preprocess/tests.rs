//! Exact values of whole preprocessings.

mod layouts;

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::frame::{
    MAX_FRAME_SIDE, PixelFormat, Plane, Rect, Rotation, YuvEncoding, YuvMatrix, YuvRange,
};

fn spec(width: u32, height: u32, channels: ChannelOrder) -> PreprocessSpec {
    let count = channels.count() as usize;
    PreprocessSpec {
        width,
        height,
        channels,
        fit: Fit::Stretch,
        filter: ResizeFilter::Bilinear,
        antialias: true,
        mean: vec![0.0; count],
        std: vec![1.0; count],
    }
}

fn run(spec: &PreprocessSpec, frame: &FrameView<'_>) -> Vec<f32> {
    let mut preprocessor = Preprocessor::new(spec).unwrap();
    let mut tensor = preprocessor.make_tensor().unwrap();
    preprocessor.run(frame, &mut tensor).unwrap();
    tensor.data().to_vec()
}

/// 3 columns by 2 rows; a pixel is (row, column, 7).
const RGB: [u8; 18] = [0, 0, 7, 0, 1, 7, 0, 2, 7, 1, 0, 7, 1, 1, 7, 1, 2, 7];

#[test]
fn channels_are_separated_in_the_order_asked_for() {
    let frame = FrameView::packed(PixelFormat::Rgb8, 3, 2, &RGB, 9).unwrap();
    let (red, green, blue) =
        ([0., 0., 0., 1., 1., 1.], [0., 1., 2., 0., 1., 2.], [7., 7., 7., 7., 7., 7.]);
    assert_eq!(run(&spec(3, 2, ChannelOrder::Rgb), &frame), [red, green, blue].concat());
    assert_eq!(run(&spec(3, 2, ChannelOrder::Bgr), &frame), [blue, green, red].concat());
}

#[test]
fn every_packed_format_gives_the_same_tensor() {
    let rgba: Vec<u8> = RGB.chunks(3).flat_map(|p| [p[0], p[1], p[2], 99]).collect();
    let bgra: Vec<u8> = RGB.chunks(3).flat_map(|p| [p[2], p[1], p[0], 99]).collect();
    let rgb = FrameView::packed(PixelFormat::Rgb8, 3, 2, &RGB, 9).unwrap();
    let rgba = FrameView::packed(PixelFormat::Rgba8, 3, 2, &rgba, 12).unwrap();
    let bgra = FrameView::packed(PixelFormat::Bgra8, 3, 2, &bgra, 12).unwrap();
    for channels in [ChannelOrder::Gray, ChannelOrder::Rgb, ChannelOrder::Bgr] {
        for size in [(3, 2), (5, 7)] {
            let spec = spec(size.0, size.1, channels);
            assert_eq!(run(&spec, &rgba), run(&spec, &rgb));
            assert_eq!(run(&spec, &bgra), run(&spec, &rgb));
        }
    }
}

#[test]
fn every_yuv_layout_gives_the_same_tensor() {
    // 4 columns by 2 rows: two chroma samples.
    let luma = [81u8, 81, 145, 145, 81, 81, 145, 145];
    let (cb, cr, pairs, swapped) =
        ([90u8, 54], [240u8, 34], [90u8, 240, 54, 34], [240u8, 90, 34, 54]);
    let plane = |data, row_stride, pixel_stride| Plane { data, row_stride, pixel_stride };
    let y = plane(&luma, 4, 1);
    for (format, planes) in [
        (PixelFormat::Yuv420, &[y, plane(&cb, 2, 1), plane(&cr, 2, 1)][..]),
        (PixelFormat::Yuv420, &[y, plane(&pairs[..3], 4, 2), plane(&pairs[1..], 4, 2)]),
        (PixelFormat::Nv12, &[y, plane(&pairs, 4, 2)]),
        (PixelFormat::Nv21, &[y, plane(&swapped, 4, 2)]),
    ] {
        let limited = YuvEncoding { range: YuvRange::Limited, ..YuvEncoding::default() };
        let frame = FrameView::new(format, 4, 2, planes).unwrap().with_yuv_encoding(limited);
        let spec =
            PreprocessSpec { filter: ResizeFilter::Nearest, ..spec(4, 2, ChannelOrder::Rgb) };
        // Pure red and pure green, by BT.601 within its rounding.
        let (red, green, blue) = ([254., 254., 0., 0.], [0., 0., 255., 255.], [0., 0., 1., 1.]);
        let rows = [red, red, green, green, blue, blue].concat();
        let values = run(&spec, &frame);
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1.0;
        assert!(values.iter().zip(&rows).all(close), "{format:?}: {values:?}");
    }
}

#[test]
fn gray_is_pillows_luma() {
    // Pillow: Image.new("RGB", (1, 1), (200, 30, 77)).convert("L") is 86.
    let frame = FrameView::packed(PixelFormat::Rgb8, 1, 1, &[200, 30, 77], 3).unwrap();
    assert_eq!(run(&spec(1, 1, ChannelOrder::Gray), &frame), [86.0]);
    let gray = FrameView::packed(PixelFormat::Gray8, 1, 1, &[9], 1).unwrap();
    assert_eq!(run(&spec(1, 1, ChannelOrder::Rgb), &gray), [9.0, 9.0, 9.0]);
}

#[test]
fn rotation_turns_clockwise() {
    // 1 2 3        4 1
    // 4 5 6   ->   5 2   a quarter turn clockwise
    //              6 3
    let pixels = [1, 2, 3, 4, 5, 6];
    let frame = FrameView::packed(PixelFormat::Gray8, 3, 2, &pixels, 3).unwrap();
    let turned = |rotation, width, height| {
        run(&spec(width, height, ChannelOrder::Gray), &frame.with_rotation(rotation))
    };
    assert_eq!(turned(Rotation::None, 3, 2), [1., 2., 3., 4., 5., 6.]);
    assert_eq!(turned(Rotation::Clockwise90, 2, 3), [4., 1., 5., 2., 6., 3.]);
    assert_eq!(turned(Rotation::Half, 3, 2), [6., 5., 4., 3., 2., 1.]);
    assert_eq!(turned(Rotation::Clockwise270, 2, 3), [3., 6., 2., 5., 1., 4.]);
}

#[test]
fn crop_is_taken_before_rotation() {
    let pixels: Vec<u8> = (0..20).collect();
    let frame = FrameView::packed(PixelFormat::Gray8, 5, 4, &pixels, 5).unwrap();
    let crop = frame.with_crop(Rect { x: 1, y: 2, width: 3, height: 2 }).unwrap();
    assert_eq!(run(&spec(3, 2, ChannelOrder::Gray), &crop), [11., 12., 13., 16., 17., 18.]);
    let turned = crop.with_rotation(Rotation::Clockwise90);
    assert_eq!(run(&spec(2, 3, ChannelOrder::Gray), &turned), [16., 11., 17., 12., 18., 13.]);
}

#[test]
fn mean_and_deviation_are_in_pixel_values() {
    let mut spec = spec(2, 1, ChannelOrder::Gray);
    (spec.mean, spec.std) = (vec![127.5], vec![127.5]);
    let frame = FrameView::packed(PixelFormat::Gray8, 2, 1, &[0, 255], 2).unwrap();
    assert_eq!(run(&spec, &frame), [-1.0, 1.0]);
}

#[test]
fn padding_is_normalised_too() {
    let mut spec = spec(4, 4, ChannelOrder::Gray);
    spec.fit = Fit::Pad { value: 100 };
    spec.mean = vec![50.0];
    let frame = FrameView::packed(PixelFormat::Gray8, 4, 2, &[60; 8], 4).unwrap();
    let (bar, image) = ([50.0; 4], [10.0; 8]);
    assert_eq!(run(&spec, &frame), [&bar[..], &image, &bar].concat());
}

/// 9 columns by 7 rows: `(37 y + 53 x + 11 x y) mod 256 / 2 + 64`, far enough from
/// black and white that no filter overshoots them: Pillow cuts that off between
/// its two passes.
fn pattern() -> Vec<u8> {
    (0..63).map(|i| (i / 9 * 37 + i % 9 * 53 + (i / 9) * (i % 9) * 11) as u8 / 2 + 64).collect()
}

#[test]
fn filters_agree_with_pillow() {
    let pixels = pattern();
    let frame = FrameView::packed(PixelFormat::Gray8, 9, 7, &pixels, 9).unwrap();
    let crop = frame.with_crop(Rect { x: 2, y: 1, width: 3, height: 2 }).unwrap();
    // Image.fromarray(a).resize((4, 3), F) and .crop((2, 1, 5, 3)).resize((5, 4), F)
    for (filter, smaller, larger) in [
        (
            ResizeFilter::Box,
            [88, 139, 106, 133, 141, 120, 121, 122, 130, 144, 126, 111],
            [
                146, 146, 178, 82, 82, 146, 146, 178, 82, 82, 176, 176, 85, 123, 123, 176, 176, 85,
                123, 123,
            ],
        ),
        (
            ResizeFilter::Bilinear,
            [106, 136, 115, 128, 133, 125, 121, 122, 135, 138, 128, 116],
            [
                146, 159, 178, 120, 82, 154, 154, 155, 117, 92, 169, 145, 108, 111, 113, 176, 140,
                85, 108, 123,
            ],
        ),
        (
            ResizeFilter::Bicubic,
            [102, 140, 113, 128, 137, 124, 122, 122, 136, 138, 128, 116],
            [
                141, 164, 186, 118, 70, 152, 158, 159, 115, 86, 175, 146, 104, 108, 115, 186, 140,
                77, 105, 131,
            ],
        ),
        (
            ResizeFilter::Lanczos3,
            [100, 142, 111, 128, 137, 123, 123, 122, 137, 136, 129, 116],
            [
                131, 170, 194, 120, 61, 150, 160, 156, 113, 85, 176, 148, 107, 105, 116, 195, 138,
                69, 98, 140,
            ],
        ),
    ] {
        let close = |frame, (width, height), expected: &[i32]| {
            let spec = PreprocessSpec { filter, ..spec(width, height, ChannelOrder::Gray) };
            let values = run(&spec, frame);
            assert_eq!(values.len(), expected.len());
            for (value, expected) in values.iter().zip(expected) {
                assert!((value - *expected as f32).abs() <= 1.0, "{filter:?}: {values:?}");
            }
        };
        close(&frame, (4, 3), &smaller);
        close(&crop, (5, 4), &larger);
    }
}

#[test]
fn without_antialias_pixels_between_the_samples_do_not_count() {
    let pixels: Vec<u8> = (0..64).map(|x| if x % 16 < 4 { 255 } else { 0 }).collect();
    let frame = FrameView::packed(PixelFormat::Gray8, 64, 1, &pixels, 64).unwrap();
    let mut spec = spec(4, 1, ChannelOrder::Gray);
    let smooth = run(&spec, &frame);
    assert!(smooth.iter().all(|value| (32.0..96.0).contains(value)), "{smooth:?}");
    spec.antialias = false;
    assert_eq!(run(&spec, &frame), [0.0; 4], "samples lie at 7.5, 23.5, 39.5 and 55.5");
}

#[test]
fn one_row_may_have_any_stride() {
    let pixels = [1, 2, 3, 4, 5, 6, 7, 8];
    for stride in [0, 4, 8, 100] {
        let frame = FrameView::packed(PixelFormat::Gray8, 8, 1, &pixels, stride).unwrap();
        assert_eq!(run(&spec(4, 1, ChannelOrder::Gray), &frame).len(), 4);
    }
}

/// A third of the longest side is white: so is about a third of the one pixel that it
/// becomes, and of two pixels the first is brighter.
#[test]
fn the_longest_side_becomes_one_or_two_pixels() {
    for side in [20_000, MAX_FRAME_SIDE - 1, MAX_FRAME_SIDE] {
        let pixels: Vec<u8> = (0..side).map(|at| if at < side / 3 { 255 } else { 0 }).collect();
        let wide = FrameView::packed(PixelFormat::Gray8, side, 1, &pixels, side as usize).unwrap();
        let tall = FrameView::packed(PixelFormat::Gray8, 1, side, &pixels, 1).unwrap();
        // 255 times the white part of the filter, which is a third of a box.
        for (filter, white) in [
            (ResizeFilter::Box, 85.0),
            (ResizeFilter::Bilinear, 75.6),
            (ResizeFilter::Bicubic, 77.9),
            (ResizeFilter::Lanczos3, 79.0),
        ] {
            let spec = |width, height| PreprocessSpec {
                filter,
                ..spec(width, height, ChannelOrder::Gray)
            };
            let [value] = run(&spec(1, 1), &wide)[..] else { panic!("one pixel") };
            assert!((value - white).abs() <= 1.0, "{filter:?} of {side}: {value} for {white}");
            let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1.0);
            assert!(close(&run(&spec(1, 1), &tall), &[value]), "{filter:?} of {side}, tall");
            let two = run(&spec(2, 1), &wide);
            assert!(two[0] > 110.0 && two[1] < 20.0, "{filter:?} of {side}: {two:?}");
            assert!(close(&run(&spec(1, 2), &tall), &two), "{filter:?} of {side}, tall");
        }
    }
}

#[test]
fn specifications_out_of_range_name_the_field() {
    let good = spec(2, 2, ChannelOrder::Rgb);
    let refused = |change: &dyn Fn(&mut PreprocessSpec), words: &str| {
        let mut spec = good.clone();
        change(&mut spec);
        let error = Preprocessor::new(&spec).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(words), "{error}");
    };
    refused(&|s| s.width = 0, "width is 0");
    refused(&|s| s.height = 5000, "height is 5000");
    refused(&|s| s.mean = vec![0.0], "mean has 1 values");
    refused(&|s| s.std = vec![1.0, 0.0, 1.0], "std holds 0");
    refused(&|s| s.mean[1] = f32::NAN, "mean holds NaN");
    for fraction in [0.0, -1.0, 1.1, f32::NAN] {
        refused(&|s| s.fit = Fit::CenterCrop { fraction }, "fraction is");
    }
    let mut other = InputTensor::new(1, 2, 2).unwrap();
    let frame = FrameView::packed(PixelFormat::Gray8, 1, 1, &[0], 1).unwrap();
    let error = Preprocessor::new(&good).unwrap().run(&frame, &mut other).unwrap_err();
    assert!(error.to_string().contains("[1, 1, 2, 2]"), "{error}");
}

#[test]
fn bytes_are_the_values_before_normalisation() {
    let frame = FrameView::packed(PixelFormat::Rgb8, 3, 2, &RGB, 9).unwrap();
    for fit in [Fit::Stretch, Fit::CenterCrop { fraction: 0.9 }, Fit::Pad { value: 9 }] {
        for channels in [ChannelOrder::Gray, ChannelOrder::Rgb, ChannelOrder::Bgr] {
            let spec = PreprocessSpec { fit, ..spec(5, 7, channels) };
            let mut preprocessor = Preprocessor::new(&spec).unwrap();
            let mut bytes: InputTensor<u8> = spec.make_tensor().unwrap();
            preprocessor.run_bytes(&frame, &mut bytes).unwrap();
            let values: Vec<f32> = bytes.data().iter().copied().map(f32::from).collect();
            assert_eq!(values, run(&spec, &frame), "{fit:?} {channels:?}");
            let mut normalized = preprocessor.make_tensor().unwrap();
            spec.normalize(&bytes, &mut normalized);
            assert_eq!(normalized.data(), values);
        }
    }
    let mut preprocessor = Preprocessor::new(&spec(5, 7, ChannelOrder::Rgb)).unwrap();
    let mut small = InputTensor::<u8>::new(3, 2, 2).unwrap();
    let error = preprocessor.run_bytes(&frame, &mut small).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn pixels_are_the_quantized_input_of_one_deviation_and_rounded_mean() {
    let spec = |mean: [f32; 3], std: [f32; 3]| PreprocessSpec {
        mean: mean.to_vec(),
        std: std.to_vec(),
        ..spec(2, 2, ChannelOrder::Rgb)
    };
    let lite = spec([127.0; 3], [128.0; 3]);
    assert_eq!(lite.value_range(), [-127.0 / 128.0, 1.0]);
    assert!(lite.keeps_pixels(1.0 / 128.0, 127));
    assert_eq!(lite.pixel_offset(1.0 / 128.0, 127), 0.0);
    let mobilenet = spec([127.5; 3], [127.5; 3]);
    assert!(mobilenet.keeps_pixels(1.0 / 127.5, 128));
    assert_eq!(mobilenet.pixel_offset(1.0 / 127.5, 128), -0.5 / 127.5);
    for (other, zero_point) in [
        (spec([127.0, 127.0, 120.0], [128.0; 3]), 127),
        (spec([127.0; 3], [128.0, 128.0, 127.0]), 127),
        (lite, 126),
    ] {
        assert!(!other.keeps_pixels(1.0 / 128.0, zero_point), "{other:?}");
        assert_eq!(other.pixel_offset(1.0 / 128.0, zero_point), 0.0);
    }
}
