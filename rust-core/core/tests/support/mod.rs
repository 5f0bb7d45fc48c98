//! Builds ONNX models in memory for the tests, good and bad ones.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod bombs;
pub mod golden;
pub mod logged;
pub mod networks;
pub mod refusal;
pub mod seeded;

use std::time::Duration;

use biglittle::network::{Execution, Model, ModelLimits, OpenOptions, Runtime, Session};
use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::*;

pub const FLOAT: i32 = 1;
pub const INT64: i32 = 7;

/// Whether an emulator runs these tests, which is slow and knows no limits of
/// memory.
pub fn emulated() -> bool {
    std::env::var_os("BIGLITTLE_EMULATED").is_some()
}

/// How long any file may take.
pub fn time_limit() -> Duration {
    Duration::from_secs(if emulated() { 60 } else { 2 })
}

/// A graph under construction; weights are small made-up numbers.
pub struct Builder {
    pub model: ModelProto,
    seed: u64,
}

impl Builder {
    /// A graph with one input `x` of the shape; -1 leaves a dimension open.
    pub fn new(opset: i64, input: &[i64]) -> Builder {
        let graph = GraphProto {
            name: "test".into(),
            input: vec![value_info("x", FLOAT, input)],
            ..Default::default()
        };
        let model = ModelProto {
            ir_version: 8,
            producer_name: "tests".into(),
            opset_import: vec![OperatorSetIdProto { version: opset, ..Default::default() }],
            graph: Some(graph),
            ..Default::default()
        };
        Builder { model, seed: 1 }
    }

    pub fn graph(&mut self) -> &mut GraphProto {
        self.model.graph.as_mut().unwrap()
    }

    /// Adds a node with one output, named like the node; returns the name.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let name = format!("{}_{}", op.to_lowercase(), self.graph().node.len());
        self.node_to(op, inputs, &[&name], attributes);
        name
    }

    pub fn node_to(
        &mut self,
        op: &str,
        inputs: &[&str],
        outputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) {
        let name = format!("n_{}", outputs.first().unwrap_or(&"none"));
        self.graph().node.push(NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: outputs.iter().map(ToString::to_string).collect(),
            name,
            op_type: op.into(),
            attribute,
            ..Default::default()
        });
    }

    /// Adds a float constant of made-up numbers between -0.5 and 0.5.
    pub fn weights(&mut self, dims: &[i64]) -> String {
        let count: i64 = dims.iter().product();
        let scale = 1.0 / (count as f32 / dims[0] as f32).sqrt().max(1.0);
        let block: Vec<u8> =
            (0..count.min(1009)).flat_map(|_| (self.random() * scale).to_le_bytes()).collect();
        let raw = block.iter().copied().cycle().take(4 * count as usize).collect();
        self.constant(tensor(FLOAT, dims, raw))
    }

    /// As [`weights`](Builder::weights), but positive: variances and scales.
    pub fn positive(&mut self, dims: &[i64]) -> String {
        let count: i64 = dims.iter().product();
        let values: Vec<f32> = (0..count).map(|_| self.random().abs() + 0.5).collect();
        self.floats(dims, &values)
    }

    fn random(&mut self) -> f32 {
        self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    }

    pub fn floats(&mut self, dims: &[i64], values: &[f32]) -> String {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(tensor(FLOAT, dims, raw))
    }

    pub fn ints(&mut self, values: &[i64]) -> String {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(tensor(INT64, &[values.len() as i64], raw))
    }

    pub fn int(&mut self, value: i64) -> String {
        self.constant(tensor(INT64, &[], value.to_le_bytes().to_vec()))
    }

    pub fn constant(&mut self, tensor: TensorProto) -> String {
        let name = format!("c{}", self.graph().initializer.len());
        self.graph().initializer.push(TensorProto { name: name.clone(), ..tensor });
        name
    }

    /// Ends the graph with `output` and returns it as a file.
    pub fn finish(mut self, output: &str) -> Vec<u8> {
        self.graph().output.push(value_info(output, FLOAT, &[-1, -1]));
        self.model.encode_to_vec()
    }

    pub fn conv(&mut self, x: &str, i: i64, o: i64, k: i64, stride: i64, group: i64) -> String {
        let w = self.weights(&[o, i / group, k, k]);
        let b = self.weights(&[o]);
        let attributes = vec![
            ints("kernel_shape", &[k, k]),
            ints("strides", &[stride, stride]),
            ints("dilations", &[1, 1]),
            ints("pads", &[k / 2; 4]),
            int("group", group),
        ];
        self.node("Conv", &[x, &w, &b], attributes)
    }

    pub fn batch_norm(&mut self, x: &str, channels: i64) -> String {
        let dims = [channels];
        let (scale, bias) = (self.positive(&dims), self.weights(&dims));
        let (mean, variance) = (self.weights(&dims), self.positive(&dims));
        let attributes = vec![float("epsilon", 1e-5), float("momentum", 0.9)];
        self.node("BatchNormalization", &[x, &scale, &bias, &mean, &variance], attributes)
    }

    pub fn gemm(&mut self, x: &str, i: i64, o: i64) -> String {
        let (w, b) = (self.weights(&[o, i]), self.weights(&[o]));
        self.node("Gemm", &[x, &w, &b], vec![int("transB", 1)])
    }
}

pub fn tensor(data_type: i32, dims: &[i64], raw_data: Vec<u8>) -> TensorProto {
    TensorProto { dims: dims.to_vec(), data_type, raw_data, ..Default::default() }
}

pub fn value_info(name: &str, elem_type: i32, dims: &[i64]) -> ValueInfoProto {
    let dim = |&size: &i64| Dimension {
        value: Some(if size == -1 {
            dimension::Value::DimParam("N".into())
        } else {
            dimension::Value::DimValue(size)
        }),
        ..Default::default()
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type, shape: Some(shape) };
    let value = Some(type_proto::Value::TensorType(tensor));
    let r#type = Some(TypeProto { value, ..Default::default() });
    ValueInfoProto { name: name.into(), r#type, ..Default::default() }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: kind as i32, ..Default::default() }
}

pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { i, ..attribute(name, AttributeType::Int) }
}

pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { ints: values.to_vec(), ..attribute(name, AttributeType::Ints) }
}

pub fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { f, ..attribute(name, AttributeType::Float) }
}

pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: value.as_bytes().to_vec(), ..attribute(name, AttributeType::String) }
}

pub fn tensor_value(name: &str, value: TensorProto) -> AttributeProto {
    AttributeProto { t: Some(value), ..attribute(name, AttributeType::Tensor) }
}

pub fn graph_value(name: &str, value: GraphProto) -> AttributeProto {
    AttributeProto { g: Some(value), ..attribute(name, AttributeType::Graph) }
}

/// Elements of a test input, in -1 to 1.
pub fn element(i: usize) -> f32 {
    ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1u32 << 23) as f32 - 1.0
}

/// Runs a network once on the test input.
pub fn try_run(model: &Model) -> biglittle::Result<Vec<f32>> {
    let values = model.summary().input_shape.iter().product();
    let input: Vec<f32> = (0..values).map(element).collect();
    let mut output = Vec::new();
    Session::new(model)?.run(&input, &mut output)?;
    Ok(output)
}

/// As [`try_run`], for a network that must run.
pub fn run(model: &Model) -> Vec<f32> {
    try_run(model).unwrap()
}

/// Asserts that scores are the same within a share of the largest.
pub fn assert_same(name: &str, scores: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(scores.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
    for (score, value) in scores.iter().zip(expected) {
        let same = (score - value).abs() <= tolerance * largest;
        assert!(same, "{name}: {score} is not {value} in {scores:?}, {expected:?} are expected");
    }
}

/// Opens a network for the kernels and for tract, asserts that they give the
/// same scores, and returns what runs it.
pub fn compare(name: &str, bytes: &[u8]) -> Runtime {
    let limits = ModelLimits::default();
    let model = Model::open(bytes, &limits).unwrap();
    let options = OpenOptions { limits, ..Execution::Tract.into() };
    let tract = Model::open_with(bytes, options).unwrap();
    assert!(matches!(tract.runtime(), Runtime::Tract { .. }));
    assert_same(name, &run(&model), &run(&tract), 1e-5);
    model.runtime().clone()
}
