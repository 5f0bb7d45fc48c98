//! A frame becomes a tensor without an allocation, once one of its shape has been
//! seen.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;

use biglittle::preprocess::{ChannelOrder, Fit, PreprocessSpec, Preprocessor, ResizeFilter};
use biglittle::{FrameView, PixelFormat, Plane, Rect, Rotation};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const FORMATS: [PixelFormat; 7] = [
    PixelFormat::Gray8,
    PixelFormat::Rgb8,
    PixelFormat::Rgba8,
    PixelFormat::Bgra8,
    PixelFormat::Yuv420,
    PixelFormat::Nv12,
    PixelFormat::Nv21,
];

/// One test, so that nothing else allocates meanwhile.
#[test]
fn no_allocation_after_the_first_frame() {
    let bytes = vec![99u8; 64 * 64 * 8];
    for filter in [ResizeFilter::Nearest, ResizeFilter::Bilinear, ResizeFilter::Lanczos3] {
        for (channels, fit) in [
            (ChannelOrder::Rgb, Fit::Stretch),
            (ChannelOrder::Gray, Fit::CenterCrop { fraction: 0.9 }),
            (ChannelOrder::Bgr, Fit::Pad { value: 7 }),
        ] {
            let spec = PreprocessSpec {
                width: 24,
                height: 20,
                channels,
                fit,
                filter,
                antialias: true,
                mean: vec![127.0; channels.count() as usize],
                std: vec![128.0; channels.count() as usize],
            };
            let mut preprocessor = Preprocessor::new(&spec).unwrap();
            let mut tensor = preprocessor.make_tensor().unwrap();
            for format in FORMATS {
                for degrees in [0, 90, 180, 270] {
                    let frame = |padding: usize| {
                        let plane = |pixel_stride: usize| Plane {
                            data: &bytes,
                            row_stride: 64 * pixel_stride + padding,
                            pixel_stride,
                        };
                        let pair = if format == PixelFormat::Yuv420 { 1 } else { 2 };
                        let planes = [plane(format.bytes_per_pixel()), plane(pair), plane(pair)];
                        FrameView::new(format, 63, 61, &planes[..format.plane_count()])
                            .unwrap()
                            .with_rotation(Rotation::from_degrees(degrees).unwrap())
                            .with_crop(Rect { x: 3, y: 4, width: 53, height: 51 })
                            .unwrap()
                    };
                    preprocessor.run(&frame(0), &mut tensor).unwrap();
                    let region = Region::new(ALLOCATOR);
                    for padding in 0..8 {
                        preprocessor.run(&frame(padding), &mut tensor).unwrap();
                    }
                    let change = region.change();
                    let allocations = (change.allocations, change.reallocations);
                    assert_eq!(allocations, (0, 0), "{format:?}, {degrees} degrees, {filter:?}");
                }
            }
        }
    }
}
