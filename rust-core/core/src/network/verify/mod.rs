//! The guard: a network file is parsed and bounded before tract sees it.
//!
//! A model file is a program from outside. This folder decides whether it is a
//! plain image classifier of bounded size: protobuf that decodes into bounded
//! memory, known operators with every attribute in range, one float input and
//! one output, every shape a number, no cycle, and work and memory under
//! [`ModelLimits`]. What passes is written anew: tract gets only what was
//! understood, in one operator set, with shapes computed, unused parts, names
//! and documentation left out. It does not decide what tract makes of it; that
//! is `load`, its only caller.

mod budget;
mod fold;
mod graph;
mod limits;
mod node;
mod ops;
mod refuse;
mod small;
mod tensor;
mod wire;

use std::collections::BTreeMap;

use prost::Message;
use tract_onnx::pb;

pub use self::limits::ModelLimits;
pub(crate) use self::refuse::invalid;

use self::budget::Totals;
use self::graph::{Fact, Graph, ValueId};
use self::node::Node;
use self::refuse::{EXPORT_AGAIN, list, quote};
use self::tensor::{Element, type_name};
use crate::Result;

/// Versions of the standard operators that are understood.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=21;

/// A network file that passed the guard.
pub(crate) struct VerifiedModel {
    /// The graph written anew for tract.
    pub(crate) proto: pb::ModelProto,
    /// The input's shape, with a batch of 1.
    pub(crate) input_shape: Vec<usize>,
    /// The output's shape.
    pub(crate) output_shape: Vec<usize>,
    /// Work, parameters and memory.
    pub(crate) totals: Totals,
    /// The version of the standard operators in the file.
    pub(crate) opset: i64,
    /// How often each operator is in the file, by name.
    pub(crate) operators: BTreeMap<String, usize>,
}

/// Checks the bytes of an ONNX file against `limits`.
///
/// # Errors
///
/// [`InvalidModel`](crate::ErrorKind::InvalidModel) with one sentence that
/// names the node or tensor, the value, the limit and what to do.
pub(crate) fn verify(bytes: &[u8], limits: &ModelLimits) -> Result<VerifiedModel> {
    if bytes.len() > limits.max_file_bytes {
        return Err(invalid(format!(
            "the file has {} bytes, more than {}; use a smaller network or raise \
             ModelLimits::max_file_bytes",
            bytes.len(),
            limits.max_file_bytes
        )));
    }
    wire::scan(bytes, limits.max_memory_bytes / 4)?;
    let model = pb::ModelProto::decode(bytes).map_err(|error| {
        invalid(format!("the file is no ONNX model: {error}; {EXPORT_AGAIN}")).with_source(error)
    })?;
    if model.graph.is_none() {
        return Err(invalid(format!("the file holds no graph; {EXPORT_AGAIN}")));
    }
    let opset = operator_set(&model)?;
    for (what, count) in
        [("training information", model.training_info.len()), ("functions", model.functions.len())]
    {
        if count > 0 {
            return Err(invalid(format!(
                "the model carries {what} ({count}), which is not supported; export it for \
                 inference without"
            )));
        }
    }
    let file = model.graph.expect("a model without a graph was refused above");
    counts(&file, limits)?;

    let mut graph = Graph::new(limits, opset);
    for (index, tensor) in file.initializer.into_iter().enumerate() {
        let name = tensor.name.clone();
        let what = format!("constant {index} {}", quote(&name));
        let constant = tensor::read(&what, tensor, limits)?;
        let id = graph.add_constant(constant);
        graph.name(&name, id)?;
    }
    let input = network_input(&mut graph, &file.input)?;
    let mut operators = BTreeMap::new();
    for (index, proto) in file.node.into_iter().enumerate() {
        let node = Node::new(index, &proto)?;
        ops::apply(&node, &mut graph)?;
        node.all_read()?;
        *operators.entry(proto.op_type).or_insert(0) += 1;
    }
    let output = network_output(&graph, &file.output)?;
    let input_shape = graph.fact(input).shape.clone();
    let output_shape = graph.fact(output).shape.clone();
    let (proto, totals) = graph.finish(bytes.len(), input, output)?;
    Ok(VerifiedModel { proto, input_shape, output_shape, totals, opset, operators })
}

/// The version of the standard operators.
fn operator_set(model: &pb::ModelProto) -> Result<i64> {
    let standard =
        |import: &&pb::OperatorSetIdProto| matches!(import.domain.as_str(), "" | "ai.onnx");
    let versions: Vec<i64> =
        model.opset_import.iter().filter(standard).map(|import| import.version).collect();
    match versions[..] {
        [version] if OPSETS.contains(&version) => Ok(version),
        _ => Err(invalid(format!(
            "the model states operator set versions {}, it must state one of {} to {}; \
             {EXPORT_AGAIN} for one of those",
            list(&versions),
            OPSETS.start(),
            OPSETS.end()
        ))),
    }
}

/// Bounds on the lists of a graph.
fn counts(file: &pb::GraphProto, limits: &ModelLimits) -> Result<()> {
    if !file.sparse_initializer.is_empty() {
        return Err(invalid(format!(
            "the graph holds {} sparse constants, which are not supported; export it dense",
            file.sparse_initializer.len()
        )));
    }
    for (what, has, limit) in [
        ("nodes", file.node.len(), limits.max_nodes.saturating_mul(4)),
        ("constants", file.initializer.len(), limits.max_nodes.saturating_mul(8)),
    ] {
        if has > limit {
            return Err(invalid(format!(
                "the graph has {has} {what}, more than {limit}; use a smaller network or raise \
                 ModelLimits::max_nodes"
            )));
        }
    }
    if file.node.is_empty() {
        return Err(invalid(format!("the graph is empty, it must have nodes; {EXPORT_AGAIN}")));
    }
    let mut names = std::collections::HashSet::new();
    for (index, node) in file.node.iter().enumerate() {
        if !node.name.is_empty() && !names.insert(node.name.as_str()) {
            return Err(invalid(format!(
                "node {index} ({}) has the name {} of an earlier node; {EXPORT_AGAIN}",
                quote(&node.op_type),
                quote(&node.name)
            )));
        }
    }
    Ok(())
}

/// Finds the one input that no constant stands in for.
fn network_input(graph: &mut Graph<'_>, inputs: &[pb::ValueInfoProto]) -> Result<ValueId> {
    let mut names = std::collections::HashSet::new();
    if let Some(twice) = inputs.iter().find(|input| !names.insert(input.name.as_str())) {
        return Err(invalid(format!(
            "input {} is listed twice; {EXPORT_AGAIN}",
            quote(&twice.name)
        )));
    }
    // Before version 4 of the format every constant was listed as an input.
    let free: Vec<&pb::ValueInfoProto> =
        inputs.iter().filter(|input| graph.find(&input.name).is_none()).collect();
    let &[input] = &free[..] else {
        let names: Vec<String> = free.iter().map(|input| quote(&input.name)).collect();
        return Err(invalid(format!(
            "the network has {} inputs {}, it must have one; {EXPORT_AGAIN}",
            free.len(),
            list(&names)
        )));
    };
    let refuse = |reason: String| Err(invalid(format!("input {} {reason}", quote(&input.name))));
    let Some(pb::TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), .. }) =
        &input.r#type
    else {
        return refuse(format!("has no tensor type; {EXPORT_AGAIN}"));
    };
    if Element::from_onnx(tensor.elem_type) != Some(Element::F32) {
        return refuse(format!(
            "is of {}, it must be of 32-bit float; export it so",
            type_name(tensor.elem_type)
        ));
    }
    let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim[..]);
    if !matches!(dims.len(), 2 | 4) {
        return refuse(format!(
            "has {} axes, it must have 4 (a batch of images) or 2 (a batch of vectors)",
            dims.len()
        ));
    }
    let mut shape = vec![1];
    for (axis, dim) in dims.iter().enumerate() {
        use pb::tensor_shape_proto::dimension::Value;
        match (axis, &dim.value) {
            // A batch that is left open is 1: one frame at a time.
            (0, None | Some(Value::DimParam(_)) | Some(Value::DimValue(-1..=1))) => {}
            (0, Some(Value::DimValue(batch))) => {
                return refuse(format!("has a batch of {batch}, it must be 1 or left open"));
            }
            (_, Some(Value::DimValue(size))) if *size > 0 => {
                shape.push(usize::try_from(*size).unwrap_or(usize::MAX));
            }
            (_, Some(Value::DimValue(size))) => {
                return refuse(format!(
                    "has dimension {size} on axis {axis}, it must be 1 or more"
                ));
            }
            (_, Some(Value::DimParam(_)) | None) => {
                return refuse(format!(
                    "leaves the size of axis {axis} open; export it with a fixed size"
                ));
            }
        }
    }
    if tensor::count(&shape, graph.limits).is_none() {
        return refuse(format!(
            "has shape {}, more than {} elements; use a smaller input or raise \
             ModelLimits::max_tensor_elements",
            list(&shape),
            graph.limits.max_tensor_elements
        ));
    }
    let id = graph.add_input(Fact::new(Element::F32, shape));
    graph.name(&input.name, id)?;
    Ok(id)
}

/// Finds the one output. What the file says about its shape, or about that of
/// any inner tensor, is not used.
fn network_output(graph: &Graph<'_>, outputs: &[pb::ValueInfoProto]) -> Result<ValueId> {
    let [output] = outputs else {
        let names: Vec<String> = outputs.iter().map(|output| quote(&output.name)).collect();
        return Err(invalid(format!(
            "the network has {} outputs {}, it must have one, the logits; {EXPORT_AGAIN}",
            outputs.len(),
            list(&names)
        )));
    };
    let refuse = |reason: String| Err(invalid(format!("output {} {reason}", quote(&output.name))));
    let Some(id) = graph.find(&output.name) else {
        return refuse(format!("is made by no node; {EXPORT_AGAIN}"));
    };
    let made = graph.steps.iter().any(|step| step.outputs.contains(&id));
    if !made || graph.values[id].constant {
        return refuse(format!("does not depend on the network's input; {EXPORT_AGAIN}"));
    }
    if graph.fact(id).element != Element::F32 {
        return refuse(format!(
            "is of {:?}, it must be of 32-bit float; export it so",
            graph.fact(id).element
        ));
    }
    Ok(id)
}
