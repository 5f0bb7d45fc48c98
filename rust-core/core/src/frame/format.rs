//! The ways in which bytes encode pixels: what planes a format has and what
//! colours its luma and chroma mean.

/// How the bytes of a frame encode its pixels.
///
/// In the three YUV formats one chroma sample stands for 2 by 2 pixels, centred
/// on them; a frame of odd sides has `(width + 1) / 2` by `(height + 1) / 2` of
/// them. What colours they mean is said by [`YuvEncoding`].
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
    /// Three planes of one byte a sample: Y, Cb (U), Cr (V), with any row and
    /// pixel strides. Android's `YUV_420_888`; its chroma planes may overlap.
    Yuv420,
    /// Two planes: Y, then pairs of Cb and Cr. iOS's bi-planar formats `420f`
    /// and `420v`.
    Nv12,
    /// Two planes: Y, then pairs of Cr and Cb.
    Nv21,
}

/// What a plane of a format holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlaneKind {
    /// What the plane is called in messages.
    pub name: &'static str,
    /// The bytes of one sample.
    pub bytes: usize,
    /// Whether a sample stands for 2 by 2 pixels.
    pub subsampled: bool,
}

impl PlaneKind {
    /// The samples of the plane of a frame of `width` by `height` pixels.
    pub fn size(self, width: u32, height: u32) -> (u32, u32) {
        if self.subsampled { (width.div_ceil(2), height.div_ceil(2)) } else { (width, height) }
    }
}

const LUMA: PlaneKind = PlaneKind { name: "luma", bytes: 1, subsampled: false };
const CB: PlaneKind = PlaneKind { name: "chroma Cb", bytes: 1, subsampled: true };
const CR: PlaneKind = PlaneKind { name: "chroma Cr", bytes: 1, subsampled: true };
const CB_CR: PlaneKind = PlaneKind { name: "chroma", bytes: 2, subsampled: true };
const RGB: PlaneKind = PlaneKind { name: "colour", bytes: 3, subsampled: false };
const RGBA: PlaneKind = PlaneKind { name: "colour", bytes: 4, subsampled: false };

impl PixelFormat {
    /// The number of planes a frame of this format has.
    #[must_use]
    pub fn plane_count(self) -> usize {
        self.planes().len()
    }

    /// The bytes one pixel occupies in the first plane.
    #[must_use]
    pub fn bytes_per_pixel(self) -> usize {
        self.planes()[0].bytes
    }

    /// Whether frames have luma and chroma, of which [`YuvEncoding`] says what
    /// they mean.
    #[must_use]
    pub fn is_yuv(self) -> bool {
        self.plane_count() > 1
    }

    pub(crate) fn planes(self) -> &'static [PlaneKind] {
        match self {
            PixelFormat::Gray8 => &[LUMA],
            PixelFormat::Rgb8 => &[RGB],
            PixelFormat::Rgba8 | PixelFormat::Bgra8 => &[RGBA],
            PixelFormat::Yuv420 => &[LUMA, CB, CR],
            PixelFormat::Nv12 | PixelFormat::Nv21 => &[LUMA, CB_CR],
        }
    }
}

/// The weights of red, green and blue in luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum YuvMatrix {
    /// ITU-R BT.601: JPEG, and the cameras of Android.
    #[default]
    Bt601,
    /// ITU-R BT.709: HD video, and most cameras of iOS.
    Bt709,
}

/// The bytes that stand for black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum YuvRange {
    /// Luma and chroma from 0 to 255 (iOS `420f`).
    #[default]
    Full,
    /// Luma from 16 to 235, chroma from 16 to 240 (video range, iOS `420v`).
    Limited,
}

/// What colours the luma and chroma of a frame mean. The default, BT.601 in full
/// range, is what Android's cameras deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct YuvEncoding {
    /// The weights of the colours.
    pub matrix: YuvMatrix,
    /// The bytes that stand for black and white.
    pub range: YuvRange,
}
