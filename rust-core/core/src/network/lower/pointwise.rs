//! Scales, shifts and clamps that wait for what comes next.
//!
//! Graphs spell batch norm, ReLU6, hard sigmoid and hard swish as rows of small
//! operators with constants. They are collected here and written out as one
//! node when something else needs the value.

use biglittle_kernels::{Activation, Affine, Op, Value};

/// `clamp(x * scale + shift, low, high)`, with constants per channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pointwise {
    pub(super) scale: Vec<f32>,
    pub(super) shift: Vec<f32>,
    pub(super) low: f32,
    pub(super) high: f32,
}

/// What equal factors may differ by after rounding.
const ROUNDING: f32 = 4.0 * f32::EPSILON;

impl Pointwise {
    /// What changes nothing.
    pub(super) fn identity(channels: usize) -> Pointwise {
        Pointwise {
            scale: vec![1.0; channels],
            shift: vec![0.0; channels],
            low: f32::NEG_INFINITY,
            high: f32::INFINITY,
        }
    }

    fn clamps(&self) -> bool {
        self.low != f32::NEG_INFINITY || self.high != f32::INFINITY
    }

    /// Scale and shift, where all channels have the same.
    fn uniform(&self) -> Option<(f32, f32)> {
        let (scale, shift) = (*self.scale.first()?, *self.shift.first()?);
        let same = |all: &[f32], one: f32| all.iter().all(|v| v.to_bits() == one.to_bits());
        (same(&self.scale, scale) && same(&self.shift, shift)).then_some((scale, shift))
    }

    /// Followed by a scale and shift; `None` where that is not of this form.
    pub(super) fn then_affine(&self, scale: &[f32], shift: &[f32]) -> Option<Pointwise> {
        let mut result = self.clone();
        if self.clamps() {
            let factor = *scale.first()?;
            let plain = shift.iter().all(|&v| v == 0.0) && scale.iter().all(|&v| v == factor);
            if !plain || factor <= 0.0 {
                return None;
            }
            result.low *= factor;
            result.high *= factor;
        }
        for (i, (a, b)) in result.scale.iter_mut().zip(&mut result.shift).enumerate() {
            *a *= scale[i];
            *b = *b * scale[i] + shift[i];
        }
        let finite = |all: &[f32]| all.iter().all(|v| v.is_finite());
        let bounds = !result.low.is_nan() && !result.high.is_nan();
        (bounds && finite(&result.scale) && finite(&result.shift)).then_some(result)
    }

    /// Followed by `max(x, low)`.
    pub(super) fn then_max(mut self, low: f32) -> Pointwise {
        self.low = self.low.max(low);
        self.high = self.high.max(low);
        self
    }

    /// Followed by `min(x, high)`.
    pub(super) fn then_min(mut self, high: f32) -> Pointwise {
        self.low = self.low.min(high);
        self.high = self.high.min(high);
        self
    }

    /// `factor` where `x` times this is `factor * hardswish(x)`.
    pub(super) fn hard_swish_factor(&self) -> Option<f32> {
        let ((scale, shift), high) = (self.uniform()?, self.high);
        let near = |a: f32, b: f32| (a - b).abs() <= ROUNDING * b.abs();
        let is = self.low == 0.0 && high > 0.0 && high.is_finite();
        (is && near(scale / high, 1.0 / 6.0) && near(shift / high, 0.5)).then_some(high)
    }

    /// The node that computes this of `x`, or `None` for the identity.
    pub(super) fn node(self, x: Value) -> Option<Op> {
        let uniform = self.uniform();
        let plain = match uniform {
            Some((scale, shift)) => (scale - 1.0).abs() <= ROUNDING && shift == 0.0,
            None => false,
        };
        let activation = match (self.low, self.high) {
            _ if !self.clamps() => Activation::None,
            (0.0, f32::INFINITY) => Activation::Relu,
            (lo, hi) => Activation::Clip { lo, hi },
        };
        if plain {
            return (activation != Activation::None).then_some(Op::Activate(x, activation));
        }
        if let Some((alpha, beta)) = uniform
            && (self.low, self.high) == (0.0, 1.0)
        {
            return Some(Op::Activate(x, Activation::HardSigmoid { alpha, beta }));
        }
        let Pointwise { scale, shift, .. } = self;
        Some(Op::Affine(Affine { x, scale, shift, activation }))
    }
}
