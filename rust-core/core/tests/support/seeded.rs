//! Networks with weights that are the same on every machine.

use std::collections::HashSet;

use super::*;

/// Weights of whole numbers in place of a network's own, as widely spread.
///
/// Those of models/zoo are scaled by sums whose last bits depend on the processor.
/// These are whole numbers from -127 to 127 times a power of two, both ends
/// included, so that quantizing them changes nothing and asks for no bias
/// correction.
pub fn reseeded(bytes: &[u8]) -> Vec<u8> {
    let mut model = ModelProto::decode(bytes).unwrap();
    let graph = model.graph.as_mut().unwrap();
    let layers = graph.node.iter().filter(|node| ["Conv", "Gemm"].contains(&&*node.op_type));
    let learned: HashSet<String> =
        layers.flat_map(|node| node.input[1..].iter().cloned()).collect();
    for tensor in graph.initializer.iter_mut().filter(|tensor| learned.contains(&tensor.name)) {
        let floats = tensor.raw_data.chunks_exact(4);
        let squares = floats.map(|f| f64::from(f32::from_le_bytes(f.try_into().unwrap())).powi(2));
        let count = tensor.raw_data.len() / 4;
        // Of equally likely numbers up to this: the spread of the old ones.
        let most = (3.0 * squares.sum::<f64>() / count as f64).sqrt();
        let step = 2f64.powi((most / 127.0).log2().ceil() as i32);
        let most = most / step;
        let row = count / tensor.dims[0] as usize;
        let value = |index: usize| match index % row {
            0 if tensor.dims.len() > 1 => 127.0 * f64::from(1 - 2 * (index / row % 2) as i32),
            _ => (f64::from(element(index)) * most).round(),
        };
        tensor.raw_data =
            (0..count).flat_map(|index| ((value(index) * step) as f32).to_le_bytes()).collect();
    }
    model.encode_to_vec()
}

/// A range that is the same however the last bits of its ends came about: up to the
/// next powers of two, and to 0 from near it.
pub fn widened([low, high]: [f32; 2]) -> [f32; 2] {
    let widest = low.abs().max(high.abs());
    [low, high].map(|end| {
        if end.abs() < widest / 4096.0 {
            0.0
        } else {
            end.signum() * 2f32.powi(end.abs().log2().ceil() as i32)
        }
    })
}
