//! Lies about frames are refused by name; what is accepted can be read.

use super::*;
use proptest::prelude::*;

fn message(result: Result<FrameView<'_>>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidFrame);
    error.to_string()
}

#[test]
fn the_last_row_may_end_after_its_last_pixel() {
    let bytes = [0u8; 10 + 6];
    assert!(FrameView::packed(PixelFormat::Rgb8, 2, 2, &bytes, 10).is_ok());
    let short = message(FrameView::packed(PixelFormat::Rgb8, 2, 2, &bytes[1..], 10));
    assert!(
        short.contains("plane 0 (colour) has 15 bytes") && short.contains("need 16"),
        "{short}"
    );
}

#[test]
fn lies_about_sizes_name_the_value_and_the_need() {
    let bytes = [0u8; 64];
    let packed =
        |w, h, stride| message(FrameView::packed(PixelFormat::Gray8, w, h, &bytes, stride));
    assert!(packed(0, 4, 8).contains("width is 0"));
    assert!(packed(4, 0, 8).contains("height is 0"));
    assert!(packed(40_000, 1, 40_000).contains("width is 40000"));
    assert!(packed(8, 2, 7).contains("row stride of 7") && packed(8, 2, 7).contains("at least 8"));
    assert!(packed(8, 9, 8).contains("need 72"));
    assert!(packed(8, 32_768, usize::MAX).contains("beyond any buffer"));
    let plane = Plane { data: &bytes, row_stride: 8, pixel_stride: 3 };
    let rgba = message(FrameView::new(PixelFormat::Rgba8, 1, 1, &[plane]));
    assert!(rgba.contains("pixel stride of 3") && rgba.contains("at least 4"), "{rgba}");
    let huge = Plane { data: &bytes, row_stride: 8, pixel_stride: usize::MAX };
    let huge = message(FrameView::new(PixelFormat::Gray8, 3, 1, &[huge]));
    assert!(huge.contains("beyond any buffer"), "{huge}");
    let two = message(FrameView::new(PixelFormat::Gray8, 1, 1, &[plane, plane]));
    assert!(two.contains("2 were given"), "{two}");
}

#[test]
fn only_quarter_turns_are_rotations() {
    for degrees in [45, -90, 360, 1, i32::MAX] {
        let error = Rotation::from_degrees(degrees).unwrap_err();
        assert!(error.to_string().contains(&degrees.to_string()));
    }
    assert_eq!(Rotation::from_degrees(270).unwrap(), Rotation::Clockwise270);
}

#[test]
fn crops_stay_inside() {
    let bytes = [0u8; 64];
    let frame = FrameView::packed(PixelFormat::Gray8, 8, 8, &bytes, 8).unwrap();
    let crop = |x, y, width, height| frame.with_crop(Rect { x, y, width, height });
    assert!(crop(0, 0, 8, 8).is_ok());
    assert!(crop(7, 7, 1, 1).is_ok());
    for (x, y, width, height) in
        [(0, 0, 0, 8), (0, 0, 8, 0), (1, 0, 8, 8), (0, 8, 1, 1), (u32::MAX, 0, 2, 1)]
    {
        assert!(message(crop(x, y, width, height)).starts_with("crop takes"));
    }
}

/// Planes of a frame of 5 by 3 pixels, of the lengths given.
fn planes<'a>(bytes: &'a [u8], planes: &[(usize, usize, usize)]) -> Vec<Plane<'a>> {
    let plane = |&(length, row_stride, pixel_stride): &(usize, usize, usize)| Plane {
        data: &bytes[..length],
        row_stride,
        pixel_stride,
    };
    planes.iter().map(plane).collect()
}

#[test]
fn odd_frames_round_their_chroma_up() {
    let bytes = [0u8; 64];
    let odd = |format, list: &[_]| FrameView::new(format, 5, 3, &planes(&bytes, list));
    // Chroma is 3 by 2.
    assert!(odd(PixelFormat::Nv12, &[(15, 5, 1), (12, 6, 2)]).is_ok());
    assert!(odd(PixelFormat::Yuv420, &[(15, 5, 1), (6, 3, 1), (6, 3, 1)]).is_ok());
    let short = message(odd(PixelFormat::Nv21, &[(15, 5, 1), (11, 6, 2)]));
    assert!(short.contains("plane 1 (chroma) has 11 bytes: 3x2 samples"), "{short}");
    assert!(short.ends_with("need 12"), "{short}");
    let narrow = message(odd(PixelFormat::Nv12, &[(15, 5, 1), (12, 5, 2)]));
    assert!(narrow.contains("plane 1 (chroma) has a row stride of 5 bytes"), "{narrow}");
    assert!(narrow.ends_with("at least 6"), "{narrow}");
    let planar = message(odd(PixelFormat::Yuv420, &[(15, 5, 1), (6, 3, 1), (5, 3, 1)]));
    assert!(planar.contains("plane 2 (chroma Cr) has 5 bytes"), "{planar}");
    let stride = message(odd(PixelFormat::Nv12, &[(15, 5, 1), (12, 6, 1)]));
    assert!(stride.contains("pixel stride of 1 bytes: its samples need at least 2"), "{stride}");
    let missing = message(odd(PixelFormat::Yuv420, &[(15, 5, 1), (12, 6, 2)]));
    assert!(missing.contains("Yuv420 frame has 3 plane(s), but 2 were given"), "{missing}");
    let luma = message(odd(PixelFormat::Yuv420, &[(14, 5, 1), (6, 3, 1), (6, 3, 1)]));
    assert!(luma.contains("plane 0 (luma) has 14 bytes") && luma.ends_with("need 15"), "{luma}");
}

#[test]
fn overlapping_chroma_planes_end_one_byte_early() {
    // Android: U and V are views of the same 4 by 2 pairs, one byte apart, and
    // each ends with its own last sample.
    let (luma, pairs) = ([0u8; 8 * 4], [0u8; 2 * 8]);
    let views = |length| {
        let chroma = |from: usize| Plane {
            data: &pairs[from..from + length],
            row_stride: 8,
            pixel_stride: 2,
        };
        let luma = Plane { data: &luma, row_stride: 8, pixel_stride: 1 };
        FrameView::new(PixelFormat::Yuv420, 8, 4, &[luma, chroma(0), chroma(1)])
    };
    assert!(views(15).is_ok());
    let short = message(views(14));
    assert!(short.contains("plane 1 (chroma Cb) has 14 bytes"), "{short}");
    assert!(short.contains("pixel stride of 2") && short.ends_with("need 15"), "{short}");
}

fn any_format() -> impl Strategy<Value = PixelFormat> {
    prop::sample::select(vec![
        PixelFormat::Gray8,
        PixelFormat::Rgb8,
        PixelFormat::Rgba8,
        PixelFormat::Bgra8,
        PixelFormat::Yuv420,
        PixelFormat::Nv12,
        PixelFormat::Nv21,
    ])
}

proptest! {
    #[test]
    fn an_accepted_frame_can_be_read_at_every_sample(
        format in any_format(), width in 1u32..40, height in 1u32..40,
        layout in prop::collection::vec((0usize..4000, 0usize..200, 0usize..6), 3),
    ) {
        let bytes = vec![7u8; 4000];
        let list = planes(&bytes, &layout[..format.plane_count()]);
        if let Ok(frame) = FrameView::new(format, width, height, &list) {
            for (plane, kind) in frame.planes().iter().zip(format.planes()) {
                let (columns, rows) = kind.size(width, height);
                for y in 0..rows as usize {
                    for x in 0..columns as usize {
                        let at = y * plane.row_stride + x * plane.pixel_stride;
                        prop_assert!(at + kind.bytes <= plane.data.len());
                    }
                }
            }
        }
    }
}
