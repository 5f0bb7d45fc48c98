//! Resize of an image by constant factors or to a constant size.

use super::super::super::onnx;
use super::super::graph::{Fact, Graph, Work};
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use super::super::small::Small;
use super::super::tensor::Element;
use crate::Result;

/// Largest factor along one axis.
const MAX_SCALE: f32 = 64.0;

pub(super) fn resize(node: &Node<'_>, graph: &mut Graph<'_>) -> Result<()> {
    if graph.opset < 10 {
        return Err(node.refuse("needs operator set 10 or later; export with a later one"));
    }
    let input = graph.float_input(node, 0)?;
    let from = graph.fact(input).shape.clone();
    if from.len() != 4 {
        return Err(node.refuse(format!(
            "has an input of shape {}, it must have 4 axes; {EXPORT_AGAIN}",
            list(&from)
        )));
    }
    let mode = node.choice("mode", &["nearest", "linear", "cubic"])?;
    let (transform, nearest) = if graph.opset == 10 {
        ("asymmetric", "floor")
    } else {
        (
            node.choice(
                "coordinate_transformation_mode",
                &["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"],
            )?,
            node.choice(
                "nearest_mode",
                &["round_prefer_floor", "floor", "ceil", "round_prefer_ceil"],
            )?,
        )
    };
    node.flag("antialias", false)?;
    node.int_in("antialias", 0, 0..=0)?;
    node.int_in("exclude_outside", 0, 0..=0)?;
    node.choice("keep_aspect_ratio_policy", &["stretch"])?;
    node.ignore(&["extrapolation_value"]);
    if node.ints("axes")?.is_some_and(|axes| axes != [0, 1, 2, 3]) {
        return Err(node.refuse(format!("resizes named axes only; {EXPORT_AGAIN} without axes")));
    }
    let cubic = node.float("cubic_coeff_a", -0.75)?;

    let (scales, sizes) = if graph.opset == 10 {
        node.arity(2..=2)?;
        (factors(node, graph, 1)?, None)
    } else {
        node.arity(3..=4)?;
        (factors(node, graph, 2)?, graph.ints(node, 3)?)
    };
    let sizes = sizes.filter(|sizes| !sizes.is_empty());
    let shape: Vec<usize> = match (&scales, &sizes) {
        (Some(scales), None) if scales.len() == 4 => {
            if scales.iter().any(|scale| !(1.0 / MAX_SCALE..=MAX_SCALE).contains(scale)) {
                return Err(node.refuse(format!(
                    "has scales {}, each must be 1/{MAX_SCALE} to {MAX_SCALE}; {EXPORT_AGAIN}",
                    list(scales)
                )));
            }
            from.iter().zip(scales).map(|(&size, &scale)| (size as f32 * scale) as usize).collect()
        }
        (None, Some(sizes)) if sizes.len() == 4 => {
            for (axis, &size) in sizes.iter().enumerate() {
                node.in_range("sizes", size, 1..=64 * from[axis] as i64)?;
            }
            sizes.iter().map(|&size| size as usize).collect()
        }
        _ => {
            return Err(node.refuse(format!(
                "must have either 4 constant scales or 4 constant sizes; {EXPORT_AGAIN}"
            )));
        }
    };
    if shape[..2] != from[..2] {
        return Err(node.refuse(format!(
            "resizes {} to {}, only height and width may change; {EXPORT_AGAIN}",
            list(&from),
            list(&shape)
        )));
    }
    let fact = Fact::new(Element::F32, shape);
    graph.bounded(node, &fact)?;
    let mut attributes = vec![
        onnx::text("mode", mode),
        onnx::text("coordinate_transformation_mode", transform),
        onnx::text("nearest_mode", nearest),
    ];
    if mode == "cubic" {
        attributes.push(onnx::float("cubic_coeff_a", cubic));
    }
    let (scales, sizes) = match scales {
        Some(scales) => {
            let fact = Fact::new(Element::F32, [4]);
            (Some(graph.add_small(fact, Small::Floats(scales))), None)
        }
        None => (None, Some(graph.add_ints(fact.shape.iter().copied()))),
    };
    let work = Work { weight: 16, needs_input: true, workspace: fact.bytes(), ..Work::default() };
    let mut inputs = vec![Some(input), None, scales];
    if sizes.is_some() {
        inputs.push(sizes);
    }
    graph.emit_one(node, "Resize", &inputs, attributes, fact, work)
}

/// Constant floats of an input, nothing if it is left out or empty.
fn factors(node: &Node<'_>, graph: &Graph<'_>, position: usize) -> Result<Option<Vec<f32>>> {
    let Some(id) = graph.optional(node, position)? else { return Ok(None) };
    match graph.values[id].small.as_ref().and_then(Small::floats) {
        Some([]) => Ok(None),
        Some(values) => Ok(Some(values.to_vec())),
        None => Err(node.refuse("takes its scales from the network, they must be constant")),
    }
}
