//! Winograd's F(4x4, 3x3) and F(2x2, 5x5): convolutions of stride 1 with 36
//! products a tile, instead of 144 for 16 pixels or 100 for 4.
//!
//! Both interpolate at 0, 1, -1, 2, -2 and infinity, so that they share the
//! input transform.
//!
//! Decides how a block of tile rows is computed: transform the input, 36
//! matrix products, transform back with bias, residual and epilogue. Whether a
//! layer takes this way is decided in the plan. Matrices are those of Lavin and
//! Gray, "Fast Algorithms for Convolutional Neural Networks" (2015).

use crate::micro::elementwise::{Finish, Function, MapFn};
use crate::micro::gemm::{Panel, PanelFn, Prefetch, Target, Tiles};
use crate::micro::{Context, Epilogue, Plane, unroll};
use crate::simd::Simd;

/// Pixels of input on a side of a tile.
pub(crate) const PATCH: usize = 6;
/// Products a tile.
pub(crate) const PRODUCTS: usize = PATCH * PATCH;

/// Pixels of output on a side of a tile, for a kernel of 3 or 5.
pub(crate) fn tile_of(kernel: usize) -> usize {
    PATCH + 1 - kernel
}

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
    /// Pixels of output on a side of a tile: 4 or 2.
    pub tile: usize,
    /// Tiles in a row.
    pub tiles: usize,
    /// Offset of the bias in the weights.
    pub bias: usize,
    pub epilogue: Epilogue,
    /// Applied to what is stored.
    pub after: Option<Function>,
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

/// `G`, for filters of `K` = 3 or 5 by `K` taps.
pub(crate) fn filter_matrix<const K: usize>() -> [[f64; K]; PATCH] {
    // a row of G: powers of the point, times a factor; infinity picks the last
    const POINTS: [(f64, f64); PATCH - 1] =
        [(0.0, 0.25), (1.0, -1.0 / 6.0), (-1.0, -1.0 / 6.0), (2.0, 1.0 / 24.0), (-2.0, 1.0 / 24.0)];
    std::array::from_fn(|i| {
        std::array::from_fn(|k| match POINTS.get(i) {
            Some(&(point, factor)) => factor * point.powi(k as i32),
            None => f64::from(u8::from(k + 1 == K)),
        })
    })
}

/// `G g G^T` of one filter, in f64.
pub(crate) fn transform_filter<const K: usize>(
    g: &[f32],
    matrix: &[[f64; K]; PATCH],
) -> [f32; PRODUCTS] {
    let mut out = [0.0; PRODUCTS];
    for (i, left) in matrix.iter().enumerate() {
        let row: [f64; K] =
            std::array::from_fn(|j| (0..K).map(|k| left[k] * f64::from(g[k * K + j])).sum());
        for (j, right) in matrix.iter().enumerate() {
            out[i * PATCH + j] = (0..K).map(|k| row[k] * right[k]).sum::<f64>() as f32;
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

/// The first `T` rows of one column of `A^T m`, for tiles of `T` = 4 or 2.
#[inline(always)]
unsafe fn output_column<S: Simd, const T: usize>(m: [S::V; 6]) -> [S::V; T] {
    // SAFETY: register arithmetic; the caller vouches for the CPU.
    unsafe {
        let (two, four, eight) = (S::splat(2.0), S::splat(4.0), S::splat(8.0));
        let (s12, d12) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (s34, d34) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        let mut out = [S::add(S::add(m[0], s12), s34); T];
        out[1] = S::fma(d34, two, d12);
        if T == 4 {
            out[2] = S::fma(s34, four, s12);
            out[3] = S::fma(d34, eight, d12);
        }
        out[T - 1] = S::add(out[T - 1], m[5]);
        out
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
        // transformed input, inside the arena; builds with `checks` look again.
        unsafe {
            let rows = cx.rows.add(call.rows + tr * PATCH);
            let mut r = [std::ptr::null::<f32>(); PATCH];
            unroll!(6: I < 6, {
                r[I] = cx.base.add(*rows.add(I) as usize + tx * w.tile * call.ipix).cast_const();
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
unsafe fn transform_output<S: Simd, const T: usize>(
    cx: &Context,
    call: &WinogradCall,
    w: &Winograd,
    map: MapFn,
) {
    let finish = w.after.map(|function| Finish { function, map });
    let floats = w.out_vectors * S::L;
    let stride = matrix_stride(call.tile_rows * w.tiles, floats);
    for t in 0..call.tile_rows * w.tiles {
        let (y, x) = (t / w.tiles * T, t % w.tiles * T);
        let (ny, nx) = ((call.size[0] - y).min(T), (call.size[1] - x).min(T));
        // SAFETY: the plan proved products, bias, output and residual; pixels
        // past the size are not touched. Builds with `checks` look again.
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
                let mut half = [[zero; 6]; T];
                unroll!(6: X < 6, {
                    let mut d = [zero; 6];
                    unroll!(6: I < 6, {
                        d[I] = S::load(m.add((I * PATCH + X) * stride + c * S::L));
                    });
                    let q = output_column::<S, T>(d);
                    unroll!(4: I < T, {
                        half[I][X] = q[I];
                    });
                });
                let bias = S::load(cx.weights.add(w.bias + c * S::L));
                unroll!(4: I < T, {
                    if I < ny {
                        let q = output_column::<S, T>(half[I]);
                        unroll!(4: J < T, {
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
            if let Some(f) = &finish {
                for i in 0..ny {
                    let at = call.out.off + (y + i) * call.out.row + x * call.out.pix;
                    f.pixels(cx, at, call.out.pix, nx, w.out_vectors);
                }
            }
        }
    }
}

/// Runs one call.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena, rows and weights; `gemm` and `map` are the kernels of `S`.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(
    cx: &Context,
    call: &WinogradCall,
    w: &Winograd,
    gemm: PanelFn,
    map: MapFn,
) {
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
        finish: None,
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
        match w.tile {
            4 => transform_output::<S, 4>(cx, call, w, map),
            _ => transform_output::<S, 2>(cx, call, w, map),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `A^T m` in f64.
    fn output(m: &[f64], tile: usize) -> Vec<f64> {
        let points = [0.0f64, 1.0, -1.0, 2.0, -2.0];
        (0..tile)
            .map(|i| {
                let finite: f64 = points.iter().zip(m).map(|(p, m)| p.powi(i as i32) * m).sum();
                finite + if i + 1 == tile { m[5] } else { 0.0 }
            })
            .collect()
    }

    /// Column by column: an image of one row through G g, B^T d and A^T.
    fn one_tap_moves_the_image<const K: usize>() {
        for tap in 0..K {
            let mut g = vec![0.0; K * K];
            g[tap * K] = 1.0;
            let g = transform_filter(&g, &filter_matrix::<K>());
            let d = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0];
            // SAFETY: scalar vectors need nothing of the CPU.
            let columns = unsafe { input_column::<crate::simd::scalar::Scalar>(d.map(|x| [x; 4])) };
            // the first column of the filter's transform is a quarter of G g
            let m: Vec<f64> = (0..PATCH)
                .map(|i| f64::from(4.0 * g[i * PATCH]) * f64::from(columns[i][0]))
                .collect();
            for (i, got) in output(&m, tile_of(K)).iter().enumerate() {
                assert!((got - f64::from(d[i + tap])).abs() < 1e-4, "{K} {tap}: {m:?}");
            }
        }
    }

    #[test]
    fn filters_of_one_tap_move_the_image() {
        one_tap_moves_the_image::<3>();
        one_tap_moves_the_image::<5>();
    }
}
