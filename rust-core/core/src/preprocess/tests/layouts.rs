//! Every layout, turn and crop of one picture gives one tensor.

use super::*;

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
