//! Camera frames as borrowed bytes.
//!
//! Decides whether a description of a frame (size, planes, strides, rotation,
//! crop) fits the bytes it was given, once, so that nobody after it has to
//! check again. It never copies or converts a pixel: that is
//! [`preprocess`](crate::preprocess)'s work, which reads frames through this
//! type only.

use crate::error::{Error, ErrorKind, Result};

/// The longest side of a frame, in pixels. No camera delivers more, and
/// products of two sides stay within 32 bits.
pub const MAX_FRAME_SIDE: u32 = 32_768;

/// How the bytes of a frame encode its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// One plane, one byte a pixel: luma.
    Gray8,
    /// One plane, three bytes a pixel: red, green, blue.
    Rgb8,
    /// One plane, four bytes a pixel: red, green, blue, alpha. Alpha is ignored.
    Rgba8,
    /// One plane, four bytes a pixel: blue, green, red, alpha. Alpha is ignored.
    Bgra8,
}

impl PixelFormat {
    /// The number of planes a frame of this format has.
    #[must_use]
    pub fn plane_count(self) -> usize {
        1
    }

    /// The bytes one pixel occupies in the first plane.
    #[must_use]
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            PixelFormat::Gray8 => 1,
            PixelFormat::Rgb8 => 3,
            PixelFormat::Rgba8 | PixelFormat::Bgra8 => 4,
        }
    }
}

/// How far a frame must be turned clockwise to stand upright, as cameras
/// report it (`ImageInfo.rotationDegrees` on Android).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rotation {
    /// The frame is upright.
    #[default]
    None,
    /// A quarter turn clockwise makes it upright.
    Clockwise90,
    /// A half turn makes it upright.
    Half,
    /// Three quarter turns clockwise make it upright.
    Clockwise270,
}

impl Rotation {
    /// The rotation for clockwise `degrees`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidFrame`] unless `degrees` is 0, 90, 180 or 270.
    pub fn from_degrees(degrees: i32) -> Result<Self> {
        match degrees {
            0 => Ok(Rotation::None),
            90 => Ok(Rotation::Clockwise90),
            180 => Ok(Rotation::Half),
            270 => Ok(Rotation::Clockwise270),
            _ => Err(invalid(format!(
                "rotation is {degrees} degrees: give the clockwise turn as 0, 90, 180 or 270"
            ))),
        }
    }

    /// Whether upright width and height are the buffer's height and width.
    #[must_use]
    pub fn swaps_sides(self) -> bool {
        matches!(self, Rotation::Clockwise90 | Rotation::Clockwise270)
    }
}

/// A rectangle of pixels in the frame's buffer, before any rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    /// The leftmost column.
    pub x: u32,
    /// The topmost row.
    pub y: u32,
    /// The number of columns, at least 1.
    pub width: u32,
    /// The number of rows, at least 1.
    pub height: u32,
}

/// One borrowed plane of a frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plane<'a> {
    /// The plane's bytes. The last row may end right after its last pixel.
    pub data: &'a [u8],
    /// The bytes from the start of one row to the start of the next.
    pub row_stride: usize,
    /// The bytes from the start of one pixel to the start of the next.
    pub pixel_stride: usize,
}

/// A frame that borrows its pixels and is known to describe them truly.
#[derive(Debug, Clone, Copy)]
pub struct FrameView<'a> {
    format: PixelFormat,
    width: u32,
    height: u32,
    planes: [Plane<'a>; 3],
    rotation: Rotation,
    crop: Rect,
}

impl<'a> FrameView<'a> {
    /// A frame of `width` by `height` pixels in one to three planes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidFrame`] when a side is 0 or above
    /// [`MAX_FRAME_SIDE`], the number of planes is not the format's, a stride
    /// is shorter than what it has to span, or a plane has too few bytes. The
    /// message names the plane, the value and the value needed.
    pub fn new(
        format: PixelFormat,
        width: u32,
        height: u32,
        planes: &[Plane<'a>],
    ) -> Result<FrameView<'a>> {
        for (name, side) in [("width", width), ("height", height)] {
            if side == 0 || side > MAX_FRAME_SIDE {
                return Err(invalid(format!(
                    "frame {name} is {side} pixels: it must be from 1 to {MAX_FRAME_SIDE}"
                )));
            }
        }
        if planes.len() != format.plane_count() {
            return Err(invalid(format!(
                "a {format:?} frame has {} plane, but {} were given",
                format.plane_count(),
                planes.len()
            )));
        }
        let mut owned = [Plane::default(); 3];
        for (index, plane) in planes.iter().enumerate() {
            check_plane(index, plane, width, height, format.bytes_per_pixel())?;
            owned[index] = *plane;
        }
        let crop = Rect { x: 0, y: 0, width, height };
        Ok(FrameView { format, width, height, planes: owned, rotation: Rotation::None, crop })
    }

    /// A frame in one plane whose pixels lie side by side; `row_stride` is in
    /// bytes.
    ///
    /// # Errors
    /// As [`FrameView::new`].
    pub fn packed(
        format: PixelFormat,
        width: u32,
        height: u32,
        data: &'a [u8],
        row_stride: usize,
    ) -> Result<FrameView<'a>> {
        let plane = Plane { data, row_stride, pixel_stride: format.bytes_per_pixel() };
        FrameView::new(format, width, height, &[plane])
    }

    /// The same frame, to be turned by `rotation` to stand upright.
    #[must_use]
    pub fn with_rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// The same frame, of which only `crop` is looked at. The rectangle is in
    /// buffer coordinates, before rotation.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidFrame`] when the rectangle is empty or reaches
    /// outside the frame.
    pub fn with_crop(mut self, crop: Rect) -> Result<Self> {
        for (name, start, length, limit) in [
            ("columns", crop.x, crop.width, self.width),
            ("rows", crop.y, crop.height, self.height),
        ] {
            if length == 0 || start.checked_add(length).is_none_or(|end| end > limit) {
                return Err(invalid(format!(
                    "crop takes {length} {name} from {start} on: it needs at least 1 and must \
                     stay within the frame's {limit}"
                )));
            }
        }
        self.crop = crop;
        Ok(self)
    }

    /// How the bytes encode the pixels.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// The columns of the buffer, before rotation and crop.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The rows of the buffer, before rotation and crop.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The planes, in the order that the format names them.
    #[must_use]
    pub fn planes(&self) -> &[Plane<'a>] {
        &self.planes[..self.format.plane_count()]
    }

    /// How far the frame must be turned to stand upright.
    #[must_use]
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// The part of the buffer to look at.
    #[must_use]
    pub fn crop(&self) -> Rect {
        self.crop
    }
}

fn check_plane(
    index: usize,
    plane: &Plane<'_>,
    width: u32,
    height: u32,
    pixel_bytes: usize,
) -> Result<()> {
    if plane.pixel_stride < pixel_bytes {
        return Err(invalid(format!(
            "plane {index} has a pixel stride of {} bytes: its pixels need at least {pixel_bytes}",
            plane.pixel_stride
        )));
    }
    // In 64 bits, so that a 32-bit phone finds the same answer.
    let columns_before = u64::from(width - 1);
    let rows_before = u64::from(height - 1);
    let row_bytes = columns_before
        .checked_mul(plane.pixel_stride as u64)
        .and_then(|bytes| bytes.checked_add(pixel_bytes as u64));
    let Some(row_bytes) = row_bytes else {
        return Err(invalid(format!(
            "plane {index} has a pixel stride of {} bytes: {width} columns of it are beyond any \
             buffer",
            plane.pixel_stride
        )));
    };
    if height > 1 && (plane.row_stride as u64) < row_bytes {
        return Err(invalid(format!(
            "plane {index} has a row stride of {} bytes: a row of {width} pixels needs at least \
             {row_bytes}",
            plane.row_stride
        )));
    }
    let needed = rows_before
        .checked_mul(plane.row_stride as u64)
        .and_then(|bytes| bytes.checked_add(row_bytes));
    match needed {
        Some(needed) if plane.data.len() as u64 >= needed => Ok(()),
        Some(needed) => Err(invalid(format!(
            "plane {index} has {} bytes: {width}x{height} pixels at a row stride of {} need {needed}",
            plane.data.len(),
            plane.row_stride
        ))),
        None => Err(invalid(format!(
            "plane {index} has a row stride of {} bytes: {height} rows of it are beyond any buffer",
            plane.row_stride
        ))),
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidFrame, message)
}

#[cfg(test)]
mod tests {
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
        assert!(short.contains("plane 0 has 15 bytes") && short.contains("need 16"), "{short}");
    }

    #[test]
    fn lies_about_sizes_name_the_value_and_the_need() {
        let bytes = [0u8; 64];
        let packed =
            |w, h, stride| message(FrameView::packed(PixelFormat::Gray8, w, h, &bytes, stride));
        assert!(packed(0, 4, 8).contains("width is 0"));
        assert!(packed(4, 0, 8).contains("height is 0"));
        assert!(packed(40_000, 1, 40_000).contains("width is 40000"));
        assert!(
            packed(8, 2, 7).contains("row stride of 7") && packed(8, 2, 7).contains("at least 8")
        );
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

    proptest! {
        #[test]
        fn an_accepted_frame_can_be_read_at_every_pixel(
            width in 1u32..40, height in 1u32..40, row_stride in 0usize..200,
            pixel_stride in 0usize..6, length in 0usize..4000, rgb in any::<bool>(),
        ) {
            let data = vec![7u8; length];
            let format = if rgb { PixelFormat::Rgb8 } else { PixelFormat::Gray8 };
            let plane = Plane { data: &data, row_stride, pixel_stride };
            if let Ok(frame) = FrameView::new(format, width, height, &[plane]) {
                let plane = frame.planes()[0];
                for y in 0..height as usize {
                    for x in 0..width as usize {
                        let at = y * plane.row_stride + x * plane.pixel_stride;
                        prop_assert!(at + format.bytes_per_pixel() <= plane.data.len());
                    }
                }
            }
        }
    }
}
