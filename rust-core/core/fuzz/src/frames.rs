//! Frames as hostile as can be: whatever a description says, it is refused with
//! words or read without a panic, and what comes out is a finite number.
//!
//! Takes the modules from the crate's sources: the whole crate would have tract
//! built for fuzzing, which takes minutes and finds nothing here.

#![no_main]
#![allow(dead_code, reason = "not everything in these modules is used here")]
#![allow(unused_imports, reason = "nor is everything that they export")]

#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/frame/mod.rs"]
mod frame;
#[path = "../../src/gate.rs"]
mod gate;
#[path = "../../src/preprocess/mod.rs"]
mod preprocess;
#[path = "../../src/tensor.rs"]
mod tensor;

use error::ErrorKind;
use frame::{FrameView, PixelFormat, Plane, Rect, Rotation, YuvEncoding, YuvMatrix, YuvRange};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use preprocess::{ChannelOrder, Fit, PreprocessSpec, Preprocessor, ResizeFilter};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    format: u8,
    /// Small ones are likely, so that some frames are accepted.
    size: (u8, u8),
    more: Option<(u32, u32)>,
    planes: [(u16, Stride, Stride); 3],
    plane_count: u8,
    crop: Option<(u8, u8, u8, u8)>,
    degrees: i8,
    encoding: (bool, bool),
    input: (u8, u8),
    filter: u8,
    fit: u8,
    fraction: u8,
    switches: (bool, bool),
    bytes: &'a [u8],
}

#[derive(Debug, Arbitrary)]
enum Stride {
    Small(u8),
    Any(usize),
}

impl Stride {
    fn value(&self) -> usize {
        match self {
            Stride::Small(value) => usize::from(*value % 80),
            Stride::Any(value) => *value,
        }
    }
}

fn spec(input: &Input<'_>) -> PreprocessSpec {
    let filters = [
        ResizeFilter::Nearest,
        ResizeFilter::Box,
        ResizeFilter::Bilinear,
        ResizeFilter::Bicubic,
        ResizeFilter::Lanczos3,
    ];
    let channels = if input.switches.0 { ChannelOrder::Bgr } else { ChannelOrder::Gray };
    let count = channels.count() as usize;
    PreprocessSpec {
        width: u32::from(input.input.0 % 40),
        height: u32::from(input.input.1 % 40),
        channels,
        fit: match input.fit % 3 {
            0 => Fit::Stretch,
            1 => Fit::CenterCrop { fraction: f32::from(input.fraction) / 200.0 },
            _ => Fit::Pad { value: input.fraction },
        },
        filter: filters[usize::from(input.filter) % filters.len()],
        antialias: input.switches.1,
        mean: vec![127.0; count],
        std: vec![128.0; count],
    }
}

fn run(input: &Input<'_>) -> error::Result<()> {
    let formats = [
        PixelFormat::Gray8,
        PixelFormat::Rgb8,
        PixelFormat::Rgba8,
        PixelFormat::Bgra8,
        PixelFormat::Yuv420,
        PixelFormat::Nv12,
        PixelFormat::Nv21,
    ];
    let format = formats[usize::from(input.format) % formats.len()];
    let (width, height) =
        input.more.unwrap_or((u32::from(input.size.0 % 40), u32::from(input.size.1 % 40)));
    let plane = |(start, row_stride, pixel_stride): &(u16, Stride, Stride)| Plane {
        data: &input.bytes[usize::from(*start).min(input.bytes.len())..],
        row_stride: row_stride.value(),
        pixel_stride: pixel_stride.value(),
    };
    let planes = [0, 1, 2].map(|index| plane(&input.planes[index]));
    let count = match input.plane_count {
        0..4 => usize::from(input.plane_count),
        _ => format.plane_count(),
    };
    let mut frame = FrameView::new(format, width, height, &planes[..count])?;
    if let Some((x, y, width, height)) = input.crop {
        let [x, y, width, height] = [x, y, width, height].map(u32::from);
        frame = frame.with_crop(Rect { x, y, width, height })?;
    }
    let degrees = i32::from(input.degrees);
    let degrees = if degrees % 2 == 0 { degrees / 2 % 4 * 90 } else { degrees };
    frame = frame.with_rotation(Rotation::from_degrees(degrees)?).with_yuv_encoding(YuvEncoding {
        matrix: if input.encoding.0 { YuvMatrix::Bt709 } else { YuvMatrix::Bt601 },
        range: if input.encoding.1 { YuvRange::Limited } else { YuvRange::Full },
    });
    let _ = gate::Signature::of(&frame);
    let mut preprocessor = Preprocessor::new(&spec(input))?;
    let mut tensor = preprocessor.make_tensor()?;
    preprocessor.run(&frame, &mut tensor)?;
    let in_range = |value: &f32| (-127.0 / 128.0..=1.0).contains(value);
    assert!(tensor.data().iter().all(in_range), "{:?}", tensor.data());
    Ok(())
}

fuzz_target!(|input: Input<'_>| {
    if let Err(error) = run(&input) {
        let known = matches!(error.kind(), ErrorKind::InvalidFrame | ErrorKind::InvalidArgument);
        assert!(known && !error.to_string().is_empty(), "{error}");
    }
});
