//! Depthwise convolution: one filter per channel.
//!
//! Weights are packed per vector of channels, bias first, then the taps, so
//! that one pointer walks through them. The common kernels (3x3 and 5x5,
//! stride 1 and 2) compute several neighbouring pixels at once and load each
//! input once per kernel row; all others take the plain loop.

use super::elementwise::{Finish, Function, MapFn};
use super::{Context, Epilogue, Plane, unroll};
use crate::simd::Simd;
use std::ops::Range;

/// Packed weights of one depthwise convolution.
#[derive(Clone, Debug)]
pub(crate) struct Depthwise {
    pub kernel: [usize; 2],
    /// Horizontal stride and dilation; the vertical ones are in the row table.
    pub stride: usize,
    pub dilation: usize,
    /// Vectors of channels.
    pub vectors: usize,
    /// Start of the packed weights: `vectors * (1 + taps)` vectors.
    pub offset: usize,
    pub epilogue: Epilogue,
    /// Applied to what is stored.
    pub after: Option<Function>,
}

/// One call: `nrows` rows of `m` pixels.
#[derive(Clone, Debug)]
pub(crate) struct DepthwiseCall {
    /// Index of the [`Depthwise`].
    pub depthwise: usize,
    /// First entry in the row table; `nrows * kernel height` are used.
    pub rows: usize,
    pub nrows: usize,
    pub m: usize,
    /// Floats between neighbouring input pixels.
    pub ipix: usize,
    pub out: Plane,
}

/// Bytes of the first cache that input rows may take.
const CACHE_BYTES: usize = 24 << 10;
/// Most pixels a step.
const WIDEST: usize = 7;

/// `XT` pixels of one output row, vectors `channels` of them.
#[inline(always)]
unsafe fn tile<S: Simd, const K: usize, const ST: usize, const XT: usize>(
    cx: &Context,
    d: &Depthwise,
    ipix: usize,
    rows: *const u32,
    (x, channels): (usize, Range<usize>),
    (out, opix): (*mut f32, usize),
) {
    // SAFETY: the plan proved all rows, columns and outputs of the call inside
    // the arena, and the packed weights inside the model's. Debug builds check
    // again.
    unsafe {
        let columns = (XT - 1) * ST + K;
        let mut r = [std::ptr::null::<f32>(); K];
        unroll!(7: Q < K, {
            let at = *rows.add(Q) as usize + x * ST * ipix + channels.start * S::L;
            r[Q] = cx.base.add(at).cast_const();
            cx.check(r[Q], (columns - 1) * ipix + channels.len() * S::L);
        });
        let mut o = out.add(x * opix + channels.start * S::L);
        cx.check(o, (XT - 1) * opix + channels.len() * S::L);
        let mut off = [0usize; 17];
        unroll!(17: J < columns, {
            off[J] = S::opaque_offset(J * ipix);
        });
        let mut w = cx.weights.add(d.offset + channels.start * (1 + K * K) * S::L);
        let end = w.add(channels.len() * (1 + K * K) * S::L);
        let (lo, hi) = (S::splat(d.epilogue.lo), S::splat(d.epilogue.hi));
        while w != end {
            let mut acc = [S::load(w); XT];
            unroll!(7: Y < K, {
                let mut wv = [acc[0]; K];
                unroll!(7: Q < K, {
                    wv[Q] = S::load(w.add((1 + Y * K + Q) * S::L));
                });
                unroll!(17: J < columns, {
                    let v = S::load(r[Y].add(if J == 0 { 0 } else { off[J] }));
                    unroll!(7: Q < K, {
                        let at = J.wrapping_sub(Q);
                        if J >= Q && at.is_multiple_of(ST) && at / ST < XT {
                            acc[at / ST] = S::fma(v, wv[Q], acc[at / ST]);
                        }
                    });
                });
                r[Y] = S::opaque(r[Y].add(S::L));
            });
            unroll!(7: I < XT, {
                acc[I] = S::min(hi, S::max(lo, acc[I]));
            });
            if d.epilogue.hard_swish {
                unroll!(7: I < XT, {
                    acc[I] = super::hard_swish::<S>(acc[I]);
                });
            }
            unroll!(7: I < XT, {
                S::store(o.add(I * opix), acc[I]);
            });
            o = S::opaque(o.add(S::L)).cast_mut();
            w = S::opaque(w.add((1 + K * K) * S::L));
        }
    }
}

/// A `K` x `K` kernel without dilation, stride `ST`.
#[inline(always)]
unsafe fn square<S: Simd, const K: usize, const ST: usize>(
    cx: &Context,
    call: &DepthwiseCall,
    d: &Depthwise,
    map: MapFn,
) {
    let tiles = call.m.div_ceil(WIDEST);
    let (width, wider) = (call.m / tiles, call.m % tiles);
    // blocks of channels whose input rows stay in the first cache until the
    // next output row reads them again
    let row = ((call.m - 1) * ST + K) * K * 4 * S::L;
    let fit = (CACHE_BYTES / row).max(2);
    let block =
        if fit >= d.vectors { d.vectors } else { d.vectors.div_ceil(d.vectors.div_ceil(fit)) };
    let finish = d.after.map(|function| Finish { function, map });
    for first in (0..d.vectors).step_by(block) {
        let channels = first..(first + block).min(d.vectors);
        for r in 0..call.nrows {
            let mut x = 0;
            for i in 0..tiles {
                let n = width + usize::from(i < wider);
                macro_rules! go {
                    ($($n:literal)*) => {
                        match n {
                            // SAFETY: pixels `x..x + n` are pixels of the call.
                            $( $n => unsafe {
                                let rows = cx.rows.add(call.rows + r * K);
                                let out = cx.base.add(call.out.off + r * call.out.row);
                                let (at, out) = ((x, channels.clone()), (out, call.out.pix));
                                tile::<S, K, ST, $n>(cx, d, call.ipix, rows, at, out);
                            }, )*
                            _ => {}
                        }
                    };
                }
                go!(1 2 3 4 5 6 7);
                if let Some(f) = &finish {
                    let at = call.out.off + r * call.out.row + x * call.out.pix + first * S::L;
                    // SAFETY: what was just stored.
                    unsafe { f.pixels(cx, at, call.out.pix, n, channels.len()) };
                }
                x += n;
            }
        }
    }
}

/// Any kernel, stride and dilation.
#[inline(always)]
unsafe fn any<S: Simd>(cx: &Context, call: &DepthwiseCall, d: &Depthwise, map: MapFn) {
    let [kh, kw] = d.kernel;
    let finish = d.after.map(|function| Finish { function, map });
    for r in 0..call.nrows {
        for x in 0..call.m {
            for c in 0..d.vectors {
                // SAFETY: the plan proved every tap of every pixel inside the
                // arena; debug builds check again.
                unsafe {
                    let w = cx.weights.add(d.offset + c * (1 + kh * kw) * S::L);
                    let mut acc = S::load(w);
                    for ky in 0..kh {
                        let row = *cx.rows.add(call.rows + r * kh + ky) as usize;
                        let p = cx.base.add(row + x * d.stride * call.ipix + c * S::L);
                        cx.check(p, (kw - 1) * d.dilation * call.ipix + S::L);
                        for kx in 0..kw {
                            let v = S::load(p.add(kx * d.dilation * call.ipix));
                            acc = S::fma(v, S::load(w.add((1 + ky * kw + kx) * S::L)), acc);
                        }
                    }
                    let out = call.out.off + r * call.out.row + x * call.out.pix + c * S::L;
                    cx.check(cx.base.add(out), S::L);
                    S::store(cx.base.add(out), d.epilogue.apply::<S>(acc));
                }
            }
            if let Some(f) = &finish {
                let at = call.out.off + r * call.out.row + x * call.out.pix;
                // SAFETY: what was just stored.
                unsafe { f.pixels(cx, at, call.out.pix, 1, d.vectors) };
            }
        }
    }
}

/// Runs one call.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena, rows and weights; `map` is [`map`](super::elementwise::map) of `S`.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(cx: &Context, call: &DepthwiseCall, d: &Depthwise, map: MapFn) {
    // SAFETY: passed on from the caller.
    unsafe {
        match (d.kernel, d.stride, d.dilation) {
            ([3, 3], 1, 1) => square::<S, 3, 1>(cx, call, d, map),
            ([3, 3], 2, 1) => square::<S, 3, 2>(cx, call, d, map),
            ([5, 5], 1, 1) => square::<S, 5, 1>(cx, call, d, map),
            ([5, 5], 2, 1) => square::<S, 5, 2>(cx, call, d, map),
            _ => any::<S>(cx, call, d, map),
        }
    }
}
