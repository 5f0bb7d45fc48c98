//! Networks with weights that are the same on every machine.

use std::collections::HashSet;

use super::*;

/// The weights and biases of a network replaced by whole numbers, as widely spread
/// as their shapes ask for.
///
/// Nothing is left of the values of models/zoo, which are scaled by sums whose last
/// bits depend on the processor. Weights are whole numbers from -127 to 127, both
/// ends included, times a power of two, so that quantizing them changes nothing and
/// asks for no bias correction.
pub fn reseeded(bytes: &[u8]) -> Vec<u8> {
    let mut model = ModelProto::decode(bytes).unwrap();
    let graph = model.graph.as_mut().unwrap();
    let layers = graph.node.iter().filter(|node| ["Conv", "Gemm"].contains(&&*node.op_type));
    let learned: HashSet<String> =
        layers.flat_map(|node| node.input[1..].iter().cloned()).collect();
    for tensor in graph.initializer.iter_mut().filter(|tensor| learned.contains(&tensor.name)) {
        let count = tensor.raw_data.len() / 4;
        let outputs = tensor.dims[0] as usize;
        let is_bias = tensor.dims.len() == 1;
        // He et al. 2015: a variance of 2 over the values that each output sums, as
        // uniform numbers up to this have it. Biases go up to 1.
        let most = if is_bias { 1.0 } else { (6.0 * outputs as f64 / count as f64).sqrt() };
        let step = 2f64.powi((most / 127.0).log2().round() as i32);
        let value = |index: usize| match index % (count / outputs) {
            0 if !is_bias => 127.0 * f64::from(1 - 2 * (index / (count / outputs) % 2) as i32),
            _ => (f64::from(element(index)) * 127.0).round(),
        };
        tensor.raw_data =
            (0..count).flat_map(|index| ((value(index) * step) as f32).to_le_bytes()).collect();
    }
    model.encode_to_vec()
}

/// A range that is the same however the last bits of its ends came about: a third
/// wider, roughly, up to the next powers of two, and to 0 from near it. Wider first, as the
/// ends of functions are powers of two themselves, or nearly.
///
/// # Panics
/// When the last bits decide which power of two it is.
pub fn widened([low, high]: [f32; 2]) -> [f32; 2] {
    // By more than two machines' sums differ.
    const DOUBT: f32 = 1e-4;
    let least = low.abs().max(high.abs()) / 4096.0;
    let rounded = |size: f32| if size < least { 0.0 } else { size.log2().ceil().exp2() };
    [low, high].map(|end| {
        let size = 1.3 * end.abs();
        assert_eq!(
            rounded(size * (1.0 - DOUBT)),
            rounded(size * (1.0 + DOUBT)),
            "{end}, of {low} to {high}, is too near to where another range is taken"
        );
        end.signum() * rounded(size)
    })
}
