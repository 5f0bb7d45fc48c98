//! Windows that slide over an image: kernel, stride, dilation, padding.
//!
//! Decides the ranges of these attributes and the size of what comes out,
//! with padding made explicit. Used by the convolution and the pools.

use tract_onnx::pb;

use super::super::super::onnx;
use super::super::node::Node;
use super::super::refuse::{EXPORT_AGAIN, list};
use crate::Result;

/// Largest kernel, stride or dilation along one axis.
const MAX_STEP: i64 = 1024;

/// tract lists the kernel's points once for each distinct overlap of the
/// window with the border; this bounds the lists' total length.
const MAX_BORDER_POINTS: usize = 1 << 20;

pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    before: [usize; 2],
    after: [usize; 2],
    ceil: bool,
    border_points: usize,
    /// Height and width of what comes out.
    pub(super) output: [usize; 2],
}

impl Window {
    /// Reads the attributes of a node over an image of height and width
    /// `image`. `kernel` is what the weights say, if there are any; `pool`
    /// says whether the rules for pools hold.
    pub(super) fn read(
        node: &Node<'_>,
        image: [usize; 2],
        kernel: Option<[usize; 2]>,
        pool: bool,
    ) -> Result<Window> {
        let stated = pair(node, "kernel_shape", 1..=MAX_STEP)?;
        let kernel = match (kernel, stated) {
            (Some(real), Some(stated)) if real != stated => {
                return Err(node.refuse(format!(
                    "has kernel_shape {}, its weights have {}; {EXPORT_AGAIN}",
                    list(&stated),
                    list(&real)
                )));
            }
            (Some(real), _) | (None, Some(real)) => real,
            (None, None) => {
                return Err(node.refuse(format!("has no kernel_shape; {EXPORT_AGAIN}")));
            }
        };
        for size in kernel {
            node.in_range("kernel", size as i64, 1..=MAX_STEP)?;
        }
        let strides = pair(node, "strides", 1..=MAX_STEP)?.unwrap_or([1, 1]);
        let dilations = pair(node, "dilations", 1..=MAX_STEP)?.unwrap_or([1, 1]);
        let reach = [0, 1].map(|axis| (kernel[axis] - 1) * dilations[axis] + 1);
        let ceil = pool && node.flag("ceil_mode", false)?;
        let (before, after) = padding(node, image, reach, strides, pool)?;

        let mut output = [0; 2];
        let mut borders = [0; 2];
        for axis in 0..2 {
            let padded = image[axis] + before[axis] + after[axis];
            let Some(room) = padded.checked_sub(reach[axis]) else {
                return Err(node.refuse(format!(
                    "has a window {} wide over an image of {} with {} of padding, it must fit; \
                     use a larger image or {EXPORT_AGAIN}",
                    reach[axis],
                    image[axis],
                    before[axis] + after[axis]
                )));
            };
            let steps = if ceil { room.div_ceil(strides[axis]) } else { room / strides[axis] };
            // A window that would start in the padding after the image is
            // left out.
            let over = ceil && steps * strides[axis] >= image[axis] + before[axis];
            output[axis] = steps + 1 - usize::from(over);
            let pad = before[axis] + after[axis] + if ceil { strides[axis] } else { 0 };
            borders[axis] = output[axis].min(pad.div_ceil(strides[axis]) + 2);
        }
        let border_points = [borders[0], borders[1], kernel[0], kernel[1]]
            .iter()
            .try_fold(1usize, |product, &factor| product.checked_mul(factor));
        let Some(border_points) = border_points.filter(|&points| points <= MAX_BORDER_POINTS)
        else {
            return Err(node.refuse(format!(
                "has kernel {} with pads {} and {}, whose overlaps with the border need more than \
                 {MAX_BORDER_POINTS} points; use a smaller kernel or less padding",
                list(&kernel),
                list(&before),
                list(&after)
            )));
        };
        Ok(Window { kernel, strides, dilations, before, after, ceil, output, border_points })
    }

    /// Points of the kernel.
    pub(super) fn points(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Bytes of tract's lists of points, kept while the network is open.
    pub(super) fn tables(&self) -> usize {
        24 * self.border_points
    }

    /// Size of the padded image, in 1024ths of the image itself.
    pub(super) fn growth(&self, height: usize, width: usize) -> usize {
        let padded = |axis: usize, size: usize| size + self.before[axis] + self.after[axis];
        // Pads are at most 2,048 and sides at most 2^24: no product overflows 64
        // bits.
        let rows = (padded(0, height) as u64 * 1024).div_ceil(height as u64);
        let growth = rows * (padded(1, width).div_ceil(width) as u64);
        usize::try_from(growth).unwrap_or(usize::MAX)
    }

    /// The attributes for tract.
    pub(super) fn attributes(&self) -> Vec<pb::AttributeProto> {
        let mut attributes = vec![
            onnx::ints("kernel_shape", self.kernel),
            onnx::ints("strides", self.strides),
            onnx::ints("dilations", self.dilations),
            onnx::ints("pads", self.before.into_iter().chain(self.after)),
        ];
        if self.ceil {
            attributes.push(onnx::int("ceil_mode", 1));
        }
        attributes
    }
}

/// Padding before and after, by `pads` or `auto_pad`.
fn padding(
    node: &Node<'_>,
    image: [usize; 2],
    reach: [usize; 2],
    strides: [usize; 2],
    pool: bool,
) -> Result<([usize; 2], [usize; 2])> {
    let auto = node.choice("auto_pad", &["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])?;
    let pads = node.ints("pads")?;
    if auto == "NOTSET" {
        let Some(pads) = pads else { return Ok(([0; 2], [0; 2])) };
        if pads.len() != 4 {
            return Err(node.refuse(format!(
                "has pads {}, it must be 4 numbers for an image; {EXPORT_AGAIN}",
                list(pads)
            )));
        }
        for (i, &pad) in pads.iter().enumerate() {
            // A pool's window must touch the image, a convolution's may not.
            let limit = reach[i % 2] as i64 - i64::from(pool);
            if !(0..=limit).contains(&pad) {
                return Err(node.refuse(format!(
                    "has pads {}, each must be 0 to the window's reach, here {limit}; use a Pad \
                     operator or {EXPORT_AGAIN}",
                    list(pads)
                )));
            }
        }
        let pads: Vec<usize> = pads.iter().map(|&pad| pad as usize).collect();
        return Ok(([pads[0], pads[1]], [pads[2], pads[3]]));
    }
    if pads.is_some_and(|pads| pads.iter().any(|&pad| pad != 0)) {
        return Err(node.refuse(format!("has both pads and auto_pad {auto}; {EXPORT_AGAIN}")));
    }
    if auto == "VALID" {
        return Ok(([0; 2], [0; 2]));
    }
    let total = [0, 1].map(|axis| {
        let windows = image[axis].div_ceil(strides[axis]);
        ((windows - 1) * strides[axis] + reach[axis]).saturating_sub(image[axis])
    });
    let (less, more) = (total.map(|pad| pad / 2), total.map(|pad| pad.div_ceil(2)));
    Ok(if auto == "SAME_UPPER" { (less, more) } else { (more, less) })
}

/// Two numbers of an attribute, each in `range`.
fn pair(
    node: &Node<'_>,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<[usize; 2]>> {
    let Some(values) = node.ints(name)? else { return Ok(None) };
    match values {
        &[a, b] if range.contains(&a) && range.contains(&b) => Ok(Some([a as usize, b as usize])),
        _ => Err(node.refuse(format!(
            "has {name} {}, it must be 2 numbers of {} to {}; {EXPORT_AGAIN}",
            list(values),
            range.start(),
            range.end()
        ))),
    }
}
