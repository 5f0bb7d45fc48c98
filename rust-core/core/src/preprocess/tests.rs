//! Exact values of whole preprocessings.

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

/// The centre of a frame that is narrower upright than the input.
#[test]
fn the_centre_of_two_pixels_can_be_turned() {
    let picture = Picture { width: 2, height: 1, pixels: vec![[10, 20, 30], [250, 240, 230]] };
    let spec =
        PreprocessSpec { fit: Fit::CenterCrop { fraction: 0.8 }, ..spec(1, 2, ChannelOrder::Rgb) };
    for rotation in [Rotation::Clockwise90, Rotation::Clockwise270] {
        for pixel_extra in [0, 1] {
            let layout = Layout { pixel_extra, ..Layout::tight(PixelFormat::Rgb8) };
            let turned = picture.tensor(&layout, &spec, rotation);
            let first = picture.turned(rotation).tensor(&layout, &spec, Rotation::None);
            assert_eq!(turned.len(), first.len());
            assert!(turned.iter().zip(&first).all(|(a, b)| (a - b).abs() <= 1.0));
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

/// A picture of `width` by `height` pixels of three channels.
#[derive(Debug, Clone)]
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        self.pixels[y * self.width + x]
    }

    fn from_fn(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 3]) -> Self {
        let place = |i| pixel(i % width, i / width);
        Picture { width, height, pixels: (0..width * height).map(place).collect() }
    }

    fn crop(&self, rect: Rect) -> Self {
        let [x, y, width, height] = [rect.x, rect.y, rect.width, rect.height].map(|n| n as usize);
        Picture::from_fn(width, height, |column, row| self.at(x + column, y + row))
    }

    /// Turned clockwise.
    fn turned(&self, rotation: Rotation) -> Self {
        let (w, h) = (self.width, self.height);
        match rotation {
            Rotation::None => self.clone(),
            Rotation::Clockwise90 => Picture::from_fn(h, w, |x, y| self.at(y, h - 1 - x)),
            Rotation::Half => Picture::from_fn(w, h, |x, y| self.at(w - 1 - x, h - 1 - y)),
            Rotation::Clockwise270 => Picture::from_fn(h, w, |x, y| self.at(w - 1 - y, x)),
        }
    }

    /// The bytes of a plane with these strides: `bytes(x, y)` are those of a
    /// sample; what lies between is 0xEE. The last row ends with its last sample.
    fn plane(
        (columns, rows): (usize, usize),
        (row_stride, pixel_stride): (usize, usize),
        bytes: impl Fn(usize, usize) -> Vec<u8>,
    ) -> Vec<u8> {
        let sample = bytes(0, 0).len();
        let mut plane = vec![0xEE; (rows - 1) * row_stride + (columns - 1) * pixel_stride + sample];
        for (x, y) in (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))) {
            let at = y * row_stride + x * pixel_stride;
            plane[at..at + sample].copy_from_slice(&bytes(x, y));
        }
        plane
    }

    /// Luma is the first channel, chroma the others at every second pixel.
    fn tensor(&self, layout: &Layout, spec: &PreprocessSpec, rotation: Rotation) -> Vec<f32> {
        let full = (self.width, self.height);
        let half = (self.width.div_ceil(2), self.height.div_ceil(2));
        let extra = layout.extra;
        let strides = |columns: usize, bytes: usize| {
            let pixel_stride = bytes + layout.pixel_extra;
            (columns * pixel_stride + extra, pixel_stride)
        };
        let chroma = |x: usize, y: usize| self.at(2 * x, 2 * y);
        let mut planes = Vec::new();
        let mut add = |size: (usize, usize), bytes: &dyn Fn(usize, usize) -> Vec<u8>| {
            let strides = strides(size.0, bytes(0, 0).len());
            planes.push((Picture::plane(size, strides, bytes), strides));
        };
        match layout.format {
            PixelFormat::Gray8 => add(full, &|x, y| vec![self.at(x, y)[0]]),
            PixelFormat::Rgb8 => add(full, &|x, y| self.at(x, y).to_vec()),
            PixelFormat::Rgba8 => add(full, &|x, y| [&self.at(x, y)[..], &[9]].concat()),
            PixelFormat::Bgra8 => add(full, &|x, y| {
                let [r, g, b] = self.at(x, y);
                vec![b, g, r, 9]
            }),
            format => {
                add(full, &|x, y| vec![self.at(x, y)[0]]);
                match format {
                    PixelFormat::Nv12 => add(half, &|x, y| chroma(x, y)[1..].to_vec()),
                    PixelFormat::Nv21 => add(half, &|x, y| vec![chroma(x, y)[2], chroma(x, y)[1]]),
                    _ => {
                        add(half, &|x, y| vec![chroma(x, y)[1]]);
                        add(half, &|x, y| vec![chroma(x, y)[2]]);
                    }
                }
            }
        }
        let planes: Vec<Plane<'_>> = planes
            .iter()
            .map(|(data, (row_stride, pixel_stride))| Plane {
                data,
                row_stride: *row_stride,
                pixel_stride: *pixel_stride,
            })
            .collect();
        let (width, height) = (self.width as u32, self.height as u32);
        let frame = FrameView::new(layout.format, width, height, &planes).unwrap();
        let frame = frame.with_rotation(rotation).with_yuv_encoding(layout.encoding);
        match layout.crop {
            Some(crop) => run(spec, &frame.with_crop(crop).unwrap()),
            None => run(spec, &frame),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Layout {
    format: PixelFormat,
    extra: usize,
    pixel_extra: usize,
    crop: Option<Rect>,
    encoding: YuvEncoding,
}

impl Layout {
    fn tight(format: PixelFormat) -> Self {
        let encoding = YuvEncoding::default();
        Layout { format, extra: 0, pixel_extra: 0, crop: None, encoding }
    }
}

fn picture() -> impl Strategy<Value = Picture> {
    let size = (1usize..40, 1usize..40);
    size.prop_flat_map(|(width, height)| {
        let pixels = prop::collection::vec(any::<[u8; 3]>(), width * height);
        pixels.prop_map(move |pixels| Picture { width, height, pixels })
    })
}

/// Any resize of three channels to at most 24 by 24.
fn any_spec() -> impl Strategy<Value = PreprocessSpec> {
    let filter = prop::sample::select(vec![
        ResizeFilter::Nearest,
        ResizeFilter::Box,
        ResizeFilter::Bilinear,
        ResizeFilter::Bicubic,
        ResizeFilter::Lanczos3,
    ]);
    let fit = prop_oneof![
        Just(Fit::Stretch),
        (0.1f32..=1.0).prop_map(|fraction| Fit::CenterCrop { fraction }),
        any::<u8>().prop_map(|value| Fit::Pad { value }),
    ];
    (1u32..24, 1u32..24, filter, fit, any::<bool>(), any::<bool>()).prop_map(
        |(width, height, filter, fit, antialias, gray)| PreprocessSpec {
            filter,
            fit,
            antialias,
            ..spec(width, height, if gray { ChannelOrder::Gray } else { ChannelOrder::Rgb })
        },
    )
}

fn turn() -> impl Strategy<Value = Rotation> {
    (0..4).prop_map(|turns| Rotation::from_degrees(turns * 90).unwrap())
}

/// The crop that two numbers from 0 to 1 a side cut out.
fn part(picture: &Picture, (x, y, width, height): (f64, f64, f64, f64)) -> Rect {
    let side = |start: f64, length: f64, all: usize| {
        let first = (start * all as f64) as u32;
        (first, ((length * f64::from(all as u32 - first)) as u32).max(1))
    };
    let ((x, width), (y, height)) =
        (side(x, width, picture.width), side(y, height, picture.height));
    Rect { x, y, width, height }
}

proptest! {
    /// Strides change where pixels lie, never what they are worth; neither does
    /// the order in which a format names its channels.
    #[test]
    fn layouts_do_not_change_the_tensor(
        picture in picture(), spec in any_spec(), rotation in turn(), extra in 0usize..5,
        pixel_extra in 0usize..4, bt709 in any::<bool>(), limited in any::<bool>(),
    ) {
        let encoding = YuvEncoding {
            matrix: if bt709 { YuvMatrix::Bt709 } else { YuvMatrix::Bt601 },
            range: if limited { YuvRange::Limited } else { YuvRange::Full },
        };
        for alike in [
            &[PixelFormat::Gray8][..],
            &[PixelFormat::Rgb8, PixelFormat::Rgba8, PixelFormat::Bgra8],
            &[PixelFormat::Yuv420, PixelFormat::Nv12, PixelFormat::Nv21],
        ] {
            let tight = Layout { encoding, ..Layout::tight(alike[0]) };
            let expected = picture.tensor(&tight, &spec, rotation);
            for format in alike {
                let layout = Layout { format: *format, extra, pixel_extra, ..tight };
                prop_assert_eq!(&picture.tensor(&layout, &spec, rotation), &expected);
            }
        }
    }

    /// Byte for byte for what overshoots, whose passes run in the order of the
    /// upright picture; else up to the rounding of the last bit.
    #[test]
    fn a_turned_frame_is_the_picture_turned_first(
        picture in picture(), spec in any_spec(), rotation in turn(),
    ) {
        let layout = Layout::tight(PixelFormat::Rgb8);
        let turned = picture.tensor(&layout, &spec, rotation);
        let first = picture.turned(rotation).tensor(&layout, &spec, Rotation::None);
        for (a, b) in turned.iter().zip(&first) {
            prop_assert!((a - b).abs() <= 1.0, "{a} and {b}");
        }
        if matches!(spec.filter, ResizeFilter::Nearest) || spec.filter.overshoots() {
            prop_assert_eq!(turned, first);
        }
    }

    #[test]
    fn a_cropped_frame_is_the_picture_cropped_first(
        picture in picture(), spec in any_spec(), rotation in turn(),
        cut in (0.0..1.0f64, 0.0..1.0f64, 0.0..1.0f64, 0.0..1.0f64),
    ) {
        let crop = part(&picture, cut);
        let cropped = Layout { crop: Some(crop), ..Layout::tight(PixelFormat::Rgb8) };
        let tight = Layout::tight(PixelFormat::Rgb8);
        prop_assert_eq!(
            picture.tensor(&cropped, &spec, rotation),
            picture.crop(crop).tensor(&tight, &spec, rotation)
        );
        // Chroma of a crop that begins at an even place is that of the crop.
        let Rect { x, y, width, height } = crop;
        let even = Rect { x: x / 2 * 2, y: y / 2 * 2, width, height };
        let cropped = Layout { crop: Some(even), ..Layout::tight(PixelFormat::Nv12) };
        let tight = Layout::tight(PixelFormat::Nv12);
        prop_assert_eq!(
            picture.tensor(&cropped, &spec, rotation),
            picture.crop(even).tensor(&tight, &spec, rotation)
        );
    }
}
