//! Weights as 8-bit integers, and what that costs a layer on average.

use biglittle_kernels::{Conv, quantize_weights};

/// The weights of a convolution: `values[i] * scales[o]` for output channel `o`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct QuantizedWeights {
    pub(super) values: Vec<i8>,
    pub(super) scales: Vec<f32>,
}

impl QuantizedWeights {
    pub(super) fn of(conv: &Conv) -> QuantizedWeights {
        let weights = conv.weights.to_f32();
        let mut values = Vec::with_capacity(weights.len());
        let mut scales = Vec::with_capacity(conv.out_channels);
        for row in weights.chunks_exact(weights.len() / conv.out_channels) {
            let (row, scale) = quantize_weights(row);
            values.extend(row);
            scales.push(scale);
        }
        QuantizedWeights { values, scales }
    }

    /// The bias that gives each output channel its mean back: to the bias is
    /// added what the weights have lost times the mean of the inputs, by
    /// channel, as in Nagel et al., "Data-Free Quantization Through Weight
    /// Equalization and Bias Correction" (2019). Padding is not accounted for.
    pub(super) fn corrected_bias(&self, conv: &Conv, means: &[f64]) -> Vec<f32> {
        let weights = conv.weights.to_f32();
        let taps = conv.kernel[0] * conv.kernel[1];
        let per_row = weights.len() / conv.out_channels;
        let (inputs, outputs) = (per_row / taps, conv.out_channels / conv.groups);
        let corrected = |output: usize| {
            let scale = f64::from(self.scales[output]);
            let first = output / outputs * inputs;
            let row = output * per_row..(output + 1) * per_row;
            let lost = |(index, (weight, value)): (usize, (&f32, &i8))| {
                let rounded = f64::from(*value) * scale;
                (f64::from(*weight) - rounded) * means[first + index / taps]
            };
            let lost: f64 =
                weights[row.clone()].iter().zip(&self.values[row]).enumerate().map(lost).sum();
            (f64::from(conv.bias.get(output).copied().unwrap_or(0.0)) + lost) as f32
        };
        (0..conv.out_channels).map(corrected).collect()
    }
}

#[cfg(test)]
mod tests {
    use biglittle_kernels::{Graph, Shape};

    use super::*;

    #[test]
    fn the_bias_makes_up_for_what_rounding_took() {
        let graph = Graph::new(Shape::new(1, 1, 4)).unwrap();
        // Two groups of two channels; one output channel each.
        let weights = vec![1.27, 0.014, -2.54, 0.007];
        let conv = Conv {
            groups: 2,
            bias: vec![0.5, 0.0],
            ..Conv::new(graph.input(), 2, [1, 1], weights)
        };
        let quantized = QuantizedWeights::of(&conv);
        assert_eq!(quantized.values, [127, 1, -127, 0]);
        // 0.014 became 0.01, 0.007 became 0.
        let expected = [0.5 + 0.004 * 10.0, 0.007 * 100.0];
        let bias = quantized.corrected_bias(&conv, &[3.0, 10.0, 5.0, 100.0]);
        for (bias, expected) in bias.iter().zip(expected) {
            assert!((bias - expected).abs() < 1e-5, "{bias} {expected}");
        }
    }
}
