//! Good networks with damage: every answer is a network that runs or a typed
//! error, in time, and tract never has to be caught panicking.
//!
//! A short round is part of every run; `BIGLITTLE_LONG_TESTS=1` makes it
//! thirty times as long.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use biglittle::ErrorKind;
use biglittle::clock::Clock;
use biglittle::engine::SystemClock;
use biglittle::network::{Execution, Model, ModelLimits, OpenOptions, Runtime};
use prost::Message;
use support::networks;
use tract_onnx::pb::*;

fn rounds(short: usize) -> usize {
    let long = std::env::var_os("BIGLITTLE_LONG_TESTS").is_some_and(|value| value == "1");
    if long { short * 30 } else { short }
}

/// A small generator of repeatable random numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// What became of the damaged files.
#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    by_tract: BTreeMap<String, usize>,
    /// Run by the kernels, and by tract too to compare.
    lowered: usize,
    slowest: Duration,
}

impl Tally {
    fn try_file(&mut self, what: &str, bytes: &[u8]) {
        let clock = SystemClock::new();
        let start = clock.now();
        // A network that passes is also run, so it must be a small one.
        let limits = ModelLimits { max_macs: 100_000_000, ..ModelLimits::default() };
        let result = Model::open(bytes, &limits)
            .and_then(|model| support::try_run(&model).map(|scores| (model, scores)));
        let took = Duration::from_nanos((clock.now() - start).cpu_ns);
        self.slowest = self.slowest.max(took);
        assert!(took < support::time_limit(), "{what} took {took:?}: {:?}", result.err());
        match result {
            Ok((model, scores)) => {
                self.accepted += 1;
                let values: usize = model.summary().output_shape.iter().product();
                assert_eq!(scores.len(), values, "{what}");
                self.lowered += usize::from(compare(what, &model, bytes, &limits, &scores));
            }
            Err(error) => {
                self.refused += 1;
                let text = error.to_string();
                assert_eq!(error.kind(), ErrorKind::InvalidModel, "{what}: {text}");
                assert!(!text.contains("tract stopped"), "{what}: {text}");
                assert!(text.len() < 1500, "{what}: {text}");
                if text.contains("by tract") {
                    *self.by_tract.entry(text).or_default() += 1;
                }
            }
        }
    }

    fn report(&self, what: &str) {
        println!(
            "{what}: {} accepted and run, {} of them by the kernels as by tract, {} refused ({} of \
             them by tract), slowest {:?}",
            self.accepted,
            self.lowered,
            self.refused,
            self.by_tract.values().sum::<usize>(),
            self.slowest
        );
        for (text, count) in &self.by_tract {
            println!("  {count} x {text}");
        }
    }
}

/// Whether the kernels run the network or parts of it; then tract alone gives the
/// same scores.
fn compare(what: &str, model: &Model, bytes: &[u8], limits: &ModelLimits, scores: &[f32]) -> bool {
    if let Runtime::Tract { reason, .. } = model.runtime() {
        assert!(!reason.contains("stopped with"), "{what}: {reason}");
        return false;
    }
    let options = OpenOptions { limits: *limits, ..Execution::Tract.into() };
    let expected = support::run(&Model::open_with(bytes, options).unwrap());
    // Damaged weights can be as large as a float may be: then a sum may be
    // infinite in one order and not in the other.
    let finite = |all: &[f32]| all.iter().all(|value| value.abs() < 1e15);
    if finite(scores) && finite(&expected) {
        support::assert_same(what, scores, &expected, 1e-4);
    }
    true
}

#[test]
fn flipped_bytes_give_networks_or_errors() {
    let networks = networks::all();
    let mut random = Random(0x0b16_1177_1e00_0001);
    let mut tally = Tally::default();
    for round in 0..rounds(800) {
        let (name, bytes) = &networks[round % networks.len()];
        let mut bytes = bytes.clone();
        let mut what = format!("{name} in round {round}");
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            let old = bytes[at];
            bytes[at] = match random.below(3) {
                0 => old ^ (1 << random.below(8)),
                1 => random.next() as u8,
                _ => *random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
            };
            what += &format!(", byte {at} from {old} to {}", bytes[at]);
        }
        tally.try_file(&what, &bytes);
    }
    tally.report("flipped bytes");
    assert!(tally.lowered >= 50, "the kernels ran {}", tally.lowered);
}

/// Flips outside the weights, where they matter most.
#[test]
fn flipped_bytes_of_the_structure_give_networks_or_errors() {
    let networks: Vec<(&str, Vec<u8>)> = networks::all();
    let mut random = Random(0x0b16_1177_1e00_0002);
    let mut tally = Tally::default();
    for round in 0..rounds(800) {
        let (name, bytes) = &networks[round % networks.len()];
        let mut model = ModelProto::decode(&bytes[..]).unwrap();
        // The constants are taken out of the way and put back behind the
        // flipped rest: protobuf joins the two halves of the graph.
        let graph = model.graph.as_mut().unwrap();
        let constants: Vec<TensorProto> = std::mem::take(&mut graph.initializer);
        let mut bytes = model.graph.as_ref().unwrap().encode_to_vec();
        let at = random.below(bytes.len());
        let old = bytes[at];
        bytes[at] =
            if random.below(2) == 0 { old ^ (1 << random.below(8)) } else { random.next() as u8 };
        let rest = GraphProto { initializer: constants, ..Default::default() };
        bytes.extend(rest.encode_to_vec());
        model.graph = None;
        let mut file = model.encode_to_vec();
        prost::encoding::encode_key(7, prost::encoding::WireType::LengthDelimited, &mut file);
        prost::encoding::encode_varint(bytes.len() as u64, &mut file);
        file.extend(&bytes);
        let what = format!("{name} in round {round}, byte {at} from {old} to {}", bytes[at]);
        tally.try_file(&what, &file);
    }
    tally.report("flipped bytes of the structure");
}

/// Numbers that have broken something somewhere.
const NUMBERS: [i64; 24] = [
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    16,
    63,
    64,
    255,
    256,
    1000,
    1023,
    1024,
    20_000,
    65_535,
    65_536,
    -1,
    -2,
    i64::MAX,
    i64::MIN,
    1 << 40,
];

const OPERATORS: [&str; 55] = [
    "Abs",
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "DequantizeLinear",
    "Div",
    "Dropout",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "Floor",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LRN",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "MatMul",
    "Max",
    "MaxPool",
    "Mul",
    "Neg",
    "PRelu",
    "Pad",
    "Pow",
    "QuantizeLinear",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Resize",
    "Shape",
    "Slice",
    "Softmax",
    "Softplus",
    "Split",
    "Sqrt",
    "Sum",
    "Tile",
    "Transpose",
];

#[test]
fn changed_graphs_give_networks_or_errors() {
    let networks: Vec<(&str, ModelProto)> = networks::all()
        .into_iter()
        .map(|(name, bytes)| (name, ModelProto::decode(&bytes[..]).unwrap()))
        .collect();
    let mut random = Random(0x0b16_1177_1e00_0003);
    let mut tally = Tally::default();
    for round in 0..rounds(800) {
        let (name, model) = &networks[round % networks.len()];
        let mut model = model.clone();
        let mut what = format!("{name} in round {round}");
        for _ in 0..=random.below(3) {
            what += ", ";
            what += &change(&mut model, &mut random);
        }
        tally.try_file(&what, &model.encode_to_vec());
    }
    tally.report("changed graphs");
    assert!(tally.lowered >= 50, "the kernels ran {}", tally.lowered);
}

/// Makes one change and says which.
fn change(model: &mut ModelProto, random: &mut Random) -> String {
    let opset = &mut model.opset_import[0].version;
    let graph = model.graph.as_mut().unwrap();
    let nodes = graph.node.len();
    let at = random.below(nodes);
    if nodes == 0 {
        return "nothing".into();
    }
    match random.below(12) {
        0 | 1 => {
            let node = &mut graph.node[at];
            let count = node.attribute.len();
            let Some(attribute) = node.attribute.get_mut(random.below(count)) else {
                return "nothing".into();
            };
            let number = *random.pick(&NUMBERS);
            let place = random.below(attribute.ints.len());
            match attribute.ints.get_mut(place) {
                Some(value) => *value = number,
                None => attribute.i = number,
            }
            attribute.f = *random.pick(&[0.0, -1.0, 1e30, f32::NAN, f32::INFINITY, 1e-30]);
            format!("node {at} attribute {} to {number} or {}", attribute.name, attribute.f)
        }
        2 => {
            let node = &mut graph.node[at];
            if random.below(2) == 0 && !node.attribute.is_empty() {
                let which = random.below(node.attribute.len());
                let gone = node.attribute.remove(which);
                return format!("node {at} without {}", gone.name);
            }
            for attribute in &mut node.attribute {
                if random.below(2) == 0 {
                    attribute.ints.pop();
                } else if !attribute.ints.is_empty() {
                    attribute.ints.push(1);
                }
            }
            format!("node {at} with longer or shorter lists")
        }
        3 => {
            let op = *random.pick(&OPERATORS);
            graph.node[at].op_type = op.into();
            if random.below(2) == 0 {
                graph.node[at].attribute.clear();
            }
            format!("node {at} as {op}")
        }
        4 => {
            let other = random.below(nodes);
            let name = graph.node[other].output.first().cloned().unwrap_or_default();
            let count = graph.node[at].input.len();
            let place = random.below(count);
            if let Some(input) = graph.node[at].input.get_mut(place) {
                *input = name.clone();
            }
            format!("node {at} input {place} from {name}")
        }
        5 => {
            let node = graph.node.remove(at);
            format!("no {}", node.op_type)
        }
        6 => {
            let other = random.below(nodes);
            graph.node.swap(at, other);
            format!("nodes {at} and {other} swapped")
        }
        7 => {
            let mut node = graph.node[at].clone();
            if random.below(2) == 0 {
                node.name += "_again";
                node.output.iter_mut().for_each(|output| *output += "_again");
            }
            graph.node.push(node);
            format!("node {at} twice")
        }
        8 if !graph.initializer.is_empty() => {
            let which = random.below(graph.initializer.len());
            let tensor = &mut graph.initializer[which];
            let place = random.below(tensor.dims.len());
            let number = *random.pick(&NUMBERS);
            match random.below(3) {
                0 => tensor.dims.push(1),
                1 => tensor.dims.reverse(),
                _ => {
                    if let Some(dim) = tensor.dims.get_mut(place) {
                        *dim = number;
                    }
                }
            }
            format!("constant {which} with dimensions {:?}", tensor.dims)
        }
        9 if !graph.initializer.is_empty() => {
            let lists: Vec<usize> = (0..graph.initializer.len())
                .filter(|&i| graph.initializer[i].data_type == 7)
                .collect();
            if lists.is_empty() {
                return "nothing".into();
            }
            let which = *random.pick(&lists);
            let tensor = &mut graph.initializer[which];
            let number = *random.pick(&NUMBERS);
            let words = tensor.raw_data.len() / 8;
            if words > 0 {
                let start = 8 * random.below(words);
                tensor.raw_data[start..start + 8].copy_from_slice(&number.to_le_bytes());
            }
            format!("a number of constant {which} to {number}")
        }
        10 => {
            *opset = *random.pick(&[7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 21]);
            format!("operator set {opset}")
        }
        _ => {
            let value = graph.input[0].r#type.as_mut().and_then(|t| t.value.as_mut());
            let Some(type_proto::Value::TensorType(tensor)) = value else {
                return "nothing".into();
            };
            let dims = &mut tensor.shape.as_mut().unwrap().dim;
            let which = random.below(dims.len());
            let number = *random.pick(&NUMBERS);
            dims[which].value = Some(tensor_shape_proto::dimension::Value::DimValue(number));
            format!("input axis {which} to {number}")
        }
    }
}
