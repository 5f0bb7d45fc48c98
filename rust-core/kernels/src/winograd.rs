//! Winograd's F(4x4, 3x3): 3x3 convolutions of stride 1 with 36 products a
//! tile of 16 pixels instead of 144.
//!
//! Decides how a block of tile rows is computed: transform the input, 36
//! matrix products, transform back with bias, residual and epilogue. Whether a
//! layer takes this way is decided in the plan. Matrices are those of Lavin and
//! Gray, "Fast Algorithms for Convolutional Neural Networks" (2015).

use crate::micro::gemm::{Panel, PanelFn, Prefetch, Target, Tiles};
use crate::micro::{Context, Epilogue, Plane, unroll};
use crate::simd::Simd;

/// Pixels of output on a side of a tile.
pub(crate) const TILE: usize = 4;
/// Pixels of input on a side of a tile.
pub(crate) const PATCH: usize = 6;
/// Products a tile.
pub(crate) const PRODUCTS: usize = PATCH * PATCH;

/// Packed weights of one layer.
#[derive(Clone, Debug)]
pub(crate) struct Winograd {
    /// Panels of the first product.
    pub panels: Vec<Panel>,
    /// Floats from one product's panels to the next's.
    pub stride: usize,
    /// Input channels, and their vectors.
    pub channels: usize,
    pub in_vectors: usize,
    pub out_vectors: usize,
    /// Tiles in a row.
    pub tiles: usize,
    /// Offset of the bias in the weights.
    pub bias: usize,
    pub epilogue: Epilogue,
    pub stream: bool,
}

/// One block of tile rows.
#[derive(Clone, Debug)]
pub(crate) struct WinogradCall {
    /// Index of the [`Winograd`].
    pub winograd: usize,
    /// First entry in the row table; `tile_rows * PATCH` are used.
    pub rows: usize,
    pub tile_rows: usize,
    pub ipix: usize,
    /// Arena offsets of the transformed input and of the products.
    pub input: usize,
    pub products: usize,
    pub out: Plane,
    pub residual: Option<Plane>,
    /// Rows left from the block's first on, and columns.
    pub size: [usize; 2],
}

/// Floats between the matrices of two products, for `tiles` tiles of `vectors`
/// vectors: a line more than needed, so that they do not share cache sets.
pub(crate) fn matrix_stride(tiles: usize, floats: usize) -> usize {
    tiles * floats + 16
}

/// `G g G^T` of one 3x3 filter, in f64.
pub(crate) fn transform_filter(g: &[f32; 9]) -> [f32; PRODUCTS] {
    const G: [[f64; 3]; PATCH] = [
        [0.25, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    let mut out = [0.0; PRODUCTS];
    for i in 0..PATCH {
        let row: [f64; 3] =
            std::array::from_fn(|j| (0..3).map(|k| G[i][k] * f64::from(g[k * 3 + j])).sum());
        for j in 0..PATCH {
            out[i * PATCH + j] = (0..3).map(|k| row[k] * G[j][k]).sum::<f64>() as f32;
        }
    }
    out
}

/// One column of `B^T d`.
#[inline(always)]
unsafe fn input_column<S: Simd>(d: [S::V; 6]) -> [S::V; 6] {
    // SAFETY: register arithmetic; the caller vouches for the CPU.
    unsafe {
        let (two, four) = (S::splat(2.0), S::splat(4.0));
        let (minus_two, minus_four, minus_five) = (S::splat(-2.0), S::splat(-4.0), S::splat(-5.0));
        let a = S::fma(d[2], minus_four, d[4]);
        let b = S::fma(d[1], minus_four, d[3]);
        let c = S::sub(d[4], d[2]);
        let e = S::sub(d[3], d[1]);
        [
            S::fma(d[0], four, S::fma(d[2], minus_five, d[4])),
            S::add(a, b),
            S::sub(a, b),
            S::fma(e, two, c),
            S::fma(e, minus_two, c),
            S::fma(d[1], four, S::fma(d[3], minus_five, d[5])),
        ]
    }
}

/// One column of `A^T m`.
#[inline(always)]
unsafe fn output_column<S: Simd>(m: [S::V; 6]) -> [S::V; 4] {
    // SAFETY: register arithmetic; the caller vouches for the CPU.
    unsafe {
        let (two, four, eight) = (S::splat(2.0), S::splat(4.0), S::splat(8.0));
        let (s12, d12) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (s34, d34) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        [
            S::add(S::add(m[0], s12), s34),
            S::fma(d34, two, d12),
            S::fma(s34, four, s12),
            S::add(S::fma(d34, eight, d12), m[5]),
        ]
    }
}

/// Transforms every patch of the block.
#[inline(always)]
unsafe fn transform_input<S: Simd>(cx: &Context, call: &WinogradCall, w: &Winograd) {
    let floats = w.in_vectors * S::L;
    let stride = matrix_stride(call.tile_rows * w.tiles, floats);
    for t in 0..call.tile_rows * w.tiles {
        let (tr, tx) = (t / w.tiles, t % w.tiles);
        // SAFETY: the plan proved six columns of each of the six rows, and the
        // transformed input, inside the arena; debug builds check again.
        unsafe {
            let rows = cx.rows.add(call.rows + tr * PATCH);
            let mut r = [std::ptr::null::<f32>(); PATCH];
            unroll!(6: I < 6, {
                r[I] = cx.base.add(*rows.add(I) as usize + tx * TILE * call.ipix).cast_const();
                cx.check(r[I], (PATCH - 1) * call.ipix + floats);
            });
            let v = cx.base.add(call.input + t * floats);
            cx.check(v, (PRODUCTS - 1) * stride + floats);
            for c in 0..w.in_vectors {
                let zero = S::splat(0.0);
                let mut half = [[zero; 6]; 6];
                unroll!(6: X < 6, {
                    let at = X * call.ipix + c * S::L;
                    let mut d = [zero; 6];
                    unroll!(6: I < 6, {
                        d[I] = S::load(r[I].add(at));
                    });
                    let q = input_column::<S>(d);
                    unroll!(6: I < 6, {
                        half[I][X] = q[I];
                    });
                });
                unroll!(6: I < 6, {
                    let q = input_column::<S>(half[I]);
                    unroll!(6: J < 6, {
                        S::store(v.add((I * PATCH + J) * stride + c * S::L), q[J]);
                    });
                });
            }
        }
    }
}

/// Transforms the products of every tile back and stores its pixels.
#[inline(always)]
unsafe fn transform_output<S: Simd>(cx: &Context, call: &WinogradCall, w: &Winograd) {
    let floats = w.out_vectors * S::L;
    let stride = matrix_stride(call.tile_rows * w.tiles, floats);
    for t in 0..call.tile_rows * w.tiles {
        let (y, x) = (t / w.tiles * TILE, t % w.tiles * TILE);
        let (ny, nx) = ((call.size[0] - y).min(TILE), (call.size[1] - x).min(TILE));
        // SAFETY: the plan proved products, bias, output and residual; pixels
        // past the size are not touched. Debug builds check again.
        unsafe {
            let m = cx.base.add(call.products + t * floats);
            cx.check(m, (PRODUCTS - 1) * stride + floats);
            let out = cx.base.add(call.out.off + y * call.out.row + x * call.out.pix);
            let res = call.residual.map_or(std::ptr::null(), |p| {
                cx.base.add(p.off + y * p.row + x * p.pix).cast_const()
            });
            let rp = call.residual.unwrap_or_default();
            for c in 0..w.out_vectors {
                let zero = S::splat(0.0);
                let mut half = [[zero; 6]; 4];
                unroll!(6: X < 6, {
                    let mut d = [zero; 6];
                    unroll!(6: I < 6, {
                        d[I] = S::load(m.add((I * PATCH + X) * stride + c * S::L));
                    });
                    let q = output_column::<S>(d);
                    unroll!(4: I < 4, {
                        half[I][X] = q[I];
                    });
                });
                let bias = S::load(cx.weights.add(w.bias + c * S::L));
                unroll!(4: I < 4, {
                    if I < ny {
                        let q = output_column::<S>(half[I]);
                        unroll!(4: J < 4, {
                            if J < nx {
                                let mut v = S::add(q[J], bias);
                                if !res.is_null() {
                                    let at = res.add(I * rp.row + J * rp.pix + c * S::L);
                                    cx.check(at, S::L);
                                    v = S::add(v, S::load(at));
                                }
                                let at = out.add(I * call.out.row + J * call.out.pix + c * S::L);
                                cx.check(at, S::L);
                                S::store(at, w.epilogue.apply::<S>(v));
                            }
                        });
                    }
                });
            }
        }
    }
}

/// Runs one call.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena, rows and weights; `gemm` is the matrix kernel of `S`.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(cx: &Context, call: &WinogradCall, w: &Winograd, gemm: PanelFn) {
    let tiles = call.tile_rows * w.tiles;
    let (in_floats, out_floats) = (w.in_vectors * S::L, w.out_vectors * S::L);
    let (vs, ms) = (matrix_stride(tiles, in_floats), matrix_stride(tiles, out_floats));
    let mut t = Tiles {
        cx,
        segments: 1,
        klen: w.channels,
        apix: in_floats,
        opix: out_floats,
        rpix: 0,
        epilogue: Epilogue::NONE,
        prefetch: Prefetch::NONE,
    };
    // SAFETY: passed on from the caller; each product's matrices lie within
    // the two scratch areas of 36 matrices.
    unsafe {
        transform_input::<S>(cx, call, w);
        for p in 0..PRODUCTS {
            let row = (call.input + p * vs) as u32;
            for panel in &w.panels {
                let weights = cx.weights.add(panel.offset + p * w.stride);
                if w.stream {
                    let len = panel.vectors * S::L * (w.channels + 1);
                    t.prefetch = Prefetch::spread::<S>(
                        weights.wrapping_add(len),
                        len,
                        tiles.div_ceil(S::MR[panel.vectors - 1].max(1)),
                        w.channels / 4,
                        panel.vectors,
                    );
                }
                let to = Target {
                    rows: &raw const row,
                    nrows: 1,
                    m: tiles,
                    out: cx.base.add(call.products + p * ms + panel.first),
                    out_row: 0,
                    residual: std::ptr::null(),
                    residual_row: 0,
                };
                gemm(&mut t, panel.vectors, &to, weights);
            }
        }
        transform_output::<S>(cx, call, w);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_of_one_tap_keeps_the_sum() {
        // the sixth row of G picks the last tap alone
        let mut g = [0.0; 9];
        g[8] = 3.0;
        assert_eq!(transform_filter(&g)[35], 3.0);
        assert_eq!(transform_filter(&g)[0], 0.0);
    }
}
