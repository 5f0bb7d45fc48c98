//! Weights stored as 8-bit integers are unpacked once, when a network is opened:
//! it runs on the kernels and gives the bits of the same network in floats.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use biglittle::network::{Model, ModelLimits, Runtime, Session};
use support::{Builder, int, ints, tensor};
use tract_onnx::pb::TensorProto;

const INT8: i32 = 3;
const UINT8: i32 = 2;
const INT32: i32 = 6;

/// How a constant is stored.
#[derive(Clone, Copy, PartialEq)]
enum Stored {
    Float,
    /// As bytes in the order of memory.
    Raw,
    /// As a list of 32-bit integers.
    Listed,
}

/// A constant `(x - zero) * scale` along `axis`.
struct Packed<'a> {
    element: i32,
    dims: &'a [i64],
    axis: usize,
    scales: &'a [f32],
    zeros: Option<&'a [i32]>,
}

impl Packed<'_> {
    /// Adds the constant, as integers and a `DequantizeLinear` or as floats.
    fn add(&self, b: &mut Builder, stored: Stored) -> String {
        let count: i64 = self.dims.iter().product();
        let lowest = if self.element == UINT8 { 0 } else { -128 };
        let values: Vec<i32> = (0..count as i32).map(|i| i * 37 % 256 + lowest).collect();
        let run: i64 = self.dims[self.axis + 1..].iter().product();
        let at = |i: usize| i / run as usize % self.dims[self.axis] as usize % self.scales.len();
        if stored == Stored::Float {
            let zero = |i| self.zeros.map_or(0, |zeros| zeros[at(i)]);
            let floats: Vec<f32> = values
                .iter()
                .enumerate()
                .map(|(i, x)| (x - zero(i)) as f32 * self.scales[at(i)])
                .collect();
            return b.floats(self.dims, &floats);
        }
        let x = self.integers(b, self.dims, values, stored);
        let parameters: &[i64] =
            if self.scales.len() == 1 { &[] } else { &[self.scales.len() as i64] };
        let scale = b.floats(parameters, self.scales);
        let mut inputs = vec![x, scale];
        if let Some(zeros) = self.zeros {
            inputs.push(self.integers(b, parameters, zeros.to_vec(), stored));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        b.node("DequantizeLinear", &inputs, vec![int("axis", self.axis as i64)])
    }

    fn integers(&self, b: &mut Builder, dims: &[i64], values: Vec<i32>, stored: Stored) -> String {
        let width = if self.element == INT32 { 4 } else { 1 };
        let raw = values.iter().flat_map(|x| x.to_le_bytes().into_iter().take(width)).collect();
        let packed = match stored {
            Stored::Listed => {
                TensorProto { int32_data: values, ..tensor(self.element, dims, vec![]) }
            }
            _ => tensor(self.element, dims, raw),
        };
        b.constant(packed)
    }
}

/// A convolution with weights by output channel, another by input channel with
/// zero points, and a fully connected layer of more than 1,024 outputs.
fn network(stored: Stored) -> Vec<u8> {
    let mut b = Builder::new(13, &[1, 3, 8, 8]);
    let packed = |element, dims, axis, scales| Packed { element, dims, axis, scales, zeros: None };
    let w = packed(INT8, &[4, 3, 3, 3], 0, &[0.01, 0.02, 0.01, 0.03]).add(&mut b, stored);
    let bias = packed(INT32, &[4], 0, &[1e-3, 1e-2, 1e-3, 1e-3]).add(&mut b, stored);
    let x = b.node("Conv", &["x", &w, &bias], vec![ints("pads", &[0, 0, 1, 1])]);
    let zeros = Some(&[3, 0, 255, 128][..]);
    let w = Packed { zeros, ..packed(UINT8, &[5, 4, 1, 1], 1, &[0.01, 0.02, 0.04, 0.03]) };
    let w = w.add(&mut b, stored);
    let x = b.node("Conv", &[&x, &w], vec![]);
    let x = b.node("GlobalAveragePool", &[&x], vec![]);
    let x = b.node("Flatten", &[&x], vec![]);
    let scales: Vec<f32> = (0..1100).map(|i| 0.001 * (1 + i % 7) as f32).collect();
    let w = packed(INT8, &[1100, 5], 0, &scales).add(&mut b, stored);
    let bias = packed(INT8, &[1100], 0, &[0.01]).add(&mut b, stored);
    let x = b.node("Gemm", &[&x, &w, &bias], vec![int("transB", 1)]);
    b.finish(&x)
}

fn run(bytes: &[u8]) -> Vec<f32> {
    let model = Model::open(bytes, &ModelLimits::default()).unwrap();
    let runtime = model.runtime();
    assert!(matches!(runtime, Runtime::Kernels { .. }), "{runtime}");
    let input: Vec<f32> = (0..192).map(|i| (i * 29 % 64) as f32 / 32.0 - 1.0).collect();
    let mut output = Vec::new();
    Session::new(&model).unwrap().run(&input, &mut output).unwrap();
    output
}

#[test]
fn packed_weights_give_the_bits_of_floats() {
    let floats = run(&network(Stored::Float));
    assert!(floats.iter().any(|x| *x > 0.1), "{floats:?}");
    for stored in [Stored::Raw, Stored::Listed] {
        let packed = run(&network(stored));
        assert!(packed.iter().map(|x| x.to_bits()).eq(floats.iter().map(|x| x.to_bits())));
    }
}

#[test]
fn what_unpacking_takes_counts_before_it_is_done() {
    // 4 MiB of bytes become 16 MiB of floats, thrice.
    let mut b = Builder::new(13, &[1, 4]);
    let scale = b.floats(&[], &[0.5]);
    let raw = tensor(INT8, &[1 << 20, 4], vec![1; 4 << 20]);
    let w = b.constant(raw);
    let mut x = "x".to_owned();
    for _ in 0..3 {
        let w = b.node("DequantizeLinear", &[&w, &scale], vec![]);
        let wide = b.node("Gemm", &[&x, &w], vec![int("transB", 1)]);
        x = b.node("Gemm", &[&wide, &w], vec![]);
    }
    let bytes = b.finish(&x);
    let limits = ModelLimits { max_memory_bytes: 64 << 20, ..ModelLimits::default() };
    let error = Model::open(&bytes, &limits).unwrap_err().to_string();
    assert!(error.contains("50331648 computed from weights"), "{error}");
}
