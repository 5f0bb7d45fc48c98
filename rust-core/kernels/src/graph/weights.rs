//! Weights as the caller has them: f32, shared or not, f16 or int8 with a scale
//! per output channel.
//!
//! Decides how stored forms become f32, once, when a model is compiled. Packing
//! them for the kernels is [`pack`](crate::pack).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The weights of a convolution or fully connected layer, output channel
/// first.
#[derive(Clone, Debug, PartialEq)]
pub enum Weights {
    /// Single precision.
    F32(Vec<f32>),
    /// IEEE half precision as bits; twice as small, read once at load.
    F16(Vec<u16>),
    /// `data[i] * scales[o]`, with one scale per output channel `o`.
    I8 {
        /// The quantized weights.
        data: Vec<i8>,
        /// One factor per output channel.
        scales: Vec<f32>,
    },
    /// Single precision in memory that the caller shares, not copied.
    Shared(SharedWeights),
}

/// Weights that somebody else holds too; see [`Weights::Shared`].
#[derive(Clone)]
pub struct SharedWeights(Arc<dyn AsRef<[f32]> + Send + Sync>);

impl SharedWeights {
    /// Shares `weights`, whose contents must stay the same.
    pub fn new(weights: impl AsRef<[f32]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(weights))
    }

    fn as_slice(&self) -> &[f32] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for SharedWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl PartialEq for SharedWeights {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Weights {
    /// Number of weights.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F16(v) => v.len(),
            Self::I8 { data, .. } => data.len(),
            Self::Shared(v) => v.as_slice().len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As f32; no copy where they are f32 already.
    #[must_use]
    pub fn to_f32(&self) -> Cow<'_, [f32]> {
        match self {
            Self::F32(v) => Cow::Borrowed(v),
            Self::Shared(v) => Cow::Borrowed(v.as_slice()),
            Self::F16(v) => Cow::Owned(v.iter().map(|&bits| half_to_f32(bits)).collect()),
            Self::I8 { data, scales } => {
                let per = data.len() / scales.len().max(1);
                let rows = data.chunks(per.max(1)).zip(scales);
                Cow::Owned(
                    rows.flat_map(|(row, s)| row.iter().map(move |&q| f32::from(q) * s)).collect(),
                )
            }
        }
    }
}

impl From<Vec<f32>> for Weights {
    fn from(v: Vec<f32>) -> Self {
        Self::F32(v)
    }
}

/// IEEE 754 binary16 to binary32, exact, NaN payloads kept.
fn half_to_f32(bits: u16) -> f32 {
    let bits = u32::from(bits);
    let sign = (bits & 0x8000) << 16;
    let (exponent, mantissa) = ((bits >> 10) & 0x1f, bits & 0x3ff);
    let magnitude = match exponent {
        0 => return f32::from_bits(sign | (mantissa as f32 * 2.0f32.powi(-24)).to_bits()),
        31 => 0x7f80_0000 | (mantissa << 13),
        _ => ((exponent + 112) << 23) | (mantissa << 13),
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half_to_f32(bits), value, "{bits:#x}");
        }
        assert!(half_to_f32(0x7e00).is_nan());
        assert!(half_to_f32(0x8000).is_sign_negative());
    }

    #[test]
    fn shared_weights_are_not_copied() {
        let all = Arc::new([1.0f32, 2.0]);
        struct Same(Arc<[f32; 2]>);
        impl AsRef<[f32]> for Same {
            fn as_ref(&self) -> &[f32] {
                &*self.0
            }
        }
        let w = Weights::Shared(SharedWeights::new(Same(all.clone())));
        assert_eq!(w.len(), 2);
        assert_eq!(w.to_f32().as_ptr(), all.as_ptr());
        assert_eq!(w.clone(), w);
    }

    #[test]
    fn int8_has_a_scale_per_output_channel() {
        let w = Weights::I8 { data: vec![1, -2, 3, 127], scales: vec![0.5, 2.0] };
        assert_eq!(w.to_f32().as_ref(), &[0.5, -1.0, 6.0, 254.0]);
    }
}
