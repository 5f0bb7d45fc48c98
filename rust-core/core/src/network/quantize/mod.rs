//! From a float32 network to one whose weights are 8-bit, with the ranges by
//! which its layers are run in int8.
//!
//! Decides the order: weights are rounded, biases corrected for it, the file is
//! written and opened again, and the ranges are taken of what was opened, under
//! the names that it has then. How a layer is spelled is `export`'s to decide,
//! how ranges are found `observe`'s. Development machines come in here, phones
//! never.

mod export;
mod observe;
mod reopened;
mod weights;

use std::collections::{BTreeMap, HashMap};

use biglittle_kernels::{self as kernels, Conv, Isa, Op, Weights};

use self::export::Exported;
use self::observe::Observer;
use self::weights::QuantizedWeights;
use super::load::{Whole, lowered_whole};
use super::table::{RangeMethod, value_names};
use super::verify::ModelLimits;
use crate::error::{Error, ErrorKind, Result};

/// Calls its argument once for each calibration image, the values of the network's
/// input in its order, and passes on its errors. It is called a few times, and has
/// to give the same images each time.
pub type Images<'a> = dyn FnMut(&mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> + 'a;

/// How a network is quantized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantizeOptions {
    /// What a network file may ask for.
    pub limits: ModelLimits,
    /// How ranges are taken from the values seen.
    pub method: RangeMethod,
    /// What all values of the input lie in: for pixels from 0 to 255 what they are
    /// normalised to. Then the pixels themselves may be the quantized input.
    pub input_range: [f32; 2],
}

impl QuantizeOptions {
    /// How the bytes of the input will stand for its values.
    #[must_use]
    pub fn input_quantization(&self) -> kernels::Quantization {
        let [lo, hi] = self.input_range;
        kernels::Range { lo, hi }.input_quantization()
    }
}

/// A network whose weights are 8-bit.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedNetwork {
    /// The ONNX file: weights of int8 with one scale per output channel, behind
    /// `DequantizeLinear`.
    pub network: Vec<u8>,
    /// The range of each tensor, for its
    /// [`CalibrationTable`](super::CalibrationTable).
    pub ranges: BTreeMap<String, [f32; 2]>,
    /// The number of calibration images.
    pub images: u64,
}

/// Quantizes a network of float32.
///
/// Weights become whole numbers from -127 to 127 times a scale per output channel;
/// each bias gets what its channel has lost by that on average over the
/// calibration images. Ranges are those of the tensors of the network with these
/// weights.
///
/// # Errors
/// [`ErrorKind::InvalidModel`] when the network cannot be opened, is not run by the
/// kernels as a whole, or has a layer without an int8 form; the sentence names it.
/// [`ErrorKind::InvalidArgument`] when there is no calibration image, one is not of
/// the input's shape, or the method's share is not at least 0 and below 0.5.
pub fn quantize(
    bytes: &[u8],
    options: &QuantizeOptions,
    images: &mut Images<'_>,
) -> Result<QuantizedNetwork> {
    options.method.validate()?;
    let whole = lowered_whole(bytes, &options.limits)?;
    let lowered = &whole.lowered;
    let (means, count) = Observer::new(&lowered.graph, lowered.input)?.means(images)?;
    if count == 0 {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "there is no calibration image: give some hundred like those the app will see",
        ));
    }
    let mut graph = lowered.graph.clone();
    let means: HashMap<_, _> = graph.values().map(|(value, ..)| value).zip(&means).collect();
    let mut weights = HashMap::new();
    for node in lowered.graph.nodes() {
        let Op::Conv(conv) = node.op() else { continue };
        let quantized = QuantizedWeights::of(conv);
        let replacement = Conv {
            bias: quantized.corrected_bias(conv, means[&conv.x]),
            weights: Weights::I8 {
                data: quantized.values.clone(),
                scales: quantized.scales.clone(),
            },
            ..conv.clone()
        };
        graph.replace(node.out(), Op::Conv(replacement)).map_err(refused)?;
        weights.insert(node.out(), quantized);
    }
    let exported = Exported {
        graph: &graph,
        weights: &weights,
        shapes: [&whole.summary.input_shape, &whole.summary.output_shape],
        log_softmax: lowered.log_softmax,
    };
    let network = export::write(&exported).map_err(refused)?;
    let opened = lowered_whole(&network, &options.limits)?;
    check_reopened(&exported, &opened)?;
    let graph = opened.lowered.graph;
    let mut ranges = Observer::new(&graph, opened.lowered.input)?.ranges(images, options.method)?;
    ranges[0] = options.input_range;
    check_int8(graph.clone(), &ranges)?;
    let ranges = value_names(&graph).into_iter().zip(ranges).collect();
    Ok(QuantizedNetwork { network, ranges, images: count })
}

/// What was written must be what is read.
fn check_reopened(exported: &Exported<'_>, opened: &Whole) -> Result<()> {
    reopened::check_same(exported.graph, &opened.lowered.graph).map_err(refused)?;
    let shapes = [&opened.summary.input_shape[..], &opened.summary.output_shape];
    if exported.shapes == shapes && exported.log_softmax == opened.lowered.log_softmax {
        return Ok(());
    }
    Err(refused("its input or output is another once it is written and read; please report it"))
}

/// Whether every machine can run the network in int8.
fn check_int8(graph: kernels::Graph, ranges: &[[f32; 2]]) -> Result<()> {
    let ranges: Vec<_> = ranges.iter().map(|&[lo, hi]| kernels::Range { lo, hi }).collect();
    let options = kernels::Options { isa: Some(Isa::Scalar), ..kernels::Options::default() };
    kernels::Model::compile_int8(graph, &ranges, &options).map_err(refused).map(|_| ())
}

fn refused(reason: impl std::fmt::Display) -> Error {
    let message = format!("the network cannot be quantized: {reason}; keep it in float32");
    Error::new(ErrorKind::InvalidModel, message)
}
