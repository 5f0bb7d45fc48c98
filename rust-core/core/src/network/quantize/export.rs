//! A kernels' graph as an ONNX file whose weights are 8-bit.
//!
//! Decides only how each node is spelled. Convolutions have weights of int8 and
//! one scale per output channel behind a `DequantizeLinear`, so that any runtime
//! can run the file in float32; everything else is float32. What is written here
//! is lowered to an equal graph when it is opened again.

use std::collections::{HashMap, HashSet};

use biglittle_kernels::{Activation, Conv, Graph, Op, Padding, Pool, PoolKind, Shape, Value};
use prost::Message;
use tract_onnx::pb::{self, tensor_proto::DataType};

use super::super::onnx::{float, int, ints, value_info};
use super::super::table::unused_name;
use super::weights::QuantizedWeights;

/// `HardSwish` is of 14.
const OPSET: i64 = 17;

/// What `write` is told beside the graph.
pub(super) struct Exported<'a> {
    pub(super) graph: &'a Graph,
    /// The weights of each convolution by what it computes.
    pub(super) weights: &'a HashMap<Value, QuantizedWeights>,
    /// Of the file's input and output.
    pub(super) shapes: [&'a [usize]; 2],
    /// Whether the outputs are logits of which the logarithm of the softmax is
    /// wanted.
    pub(super) log_softmax: bool,
}

/// The bytes of the file; or what cannot be written.
pub(super) fn write(exported: &Exported<'_>) -> Result<Vec<u8>, String> {
    let graph = exported.graph;
    let [input, output] = exported.shapes;
    let mut writer = Writer {
        used: HashSet::from(["input".to_owned()]),
        tensors: HashMap::new(),
        nodes: vec![],
        constants: vec![],
    };
    let shape_of = |value| graph.shape(value).expect("the values are the graph's own");
    let first = shape_of(graph.input());
    let image = [1, first.c, first.h, first.w];
    let entry = if input == image {
        "input".to_owned()
    } else {
        writer.reshaped("input", "input.image", &image)
    };
    writer.tensors.insert(graph.input(), entry);
    for node in graph.nodes() {
        let (name, out) = (node.name(), node.out());
        let result = match node.op() {
            Op::Conv(conv) => writer.conv(name, conv, &exported.weights[&out])?,
            Op::Pool(pool) => writer.pool(name, pool),
            Op::GlobalAverage(x) => {
                let x = writer.tensor(*x);
                writer.node("GlobalAveragePool", name, &[&x], vec![])
            }
            Op::Add(binary) => {
                let [x, y] = [binary.x, binary.y].map(|value| writer.tensor(value));
                let sum = writer.node("Add", name, &[&x, &y], vec![]);
                writer.activate(name, sum, binary.activation)?
            }
            Op::Mul(binary) => {
                let [x, y] = [binary.x, binary.y].map(|value| writer.tensor(value));
                let product = writer.node("Mul", name, &[&x, &y], vec![]);
                writer.activate(name, product, binary.activation)?
            }
            Op::Affine(affine) => {
                let x = writer.tensor(affine.x);
                let dims = [1, affine.scale.len(), 1, 1];
                let scale = writer.floats(name, "scale", &dims, &affine.scale);
                let shift = writer.floats(name, "shift", &dims, &affine.shift);
                let product = writer.node("Mul", name, &[&x, &scale], vec![]);
                let sum = writer.node("Add", &format!("{name}.shift"), &[&product, &shift], vec![]);
                writer.activate(name, sum, affine.activation)?
            }
            Op::Concat(concat) => {
                let parts: Vec<String> = concat.xs.iter().map(|&x| writer.tensor(x)).collect();
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                writer.node("Concat", name, &parts, vec![int("axis", 1)])
            }
            Op::Slice(slice) => {
                let x = writer.tensor(slice.x);
                let [starts, ends, axes] =
                    [("starts", slice.start), ("ends", slice.start + slice.count), ("axes", 1)]
                        .map(|(what, number)| writer.integers(name, what, &[number as i64]));
                writer.node("Slice", name, &[&x, &starts, &ends, &axes], vec![])
            }
            Op::Shuffle { x, groups } => {
                let from = writer.tensor(*x);
                writer.shuffle(name, &from, shape_of(*x), *groups)
            }
            Op::Interleave(x, y) => {
                let parts = [*x, *y].map(|value| writer.tensor(value));
                let joined = format!("{name}.joined");
                let axis = vec![int("axis", 1)];
                let joined = writer.node("Concat", &joined, &[&parts[0], &parts[1]], axis);
                let Shape { h, w, c } = shape_of(*x);
                writer.shuffle(name, &joined, Shape { h, w, c: 2 * c }, 2)
            }
            Op::Activate(x, activation) => {
                let x = writer.tensor(*x);
                writer.activation(name, &x, *activation)?
            }
            Op::Softmax(x) => {
                let x = writer.tensor(*x);
                writer.node("Softmax", name, &[&x], vec![int("axis", 1)])
            }
            Op::Pad(pad) => {
                let x = writer.tensor(pad.x);
                let Padding { top, left, bottom, right } = pad.padding;
                let sides = [0, 0, top, left, 0, 0, bottom, right].map(|side| side as i64);
                let sides = writer.integers(name, "pads", &sides);
                writer.node("Pad", name, &[&x, &sides], vec![])
            }
            other => return Err(format!("layer {name:?} ({}) has no form in ONNX", other.kind())),
        };
        writer.tensors.insert(out, result);
    }
    let last = graph.output().expect("a lowered graph has an output");
    let mut result = writer.tensor(last);
    if exported.log_softmax {
        result = writer.node("LogSoftmax", "log_softmax", &[&result], vec![int("axis", 1)]);
    }
    let result = writer.reshaped(&result, "output", output);
    Ok(writer.finish(input, &result, output))
}

struct Writer {
    /// The names of nodes and tensors so far.
    used: HashSet<String>,
    /// The tensor of each value.
    tensors: HashMap<Value, String>,
    nodes: Vec<pb::NodeProto>,
    constants: Vec<pb::TensorProto>,
}

impl Writer {
    fn tensor(&self, value: Value) -> String {
        self.tensors[&value].clone()
    }

    /// Adds a node of this name or one like it, which its output has too.
    fn node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        attribute: Vec<pb::AttributeProto>,
    ) -> String {
        let name = unused_name(&mut self.used, name);
        self.nodes.push(pb::NodeProto {
            name: name.clone(),
            op_type: operator.to_owned(),
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![name.clone()],
            attribute,
            ..Default::default()
        });
        name
    }

    fn constant(&mut self, of: &str, what: &str, tensor: pb::TensorProto) -> String {
        let name = unused_name(&mut self.used, &format!("{of}.{what}"));
        self.constants.push(pb::TensorProto { name: name.clone(), ..tensor });
        name
    }

    fn floats(&mut self, of: &str, what: &str, dims: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(of, what, raw(DataType::Float, dims, bytes))
    }

    fn integers(&mut self, of: &str, what: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(of, what, raw(DataType::Int64, &[values.len()], bytes))
    }

    fn reshaped(&mut self, from: &str, name: &str, dims: &[usize]) -> String {
        let dims: Vec<i64> = dims.iter().map(|&dim| dim as i64).collect();
        let shape = self.integers(name, "shape", &dims);
        self.node("Reshape", name, &[from, &shape], vec![])
    }

    fn conv(
        &mut self,
        name: &str,
        conv: &Conv,
        weights: &QuantizedWeights,
    ) -> Result<String, String> {
        let x = self.tensor(conv.x);
        let [rows, columns] = conv.kernel;
        let per_group = weights.values.len() / (conv.out_channels * rows * columns).max(1);
        let dims = [conv.out_channels, per_group, rows, columns];
        let bytes = weights.values.iter().map(|&value| value as u8).collect();
        let stored = self.constant(name, "stored", raw(DataType::Int8, &dims, bytes));
        let scales = self.floats(name, "scales", &[conv.out_channels], &weights.scales);
        let read = format!("{name}.weights");
        let axis = vec![int("axis", 0)];
        let read = self.node("DequantizeLinear", &read, &[&stored, &scales], axis);
        let mut inputs = vec![x.as_str(), &read];
        let bias;
        if !conv.bias.is_empty() {
            bias = self.floats(name, "bias", &[conv.out_channels], &conv.bias);
            inputs.push(&bias);
        }
        let attributes = vec![
            ints("kernel_shape", conv.kernel),
            ints("strides", conv.stride),
            ints("dilations", conv.dilation),
            sides(conv.padding),
            int("group", conv.groups as i64),
        ];
        let mut result = self.node("Conv", name, &inputs, attributes);
        if let Some(residual) = conv.residual {
            let other = self.tensor(residual);
            // In this order it joins the same convolution again.
            result = self.node("Add", &format!("{name}.sum"), &[&other, &result], vec![]);
        }
        self.activate(name, result, conv.activation)
    }

    fn pool(&mut self, name: &str, pool: &Pool) -> String {
        let x = self.tensor(pool.x);
        let mut attributes = vec![
            ints("kernel_shape", pool.kernel),
            ints("strides", pool.stride),
            sides(pool.padding),
        ];
        let operator = match pool.kind {
            PoolKind::Max => "MaxPool",
            PoolKind::Average { count_include_pad } => {
                attributes.push(int("count_include_pad", i64::from(count_include_pad)));
                "AveragePool"
            }
        };
        self.node(operator, name, &[&x], attributes)
    }

    fn shuffle(&mut self, name: &str, from: &str, shape: Shape, groups: usize) -> String {
        let Shape { h, w, c } = shape;
        let [apart, mixed] = [format!("{name}.apart"), format!("{name}.mixed")];
        let apart = self.reshaped(from, &apart, &[1, groups, c / groups, h, w]);
        let order = vec![ints("perm", [0, 2, 1, 3, 4])];
        let mixed = self.node("Transpose", &mixed, &[&apart], order);
        self.reshaped(&mixed, name, &[1, c, h, w])
    }

    /// The activation at the end of the node called `of`.
    fn activate(
        &mut self,
        of: &str,
        from: String,
        activation: Activation,
    ) -> Result<String, String> {
        match activation {
            Activation::None => Ok(from),
            activation => self.activation(&format!("{of}.activation"), &from, activation),
        }
    }

    fn activation(
        &mut self,
        name: &str,
        from: &str,
        activation: Activation,
    ) -> Result<String, String> {
        Ok(match activation {
            Activation::None => self.node("Identity", name, &[from], vec![]),
            Activation::Relu => self.node("Relu", name, &[from], vec![]),
            Activation::Clip { lo, hi } => {
                let bound = |writer: &mut Writer, what, value: f32| {
                    value.is_finite().then(|| writer.floats(name, what, &[], &[value]))
                };
                let low = bound(self, "low", lo).unwrap_or_default();
                let high = bound(self, "high", hi).unwrap_or_default();
                self.node("Clip", name, &[from, &low, &high], vec![])
            }
            Activation::HardSwish => self.node("HardSwish", name, &[from], vec![]),
            Activation::HardSigmoid { alpha, beta } => {
                let attributes = vec![float("alpha", alpha), float("beta", beta)];
                self.node("HardSigmoid", name, &[from], attributes)
            }
            Activation::Sigmoid => self.node("Sigmoid", name, &[from], vec![]),
            Activation::Silu => {
                let gate = self.node("Sigmoid", &format!("{name}.gate"), &[from], vec![]);
                self.node("Mul", name, &[from, &gate], vec![])
            }
            Activation::LeakyRelu { slope } => {
                self.node("LeakyRelu", name, &[from], vec![float("alpha", slope)])
            }
            other => return Err(format!("layer {name:?} ends with {other:?}, no form of ONNX")),
        })
    }

    fn finish(self, input: &[usize], result: &str, output: &[usize]) -> Vec<u8> {
        let graph = pb::GraphProto {
            name: "quantized".to_owned(),
            node: self.nodes,
            initializer: self.constants,
            input: vec![described("input", input)],
            output: vec![described(result, output)],
            ..Default::default()
        };
        let opset = pb::OperatorSetIdProto { version: OPSET, ..Default::default() };
        let model = pb::ModelProto {
            ir_version: 8,
            producer_name: "biglittle".to_owned(),
            opset_import: vec![opset],
            graph: Some(graph),
            ..Default::default()
        };
        model.encode_to_vec()
    }
}

fn raw(element: DataType, dims: &[usize], raw_data: Vec<u8>) -> pb::TensorProto {
    let dims = dims.iter().map(|&dim| dim as i64).collect();
    pb::TensorProto { data_type: element as i32, dims, raw_data, ..Default::default() }
}

fn sides(padding: Padding) -> pb::AttributeProto {
    let Padding { top, left, bottom, right } = padding;
    ints("pads", [top, left, bottom, right])
}

fn described(name: &str, shape: &[usize]) -> pb::ValueInfoProto {
    let dims = shape.iter().map(|&dim| dim as i64);
    value_info(name.to_owned(), DataType::Float as i32, dims)
}
