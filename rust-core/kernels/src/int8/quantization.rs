//! How bytes stand for real numbers: plain data and the two formulas.

use crate::error::Error;

/// What a value lies in, in the float network: finite, `lo <= hi`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest value.
    pub lo: f32,
    /// Largest value.
    pub hi: f32,
}

impl Range {
    /// The range that contains only zero.
    pub(crate) const ZERO: Self = Self { lo: 0.0, hi: 0.0 };

    pub(super) fn check(self) -> Result<(), Error> {
        if !self.lo.is_finite() || !self.hi.is_finite() || self.lo > self.hi {
            return Err(Error::int8(format!(
                "the range {}..{} is not finite or not in order",
                self.lo, self.hi
            )));
        }
        Ok(())
    }

    /// The smallest range that contains both.
    pub(super) fn join(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// How the bytes of a network's input stand for values in this range: 255 steps
    /// over the range, widened to contain zero.
    #[must_use]
    pub fn input_quantization(self) -> Quantization {
        Quantization::of(self, 0.0)
    }

    /// `hi - lo`.
    pub(super) fn width(self) -> f64 {
        f64::from(self.hi) - f64::from(self.lo)
    }
}

/// How a byte stands for a real number: `scale * (byte - zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantization {
    /// From one byte to the next; positive.
    pub scale: f32,
    /// The byte that stands for zero, exactly.
    pub zero_point: u8,
}

/// How the numbers of a tensor are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stored {
    Bytes(Quantization),
    Floats,
}

impl Quantization {
    /// 255 steps over the range, widened to contain zero; a step is at least
    /// `finest`, and 1 where the range is only zero.
    pub(super) fn of(range: Range, finest: f64) -> Self {
        let r = range.join(Range::ZERO);
        let step = (r.width() / 255.0).max(finest);
        let scale = step as f32;
        if scale < f32::MIN_POSITIVE {
            return Self { scale: 1.0, zero_point: 0 };
        }
        let zero_point = (-f64::from(r.lo) / f64::from(scale)).round_ties_even() as u8;
        Self { scale, zero_point }
    }

    /// The real number of a byte.
    #[must_use]
    pub fn real(self, byte: u8) -> f32 {
        (i32::from(byte) - i32::from(self.zero_point)) as f32 * self.scale
    }

    /// The byte of a real number, exactly as a run makes it: `real / scale +
    /// zero_point` in one fused multiply-add with the inverse scale, to the
    /// nearest byte, ties to even; NaN gives 0.
    #[must_use]
    pub fn byte(self, real: f32) -> u8 {
        let steps = real.mul_add(self.steps(), f32::from(self.zero_point));
        steps.round_ties_even() as u8
    }

    /// One over the scale.
    pub(super) fn steps(self) -> f32 {
        (1.0 / f64::from(self.scale)) as f32
    }
}

/// Quantizes the weights of one output channel: `row[i]` is about `q[i] *
/// scale`, with `scale` the largest magnitude over 127 and `q` in -127..=127,
/// ties to even.
///
/// Quantizing `q[i] * scale` again gives the same `q`. A row of zeros (or of
/// magnitudes under about 1e-36) has zeros and scale 1. Weights must be finite;
/// [`Model::compile_int8`](crate::Model::compile_int8) refuses others.
#[must_use]
pub fn quantize_weights(row: &[f32]) -> (Vec<i8>, f32) {
    let largest = row.iter().fold(0.0f32, |m, w| m.max(w.abs()));
    let scale = largest / 127.0;
    if scale < f32::MIN_POSITIVE {
        return (vec![0; row.len()], 1.0);
    }
    let q = |w: &f32| (w / scale).round_ties_even().clamp(-127.0, 127.0) as i8;
    (row.iter().map(q).collect(), scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_zero_and_zero_is_exact() {
        let q = Quantization::of(Range { lo: -127.0 / 128.0, hi: 1.0 }, 0.0);
        assert_eq!(q, Quantization { scale: 1.0 / 128.0, zero_point: 127 });
        assert_eq!((q.real(127), q.real(255), q.byte(-3.0)), (0.0, 1.0, 0));
        let q = Quantization::of(Range { lo: 1.0, hi: 5.1 }, 0.0);
        assert_eq!((q.zero_point, q.byte(5.1)), (0, 255));
        let q = Quantization::of(Range { lo: -5.1, hi: -5.0 }, 0.0);
        assert_eq!((q.zero_point, q.byte(f32::NAN)), (255, 0));
        let q = Quantization::of(Range::ZERO, 0.0);
        assert_eq!(q, Quantization { scale: 1.0, zero_point: 0 });
        assert_eq!(Quantization::of(Range { lo: 0.0, hi: 1e-9 }, 0.5).scale, 0.5);
    }

    #[test]
    fn weights_quantized_twice_are_the_same() {
        let mut seed = 1u32;
        for n in [1, 2, 9, 300] {
            for magnitude in [1e-30f32, 1e-3, 1.0, 7e20] {
                let row: Vec<f32> = (0..n)
                    .map(|_| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * magnitude
                    })
                    .collect();
                let (q, scale) = quantize_weights(&row);
                assert!(q.iter().any(|q| q.abs() == 127));
                let again: Vec<f32> = q.iter().map(|&q| f32::from(q) * scale).collect();
                assert_eq!(quantize_weights(&again).0, q);
            }
        }
        assert_eq!(quantize_weights(&[0.0, -0.0]), (vec![0, 0], 1.0));
        assert_eq!(quantize_weights(&[]), (vec![], 1.0));
    }
}
