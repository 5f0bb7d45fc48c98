//! The constants of requantization, and the proof that they are sound.
//!
//! Decides them once, in f64: what a sum of integers is multiplied by, and what
//! is added, to become a byte of the output (or a float).

use super::quantization::{Quantization, Stored, quantize_weights};
use crate::error::Error;
use crate::graph::{Conv, Weights};

/// A convolution as integers.
pub(super) struct Layer {
    /// `[outputs][inputs per group][taps]`.
    pub weights: Vec<i8>,
    /// Where the sums of each output start: takes the zero point out.
    pub start: Vec<i32>,
    /// Multiplier and offset of each output.
    pub scale: Vec<f32>,
    pub offset: Vec<f32>,
    /// Multiplier of the residual's bytes.
    pub residual: f32,
}

/// As f32, if that is finite.
pub(super) fn finite(v: f64) -> Result<f32, Error> {
    let v = v as f32;
    if v.is_finite() {
        return Ok(v);
    }
    Err(Error::int8(
        "a constant is not finite in single precision, its scales are too far apart: \
         keep the network in f32",
    ))
}

/// The weights of each output channel as integers, and its scale. Fails if one
/// of them or a bias is not finite.
pub(super) fn quantized(c: &Conv) -> Result<(Vec<i8>, Vec<f32>), Error> {
    if !c.bias.iter().all(|b| b.is_finite()) {
        return Err(Error::int8("a bias is not finite"));
    }
    let sound = |scales: &[f32]| scales.iter().all(|s| s.is_finite());
    if let Weights::I8 { data, scales } = &c.weights
        && data.iter().all(|&q| q != i8::MIN)
        && sound(scales)
    {
        return Ok((data.clone(), scales.clone()));
    }
    let weights = c.weights.to_f32();
    if !weights.iter().all(|w| w.is_finite()) {
        return Err(Error::int8("a weight is not finite"));
    }
    let mut all = (Vec::with_capacity(weights.len()), Vec::with_capacity(c.out_channels));
    for row in weights.chunks((weights.len() / c.out_channels).max(1)) {
        let (q, scale) = quantize_weights(row);
        all.0.extend(q);
        all.1.push(scale);
    }
    Ok(all)
}

/// The constants of a convolution. `flip` is what stored bytes are XORed with:
/// the dot product of flipped bytes sees a zero point 128 lower.
pub(super) fn layer(
    c: &Conv,
    x: Quantization,
    residual: Option<Quantization>,
    to: Stored,
    flip: u8,
) -> Result<Layer, Error> {
    let (weights, weight_scales) = quantized(c)?;
    let (step, zero) = match to {
        Stored::Bytes(q) => (f64::from(q.scale), f64::from(q.zero_point)),
        Stored::Floats => (1.0, 0.0),
    };
    let seen = i32::from(x.zero_point) - i32::from(flip);
    let largest_step = f64::from(x.zero_point.max(255 - x.zero_point));
    let from_residual = match residual {
        Some(r) => finite(f64::from(r.scale) / step)?,
        None => 0.0,
    };
    let residual_zero = residual.map_or(0.0, |r| f64::from(r.zero_point));
    let n = c.out_channels;
    let mut layer = Layer {
        start: Vec::with_capacity(n),
        scale: Vec::with_capacity(n),
        offset: Vec::with_capacity(n),
        residual: from_residual,
        weights: Vec::new(),
    };
    for (o, row) in weights.chunks((weights.len() / n).max(1)).enumerate() {
        let sum: i32 = row.iter().map(|&q| i32::from(q)).sum();
        let magnitude: i64 = row.iter().map(|&q| i64::from(q.unsigned_abs())).sum();
        let scale = match magnitude {
            0 => 0.0,
            _ => finite(f64::from(x.scale) * f64::from(weight_scales[o]) / step)?,
        };
        let bias = c.bias.get(o).map_or(0.0, |&b| f64::from(b));
        let offset = finite(bias / step + zero - residual_zero * f64::from(from_residual))?;
        let most = magnitude as f64 * largest_step * f64::from(scale)
            + f64::from(offset.abs())
            + 255.0 * f64::from(from_residual);
        if matches!(to, Stored::Bytes(_)) && most >= f64::from(i32::MAX) {
            return Err(Error::int8(format!(
                "output channel {o} can reach {most:.3e} steps of its range, which is too narrow: \
                 keep the network in f32"
            )));
        }
        layer.start.push((-seen).wrapping_mul(sum));
        layer.scale.push(scale);
        layer.offset.push(offset);
    }
    layer.weights = weights;
    Ok(layer)
}
