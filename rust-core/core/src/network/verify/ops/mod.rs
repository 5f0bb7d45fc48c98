//! The operators that image classifiers use.
//!
//! Decides which operators are known; each file decides what a group of them
//! may look like, what shape they make and what tract is given for them.
//! Called by `verify` for each node in order.

mod constant;
mod conv;
mod elementwise;
mod join;
mod layout;
mod linear;
mod norm;
mod part;
mod pool;
mod quant;
mod reduce;
mod resize;
mod window;

use super::graph::Graph;
use super::node::Node;
use crate::Result;

/// Checks one node and adds it to the graph.
pub(super) fn apply(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    match node.op() {
        "Constant" => constant::constant(node, graph),
        "ConstantOfShape" => constant::constant_of_shape(node, graph),
        "Shape" => constant::shape(node, graph),
        "Cast" => constant::cast(node, graph),
        "Equal" => elementwise::binary(node, graph),
        "Not" => elementwise::unary(node, graph),
        "Where" => constant::select(node, graph),
        "Identity" => elementwise::identity(node, graph),
        "Dropout" => elementwise::dropout(node, graph),
        "Relu" | "Sigmoid" | "HardSwish" | "Tanh" | "Erf" | "Sqrt" | "Exp" | "Log" | "Neg"
        | "Abs" | "Floor" | "Ceil" | "Reciprocal" | "Softplus" | "LeakyRelu" | "Elu"
        | "HardSigmoid" => elementwise::unary(node, graph),
        "Clip" => elementwise::clip(node, graph),
        "PRelu" => elementwise::prelu(node, graph),
        "Add" | "Sub" | "Mul" | "Div" | "Pow" => elementwise::binary(node, graph),
        "Min" | "Max" | "Sum" => elementwise::variadic(node, graph),
        "Conv" => conv::conv(node, graph),
        "MaxPool" | "AveragePool" => pool::pool(node, graph),
        "GlobalAveragePool" | "GlobalMaxPool" => pool::global(node, graph),
        "Gemm" => linear::gemm(node, graph),
        "MatMul" => linear::matmul(node, graph),
        "BatchNormalization" => norm::batch(node, graph),
        "LRN" => norm::lrn(node, graph),
        "Softmax" | "LogSoftmax" => norm::softmax(node, graph),
        "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin" => reduce::reduce(node, graph),
        "Reshape" => layout::reshape(node, graph),
        "Flatten" => layout::flatten(node, graph),
        "Squeeze" => layout::squeeze(node, graph),
        "Unsqueeze" => layout::unsqueeze(node, graph),
        "Transpose" => layout::transpose(node, graph),
        "Expand" => layout::expand(node, graph),
        "Tile" => layout::tile(node, graph),
        "Concat" => join::concat(node, graph),
        "Pad" => join::pad(node, graph),
        "Split" => part::split(node, graph),
        "Slice" => part::slice(node, graph),
        "Gather" => part::gather(node, graph),
        "Resize" => resize::resize(node, graph),
        "QuantizeLinear" => quant::quantize(node, graph),
        "DequantizeLinear" => quant::dequantize(node, graph),
        _ => Err(node.refuse(
            "is of an operator that is not supported; export the network with operators of image \
             classifiers only",
        )),
    }
}
