//! Convolution.
//!
//! Decides that weights, groups, bias and window fit the input.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use super::super::tensor::Element;
use super::window::Window;
use crate::Result;

/// tract copies patches of the input when there are less bytes of them.
const PATCH_BYTES: usize = 4 << 20;

pub(super) fn conv(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    let arity = node.arity(2..=3)?;
    let (input, weights) = (graph.float_input(node, 0)?, graph.float_input(node, 1)?);
    let (x, w) = (graph.fact(input).shape.clone(), graph.fact(weights).shape.clone());
    let (&[batch, channels, height, width], &[outputs, fan, kernel_h, kernel_w]) = (&x[..], &w[..])
    else {
        return Err(node.refuse(format!(
            "has an input of shape {} and weights of shape {}, both must have 4 axes; only \
             convolutions over images are supported",
            list(&x),
            list(&w)
        )));
    };
    if !graph.values[weights].constant {
        return Err(node.refuse(format!("has weights that are not constant; {EXPORT_AGAIN}")));
    }
    graph.bounded(node, &Fact::new(Element::F32, w.clone()))?;
    let group = node.int_in("group", 1, 1..=channels as i64)? as usize;
    if !channels.is_multiple_of(group) || !outputs.is_multiple_of(group) {
        return Err(node.refuse(format!(
            "has group {group}, it must divide its {channels} input and {outputs} output channels; \
             {EXPORT_AGAIN}"
        )));
    }
    if fan != channels / group {
        return Err(node.refuse(format!(
            "has weights of shape {} over {channels} channels in {group} groups, the second \
             dimension must be {}; {EXPORT_AGAIN}",
            list(&w),
            channels / group
        )));
    }
    let window = Window::read(node, [height, width], Some([kernel_h, kernel_w]), false)?;
    let mut inputs = vec![Some(input), Some(weights)];
    if arity == 3 {
        let bias = graph.float_input(node, 2)?;
        let fact = graph.fact(bias);
        if fact.shape != [outputs] || !graph.values[bias].constant {
            return Err(node.refuse(format!(
                "has a bias of shape {}, it must be constant and [{outputs}]; {EXPORT_AGAIN}",
                list(&fact.shape)
            )));
        }
        inputs.push(Some(bias));
    }
    let [out_h, out_w] = window.output;
    let fact = Fact::new(Element::F32, [batch, outputs, out_h, out_w]);
    let points = graph.bounded(node, &fact)? as u64;
    let macs = points.saturating_mul((fan * window.points()) as u64);
    let padded = graph.fact(input).bytes() as u64 * window.growth(height, width) as u64 / 1024;
    let padded = usize::try_from(padded).unwrap_or(usize::MAX);
    let work = Work {
        macs,
        workspace: padded.saturating_add(PATCH_BYTES).saturating_add(out_h * out_w * 16),
        tables: window.tables(),
        needs_input: true,
        ..Work::default()
    };
    let mut attributes = window.attributes();
    attributes.push(onnx::int("group", group as i64));
    graph.emit_one(node, "Conv", &inputs, attributes, fact, work)
}
