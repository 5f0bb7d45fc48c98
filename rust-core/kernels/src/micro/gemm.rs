//! The matrix kernel behind every dense convolution, fully connected layer and
//! Winograd product.
//!
//! A call computes `nrows` rows of `m` pixels. Each output row reads
//! `segments` stretches of `klen` contiguous floats for its first pixel; the
//! next pixel's are `apix` floats further. A 1x1 convolution has one segment,
//! a k x k one has k (or k * k, where taps are not adjacent). Weights come in
//! panels of 1 to 4 vectors of output channels: the bias first, which starts
//! the accumulators, then one row per input.

use super::elementwise::{Finish, Function, MapFn};
use super::{Context, Epilogue, Plane, hard_swish, unroll};
use crate::simd::Simd;

/// One panel: `vectors` vectors of output channels from `first` on, at
/// `offset` in the weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel {
    pub vectors: usize,
    pub first: usize,
    pub offset: usize,
}

/// Packed weights of one dense convolution, or of one of its groups.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    pub segments: usize,
    pub klen: usize,
    pub panels: Vec<Panel>,
    pub epilogue: Epilogue,
    /// Applied to what is stored.
    pub after: Option<Function>,
    /// Large enough that prefetching the next panel pays.
    pub stream: bool,
}

/// One call of the kernel.
#[derive(Clone, Debug)]
pub(crate) struct GemmCall {
    /// Index of the [`Dense`].
    pub dense: usize,
    /// First entry in the row table; `nrows * segments` are used.
    pub rows: usize,
    pub nrows: usize,
    pub m: usize,
    pub apix: usize,
    pub out: Plane,
    pub residual: Option<Plane>,
    /// Offset and length of the weights that are read after this call; length
    /// 0 for none.
    pub next: (usize, usize),
}

/// What to fetch while tiles compute: `per_step` lines in each of the first
/// `steps` steps of a tile.
#[derive(Clone, Copy)]
pub(crate) struct Prefetch {
    at: *const f32,
    per_step: usize,
    steps: usize,
}

impl Prefetch {
    pub const NONE: Self = Self { at: std::ptr::null(), per_step: 0, steps: 0 };

    /// Spreads `len` floats at `at` over `tiles` tiles of `steps` steps.
    #[inline(always)]
    pub fn spread(at: *const f32, len: usize, tiles: usize, steps: usize, vectors: usize) -> Self {
        let lines = len.div_ceil(16);
        if lines == 0 || steps == 0 {
            return Self::NONE;
        }
        let per_step = lines.div_ceil(tiles * steps).min(4 * vectors);
        Self { at, per_step, steps: lines.div_ceil(tiles * per_step).min(steps) }
    }
}

/// What all tiles of a panel share.
pub(crate) struct Tiles<'a> {
    pub cx: &'a Context,
    pub segments: usize,
    pub klen: usize,
    pub apix: usize,
    pub opix: usize,
    pub rpix: usize,
    pub epilogue: Epilogue,
    pub finish: Option<Finish>,
    pub prefetch: Prefetch,
}

/// How many partial sums an accumulator is split into, so that short tiles do
/// not wait for the latency of their own additions.
#[inline(always)]
const fn parts(accumulators: usize) -> usize {
    match accumulators {
        0..=3 => 4,
        4..=6 => 2,
        _ => 1,
    }
}

/// `MR` pixels by `NV` vectors: `out = epilogue(bias + a * b + residual)`.
#[inline(always)]
unsafe fn tile<S: Simd, const MR: usize, const NV: usize>(
    t: &Tiles<'_>,
    rows: *const u32,
    skip: usize,
    panel: *const f32,
    out: *mut f32,
    residual: *const f32,
) {
    // SAFETY: the plan proved for the whole call that every row offset plus
    // `(m - 1) * apix + klen`, and the written and residual pixels, lie inside
    // the arena, and that the panel holds `(1 + segments * klen) * NV` vectors.
    // Debug builds check again. Prefetches may point anywhere.
    unsafe {
        let (parts, groups) = (parts(MR * NV), MR.div_ceil(S::GROUP));
        let zero = S::splat(0.0);
        let mut acc = [[[zero; NV]; MR]; 4];
        unroll!(4: J < NV, {
            let v = S::load(panel.add(J * S::L));
            unroll!(14: I < MR, {
                acc[0][I][J] = v;
            });
        });
        let mut off = [0usize; MR];
        unroll!(14: I < MR, {
            off[I] = S::opaque_offset(I % S::GROUP * t.apix);
        });
        let mut b = panel.add(NV * S::L);
        let mut pf = t.prefetch.at;
        let mut fetching = t.prefetch.steps;
        for r in 0..t.segments {
            let first = t.cx.base.add(*rows.add(r) as usize + skip).cast_const();
            t.cx.check(first, (MR - 1) * t.apix + t.klen);
            let mut a = [first; 7];
            unroll!(7: G < groups, {
                a[G] = S::running(first.add(G * S::GROUP * t.apix));
            });
            let mut k = t.klen;
            macro_rules! step {
                () => {
                    let mut av = [S::load_a(a[0]); MR];
                    unroll!(14: I < MR, {
                        av[I] = S::load_a(a[I / S::GROUP].add(off[I]));
                    });
                    unroll!(4: Q < 4, {
                        let mut bv = [zero; NV];
                        unroll!(4: J < NV, {
                            bv[J] = S::load(b.add((Q * NV + J) * S::L));
                        });
                        unroll!(14: I < MR, {
                            unroll!(4: J < NV, {
                                let p = Q % parts;
                                acc[p][I][J] = S::fma_lane::<Q>(acc[p][I][J], bv[J], av[I]);
                            });
                        });
                    });
                    unroll!(7: G < groups, {
                        a[G] = S::running(a[G].add(4));
                    });
                    b = S::running(b.add(4 * NV * S::L));
                    k -= 4;
                };
            }
            let mut q = fetching.min(k / 4);
            fetching -= q;
            while q > 0 {
                step!();
                for _ in 0..t.prefetch.per_step {
                    S::prefetch(pf);
                    pf = pf.wrapping_add(16);
                }
                q -= 1;
            }
            while k >= 4 {
                step!();
            }
            while k > 0 {
                unroll!(4: J < NV, {
                    let bv = S::load(b.add(J * S::L));
                    unroll!(14: I < MR, {
                        let x = S::splat(*a[I / S::GROUP].add(off[I]));
                        acc[0][I][J] = S::fma(x, bv, acc[0][I][J]);
                    });
                });
                unroll!(7: G < groups, {
                    a[G] = S::running(a[G].add(1));
                });
                b = b.add(NV * S::L);
                k -= 1;
            }
        }
        let mut sum = acc[0];
        macro_rules! each {
            ($i:ident, $j:ident, $e:expr) => {
                unroll!(14: $i < MR, {
                    unroll!(4: $j < NV, {
                        sum[$i][$j] = $e;
                    });
                });
            };
        }
        if parts == 4 {
            each!(
                I,
                J,
                S::add(S::add(sum[I][J], acc[1][I][J]), S::add(acc[2][I][J], acc[3][I][J]))
            );
        } else if parts == 2 {
            each!(I, J, S::add(sum[I][J], acc[1][I][J]));
        }
        if !residual.is_null() {
            t.cx.check(residual, (MR - 1) * t.rpix + NV * S::L);
            each!(I, J, S::add(sum[I][J], S::load(residual.add(I * t.rpix + J * S::L))));
        }
        if t.epilogue.has_lo() {
            let lo = S::splat(t.epilogue.lo);
            each!(I, J, S::max(lo, sum[I][J]));
        }
        if t.epilogue.has_hi() {
            let hi = S::splat(t.epilogue.hi);
            each!(I, J, S::min(hi, sum[I][J]));
        }
        if t.epilogue.hard_swish {
            each!(I, J, hard_swish::<S>(sum[I][J]));
        }
        t.cx.check(out, (MR - 1) * t.opix + NV * S::L);
        unroll!(14: I < MR, {
            unroll!(4: J < NV, {
                S::store(out.add(I * t.opix + J * S::L), sum[I][J]);
            });
        });
    }
}

/// `count` tiles of equal height, one after another.
#[inline(always)]
unsafe fn span<S: Simd, const MR: usize, const NV: usize>(
    t: &mut Tiles<'_>,
    rows: *const u32,
    (first, count): (usize, usize),
    panel: *const f32,
    out: *mut f32,
    residual: *const f32,
) {
    if MR > S::MR[NV - 1] {
        return;
    }
    for i in 0..count {
        let o = first + i * MR;
        // SAFETY: pixels `o..o + MR` are pixels of the call.
        unsafe {
            let res = if residual.is_null() { residual } else { residual.add(o * t.rpix) };
            let out = out.add(o * t.opix);
            tile::<S, MR, NV>(t, rows, o * t.apix, panel, out, res);
            if let Some(f) = &t.finish {
                f.pixels(t.cx, out.offset_from_unsigned(t.cx.base), t.opix, MR, NV);
            }
        }
        t.prefetch.at = t.prefetch.at.wrapping_add(t.prefetch.per_step * t.prefetch.steps * 16);
    }
}

/// `m` pixels, split evenly over as few tiles as possible.
#[inline(always)]
unsafe fn split<S: Simd, const NV: usize>(
    t: &mut Tiles<'_>,
    rows: *const u32,
    m: usize,
    panel: *const f32,
    out: *mut f32,
    residual: *const f32,
) {
    let tiles = m.div_ceil(S::MR[NV - 1].max(1));
    let (height, taller) = (m / tiles, m % tiles);
    for (height, first, count) in
        [(height + 1, 0, taller), (height, taller * (height + 1), tiles - taller)]
    {
        if count == 0 {
            continue;
        }
        macro_rules! go {
            ($($n:literal)*) => {
                match height {
                    // SAFETY: the two spans cover pixels 0..m.
                    $( $n => unsafe {
                        span::<S, $n, NV>(t, rows, (first, count), panel, out, residual);
                    }, )*
                    _ => {}
                }
            };
        }
        go!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
    }
}

/// One panel over one row of `m` pixels.
///
/// # Safety
/// The CPU has `S`; `rows` holds `t.segments` offsets, and with the strides in
/// `t` all `m` pixels of input, output and residual are inside the arena of
/// `t.cx`; the panel holds `vectors` vectors for the bias and every input.
#[inline(always)]
pub(crate) unsafe fn panel<S: Simd>(
    t: &mut Tiles<'_>,
    vectors: usize,
    rows: *const u32,
    m: usize,
    panel: *const f32,
    out: *mut f32,
    residual: *const f32,
) {
    // SAFETY: passed on from the caller.
    unsafe {
        match vectors {
            1 => split::<S, 1>(t, rows, m, panel, out, residual),
            2 => split::<S, 2>(t, rows, m, panel, out, residual),
            3 => split::<S, 3>(t, rows, m, panel, out, residual),
            _ => split::<S, 4>(t, rows, m, panel, out, residual),
        }
    }
}

/// [`panel`], out of line: one instance serves all callers.
pub(crate) type PanelFn =
    unsafe fn(&mut Tiles<'_>, usize, *const u32, usize, *const f32, *mut f32, *const f32);

/// Runs one call.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena, rows and weights; `panel` and `map` are those of `S`.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(
    cx: &Context,
    call: &GemmCall,
    w: &Dense,
    panel: PanelFn,
    map: MapFn,
) {
    let residual = call.residual.unwrap_or_default();
    let mut t = Tiles {
        cx,
        segments: w.segments,
        klen: w.klen,
        apix: call.apix,
        opix: call.out.pix,
        rpix: residual.pix,
        epilogue: w.epilogue,
        finish: w.after.map(|function| Finish { function, map }),
        prefetch: Prefetch::NONE,
    };
    let steps = w.klen / 4 * w.segments;
    for (i, p) in w.panels.iter().enumerate() {
        // SAFETY: the plan checked panels, rows, outputs and residuals.
        unsafe {
            let weights = cx.weights.add(p.offset);
            if w.stream {
                t.prefetch = if call.m * call.nrows == 1 {
                    // one pass over the weights: fetch what comes 8 KB later
                    let per_step = (4 * p.vectors * S::L / 16).max(1);
                    Prefetch { at: weights.wrapping_add(2048), per_step, steps }
                } else {
                    let (at, len) = match w.panels.get(i + 1) {
                        Some(n) => (n.offset, n.vectors * S::L * (w.klen * w.segments + 1)),
                        None => call.next,
                    };
                    let tiles = call.nrows * call.m.div_ceil(S::MR[p.vectors - 1].max(1));
                    Prefetch::spread(cx.weights.wrapping_add(at), len, tiles, steps, p.vectors)
                };
            }
            for r in 0..call.nrows {
                let out = cx.base.add(call.out.off + r * call.out.row + p.first);
                let res = match call.residual {
                    Some(res) => cx.base.add(res.off + r * res.row + p.first).cast_const(),
                    None => std::ptr::null(),
                };
                let rows = cx.rows.add(call.rows + r * w.segments);
                panel(&mut t, p.vectors, rows, call.m, weights, out, res);
            }
        }
    }
}
