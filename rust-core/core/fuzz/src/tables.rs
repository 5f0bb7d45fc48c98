//! Calibration tables as hostile as can be: whatever a file says, it is refused with
//! words, or the network gives the same values on every instruction set.
//!
//! As in `frames`, the module is taken from the crate's sources: tract has no part
//! in this. The network is a small one in the kernels' form.

#![no_main]
#![allow(dead_code, reason = "not everything in these modules is used here")]

#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/network/table.rs"]
mod table;

use std::sync::Arc;

use biglittle_kernels::{
    Activation, Binary, Conv, Graph, Isa, Model, Op, Options, Padding, Session, Shape,
};
use error::ErrorKind;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use table::{CalibrationTable, RangeMethod};

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    /// Any file.
    File(&'a [u8]),
    /// A good file of which a part is replaced.
    Edited { at: u16, gone: u8, new: &'a [u8] },
    /// A file with these numbers.
    Numbers { images: u8, share: Option<f64>, offset: Number, ranges: [[Number; 2]; 12] },
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Number {
    Small(i16),
    Any(f32),
}

impl Number {
    fn value(self) -> f32 {
        match self {
            Number::Small(value) => f32::from(value) / 256.0,
            Number::Any(value) => value,
        }
    }
}

/// A residual block with squeeze-and-excite between two convolutions, simplified.
fn network() -> Graph {
    let mut graph = Graph::new(Shape::new(6, 5, 3)).expect("a small shape");
    let weights = |count: usize| -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + 11) % 255) as f32 / 127.0 - 1.0).collect()
    };
    let bias = |count: usize| -> Vec<f32> { (0..count).map(|i| i as f32 / 4.0 - 1.0).collect() };
    let clip = Activation::Clip { lo: 0.0, hi: 6.0 };
    let input = graph.input();
    let mut add = |name: &str, op: Op| graph.add(name, op).expect("layers that fit");
    let stem = Conv {
        padding: Padding::same(1),
        bias: bias(8),
        activation: clip,
        ..Conv::new(input, 8, [3, 3], weights(8 * 3 * 9))
    };
    let stem = add("stem", stem.into());
    let depthwise = Conv {
        groups: 8,
        padding: Padding::same(1),
        activation: Activation::Silu,
        ..Conv::new(stem, 8, [3, 3], weights(8 * 9))
    };
    let depthwise = add("depthwise", depthwise.into());
    let mean = add("mean", Op::GlobalAverage(depthwise));
    let gate = Conv { activation: Activation::Sigmoid, ..Conv::new(mean, 8, [1, 1], weights(64)) };
    let gate = add("gate", gate.into());
    let none = Activation::None;
    let gated = add("gated", Op::Mul(Binary { x: depthwise, y: gate, activation: none }));
    let project = Conv { bias: bias(8), ..Conv::new(gated, 8, [1, 1], weights(64)) };
    let project = add("project", project.into());
    let sum = add("sum", Op::Add(Binary { x: stem, y: project, activation: none }));
    let mean = add("pool", Op::GlobalAverage(sum));
    let logits = Conv { bias: bias(4), ..Conv::new(mean, 4, [1, 1], weights(32)) };
    let logits = add("logits", logits.into());
    graph.set_output(logits);
    graph.simplified()
}

/// The file with these numbers for the network's tensors.
fn file(
    graph: &Graph,
    images: u64,
    method: RangeMethod,
    offset: f32,
    range: impl Fn(usize) -> [f32; 2],
) -> Vec<u8> {
    let names = table::value_names(graph).into_iter().enumerate();
    let ranges = names.map(|(number, name)| (name, range(number))).collect();
    let sum = || "ab".repeat(32);
    CalibrationTable::new(sum(), sum(), images, method, offset, ranges).to_json().into_bytes()
}

fn json(input: &Input<'_>, graph: &Graph) -> Vec<u8> {
    match *input {
        Input::File(bytes) => bytes.to_vec(),
        Input::Edited { at, gone, new } => {
            let mut bytes = file(graph, 64, RangeMethod::MinMax, 0.001, |_| [-4.0, 4.0]);
            let at = usize::from(at) % bytes.len();
            let end = bytes.len().min(at + usize::from(gone));
            bytes.splice(at..end, new.iter().copied());
            bytes
        }
        Input::Numbers { images, share, offset, ranges } => {
            let method = share.map_or(RangeMethod::MinMax, RangeMethod::LeaveOut);
            file(graph, images.into(), method, offset.value(), |number| {
                ranges[number % ranges.len()].map(Number::value)
            })
        }
    }
}

fn refused_with_words(error: &error::Error) {
    assert_eq!(error.kind(), ErrorKind::InvalidBundle, "{error}");
    assert!(!error.to_string().is_empty());
}

fuzz_target!(|input: Input<'_>| {
    let mut graph = network();
    let table = match CalibrationTable::from_json(&json(&input, &graph)) {
        Ok(table) => table,
        Err(error) => return refused_with_words(&error),
    };
    let again = CalibrationTable::from_json(table.to_json().as_bytes());
    assert_eq!(again.expect("what was read can be written"), table);
    let ranges = match table.ranges_of(&graph) {
        Ok(ranges) => ranges,
        Err(error) => return refused_with_words(&error),
    };
    if table::without_offset(&mut graph, table.input_offset).is_err() {
        return;
    }
    let image: Vec<f32> = (0..90).map(|i| (i * 29 % 90) as f32 / 45.0 - 1.0).collect();
    let outputs = Isa::available().into_iter().filter(|isa| isa.has_int8()).map(|isa| {
        let options = Options { isa: Some(isa), ..Options::default() };
        let model = Model::compile_int8(graph.clone(), &ranges, &options)
            .map_err(|error| assert!(!error.to_string().is_empty()))
            .ok()?;
        let mut output = vec![0.0; model.output_shape().len()];
        Session::new(Arc::new(model)).run(&image, &mut output).expect("what is planned runs");
        // A NaN has many forms, and which one comes is the processor's choice.
        Some(output.iter().map(|v| if v.is_nan() { u32::MAX } else { v.to_bits() }).collect())
    });
    let mut outputs = outputs.collect::<Vec<Option<Vec<u32>>>>().into_iter();
    let first = outputs.next();
    outputs.for_each(|output| assert_eq!(Some(output), first, "{ranges:?}"));
});
