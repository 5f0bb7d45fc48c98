//! Max, average and global average pools.
//!
//! Windows are cut at the tensor's sides. Rows above and below it come from the
//! row table: repeated rows for a maximum, zeros for a mean.

use super::{Context, Plane, unroll};
use crate::graph::PoolKind;
use crate::simd::Simd;

/// One call of a windowed pool: `nrows` rows of `m` pixels.
#[derive(Clone, Debug)]
pub(crate) struct PoolCall {
    pub kind: PoolKind,
    pub kernel: [usize; 2],
    /// Horizontal stride, columns of padding on the left and of the input; the
    /// vertical ones are in the row table.
    pub stride: usize,
    pub left: usize,
    pub width: usize,
    /// First entry in the row table, which holds offsets of each row's first
    /// pixel; `nrows * kernel height` are used.
    pub rows: usize,
    pub nrows: usize,
    pub m: usize,
    /// Floats between neighbouring input pixels.
    pub ipix: usize,
    pub out: Plane,
    pub vectors: usize,
    /// Top padding, height of the input, vertical stride and first output row:
    /// for the divisor of a mean that does not count padding.
    pub vertical: [usize; 4],
}

/// One call of a global average.
#[derive(Clone, Debug)]
pub(crate) struct GlobalCall {
    pub x: Plane,
    pub size: [usize; 2],
    pub out: usize,
    pub vectors: usize,
}

/// The part of window `i` that lies on the tensor: first element and count.
#[inline(always)]
fn cut(i: usize, stride: usize, padding: usize, kernel: usize, size: usize) -> (usize, usize) {
    let start = (i * stride).saturating_sub(padding);
    let end = (i * stride + kernel).saturating_sub(padding).min(size);
    (start, end - start)
}

/// One pixel of a maximum of `K` x `K` values.
#[inline(always)]
unsafe fn square_max<S: Simd, const K: usize>(call: &PoolCall, p: &[*const f32], out: *mut f32) {
    // SAFETY: the caller vouches for `K` pixels of `vectors` vectors at each of
    // `K` pointers, and for one at `out`.
    unsafe {
        for c in 0..call.vectors {
            // rows first, then their maxima: a short chain
            let mut row = [S::splat(0.0); K];
            unroll!(4: Y < K, {
                row[Y] = S::load(p[Y].add(c * S::L));
                unroll!(4: X < K, {
                    if X > 0 {
                        row[Y] = S::max_nan(row[Y], S::load(p[Y].add(X * call.ipix + c * S::L)));
                    }
                });
            });
            unroll!(4: Y < K, {
                if Y > 0 {
                    row[0] = S::max_nan(row[0], row[Y]);
                }
            });
            S::store(out.add(c * S::L), row[0]);
        }
    }
}

/// One pixel of any window: `nx` columns of the rows at `p` at column `x`.
#[inline(always)]
unsafe fn any<S: Simd>(
    cx: &Context,
    call: &PoolCall,
    rows: *const u32,
    (x, nx): (usize, usize),
    scale: Option<f32>,
    out: *mut f32,
) {
    // SAFETY: the caller vouches for `nx` pixels of `vectors` vectors at `x` of
    // each row, and for one at `out`; builds with `checks` look again.
    unsafe {
        for c in 0..call.vectors {
            let mut all = None;
            for ky in 0..call.kernel[0] {
                let p = cx.base.add(*rows.add(ky) as usize + x * call.ipix + c * S::L);
                cx.check(p, (nx - 1) * call.ipix + S::L);
                for dx in 0..nx {
                    let v = S::load(p.add(dx * call.ipix));
                    all = Some(match (all, scale) {
                        (None, _) => v,
                        (Some(m), None) => S::max_nan(m, v),
                        (Some(sum), Some(_)) => S::add(sum, v),
                    });
                }
            }
            let v = all.unwrap_or(S::splat(0.0));
            let v = scale.map_or(v, |scale| S::mul(v, S::splat(scale)));
            S::store(out.add(c * S::L), v);
        }
    }
}

/// Runs a windowed pool.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena and rows.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(cx: &Context, call: &PoolCall) {
    let [kh, kw] = call.kernel;
    let [top, height, stride, first] = call.vertical;
    for r in 0..call.nrows {
        for i in 0..call.m {
            let (x, nx) = cut(i, call.stride, call.left, kw, call.width);
            // SAFETY: the plan proved all rows of the table, `width` pixels
            // wide, and the output inside the arena, and that no window is
            // empty; builds with `checks` look again.
            unsafe {
                let rows = cx.rows.add(call.rows + r * kh);
                let out = cx.base.add(call.out.off + r * call.out.row + i * call.out.pix);
                cx.check(out, call.vectors * S::L);
                let scale = match call.kind {
                    PoolKind::Max => None,
                    PoolKind::Average { count_include_pad: true } => Some(kh * kw),
                    PoolKind::Average { .. } => {
                        Some(cut(first + r, stride, top, kh, height).1 * nx)
                    }
                };
                if scale.is_none() && nx == kw && kh == kw && (2..=3).contains(&kh) {
                    let mut p = [std::ptr::null::<f32>(); 3];
                    for (y, p) in p[..kh].iter_mut().enumerate() {
                        *p = cx.base.add(*rows.add(y) as usize + x * call.ipix);
                        cx.check(*p, (kw - 1) * call.ipix + call.vectors * S::L);
                    }
                    match kh {
                        2 => square_max::<S, 2>(call, &p, out),
                        _ => square_max::<S, 3>(call, &p, out),
                    }
                } else {
                    any::<S>(cx, call, rows, (x, nx), scale.map(|n| 1.0 / n as f32), out);
                }
            }
        }
    }
}

/// Runs a global average.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena.
#[inline(always)]
pub(crate) unsafe fn global<S: Simd>(cx: &Context, call: &GlobalCall) {
    let [h, w] = call.size;
    // SAFETY: the plan proved input and output inside the arena; builds
    // with `checks` look again.
    unsafe {
        let scale = S::splat(1.0 / (h * w) as f32);
        for c in 0..call.vectors {
            let mut sum = [S::splat(0.0); 4];
            for y in 0..h {
                let p = cx.base.add(call.x.off + y * call.x.row + c * S::L);
                cx.check(p, (w - 1) * call.x.pix + S::L);
                let mut x = 0;
                while x + 4 <= w {
                    unroll!(4: I < 4, {
                        sum[I] = S::add(sum[I], S::load(p.add((x + I) * call.x.pix)));
                    });
                    x += 4;
                }
                while x < w {
                    sum[0] = S::add(sum[0], S::load(p.add(x * call.x.pix)));
                    x += 1;
                }
            }
            let all = S::add(S::add(sum[0], sum[1]), S::add(sum[2], sum[3]));
            cx.check(cx.base.add(call.out + c * S::L), S::L);
            S::store(cx.base.add(call.out + c * S::L), S::mul(all, scale));
        }
    }
}
