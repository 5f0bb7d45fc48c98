//! The graph as the guard understands it, and as tract will get it.
//!
//! Decides which names exist, that each is made once and before it is used,
//! that every tensor has a bounded shape, and what the checked graph looks
//! like: tract never gets the file's nodes but these steps, which carry only
//! checked attributes, constants and names. It does not know what an operator
//! means. Filled by `mod` and the operators, ended by `finish`.

use std::collections::HashMap;

use tract_onnx::pb;

use super::super::onnx;
use super::budget::{self, Totals};
use super::fold;
use super::limits::ModelLimits;
use super::node::Node;
use super::refuse::{EXPORT_AGAIN, invalid, list, quote};
use super::small::{SMALL, Small};
use super::tensor::{self, Constant, Element, MAX_RANK};
use crate::Result;

pub(super) type ValueId = usize;

/// Type and shape of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub(super) element: Element,
    pub(super) shape: Vec<usize>,
}

impl Fact {
    pub(super) fn new(element: Element, shape: impl Into<Vec<usize>>) -> Fact {
        Fact { element, shape: shape.into() }
    }

    /// Elements of a tensor that the graph accepted.
    pub(super) fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    pub(super) fn bytes(&self) -> usize {
        self.elements() * self.element.bytes()
    }

    pub(super) fn rank(&self) -> usize {
        self.shape.len()
    }
}

/// One tensor of the graph.
pub(super) struct Value {
    pub(super) fact: Fact,
    /// Does not depend on the network's input.
    pub(super) constant: bool,
    /// Its numbers, if it is a small constant.
    pub(super) small: Option<Small>,
    /// What to give to tract, if it is a constant of the file.
    tensor: Option<pb::TensorProto>,
}

impl Value {
    /// A constant that was in the file or computed by the guard.
    pub(super) fn is_of_file(&self) -> bool {
        self.tensor.is_some()
    }

    /// The message of such a constant.
    pub(super) fn tensor(&self) -> Option<&pb::TensorProto> {
        self.tensor.as_ref()
    }
}

/// What a step costs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    /// Multiply-accumulates; element-wise work is added by `emit`.
    pub(super) macs: u64,
    /// How dear one element is, relative to an addition; 0 counts as 1.
    pub(super) weight: u64,
    /// Bytes needed beside inputs and outputs while it runs.
    pub(super) workspace: usize,
    /// Bytes of tables that are kept with the opened network.
    pub(super) tables: usize,
    /// Not worth computing on constants: an exporter would have folded it.
    pub(super) needs_input: bool,
}

/// A checked operation for tract.
pub(super) struct Step {
    /// Place of the node that it comes from.
    node: usize,
    pub(super) name: String,
    pub(super) op: &'static str,
    pub(super) inputs: Vec<Option<ValueId>>,
    pub(super) outputs: Vec<ValueId>,
    pub(super) attributes: Vec<pb::AttributeProto>,
    pub(super) macs: u64,
    pub(super) workspace: usize,
    pub(super) tables: usize,
}

pub(super) struct Graph<'a> {
    pub(super) limits: &'a ModelLimits,
    /// Version of the standard operators that the file is written in.
    pub(super) opset: i64,
    pub(super) values: Vec<Value>,
    pub(super) steps: Vec<Step>,
    names: HashMap<String, ValueId>,
    work: u64,
    constant_work: u64,
    layouts: usize,
}

/// The operator set of the graph given to tract, whatever the file's is.
const EMITTED_OPSET: i64 = 13;

impl<'a> Graph<'a> {
    pub(super) fn new(limits: &'a ModelLimits, opset: i64) -> Graph<'a> {
        Graph {
            limits,
            opset,
            values: Vec::new(),
            steps: Vec::new(),
            names: HashMap::new(),
            work: 0,
            constant_work: 0,
            layouts: 0,
        }
    }

    /// Gives `id` the name that later nodes call it by.
    pub(super) fn name(&mut self, name: &str, id: ValueId) -> Result<()> {
        if name.is_empty() {
            return Err(invalid(format!("a tensor of the graph has no name; {EXPORT_AGAIN}")));
        }
        if self.names.insert(name.to_owned(), id).is_some() {
            return Err(invalid(format!(
                "tensor name {} is given twice; {EXPORT_AGAIN}",
                quote(name)
            )));
        }
        Ok(())
    }

    pub(super) fn find(&self, name: &str) -> Option<ValueId> {
        self.names.get(name).copied()
    }

    /// Adds the network's input.
    pub(super) fn add_input(&mut self, fact: Fact) -> ValueId {
        self.add(Value { fact, constant: false, small: None, tensor: None })
    }

    pub(super) fn add_constant(&mut self, constant: Constant) -> ValueId {
        let Constant { element, shape, small, proto } = constant;
        let fact = Fact { element, shape };
        self.add(Value { fact, constant: true, small, tensor: Some(proto) })
    }

    /// Adds numbers computed by the guard, at most [`SMALL`] of them.
    pub(super) fn add_small(&mut self, fact: Fact, small: Small) -> ValueId {
        debug_assert!(small.len() <= SMALL && small.len() == fact.elements());
        let tensor = Some(tensor::write(fact.element, &fact.shape, &small));
        self.add(Value { fact, constant: true, small: Some(small), tensor })
    }

    /// A vector of 64-bit integers, as operators take axes and sizes.
    pub(super) fn add_ints(&mut self, values: impl IntoIterator<Item = usize>) -> ValueId {
        let values: Vec<i64> = values.into_iter().map(|value| value as i64).collect();
        self.add_small(Fact::new(Element::I64, [values.len()]), Small::Ints(values))
    }

    pub(super) fn add_float(&mut self, value: f32) -> ValueId {
        self.add_small(Fact::new(Element::F32, []), Small::Floats(vec![value]))
    }

    fn add(&mut self, value: Value) -> ValueId {
        self.values.push(value);
        self.values.len() - 1
    }

    /// The value behind input `position` of a node, nothing if left out.
    pub(super) fn optional(&self, node: &Node<'_>, position: usize) -> Result<Option<ValueId>> {
        let Some(name) = node.proto.input.get(position).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        match self.find(name) {
            Some(id) => Ok(Some(id)),
            None => Err(node.refuse(format!(
                "reads {}, which no input, constant or earlier node makes: the graph has a cycle, \
                 is out of order or incomplete; {EXPORT_AGAIN}",
                quote(name)
            ))),
        }
    }

    /// The value behind input `position` of a node.
    pub(super) fn input(&self, node: &Node<'_>, position: usize) -> Result<ValueId> {
        match self.optional(node, position)? {
            Some(id) => Ok(id),
            None => Err(node.refuse(format!("lacks its input {position}; {EXPORT_AGAIN}"))),
        }
    }

    pub(super) fn fact(&self, id: ValueId) -> &Fact {
        &self.values[id].fact
    }

    /// Input `position` as 32-bit floats.
    pub(super) fn float_input(&self, node: &Node<'_>, position: usize) -> Result<ValueId> {
        let id = self.input(node, position)?;
        if self.fact(id).element == Element::F32 {
            return Ok(id);
        }
        Err(node.refuse(format!(
            "computes on {:?} in input {position}, it must be a 32-bit float; export it as float",
            self.fact(id).element
        )))
    }

    /// The integers of input `position`, which must be a small constant vector.
    pub(super) fn ints(&self, node: &Node<'_>, position: usize) -> Result<Option<Vec<i64>>> {
        let Some(id) = self.optional(node, position)? else { return Ok(None) };
        match self.values[id].small.as_ref().and_then(Small::ints) {
            Some(values) => Ok(Some(values.to_vec())),
            None => Err(node.refuse(format!(
                "takes input {position} from the network or from a long list, it must be a \
                 constant list of integers; export it with fixed shapes"
            ))),
        }
    }

    /// The one number of input `position`, which must be a constant float.
    pub(super) fn scalar(&self, node: &Node<'_>, position: usize) -> Result<Option<f32>> {
        let Some(id) = self.optional(node, position)? else { return Ok(None) };
        match self.values[id].small.as_ref().and_then(Small::floats) {
            Some(&[value]) => Ok(Some(value)),
            _ => Err(node
                .refuse(format!("needs one constant float as input {position}; {EXPORT_AGAIN}"))),
        }
    }

    /// Adds a step for tract and the tensors it makes.
    pub(super) fn emit(
        &mut self,
        node: &Node<'_>,
        op: &'static str,
        inputs: &[Option<ValueId>],
        attributes: Vec<pb::AttributeProto>,
        outputs: Vec<Fact>,
        work: Work,
    ) -> Result<Vec<ValueId>> {
        let constant = inputs.iter().flatten().all(|&id| self.values[id].constant);
        if constant && work.needs_input {
            return Err(node.refuse(format!(
                "computes on constants only; {EXPORT_AGAIN} with constant folding"
            )));
        }
        let read: usize = inputs.iter().flatten().map(|&id| self.fact(id).elements()).sum();
        let mut written = 0;
        for fact in &outputs {
            written += self.bounded(node, fact)?;
        }
        let elements = (read.max(written) as u64).saturating_mul(work.weight.max(1));
        let total = if constant { &mut self.constant_work } else { &mut self.work };
        *total = total.saturating_add(elements).saturating_add(work.macs);
        let (limit, name) = if constant {
            (self.limits.max_constant_work, "max_constant_work")
        } else {
            (self.limits.max_macs, "max_macs")
        };
        if *total > limit {
            return Err(node.refuse(format!(
                "brings the work to {total} operations, more than {limit}; use a smaller network \
                 or raise ModelLimits::{name}"
            )));
        }
        if !constant && self.arranges(op, inputs, &outputs) {
            self.layouts += 1;
            if self.layouts > self.limits.max_layout_nodes {
                return Err(node.refuse(format!(
                    "brings the nodes that only arrange elements anew to {}, more than {}; \
                     simplify the network or raise ModelLimits::max_layout_nodes",
                    self.layouts, self.limits.max_layout_nodes
                )));
            }
        }
        let part = self.steps.iter().rev().take_while(|step| step.node == node.index).count();
        let ids: Vec<ValueId> = outputs
            .into_iter()
            .map(|fact| self.add(Value { fact, constant, small: None, tensor: None }))
            .collect();
        self.steps.push(Step {
            node: node.index,
            name: node.unique_name(part),
            op,
            inputs: inputs.to_vec(),
            outputs: ids.clone(),
            attributes,
            macs: work.macs,
            workspace: work.workspace,
            tables: work.tables,
        });
        Ok(ids)
    }

    /// Whether tract sees a step as a change of axes, or makes one of it.
    fn arranges(&self, op: &str, inputs: &[Option<ValueId>], outputs: &[Fact]) -> bool {
        let rank = outputs.first().map_or(0, Fact::rank);
        let other = |&id: &ValueId| !self.values[id].constant && self.fact(id).rank() != rank;
        matches!(op, "Reshape" | "Transpose") || inputs.iter().flatten().any(other)
    }

    /// Adds a step that makes the node's only output.
    pub(super) fn emit_one(
        &mut self,
        node: &Node<'_>,
        op: &'static str,
        inputs: &[Option<ValueId>],
        attributes: Vec<pb::AttributeProto>,
        output: Fact,
        work: Work,
    ) -> Result<()> {
        let ids = self.emit(node, op, inputs, attributes, vec![output], work)?;
        self.bind(node, &ids)
    }

    /// Names the node's outputs, which must be as many as `ids`.
    pub(super) fn bind(&mut self, node: &Node<'_>, ids: &[ValueId]) -> Result<()> {
        let names = &node.proto.output;
        let spare = names.iter().skip(ids.len()).any(|name| !name.is_empty());
        if names.len() < ids.len() || spare {
            return Err(node.refuse(format!(
                "has {} outputs, supported are {} for this operator; {EXPORT_AGAIN} for inference",
                names.len(),
                ids.len()
            )));
        }
        for (name, &id) in names.iter().zip(ids) {
            self.name(name, id).map_err(|error| node.refuse(format!("is malformed: {error}")))?;
        }
        Ok(())
    }

    /// Names the node's first output; the others, made for training only, get
    /// no name, so that a reader of one is refused.
    pub(super) fn bind_first(&mut self, node: &Node<'_>, id: ValueId) -> Result<()> {
        match node.proto.output.first() {
            Some(name) => {
                self.name(name, id).map_err(|error| node.refuse(format!("is malformed: {error}")))
            }
            None => Err(node.refuse(format!("has no output; {EXPORT_AGAIN}"))),
        }
    }

    /// The number of elements of a tensor that a node makes.
    pub(super) fn bounded(&self, node: &Node<'_>, fact: &Fact) -> Result<usize> {
        if fact.rank() > MAX_RANK {
            return Err(node.refuse(format!(
                "makes a tensor of {} axes, the limit is {MAX_RANK}",
                fact.rank()
            )));
        }
        match tensor::count(&fact.shape, self.limits) {
            Some(0) => Err(node.refuse(format!(
                "makes an empty tensor of shape {}; {EXPORT_AGAIN}",
                list(&fact.shape)
            ))),
            Some(elements) => Ok(elements),
            None => Err(node.refuse(format!(
                "makes a tensor of shape {}, more than {} elements; use a smaller network or raise \
                 ModelLimits::max_tensor_elements",
                list(&fact.shape),
                self.limits.max_tensor_elements
            ))),
        }
    }

    /// Drops the steps that the output does not need; says which tensors it
    /// does.
    fn drop_unused(&mut self, output: ValueId) -> Vec<bool> {
        let mut needed = vec![false; self.values.len()];
        needed[output] = true;
        let mut keep = vec![false; self.steps.len()];
        for (keep, step) in keep.iter_mut().zip(&self.steps).rev() {
            *keep = step.outputs.iter().any(|&id| needed[id] && !self.values[id].is_of_file());
            if *keep {
                step.inputs.iter().flatten().for_each(|&id| needed[id] = true);
            }
        }
        let mut keep = keep.into_iter();
        self.steps.retain(|_| keep.next().unwrap_or(false));
        needed
    }

    /// Drops what the output does not need, checks the memory and writes the
    /// graph for tract.
    pub(super) fn finish(
        mut self,
        file_bytes: usize,
        input: ValueId,
        output: ValueId,
    ) -> Result<(pb::ModelProto, Totals)> {
        let needed = self.drop_unused(output);
        // tract makes a node for each output of a split.
        let nodes: usize = self.steps.iter().map(|step| step.outputs.len()).sum();
        if nodes > self.limits.max_nodes {
            return Err(invalid(format!(
                "the graph has {nodes} nodes to compute (a split counts for each output), more \
                 than {}; use a smaller network or raise ModelLimits::max_nodes",
                self.limits.max_nodes
            )));
        }
        let totals = budget::check(&self, file_bytes, &needed, output)?;
        for at in 0..self.steps.len() {
            if let Some(tensor) = fold::unpacked(&self, &self.steps[at]) {
                let id = self.steps[at].outputs[0];
                self.values[id].tensor = Some(tensor);
            }
        }
        let needed = self.drop_unused(output);

        let tensor_name = |id: ValueId| format!("v{id}");
        let node = self
            .steps
            .iter_mut()
            .map(|step| pb::NodeProto {
                name: std::mem::take(&mut step.name),
                op_type: step.op.to_owned(),
                input: step.inputs.iter().map(|id| id.map_or(String::new(), tensor_name)).collect(),
                output: step.outputs.iter().map(|&id| tensor_name(id)).collect(),
                attribute: std::mem::take(&mut step.attributes),
                ..Default::default()
            })
            .collect();
        let mut initializer = Vec::new();
        for (id, value) in self.values.iter_mut().enumerate() {
            if needed[id]
                && let Some(tensor) = value.tensor.take()
            {
                initializer.push(pb::TensorProto { name: tensor_name(id), ..tensor });
            }
        }
        let graph = pb::GraphProto {
            name: "checked".to_owned(),
            node,
            initializer,
            input: vec![onnx::value_info(
                tensor_name(input),
                self.fact(input).element.to_onnx(),
                self.fact(input).shape.iter().map(|&size| size as i64),
            )],
            output: vec![pb::ValueInfoProto { name: tensor_name(output), ..Default::default() }],
            ..Default::default()
        };
        let opset = pb::OperatorSetIdProto { version: EMITTED_OPSET, ..Default::default() };
        let proto = pb::ModelProto {
            ir_version: 8,
            opset_import: vec![opset],
            graph: Some(graph),
            ..Default::default()
        };
        Ok((proto, totals))
    }
}
