//! Proves, once, that no call of an int8 model leaves its memory: the sibling
//! of the float plan's proof, in bytes.

use super::micro::BLOCK;
use super::micro::depthwise::{self, Depthwise, DepthwiseCall, Order};
use super::micro::elementwise::Function;
use super::micro::floats::{self, ActivateCall, DenseCall};
use super::micro::gemm::{Dense, GemmCall};
use super::micro::narrow;
use super::micro::pool::PoolCall;
use super::program::{Call, Program};
use super::quantization::Stored;
use crate::error::Error;
use crate::micro::Plane;
use crate::plan::Layer;
use crate::plan::verify::{Extents, Proof, end, ensure};

impl Program {
    fn extents(&self) -> Extents<'_> {
        Extents { arena: self.arena_bytes, rows: &self.rows }
    }

    /// Checks every call, the input and the output.
    pub(super) fn verify(&self, layers: &[Layer]) -> Result<(), Error> {
        for (i, step) in self.steps.iter().enumerate() {
            self.call(&step.call).ok_or_else(|| {
                Error::limit(format!(
                    "node '{}': call {i} leaves the arena of {} bytes",
                    layers[step.layer].name, self.arena_bytes
                ))
            })?;
        }
        let m = self.extents();
        let output = match self.output.quantization {
            Some(_) => m,
            // a port of floats counts in them
            None => Extents { arena: m.arena / 4, ..m },
        };
        m.port(&self.input.port)
            .and_then(|()| output.port(&self.output.port))
            .and_then(|()| {
                self.borders
                    .iter()
                    .try_for_each(|&(off, n, _)| self.extents().in_arena(off.checked_add(n)))
            })
            .ok_or_else(|| {
                Error::limit(format!("input or output leaves the arena of {}", self.arena_bytes))
            })
    }

    /// `rows` rows of `m` pixels of `n` floats, aligned.
    fn floats(&self, p: Plane, rows: usize, m: usize, n: usize) -> Proof {
        ensure([p.off, p.row, p.pix].iter().all(|n| n.is_multiple_of(4)))?;
        self.extents().plane(p, rows, m, n.checked_mul(4)?)
    }

    fn in_weights(&self, off: usize, bytes: usize) -> Proof {
        ensure(off.is_multiple_of(4) && off.checked_add(bytes)? <= 4 * self.weights.len())
    }

    fn gemm(&self, c: &GemmCall, d: &Dense) -> Proof {
        let set = self.kernels.set;
        let reach = end(0, &[(c.m, c.apix)], d.steps().checked_mul(4)?)?;
        self.extents().table(c.rows, c.nrows.checked_mul(d.segments)?, reach)?;
        let mut n = 0;
        for p in &d.panels {
            ensure((1..=4).contains(&p.vectors) && set.heights[p.vectors - 1] > 0)?;
            ensure(p.first == n)?;
            self.in_weights(p.offset, d.panel_bytes(p.vectors, set.lanes))?;
            n += p.vectors * set.lanes;
        }
        if let Some(r) = c.residual {
            self.extents().plane(r, c.nrows, c.m, n)?;
        }
        match d.floats {
            true => self.floats(c.out, c.nrows, c.m, n),
            false => self.extents().plane(c.out, c.nrows, c.m, n),
        }
    }

    fn depthwise(&self, c: &DepthwiseCall, d: &Depthwise) -> Proof {
        if d.order == Order::Narrow {
            return self.narrow(c, d);
        }
        let vector = 4 * self.kernels.set.lanes;
        let blocks = d.channels.div_ceil(vector);
        ensure(d.channels > 0 && d.channels.is_multiple_of(BLOCK) && d.wide > 0 && c.m > 0)?;
        ensure(c.ipix >= d.channels)?;
        if d.wide > 1 {
            let tight = c.ipix == d.channels && c.out.pix == d.channels;
            ensure(tight && d.stride == 1 && d.wide.checked_mul(d.channels)? == vector)?;
        }
        let weights = match d.order {
            Order::Square => {
                let form = (d.stride, d.rows) == (1, 2) || (d.stride, d.rows) == (2, 1);
                ensure(form && (d.kernel_width, d.dilation, d.fours) == (3, 1, 1))?;
                12 * d.rows
            }
            Order::Stream => {
                ensure(matches!(d.rows, 1 | 2) || d.rows == 4 && self.kernels.set.tall == 4)?;
                d.kernel_width.checked_mul(4 * d.fours)?.checked_mul(d.rows)?
            }
            Order::Narrow => return None,
        };
        ensure(d.block == weights.checked_add(depthwise::CONSTANTS)?.checked_mul(vector)?)?;
        self.in_weights(d.offset, blocks.checked_mul(d.block)?)?;
        // whole blocks are read, from the first pixel of the last one on
        let last = (c.m - 1) / d.wide * d.wide;
        let steps = [
            (last + 1, d.stride.checked_mul(c.ipix)?),
            (d.kernel_width, d.dilation.checked_mul(c.ipix)?),
        ];
        let reach = end(0, &steps, blocks * vector)?;
        let groups = c.nrows.div_ceil(d.rows.max(1));
        self.extents().table(c.rows, groups.checked_mul(4 * d.fours)?, reach)?;
        self.extents().plane(c.out, c.nrows, c.m, d.channels)
    }

    fn narrow(&self, c: &DepthwiseCall, d: &Depthwise) -> Proof {
        let (set, vector) = (self.kernels.set, 4 * self.kernels.set.lanes);
        let form = (d.stride, d.rows) == (1, 2) || (d.stride, d.rows) == (2, 1);
        ensure(set.narrow && form && (d.fours, d.dilation, d.wide) == (1, 1, 1))?;
        ensure(d.channels > 0 && d.channels.is_multiple_of(narrow::CHANNELS))?;
        ensure(c.m >= narrow::PIXELS && c.ipix >= d.channels)?;
        ensure(d.block == (narrow::CONSTANTS + narrow::weights(d.stride)) * vector)?;
        self.in_weights(d.offset, (d.channels / narrow::CHANNELS).checked_mul(d.block)?)?;
        // a tile reads whole vectors where pixels follow each other
        let pixel = if c.ipix == narrow::CHANNELS { vector - 2 * c.ipix } else { d.channels };
        let steps = [(c.m, d.stride.checked_mul(c.ipix)?), (3, c.ipix)];
        let reach = end(0, &steps, pixel)?;
        self.extents().table(c.rows, c.nrows.div_ceil(d.rows).checked_mul(4)?, reach)?;
        self.extents().plane(c.out, c.nrows, c.m, d.channels)
    }

    fn pool(&self, c: &PoolCall) -> Proof {
        ensure(c.channels.is_multiple_of(BLOCK) && !c.mean.floats)?;
        // each window has a pixel of the tensor
        for (axis, last) in [c.first.checked_add(c.nrows)?, c.m].into_iter().enumerate() {
            ensure(c.before[axis] < c.kernel[axis] && c.size[axis] > 0)?;
            let last = last.checked_sub(1)?.checked_mul(c.stride[axis])?;
            ensure(last.checked_sub(c.before[axis]).is_none_or(|l| l < c.size[axis]))?;
        }
        // whole vectors are read
        let read = c.channels.checked_next_multiple_of(4 * self.kernels.set.lanes)?;
        let reach = end(0, &[(c.size[1], c.ipix)], read)?;
        self.extents().table(c.rows, c.nrows.checked_mul(c.kernel[0])?, reach)?;
        self.extents().plane(c.out, c.nrows, c.m, c.channels)
    }

    fn float_dense(&self, c: &DenseCall) -> Proof {
        let [h, w] = c.size;
        let products = h.checked_mul(w)?.checked_mul(c.inputs)?;
        ensure(products > 0 && c.outputs > 0 && c.outputs.is_multiple_of(BLOCK))?;
        let weights = floats::dense_bytes(products)?.checked_mul(c.outputs / BLOCK)?;
        self.in_weights(c.weights, weights)?;
        self.floats(c.x, h, w, c.inputs)?;
        self.floats(Plane { off: c.out, row: 0, pix: 0 }, 1, 1, c.outputs)
    }

    fn activate(&self, c: &ActivateCall) -> Proof {
        ensure(c.channels.is_multiple_of(BLOCK))?;
        [(c.x, c.from), (c.out, c.to)].into_iter().try_for_each(|(p, stored)| match stored {
            Stored::Floats => self.floats(p, c.rows, c.m, c.channels),
            Stored::Bytes(_) => self.extents().plane(p, c.rows, c.m, c.channels),
        })
    }

    fn call(&self, call: &Call) -> Proof {
        match call {
            Call::Gemm(c) => self.gemm(c, self.dense.get(c.dense)?),
            Call::Depthwise(c) => self.depthwise(c, self.depthwise.get(c.depthwise)?),
            Call::Pool(c) => self.pool(c),
            Call::Global(c) => {
                ensure(c.channels.is_multiple_of(BLOCK))?;
                // whole vectors are read
                let read = c.channels.checked_next_multiple_of(4 * self.kernels.set.lanes)?;
                self.extents().plane(c.x, c.size[0], c.size[1], read)?;
                let out = Plane { off: c.out, row: 0, pix: 0 };
                match c.mean.floats {
                    true => self.floats(out, 1, 1, c.channels),
                    false => self.extents().plane(out, 1, 1, c.channels),
                }
            }
            Call::Map(c) => {
                ensure(c.channels.is_multiple_of(BLOCK))?;
                match c.function {
                    Function::Affine { constants, .. } => {
                        self.in_weights(constants, c.channels.checked_mul(8)?)?;
                    }
                    Function::Table(at) => self.in_weights(at, 256)?,
                    Function::Add { .. } | Function::Mul { .. } => {}
                }
                [c.a, c.b, c.out]
                    .iter()
                    .try_for_each(|&p| self.extents().plane(p, c.rows, c.m, c.channels))
            }
            Call::FloatDense(c) => self.float_dense(c),
            Call::Activate(c) => self.activate(c),
            Call::Softmax(c) => {
                ensure(c.channels > 0)?;
                [c.x, c.out].iter().try_for_each(|&p| self.floats(p, c.rows, c.m, c.channels))
            }
            Call::Interleave(c) => self.extents().interleave(c),
            Call::Fill(c) => self.extents().fill(c),
            Call::Copy(c) => self.extents().copy(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Range, program};
    use super::*;
    use crate::graph::{Activation, Binary, Conv, Graph, Op, Padding, Pool, PoolKind, Shape};
    use crate::isa::Isa;
    use crate::plan::Options;

    /// A matrix product, two depthwise convolutions, a function by table, a pool, a
    /// gate in floats, a softmax.
    fn graph() -> Graph {
        let mut g = Graph::new(Shape::new(16, 16, 8)).expect("small");
        let mut add = |name: &str, op: Op| g.add(name, op).expect("fits");
        let input = crate::graph::Value(0);
        let x = add("conv", Conv::new(input, 8, [3, 3], vec![0.5; 8 * 8 * 9]).into());
        let depthwise = Conv::new(x, 8, [3, 3], vec![0.5; 8 * 9]);
        let x = add("dw", Conv { groups: 8, padding: Padding::same(1), ..depthwise }.into());
        let depthwise = Conv::new(x, 8, [5, 5], vec![0.5; 8 * 25]);
        let x = add("dw5", Conv { groups: 8, padding: Padding::same(2), ..depthwise }.into());
        let x = add("silu", Op::Activate(x, Activation::Silu));
        let pool = Pool {
            x,
            kind: PoolKind::Max,
            kernel: [3, 3],
            stride: [1, 1],
            padding: Padding::same(1),
        };
        let x = add("pool", Op::Pool(pool));
        let mean = add("mean", Op::GlobalAverage(x));
        let gate = add("gate", Conv::new(mean, 8, [1, 1], vec![0.5; 64]).into());
        let gate = add("sigmoid", Op::Activate(gate, Activation::Sigmoid));
        let x = add("mul", Op::Mul(Binary { x, y: gate, activation: Activation::None }));
        let x = add("last", Conv::new(x, 8, [1, 1], vec![0.5; 64]).into());
        add("soft", Op::Softmax(x));
        g
    }

    #[test]
    fn a_tampered_call_is_found() {
        let g = graph();
        let build = |isa: Isa| {
            let ranges = [Range { lo: -1.0, hi: 1.0 }; 12];
            program(g.clone(), &ranges, isa, &Options::default()).expect("compiles")
        };
        let sets: Vec<Isa> = Isa::available().into_iter().filter(|isa| isa.has_int8()).collect();
        let far = u32::MAX as usize;
        for (&isa, field) in sets.iter().flat_map(|isa| (0..32).map(move |field| (isa, field))) {
            let (mut p, layers) = build(isa);
            assert!(p.verify(&layers).is_ok());
            for step in &mut p.steps {
                match (&mut step.call, field) {
                    (Call::Gemm(c), 0) => c.out.off = far,
                    (Call::Gemm(c), 1) => c.nrows = far,
                    (Call::Gemm(c), 2) => c.m = 0,
                    (Call::Gemm(c), 3) => c.rows = far,
                    (Call::Depthwise(c), 4) => c.out.off = far,
                    (Call::Depthwise(c), 5) => c.nrows = far,
                    (Call::Depthwise(c), 6) => c.m = 0,
                    (Call::Depthwise(c), 7) => c.ipix = far,
                    (Call::FloatDense(c), 8) => c.weights = far,
                    (Call::FloatDense(c), 9) => c.inputs = far,
                    (Call::FloatDense(c), 10) => c.outputs = far / 16 * 16,
                    (Call::FloatDense(c), 11) => c.x.off += 1,
                    (Call::FloatDense(c), 12) => c.size = [1, 0],
                    (Call::FloatDense(c), 13) => c.out += 2,
                    (Call::FloatDense(c), 14) => c.size = [far, 1],
                    (Call::Activate(c), 15) => c.out.off = far,
                    (Call::Activate(c), 16) => c.x.off += 2,
                    (Call::Activate(c), 17) => c.channels = 17,
                    (Call::Global(c), 18) => c.out += 1,
                    (Call::Softmax(c), 19) => c.x.off += 1,
                    (Call::Pool(c), 22) => c.ipix = far,
                    (Call::Pool(c), 23) => c.rows = far,
                    (Call::Pool(c), 24) => c.channels = 17,
                    (Call::Pool(c), 25) => c.size[1] = 0,
                    (Call::Map(c), 26) => c.out.off = far,
                    (Call::Map(c), 27) => c.function = Function::Table(far),
                    _ => {}
                }
            }
            match field {
                20 => p.dense[0].panels[0].offset = far,
                21 => p.depthwise[0].wide += 1,
                28 => p.depthwise[0].block += 64,
                29 => p.depthwise[0].channels += 16,
                30 => p.depthwise[1].kernel_width = far,
                31 => p.depthwise[1].fours += 1,
                _ => {}
            }
            assert!(p.verify(&layers).is_err(), "{isa}, field {field}");
        }
    }
}
