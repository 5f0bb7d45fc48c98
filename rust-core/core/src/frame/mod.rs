//! Camera frames as borrowed bytes.
//!
//! Decides whether a description of a frame (size, planes, strides, rotation,
//! crop) fits the bytes it was given, once, so that nobody after it has to
//! check again. It never copies or converts a pixel: that is
//! [`preprocess`](crate::preprocess)'s work, which reads frames through this
//! type only.

mod format;

pub use format::{PixelFormat, YuvEncoding, YuvMatrix, YuvRange};

use crate::error::{Error, ErrorKind, Result};
pub(crate) use format::PlaneKind;

/// The longest side of a frame, in pixels. No camera delivers more, and
/// products of two sides stay within 32 bits.
pub const MAX_FRAME_SIDE: u32 = 32_768;

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
    yuv: YuvEncoding,
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
        let kinds = format.planes();
        if planes.len() != kinds.len() {
            return Err(invalid(format!(
                "a {format:?} frame has {} plane(s), but {} were given",
                kinds.len(),
                planes.len()
            )));
        }
        let mut owned = [Plane::default(); 3];
        for (index, (plane, kind)) in planes.iter().zip(kinds).enumerate() {
            let (columns, rows) = kind.size(width, height);
            check_plane(index, *kind, plane, columns, rows)?;
            owned[index] = *plane;
        }
        let crop = Rect { x: 0, y: 0, width, height };
        Ok(FrameView {
            format,
            width,
            height,
            planes: owned,
            rotation: Rotation::None,
            crop,
            yuv: YuvEncoding::default(),
        })
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

    /// The same frame, whose luma and chroma mean colours as `encoding` says.
    /// Formats without chroma ignore it.
    #[must_use]
    pub fn with_yuv_encoding(mut self, encoding: YuvEncoding) -> Self {
        self.yuv = encoding;
        self
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

    /// What colours luma and chroma mean.
    #[must_use]
    pub fn yuv_encoding(&self) -> YuvEncoding {
        self.yuv
    }
}

/// Checks one plane of `columns` by `rows` samples. Only bytes that hold a sample
/// have to be there: sample `x` of row `y` starts at byte
/// `y * row_stride + x * pixel_stride`, so that the last row may end with its
/// last sample.
fn check_plane(
    index: usize,
    kind: PlaneKind,
    plane: &Plane<'_>,
    columns: u32,
    rows: u32,
) -> Result<()> {
    let PlaneKind { name, bytes, .. } = kind;
    let refused = |rest: String| Err(invalid(format!("plane {index} ({name}) has {rest}")));
    let Plane { data, row_stride, pixel_stride } = *plane;
    if pixel_stride < bytes {
        return refused(format!(
            "a pixel stride of {pixel_stride} bytes: its samples need at least {bytes}"
        ));
    }
    // In 64 bits, so that a 32-bit phone finds the same answer.
    let row_bytes = u64::from(columns - 1)
        .checked_mul(pixel_stride as u64)
        .and_then(|before| before.checked_add(bytes as u64));
    let Some(row_bytes) = row_bytes else {
        return refused(format!(
            "a pixel stride of {pixel_stride} bytes: {columns} columns of it are beyond any buffer"
        ));
    };
    if rows > 1 && (row_stride as u64) < row_bytes {
        return refused(format!(
            "a row stride of {row_stride} bytes: a row of {columns} samples needs at least \
             {row_bytes}"
        ));
    }
    let needed = u64::from(rows - 1)
        .checked_mul(row_stride as u64)
        .and_then(|before| before.checked_add(row_bytes));
    match needed {
        Some(needed) if data.len() as u64 >= needed => Ok(()),
        Some(needed) => refused(format!(
            "{} bytes: {columns}x{rows} samples at a row stride of {row_stride} and a pixel \
             stride of {pixel_stride} need {needed}",
            data.len()
        )),
        None => refused(format!(
            "a row stride of {row_stride} bytes: {rows} rows of it are beyond any buffer"
        )),
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidFrame, message)
}

#[cfg(test)]
mod tests;
