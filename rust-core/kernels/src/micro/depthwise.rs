//! Depthwise convolution: one filter per channel.
//!
//! Weights are packed per vector of channels, bias first, then the taps, so
//! that one pointer walks through them. The bias is there twice: arm64 then
//! starts two sums with one load. The common kernels (3x3 and 5x5,
//! stride 1 and 2) compute several neighbouring pixels, of two rows where
//! registers allow, at once and load each input once per row; all others take
//! the plain loop.

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
    /// Whether the vertical ones are the same, so that neighbouring output rows
    /// share input rows.
    pub even: bool,
    /// Vectors of channels.
    pub vectors: usize,
    /// Start of the packed weights: `vectors * (BIAS + taps)` vectors.
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

/// How often the bias is packed.
pub(crate) const BIAS: usize = 2;
/// Bytes of the first cache that input rows may take.
const CACHE_BYTES: usize = if cfg!(target_arch = "aarch64") { 48 << 10 } else { 24 << 10 };
/// Most pixels a step.
const WIDEST: usize = 7;

/// `XT` pixels of `YT` output rows, vectors `channels` of them. `rows` are the table's entries
/// of the first output row; those of the second follow.
#[inline(always)]
unsafe fn tile<S: Simd, const K: usize, const ST: usize, const XT: usize, const YT: usize>(
    cx: &Context,
    (call, d): (&DepthwiseCall, &Depthwise),
    rows: *const u32,
    (x, channels): (usize, Range<usize>),
    out: *mut f32,
) {
    // SAFETY: the plan proved all rows, columns and outputs of the call inside
    // the arena, and the packed weights inside the model's. Builds with `checks` look
    // again.
    unsafe {
        let (columns, height) = ((XT - 1) * ST + K, (YT - 1) * ST + K);
        let mut r = [std::ptr::null::<f32>(); 7];
        unroll!(7: Q < height, {
            // the rows that only the second output row reads end its entries
            let entry = *rows.add(if Q < K { Q } else { Q + K - ST });
            let at = entry as usize + x * ST * call.ipix + channels.start * S::L;
            r[Q] = cx.base.add(at).cast_const();
            cx.check(r[Q], (columns - 1) * call.ipix + channels.len() * S::L);
        });
        let mut o = [out; 2];
        unroll!(2: Y < YT, {
            o[Y] = out.add(Y * call.out.row + x * call.out.pix + channels.start * S::L);
            cx.check(o[Y], (XT - 1) * call.out.pix + channels.len() * S::L);
        });
        let mut off = [0usize; 17];
        // from the pointer as the load of the first column leaves it
        unroll!(17: J < columns, {
            off[J] = S::opaque_offset((J * call.ipix).wrapping_sub(S::L));
        });
        let mut to = [0usize; XT];
        unroll!(7: I < XT, {
            to[I] = S::opaque_offset((I * call.out.pix).wrapping_sub(S::L));
        });
        // behind `opaque_offset`, so that the loop is not compiled once for each
        let (has_lo, has_hi) = (d.epilogue.has_lo(), d.epilogue.has_hi());
        let (has_lo, has_hi) =
            (S::opaque_offset(usize::from(has_lo)), S::opaque_offset(usize::from(has_hi)));
        let hard_swish = S::opaque_offset(usize::from(d.epilogue.hard_swish));
        let mut w = cx.weights.add(d.offset + channels.start * (BIAS + K * K) * S::L);
        let end = w.add(channels.len() * (BIAS + K * K) * S::L);
        let (lo, hi) = (S::splat(d.epilogue.lo), S::splat(d.epilogue.hi));
        while w != end {
            let mut acc = [[S::load(w); XT]; YT];
            unroll!(2: Y < YT, {
                unroll!(7: I < XT, {
                    // loaded anew for every two: cheaper than copied on arm64
                    acc[Y][I] = S::load(w.add((Y * XT + I) % 2 * S::L));
                    if (Y * XT + I) % 2 == 1 {
                        w = S::opaque(w);
                    }
                });
            });
            let mut wv = [[acc[0][0]; K]; K];
            unroll!(7: Q < height, {
                if Q < K {
                    unroll!(7: P < K, {
                        wv[if Q < K { Q } else { 0 }][P] = S::load(w.add((BIAS + Q * K + P) * S::L));
                    });
                }
                unroll!(17: J < columns, {
                    let v = if J == 0 {
                        let v = S::load(r[Q]);
                        r[Q] = S::opaque(r[Q].add(S::L));
                        v
                    } else {
                        S::load(r[Q].wrapping_add(off[J]))
                    };
                    unroll!(2: Y < YT, {
                        // the row of the kernel that meets this input row
                        let ky = Q.wrapping_sub(Y * ST);
                        if ky < K {
                            unroll!(7: P < K, {
                                let at = J.wrapping_sub(P);
                                if J >= P && at.is_multiple_of(ST) && at / ST < XT {
                                    acc[Y][at / ST] = S::fma(v, wv[ky][P], acc[Y][at / ST]);
                                }
                            });
                        }
                    });
                });
            });
            macro_rules! each {
                ($y:ident, $i:ident, $e:expr) => {
                    unroll!(2: $y < YT, {
                        unroll!(7: $i < XT, {
                            acc[$y][$i] = $e;
                        });
                    });
                };
            }
            if has_lo != 0 {
                each!(Y, I, S::max(lo, acc[Y][I]));
            }
            if has_hi != 0 {
                each!(Y, I, S::min(hi, acc[Y][I]));
            }
            if hard_swish != 0 {
                each!(Y, I, super::hard_swish::<S>(acc[Y][I]));
            }
            unroll!(2: Y < YT, {
                unroll!(7: I < XT, {
                    if I == 0 {
                        S::store(o[Y], acc[Y][I]);
                        o[Y] = S::opaque(o[Y].add(S::L)).cast_mut();
                    } else {
                        S::store(o[Y].wrapping_add(to[I]), acc[Y][I]);
                    }
                });
            });
            w = S::opaque(w.add((BIAS + K * K) * S::L));
        }
    }
}

/// `YT` rows from row `y` of the call on, vectors `channels` of them.
#[inline(always)]
unsafe fn band<S: Simd, const K: usize, const ST: usize, const YT: usize>(
    cx: &Context,
    (call, d): (&DepthwiseCall, &Depthwise),
    y: usize,
    channels: &Range<usize>,
    finish: Option<Finish>,
) {
    let tiles = call.m.div_ceil(WIDEST);
    let (width, wider) = (call.m / tiles, call.m % tiles);
    let mut x = 0;
    for i in 0..tiles {
        let n = width + usize::from(i < wider);
        macro_rules! go {
            ($($n:literal)*) => {
                match n {
                    // SAFETY: pixels `x..x + n` are pixels of the call.
                    $( $n => unsafe {
                        let rows = cx.rows.add(call.rows + y * K);
                        let out = cx.base.add(call.out.off + y * call.out.row);
                        let at = (x, channels.clone());
                        tile::<S, K, ST, $n, YT>(cx, (call, d), rows, at, out);
                    }, )*
                    _ => {}
                }
            };
        }
        go!(1 2 3 4 5 6 7);
        if let Some(f) = &finish {
            for y in y..y + YT {
                let at = call.out.off + y * call.out.row + x * call.out.pix;
                // SAFETY: what was just stored.
                unsafe {
                    f.pixels(cx, at + channels.start * S::L, call.out.pix, n, channels.len());
                };
            }
        }
        x += n;
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
    // blocks of channels whose input rows stay in the first cache until the
    // next output row reads them again
    let row = ((call.m - 1) * ST + K) * K * 4 * S::L;
    let fit = (CACHE_BYTES / row).max(2);
    let block =
        if fit >= d.vectors { d.vectors } else { d.vectors.div_ceil(d.vectors.div_ceil(fit)) };
    let finish = d.after.map(|function| Finish { function, map });
    for first in (0..d.vectors).step_by(block) {
        let channels = first..(first + block).min(d.vectors);
        let mut y = 0;
        // SAFETY: rows below `nrows` are rows of the call.
        unsafe {
            // two rows of stride 2 share too little to pay for their registers
            if const { S::DEPTHWISE_ROWS == 2 && ST == 1 } {
                while d.even && y + 2 <= call.nrows {
                    band::<S, K, ST, 2>(cx, (call, d), y, &channels, finish);
                    y += 2;
                }
            }
            while y < call.nrows {
                band::<S, K, ST, 1>(cx, (call, d), y, &channels, finish);
                y += 1;
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
                // arena; builds with `checks` look again.
                unsafe {
                    let w = cx.weights.add(d.offset + c * (BIAS + kh * kw) * S::L);
                    let mut acc = S::load(w);
                    for ky in 0..kh {
                        let row = *cx.rows.add(call.rows + r * kh + ky) as usize;
                        let p = cx.base.add(row + x * d.stride * call.ipix + c * S::L);
                        cx.check(p, (kw - 1) * d.dilation * call.ipix + S::L);
                        for kx in 0..kw {
                            let v = S::load(p.add(kx * d.dilation * call.ipix));
                            acc = S::fma(v, S::load(w.add((BIAS + ky * kw + kx) * S::L)), acc);
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
