//! What luma and chroma mean in red, green and blue, and the other way round.

use biglittle_kernels::YuvWeights;

use crate::frame::{YuvEncoding, YuvMatrix, YuvRange};

/// The conversion of `encoding`, by ITU-R BT.601 or BT.709:
///
/// ```text
/// red   = y              + 2 (1 - Kr) cr
/// green = y - 2 Kb (1 - Kb) / Kg cb - 2 Kr (1 - Kr) / Kg cr
/// blue  = y + 2 (1 - Kb) cb
/// ```
///
/// where in full range `y = Y` and `cb = Cb - 128`, in limited range
/// `y = 255 / 219 max(Y - 16, 0)` and `cb = 255 / 224 (Cb - 128)`.
pub(super) fn yuv_weights(encoding: YuvEncoding) -> YuvWeights {
    let (kr, kb) = match encoding.matrix {
        YuvMatrix::Bt601 => (0.299, 0.114),
        YuvMatrix::Bt709 => (0.2126, 0.0722),
    };
    let kg = 1.0 - kr - kb;
    let (black, luma, chroma) = match encoding.range {
        YuvRange::Full => (0, 1.0, 1.0),
        YuvRange::Limited => (16, 255.0 / 219.0, 255.0 / 224.0),
    };
    let fixed = |value: f64| (value * 65_536.0).round() as i32;
    YuvWeights {
        black,
        luma: fixed(luma),
        red_cr: fixed(chroma * 2.0 * (1.0 - kr)),
        green_cb: fixed(-chroma * 2.0 * kb * (1.0 - kb) / kg),
        green_cr: fixed(-chroma * 2.0 * kr * (1.0 - kr) / kg),
        blue_cb: fixed(chroma * 2.0 * (1.0 - kb)),
    }
}

/// BT.601 luma of red, green and blue in 16-bit fixed point, rounded: Pillow's
/// `convert("L")`. It takes the place of red.
pub(super) fn luma(red: &mut [u8], green: &[u8], blue: &[u8]) {
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let sum = 19_595 * u32::from(*red) + 38_470 * u32::from(*green) + 7_471 * u32::from(*blue);
        *red = ((sum + 0x8000) >> 16) as u8;
    }
}
