//! Shapes of nodes, and every check that a node must pass.
//!
//! All arithmetic is checked or bounded by [`limits`](super::limits). Called by
//! [`Graph::add`](super::Graph::add) and `validate`.

use super::limits::{MAX_CONCAT, MAX_ELEMENTS, MAX_EXTENT, MAX_WINDOW};
use super::{Activation, Affine, Binary, Conv, Linear, Op, Padding, Pool, Shape, Value, Weights};
use crate::error::Error;

pub(super) fn shape_of(shapes: &[Shape], value: Value) -> Result<Shape, Error> {
    shapes.get(value.0).copied().ok_or_else(|| {
        Error::graph(format!("value {} is not before it, {} are", value.0, shapes.len()))
    })
}

pub(super) fn check_shape(s: Shape) -> Result<Shape, Error> {
    for (what, n) in [("height", s.h), ("width", s.w), ("channels", s.c)] {
        if n == 0 || n > MAX_EXTENT {
            return Err(Error::limit(format!("{what} {n} is not in 1..={MAX_EXTENT}")));
        }
    }
    match s.checked_len() {
        Some(n) if n <= MAX_ELEMENTS => Ok(s),
        _ => Err(Error::limit(format!("shape {s} has more than {MAX_ELEMENTS} elements"))),
    }
}

fn check_window(what: &str, n: usize) -> Result<(), Error> {
    if n == 0 || n > MAX_WINDOW {
        return Err(Error::limit(format!("{what} {n} is not in 1..={MAX_WINDOW}")));
    }
    Ok(())
}

fn check_padding(p: Padding) -> Result<(), Error> {
    let n = p.largest();
    if n > MAX_WINDOW {
        return Err(Error::limit(format!("padding {n} is not in 0..={MAX_WINDOW}")));
    }
    Ok(())
}

fn check_activation(a: Activation) -> Result<(), Error> {
    match a {
        Activation::Clip { lo, hi } if lo > hi || lo.is_nan() || hi.is_nan() => {
            Err(Error::graph(format!("clip bounds {lo}..{hi} are not in order")))
        }
        Activation::HardSigmoid { alpha, beta } if !(alpha.is_finite() && beta.is_finite()) => {
            Err(Error::graph(format!("hard sigmoid alpha {alpha} or beta {beta} is not finite")))
        }
        Activation::LeakyRelu { slope } if !slope.is_finite() => {
            Err(Error::graph(format!("leaky relu slope {slope} is not finite")))
        }
        _ => Ok(()),
    }
}

fn check_weights(w: &Weights, want: Option<usize>, outputs: usize) -> Result<(), Error> {
    let Some(want) = want.filter(|&n| n <= isize::MAX as usize / 8) else {
        return Err(Error::limit("number of weights overflows"));
    };
    if w.len() != want {
        return Err(Error::graph(format!("{} weights given, {want} needed", w.len())));
    }
    match w {
        Weights::I8 { scales, .. } if scales.len() != outputs => {
            Err(Error::graph(format!("{} weight scales given, {outputs} needed", scales.len())))
        }
        _ => Ok(()),
    }
}

fn check_len(what: &str, given: usize, want: usize) -> Result<(), Error> {
    if given != want {
        return Err(Error::graph(format!("{given} {what} given, {want} needed")));
    }
    Ok(())
}

/// Output size of a window that slides over `n` elements padded by `pad`.
fn slide(what: &str, n: usize, pad: usize, extent: usize, stride: usize) -> Result<usize, Error> {
    if n + pad < extent {
        return Err(Error::graph(format!(
            "kernel {what} {extent} (dilated) exceeds the padded input's {}",
            n + pad
        )));
    }
    Ok((n + pad - extent) / stride + 1)
}

fn window(
    x: Shape,
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    p: Padding,
) -> Result<[usize; 2], Error> {
    for (what, v) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
        check_window(what, v[0])?;
        check_window(what, v[1])?;
    }
    check_padding(p)?;
    let extent = [(kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1];
    Ok([
        slide("height", x.h, p.top + p.bottom, extent[0], stride[0])?,
        slide("width", x.w, p.left + p.right, extent[1], stride[1])?,
    ])
}

fn conv(c: &Conv, shapes: &[Shape]) -> Result<Shape, Error> {
    let x = shape_of(shapes, c.x)?;
    let [h, w] = window(x, c.kernel, c.stride, c.dilation, c.padding)?;
    let out = check_shape(Shape { h, w, c: c.out_channels })?;
    if c.groups == 0 || !x.c.is_multiple_of(c.groups) || !c.out_channels.is_multiple_of(c.groups) {
        return Err(Error::graph(format!(
            "groups {} do not divide {} input and {} output channels",
            c.groups, x.c, c.out_channels
        )));
    }
    let want = (c.kernel[0] * c.kernel[1])
        .checked_mul(x.c / c.groups)
        .and_then(|n| n.checked_mul(c.out_channels));
    check_weights(&c.weights, want, c.out_channels)?;
    if !c.bias.is_empty() {
        check_len("biases", c.bias.len(), c.out_channels)?;
    }
    check_activation(c.activation)?;
    if let Some(r) = c.residual {
        let r = shape_of(shapes, r)?;
        if r != out {
            return Err(Error::graph(format!("residual is {r}, output is {out}")));
        }
    }
    Ok(out)
}

fn linear(l: &Linear, shapes: &[Shape]) -> Result<Shape, Error> {
    let x = shape_of(shapes, l.x)?;
    let out = check_shape(Shape { h: 1, w: 1, c: l.out_channels })?;
    check_weights(&l.weights, x.len().checked_mul(l.out_channels), l.out_channels)?;
    if !l.bias.is_empty() {
        check_len("biases", l.bias.len(), l.out_channels)?;
    }
    check_activation(l.activation)?;
    Ok(out)
}

fn pool(p: &Pool, shapes: &[Shape]) -> Result<Shape, Error> {
    let x = shape_of(shapes, p.x)?;
    let [h, w] = window(x, p.kernel, p.stride, [1, 1], p.padding)?;
    for (side, pad, kernel) in [
        ("top", p.padding.top, p.kernel[0]),
        ("bottom", p.padding.bottom, p.kernel[0]),
        ("left", p.padding.left, p.kernel[1]),
        ("right", p.padding.right, p.kernel[1]),
    ] {
        if pad >= kernel {
            return Err(Error::graph(format!(
                "{side} padding {pad} of a pool is not under its kernel {kernel}"
            )));
        }
    }
    check_shape(Shape { h, w, c: x.c })
}

fn binary(b: &Binary, shapes: &[Shape]) -> Result<Shape, Error> {
    let (x, y) = (shape_of(shapes, b.x)?, shape_of(shapes, b.y)?);
    check_activation(b.activation)?;
    let pixel = |s: Shape| s.h == 1 && s.w == 1;
    if x == y || (x.c == y.c && pixel(y)) {
        Ok(x)
    } else if x.c == y.c && pixel(x) {
        Ok(y)
    } else {
        Err(Error::graph(format!("shapes {x} and {y} do not broadcast")))
    }
}

fn affine(a: &Affine, shapes: &[Shape]) -> Result<Shape, Error> {
    let x = shape_of(shapes, a.x)?;
    check_len("scales", a.scale.len(), x.c)?;
    check_len("shifts", a.shift.len(), x.c)?;
    check_activation(a.activation)?;
    Ok(x)
}

fn concat(xs: &[Value], shapes: &[Shape]) -> Result<Shape, Error> {
    if xs.is_empty() || xs.len() > MAX_CONCAT {
        return Err(Error::limit(format!("concat of {} is not in 1..={MAX_CONCAT}", xs.len())));
    }
    let mut out = shape_of(shapes, xs[0])?;
    for &v in &xs[1..] {
        let s = shape_of(shapes, v)?;
        if (s.h, s.w) != (out.h, out.w) {
            return Err(Error::graph(format!("concat of {s} with {}x{} pixels", out.h, out.w)));
        }
        out.c += s.c;
    }
    check_shape(out)
}

/// The shape of a node's output, if the node is valid.
pub(super) fn infer(op: &Op, shapes: &[Shape]) -> Result<Shape, Error> {
    match op {
        Op::Conv(c) => conv(c, shapes),
        Op::Linear(l) => linear(l, shapes),
        Op::Pool(p) => pool(p, shapes),
        Op::GlobalAverage(x) => Ok(Shape { h: 1, w: 1, c: shape_of(shapes, *x)?.c }),
        Op::Add(b) | Op::Mul(b) => binary(b, shapes),
        Op::Affine(a) => affine(a, shapes),
        Op::Concat(c) => concat(&c.xs, shapes),
        Op::Slice(s) => {
            let x = shape_of(shapes, s.x)?;
            match s.start.checked_add(s.count) {
                Some(end) if end <= x.c && s.count > 0 => Ok(Shape { c: s.count, ..x }),
                _ => Err(Error::graph(format!(
                    "slice of {} channels from {} is not within {}",
                    s.count, s.start, x.c
                ))),
            }
        }
        Op::Shuffle { x, groups } => {
            let x = shape_of(shapes, *x)?;
            if *groups == 0 || !x.c.is_multiple_of(*groups) {
                return Err(Error::graph(format!(
                    "groups {groups} do not divide {} channels",
                    x.c
                )));
            }
            Ok(x)
        }
        Op::Interleave(x, y) => {
            let (x, y) = (shape_of(shapes, *x)?, shape_of(shapes, *y)?);
            if x != y {
                return Err(Error::graph(format!("interleave of {x} and {y}")));
            }
            check_shape(Shape { c: 2 * x.c, ..x })
        }
        Op::Activate(x, a) => {
            check_activation(*a)?;
            shape_of(shapes, *x)
        }
        Op::Softmax(x) => shape_of(shapes, *x),
        Op::Pad(p) => {
            let x = shape_of(shapes, p.x)?;
            check_padding(p.padding)?;
            let (h, w) =
                (x.h + p.padding.top + p.padding.bottom, x.w + p.padding.left + p.padding.right);
            check_shape(Shape { h, w, c: x.c })
        }
    }
}
