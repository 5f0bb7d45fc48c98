//! Proves, once, that no call of a model leaves its memory.
//!
//! The only thing that the kernels' safety rests on: every extent of every
//! call is checked against arena, row table and weights, in checked
//! arithmetic, whatever the stages before it did. A failure is a defect of
//! this crate, reported as an error instead of being run.

use super::call::Call;
use super::{Layer, Program};
use crate::error::Error;
use crate::micro::Plane;
use crate::micro::depthwise::BIAS;
use crate::micro::elementwise::{Function, InterleaveCall};
use crate::micro::gemm::{Dense, Panel};
use crate::micro::mover::{CopyCall, FillCall, Port};
use crate::winograd::{PATCH, PRODUCTS, matrix_stride};

/// `None` where a check fails.
pub(crate) type Proof = Option<()>;

pub(crate) fn ensure(ok: bool) -> Proof {
    ok.then_some(())
}

/// One past the last unit of `count` steps of `stride` from `off`, with `n`
/// units at each.
pub(crate) fn end(off: usize, strides: &[(usize, usize)], n: usize) -> Option<usize> {
    let mut at = off;
    for &(count, stride) in strides {
        at = at.checked_add(count.checked_sub(1)?.checked_mul(stride)?)?;
    }
    at.checked_add(n)
}

/// What calls may reach, in elements.
#[derive(Clone, Copy)]
pub(crate) struct Extents<'a> {
    pub arena: usize,
    /// The row table.
    pub rows: &'a [u32],
}

impl Extents<'_> {
    pub fn in_arena(&self, end: Option<usize>) -> Proof {
        ensure(end? <= self.arena)
    }

    /// `rows` rows of `m` pixels of `n` elements.
    pub fn plane(&self, p: Plane, rows: usize, m: usize, n: usize) -> Proof {
        self.in_arena(end(p.off, &[(rows, p.row), (m, p.pix)], n))
    }

    /// `count` entries of the row table, each followed by `reach` elements.
    pub fn table(&self, first: usize, count: usize, reach: usize) -> Proof {
        let rows = self.rows.get(first..first.checked_add(count)?)?;
        let last = *rows.iter().max()? as usize;
        self.in_arena(last.checked_add(reach))
    }

    pub fn port(&self, p: &Port) -> Proof {
        ensure(p.size[0].checked_mul(p.size[1])?.checked_mul(p.channels)? > 0)?;
        self.plane(p.plane, p.size[0], p.size[1], p.channels)
    }

    pub fn interleave(&self, c: &InterleaveCall) -> Proof {
        self.plane(c.a, c.rows, c.m, c.channels)?;
        self.plane(c.b, c.rows, c.m, c.channels)?;
        self.plane(c.out, c.rows, c.m, c.channels.checked_mul(2)?)
    }

    pub fn fill<E>(&self, c: &FillCall<E>) -> Proof {
        c.stretches.iter().try_for_each(|&(start, n)| {
            self.in_arena(end(c.off.checked_add(start)?, &[(c.rows, c.row)], n))
        })
    }

    pub fn copy(&self, c: &CopyCall) -> Proof {
        ensure(c.groups > 0 && c.channels.is_multiple_of(c.groups))?;
        self.plane(c.x, c.rows, c.m, c.channels)?;
        self.plane(c.out, c.rows, c.m, c.channels)
    }
}

impl Program {
    fn extents(&self) -> Extents<'_> {
        Extents { arena: self.arena_floats, rows: &self.rows }
    }

    /// Checks every call, the input and the output.
    pub(super) fn verify(&self, layers: &[Layer]) -> Result<(), Error> {
        for (i, step) in self.steps.iter().enumerate() {
            self.call(&step.call).ok_or_else(|| {
                Error::limit(format!(
                    "node '{}': call {i} leaves the arena of {} floats",
                    layers[step.layer].name, self.arena_floats
                ))
            })?;
        }
        let seen =
            |o: &super::Observed| self.extents().plane(o.plane, o.shape.h, o.shape.w, o.shape.c);
        self.extents()
            .port(&self.input)
            .and_then(|()| self.extents().port(&self.output))
            .and_then(|()| self.observed.iter().try_for_each(seen))
            .ok_or_else(|| {
                Error::limit(format!("input or output leaves the arena of {}", self.arena_floats))
            })
    }

    fn in_weights(&self, off: usize, floats: usize) -> Proof {
        ensure(off.checked_add(floats)? <= self.weights.len())
    }

    fn panels(&self, panels: &[Panel], k: usize) -> Option<usize> {
        let lanes = self.isa.lanes();
        let heights = self.kernels.heights;
        let mut first = 0;
        for p in panels {
            ensure((1..=4).contains(&p.vectors) && heights[p.vectors - 1] > 0)?;
            ensure(p.first == first)?;
            self.in_weights(p.offset, k.checked_add(1)?.checked_mul(p.vectors * lanes)?)?;
            first += p.vectors * lanes;
        }
        Some(first)
    }

    fn call(&self, call: &Call) -> Proof {
        let lanes = self.isa.lanes();
        match call {
            Call::Gemm(c) => {
                let d: &Dense = self.dense.get(c.dense)?;
                let reach = end(0, &[(c.m, c.apix)], d.klen)?;
                self.extents().table(c.rows, c.nrows.checked_mul(d.segments)?, reach)?;
                let n = self.panels(&d.panels, d.segments.checked_mul(d.klen)?)?;
                if let Some(r) = c.residual {
                    self.extents().plane(r, c.nrows, c.m, n)?;
                }
                self.extents().plane(c.out, c.nrows, c.m, n)
            }
            Call::Depthwise(c) => {
                let d = self.depthwise.get(c.depthwise)?;
                let n = d.vectors.checked_mul(lanes)?;
                let steps =
                    [(c.m, d.stride.checked_mul(c.ipix)?), (d.kernel[1], d.dilation * c.ipix)];
                self.extents().table(
                    c.rows,
                    c.nrows.checked_mul(d.kernel[0])?,
                    end(0, &steps, n)?,
                )?;
                let taps = d.kernel[0].checked_mul(d.kernel[1])?;
                self.in_weights(d.offset, taps.checked_add(BIAS)?.checked_mul(n)?)?;
                ensure(d.vectors > 0)?;
                self.extents().plane(c.out, c.nrows, c.m, n)
            }
            Call::Winograd(c) => {
                let w = self.winograd.get(c.winograd)?;
                let tiles = c.tile_rows.checked_mul(w.tiles)?;
                let (a, b) = (w.in_vectors * lanes, w.out_vectors * lanes);
                ensure(w.channels <= a && tiles > 0 && (w.tile == 2 || w.tile == 4))?;
                let columns = (w.tiles - 1).checked_mul(w.tile)?.checked_add(PATCH)?;
                let reach = end(0, &[(columns, c.ipix)], a)?;
                self.extents().table(c.rows, c.tile_rows.checked_mul(PATCH)?, reach)?;
                for (off, n) in [(c.input, a), (c.products, b)] {
                    let stride = matrix_stride(tiles, n);
                    self.extents().in_arena(end(off, &[(PRODUCTS, stride), (tiles, n)], n))?;
                }
                let last = (PRODUCTS - 1).checked_mul(w.stride)?;
                let mut panels = w.panels.clone();
                ensure(self.panels(&panels, w.channels)? == b)?;
                panels.iter_mut().for_each(|p| p.offset += last);
                self.panels(&panels, w.channels)?;
                self.in_weights(w.bias, b)?;
                // every tile has a pixel, and the block's rows that exist
                ensure(
                    (c.tile_rows - 1) * w.tile < c.size[0] && (w.tiles - 1) * w.tile < c.size[1],
                )?;
                let rows = c.size[0].min(c.tile_rows * w.tile);
                let columns = c.size[1].min(w.tiles * w.tile);
                if let Some(r) = c.residual {
                    self.extents().plane(r, rows, columns, b)?;
                }
                self.extents().plane(c.out, rows, columns, b)
            }
            Call::Pool(c) => {
                let n = c.vectors.checked_mul(lanes)?;
                let [top, height, stride, first] = c.vertical;
                // each window has a pixel of the tensor
                for (kernel, stride, before, size, last) in [
                    (c.kernel[0], stride, top, height, first.checked_add(c.nrows)?),
                    (c.kernel[1], c.stride, c.left, c.width, c.m),
                ] {
                    ensure(before < kernel && size > 0)?;
                    let last = last.checked_sub(1)?.checked_mul(stride)?;
                    ensure(last.checked_sub(before).is_none_or(|l| l < size))?;
                }
                let reach = end(0, &[(c.width, c.ipix)], n)?;
                self.extents().table(c.rows, c.nrows.checked_mul(c.kernel[0])?, reach)?;
                self.extents().plane(c.out, c.nrows, c.m, n)
            }
            Call::Global(c) => {
                let n = c.vectors.checked_mul(lanes)?;
                self.extents().plane(c.x, c.size[0], c.size[1], n)?;
                self.extents().in_arena(c.out.checked_add(n))
            }
            Call::Map(c) => {
                let n = c.vectors.checked_mul(lanes)?;
                if let Function::Affine(off, _) = c.function {
                    self.in_weights(off, n.checked_mul(2)?)?;
                }
                [c.a, c.b, c.out].iter().try_for_each(|&p| self.extents().plane(p, c.rows, c.m, n))
            }
            Call::Softmax(c) => {
                let n = c.vectors.checked_mul(lanes)?;
                ensure(c.channels <= n && c.channels > 0)?;
                [c.x, c.out].iter().try_for_each(|&p| self.extents().plane(p, c.rows, c.m, n))
            }
            Call::Interleave(c) => self.extents().interleave(c),
            Call::Fill(c) => self.extents().fill(c),
            Call::Copy(c) => self.extents().copy(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Conv, Graph, Shape};
    use crate::isa::Isa;
    use crate::plan::Options;

    #[test]
    fn ends() {
        assert_eq!(end(5, &[(3, 10), (2, 4)], 7), Some(5 + 20 + 4 + 7));
        assert_eq!(end(0, &[(0, 10)], 1), None);
        assert_eq!(end(1, &[(usize::MAX, 2)], 1), None);
    }

    #[test]
    fn a_tampered_call_is_found() {
        let mut g = Graph::new(Shape::new(5, 5, 8)).expect("small");
        let conv = Conv::new(g.input(), 8, [3, 3], vec![0.5; 8 * 8 * 9]);
        g.add("conv", conv).expect("fits");
        let build = || {
            super::super::program(g.clone(), Isa::detect(), &Options::default(), false)
                .expect("compiles")
        };
        let (m, layers) = build();
        assert!(m.verify(&layers).is_ok());
        let far = u32::MAX as usize;
        for field in 0..4 {
            let (mut m, layers) = build();
            let step = m.steps.iter_mut().find_map(|s| match &mut s.call {
                Call::Gemm(c) => Some(c),
                _ => None,
            });
            let c = step.expect("one matrix call");
            match field {
                0 => c.out.off = far,
                1 => c.nrows = far,
                2 => c.m = 0,
                _ => c.rows = far,
            }
            assert!(m.verify(&layers).is_err(), "field {field}");
        }
    }
}
