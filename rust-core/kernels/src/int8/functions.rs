//! Activations as tables of 256 bytes.
//!
//! Decides their values in f64, by operations that every machine rounds alike,
//! so that a table is the same everywhere.

use super::micro::elementwise::exp;
use super::quantization::Quantization;
use crate::graph::Activation;

/// The value of an activation.
#[inline(always)]
pub(super) fn activate(a: Activation, x: f64) -> f64 {
    let sigmoid = |x: f64| {
        let e = exp(-x.abs());
        if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
    };
    match a {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::Clip { lo, hi } => x.max(f64::from(lo)).min(f64::from(hi)),
        Activation::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        Activation::HardSigmoid { alpha, beta } => {
            (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0)
        }
        Activation::Silu => x * sigmoid(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::LeakyRelu { slope } if x < 0.0 => f64::from(slope) * x,
        Activation::LeakyRelu { .. } => x,
    }
}

/// The stored byte of the activation for each stored byte; stored bytes are
/// XORed with `flip`.
pub(super) fn table(a: Activation, from: Quantization, to: Quantization, flip: u8) -> [u8; 256] {
    let mut table = [0; 256];
    for (stored, entry) in (0..=255u8).zip(&mut table) {
        let steps = f64::from(stored ^ flip) - f64::from(from.zero_point);
        let value = activate(a, steps * f64::from(from.scale)) / f64::from(to.scale);
        let byte = (value.round_ties_even() + f64::from(to.zero_point)).clamp(0.0, 255.0) as u8;
        *entry = byte ^ flip;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_hold_the_nearest_byte() {
        let from = Quantization { scale: 8.0 / 255.0, zero_point: 128 };
        let to = Quantization { scale: 1.0 / 255.0, zero_point: 0 };
        let sigmoid = table(Activation::Sigmoid, from, to, 0);
        for (i, &q) in (0..=255u8).zip(&sigmoid) {
            let want = 255.0 / (1.0 + (-f64::from(from.real(i))).exp());
            assert!((f64::from(q) - want).abs() <= 0.5 + 1e-6, "{i}");
        }
        let flipped = table(Activation::Sigmoid, from, to, 0x80);
        assert!(
            (0..=255u8).all(|i| flipped[usize::from(i ^ 0x80)] == sigmoid[usize::from(i)] ^ 0x80)
        );
        let same = table(Activation::None, from, from, 0);
        assert!((0..=255u8).all(|i| same[usize::from(i)] == i));
        let hi = 1.0;
        let clipped = table(Activation::Clip { lo: 0.0, hi }, from, from, 0);
        assert_eq!((clipped[0], clipped[255]), (128, from.byte(hi)));
    }

    #[test]
    fn the_exponential_is_accurate() {
        for i in 0..8_700 {
            let x = -f64::from(i) / 100.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-13, "{x}");
        }
        assert_eq!((exp(0.0), exp(-88.0)), (1.0, 0.0));
    }
}
