//! A frame as it comes over the border: bytes, and a record that says what they
//! are. What fits is the core's to decide.

use biglittle::frame::{YuvEncoding, YuvMatrix, YuvRange};
use biglittle::{FrameView, PixelFormat, Plane, Rect, Rotation};

use crate::error::NativeError;

/// How the bytes of a frame encode its pixels.
///
/// In the three YUV formats one chroma sample stands for 2 by 2 pixels, centred
/// on them; a frame of odd sides has `(width + 1) / 2` by `(height + 1) / 2` of
/// them. What colours they mean is said by `YuvEncoding`.
#[uniffi::remote(Enum)]
pub enum PixelFormat {
    /// One plane, one byte a pixel: luma.
    Gray8,
    /// One plane, three bytes a pixel: red, green, blue.
    Rgb8,
    /// One plane, four bytes a pixel: red, green, blue, alpha. Alpha is ignored.
    Rgba8,
    /// One plane, four bytes a pixel: blue, green, red, alpha. Alpha is ignored.
    Bgra8,
    /// Three planes of one byte a sample: Y, Cb (U), Cr (V), with any row and
    /// pixel strides. Android's `YUV_420_888`; its chroma planes may overlap.
    Yuv420,
    /// Two planes: Y, then pairs of Cb and Cr. iOS's bi-planar formats `420f`
    /// and `420v`.
    Nv12,
    /// Two planes: Y, then pairs of Cr and Cb.
    Nv21,
}

/// The weights of red, green and blue in luma.
#[uniffi::remote(Enum)]
pub enum YuvMatrix {
    /// ITU-R BT.601: JPEG, and the cameras of Android.
    Bt601,
    /// ITU-R BT.709: HD video, and most cameras of iOS.
    Bt709,
}

/// The bytes that stand for black and white.
#[uniffi::remote(Enum)]
pub enum YuvRange {
    /// Luma and chroma from 0 to 255 (iOS `420f`).
    Full,
    /// Luma from 16 to 235, chroma from 16 to 240 (video range, iOS `420v`).
    Limited,
}

/// A rectangle of pixels in the frame's buffer, before any rotation.
#[uniffi::remote(Record)]
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

/// What the bytes of a frame are.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FrameLayout {
    /// How the bytes encode the pixels.
    pub format: PixelFormat,
    /// The columns of the buffer, before rotation and crop.
    pub width: u32,
    /// The rows of the buffer, before rotation and crop.
    pub height: u32,
    /// The planes that the format has, in its order.
    pub planes: Vec<PlaneLayout>,
    /// The clockwise turn that makes the frame upright: 0, 90, 180 or 270.
    #[uniffi(default = 0)]
    pub rotation_degrees: i32,
    /// The part of the buffer to look at, before rotation; the whole where it is
    /// left out.
    #[uniffi(default = None)]
    pub crop: Option<Rect>,
    /// The weights of the colours in luma, for YUV formats.
    pub matrix: YuvMatrix,
    /// The bytes that stand for black and white, for YUV formats.
    pub range: YuvRange,
}

/// How the samples of a plane lie in its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct PlaneLayout {
    /// The bytes from the start of one row to the start of the next.
    pub row_stride: u32,
    /// The bytes from the start of one sample to the start of the next.
    pub pixel_stride: u32,
}

impl FrameLayout {
    /// The frame of these bytes; of `planes` as many count as the layout has.
    pub(crate) fn view<'a>(&self, planes: [&'a [u8]; 3]) -> Result<FrameView<'a>, NativeError> {
        if self.planes.len() > planes.len() {
            return Err(NativeError::InvalidFrame(format!(
                "the layout has {} planes: give at most 3",
                self.planes.len()
            )));
        }
        let mut described = [Plane::default(); 3];
        for ((plane, layout), data) in described.iter_mut().zip(&self.planes).zip(planes) {
            let (row_stride, pixel_stride) =
                (layout.row_stride as usize, layout.pixel_stride as usize);
            *plane = Plane { data, row_stride, pixel_stride };
        }
        let described = &described[..self.planes.len()];
        let rotation = Rotation::from_degrees(self.rotation_degrees)?;
        let encoding = YuvEncoding { matrix: self.matrix, range: self.range };
        let frame = FrameView::new(self.format, self.width, self.height, described)?
            .with_rotation(rotation)
            .with_yuv_encoding(encoding);
        match self.crop {
            Some(crop) => Ok(frame.with_crop(crop)?),
            None => Ok(frame),
        }
    }
}
