//! From luma and chroma to red, green and blue, in 16-bit fixed point.

use crate::frame::{YuvEncoding, YuvMatrix, YuvRange};

const SHIFT: u32 = 16;

/// The conversion of one [`YuvEncoding`], by ITU-R BT.601 or BT.709:
///
/// ```text
/// red   = y              + 2 (1 - Kr) cr
/// green = y - 2 Kb (1 - Kb) / Kg cb - 2 Kr (1 - Kr) / Kg cr
/// blue  = y + 2 (1 - Kb) cb
/// ```
///
/// where in full range `y = Y` and `cb = Cb - 128`, in limited range
/// `y = 255 / 219 max(Y - 16, 0)` and `cb = 255 / 224 (Cb - 128)`. Rounded to the
/// nearest byte, cut off at 0 and 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct YuvToRgb {
    black: i32,
    luma: i32,
    red_cr: i32,
    green_cb: i32,
    green_cr: i32,
    blue_cb: i32,
}

impl YuvToRgb {
    pub fn new(encoding: YuvEncoding) -> Self {
        let (kr, kb) = match encoding.matrix {
            YuvMatrix::Bt601 => (0.299, 0.114),
            YuvMatrix::Bt709 => (0.2126, 0.0722),
        };
        let kg = 1.0 - kr - kb;
        let (black, luma, chroma) = match encoding.range {
            YuvRange::Full => (0, 1.0, 1.0),
            YuvRange::Limited => (16, 255.0 / 219.0, 255.0 / 224.0),
        };
        let fixed = |value: f64| (value * f64::from(1 << SHIFT)).round() as i32;
        YuvToRgb {
            black,
            luma: fixed(luma),
            red_cr: fixed(chroma * 2.0 * (1.0 - kr)),
            green_cb: fixed(-chroma * 2.0 * kb * (1.0 - kb) / kg),
            green_cr: fixed(-chroma * 2.0 * kr * (1.0 - kr) / kg),
            blue_cb: fixed(chroma * 2.0 * (1.0 - kb)),
        }
    }

    #[inline(always)]
    pub fn rgb(&self, luma: u8, cb: u8, cr: u8) -> [u8; 3] {
        let y = (i32::from(luma) - self.black).max(0) * self.luma + (1 << (SHIFT - 1));
        let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
        [y + cr * self.red_cr, y + cb * self.green_cb + cr * self.green_cr, y + cb * self.blue_cb]
            .map(|value| (value >> SHIFT).clamp(0, 255) as u8)
    }
}
