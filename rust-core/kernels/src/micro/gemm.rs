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

/// What to fetch while tiles compute: `lines` lines in each of the first `bursts`
/// bursts of [`Simd::BURST`] steps of a tile.
#[derive(Clone, Copy)]
pub(crate) struct Prefetch {
    at: *const f32,
    lines: usize,
    bursts: usize,
}

impl Prefetch {
    pub const NONE: Self = Self { at: std::ptr::null(), lines: 0, bursts: 0 };

    /// Spreads `len` floats at `at` over `tiles` tiles of `steps` steps of
    /// `vectors` vectors.
    #[inline(always)]
    pub fn spread<S: Simd>(
        at: *const f32,
        len: usize,
        tiles: usize,
        steps: usize,
        vectors: usize,
    ) -> Self {
        let (all, bursts) = (len.div_ceil(16), steps.div_ceil(S::BURST));
        if all == 0 || bursts == 0 {
            return Self::NONE;
        }
        let lines = match S::BURST {
            1 => all.div_ceil(tiles * bursts).min(4 * vectors),
            _ => S::FETCH,
        };
        Self { at, lines, bursts: all.div_ceil(tiles * lines).min(bursts) }
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

/// Where a tile reads and writes; a tile leaves it at its neighbour.
struct Cursor {
    /// Floats from the first pixel of the call's input to the tile's.
    skip: usize,
    out: *mut f32,
    /// Null for none.
    residual: *const f32,
    prefetch: *const f32,
}

/// `MR` pixels by `NV` vectors: `out = epilogue(bias + a * b + residual)`.
///
/// Addresses are stepped from row to row behind [`Simd::opaque`]: as multiples
/// of a stride they would be computed ahead of all tiles and spilled.
#[inline(always)]
unsafe fn tile<S: Simd, const MR: usize, const NV: usize>(
    t: &Tiles<'_>,
    rows: *const u32,
    mut panel: *const f32,
    at: &mut Cursor,
) {
    // SAFETY: the plan proved for the whole call that every row offset plus
    // `(m - 1) * apix + klen`, and the written and residual pixels, lie inside
    // the arena, and that the panel holds `(1 + segments * klen) * NV` vectors.
    // Builds with `checks` look again. Prefetches may point anywhere.
    unsafe {
        let (parts, groups) = (parts(MR * NV), MR.div_ceil(S::GROUP));
        let zero = S::splat(0.0);
        let mut acc = [[[zero; NV]; MR]; 4];
        unroll!(14: I < MR, {
            unroll!(4: J < NV, {
                acc[0][I][J] = S::load(panel.add(J * S::L));
            });
            // loaded anew for every row: cheaper than copied on arm64
            panel = S::opaque(panel);
        });
        let mut off = [0usize; MR];
        unroll!(14: I < MR, {
            if !I.is_multiple_of(S::GROUP) {
                off[I] = S::opaque_offset(I % S::GROUP * t.apix);
            }
        });
        let mut b = panel.add(NV * S::L);
        let mut pf = at.prefetch;
        let mut fetching = t.prefetch.bursts;
        for r in 0..t.segments {
            let first = t.cx.base.add(*rows.add(r) as usize + at.skip).cast_const();
            t.cx.check(first, (MR - 1) * t.apix + t.klen);
            let mut a = [S::running(first); 14];
            unroll!(14: G < groups, {
                if G > 0 {
                    a[G] = S::running(a[G - 1].add(S::GROUP * t.apix));
                }
            });
            macro_rules! step {
                () => {
                    let mut av = [S::load_a(a[0]); MR];
                    unroll!(14: I < MR, {
                        av[I] = S::load_a(a[I / S::GROUP].add(off[I]));
                    });
                    let mut ahead = [zero; 4];
                    unroll!(4: Q < 4, {
                        let bv = S::next::<NV, Q>(&mut b, &mut ahead);
                        unroll!(14: I < MR, {
                            unroll!(4: J < NV, {
                                let p = Q % parts;
                                acc[p][I][J] = S::fma_lane::<Q>(acc[p][I][J], bv[J], av[I]);
                            });
                        });
                    });
                    unroll!(14: G < groups, {
                        a[G] = S::running(a[G].add(4));
                    });
                    b = S::running(b);
                };
            }
            let mut q = t.klen / 4;
            if const { S::BURST == 1 } {
                let with = fetching.min(q);
                fetching -= with;
                q -= with;
                for _ in 0..with {
                    step!();
                    for _ in 0..t.prefetch.lines {
                        S::prefetch(pf);
                        pf = pf.wrapping_add(16);
                    }
                }
                for _ in 0..q {
                    step!();
                }
            } else {
                // one copy of the step: with prefetches in it, it spills
                while q > 0 {
                    let mut n = q;
                    if fetching > 0 {
                        fetching -= 1;
                        S::prefetch_burst(pf);
                        pf = S::opaque(pf.wrapping_add(S::FETCH * 16));
                        n = n.min(S::BURST);
                    }
                    q -= n;
                    while n > 0 {
                        step!();
                        n -= 1;
                    }
                }
            }
            let mut q = t.klen % 4;
            while q > 0 {
                unroll!(4: J < NV, {
                    let bv = S::load(b.add(J * S::L));
                    unroll!(14: I < MR, {
                        let x = S::splat(*a[I / S::GROUP].add(off[I]));
                        acc[0][I][J] = S::fma(x, bv, acc[0][I][J]);
                    });
                });
                unroll!(14: G < groups, {
                    a[G] = S::running(a[G].add(1));
                });
                b = b.add(NV * S::L);
                q -= 1;
            }
        }
        at.prefetch = pf;
        at.skip += MR * t.apix;
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
        if !at.residual.is_null() {
            t.cx.check(at.residual, (MR - 1) * t.rpix + NV * S::L);
            unroll!(14: I < MR, {
                unroll!(4: J < NV, {
                    sum[I][J] = S::add(sum[I][J], S::load(at.residual.add(J * S::L)));
                });
                at.residual = S::opaque(at.residual.wrapping_add(t.rpix));
            });
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
        let opix = t.opix;
        t.cx.check(at.out, (MR - 1) * opix + NV * S::L);
        unroll!(14: I < MR, {
            unroll!(4: J < NV, {
                S::store(at.out.add(J * S::L), sum[I][J]);
            });
            at.out = S::opaque(at.out.wrapping_add(opix)).cast_mut();
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
    if const { MR > S::MR[NV - 1] } {
        return;
    }
    // SAFETY: pixels `first..first + count * MR` are pixels of the call.
    unsafe {
        let mut at = Cursor {
            skip: first * t.apix,
            out: out.add(first * t.opix),
            residual: if residual.is_null() { residual } else { residual.add(first * t.rpix) },
            prefetch: t.prefetch.at,
        };
        for _ in 0..count {
            // behind `opaque`, so that nothing is computed ahead and spilled
            let out = at.out;
            tile::<S, MR, NV>(&*S::opaque(&raw const *t), rows, panel, &mut at);
            if let Some(f) = &t.finish {
                f.pixels(t.cx, out.offset_from_unsigned(t.cx.base), t.opix, MR, NV);
            }
        }
        t.prefetch.at = at.prefetch;
    }
}

/// What a panel is computed for: `nrows` rows of `m` pixels.
pub(crate) struct Target {
    /// The row table's first entry; each row has `segments` of them.
    pub rows: *const u32,
    pub nrows: usize,
    pub m: usize,
    pub out: *mut f32,
    /// Floats from row to row.
    pub out_row: usize,
    /// Null for none.
    pub residual: *const f32,
    pub residual_row: usize,
}

/// Rows of pixels, each split evenly over as few tiles as possible.
#[inline(always)]
unsafe fn split<S: Simd, const NV: usize>(t: &mut Tiles<'_>, to: &Target, panel: *const f32) {
    let tiles = to.m.div_ceil(S::MR[NV - 1].max(1));
    let (height, taller) = (to.m / tiles, to.m % tiles);
    let spans = [(height + 1, 0, taller), (height, taller * (height + 1), tiles - taller)];
    for r in 0..to.nrows {
        let rows = to.rows.wrapping_add(r * t.segments);
        let out = to.out.wrapping_add(r * to.out_row);
        let residual = match to.residual.is_null() {
            true => to.residual,
            false => to.residual.wrapping_add(r * to.residual_row),
        };
        for (height, first, count) in spans {
            if count == 0 {
                continue;
            }
            macro_rules! go {
                ($($n:literal)*) => {
                    match height {
                        // SAFETY: the two spans cover pixels 0..m of the row.
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
}

/// One panel over the rows of a call.
///
/// # Safety
/// The CPU has `S`; every row has `t.segments` offsets, and with the strides in
/// `t` and `to` all pixels of input, output and residual are inside the arena of
/// `t.cx`; the panel holds `vectors` vectors for the bias and every input.
#[inline(always)]
pub(crate) unsafe fn panel<S: Simd>(
    t: &mut Tiles<'_>,
    vectors: usize,
    to: &Target,
    panel: *const f32,
) {
    // SAFETY: passed on from the caller.
    unsafe {
        match vectors {
            1 => split::<S, 1>(t, to, panel),
            2 => split::<S, 2>(t, to, panel),
            3 => split::<S, 3>(t, to, panel),
            _ => split::<S, 4>(t, to, panel),
        }
    }
}

/// [`panel`], out of line: one instance serves all callers.
pub(crate) type PanelFn = unsafe fn(&mut Tiles<'_>, usize, &Target, *const f32);

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
                    let lines = (4 * p.vectors * S::L / 16).max(1);
                    match S::BURST {
                        1 => Prefetch { at: weights.wrapping_add(2048), lines, bursts: steps },
                        _ => Prefetch::NONE,
                    }
                } else {
                    let (at, len) = match w.panels.get(i + 1) {
                        Some(n) => (n.offset, n.vectors * S::L * (w.klen * w.segments + 1)),
                        None => call.next,
                    };
                    let tiles = call.nrows * call.m.div_ceil(S::MR[p.vectors - 1].max(1));
                    let at = cx.weights.wrapping_add(at);
                    Prefetch::spread::<S>(at, len, tiles, steps, p.vectors)
                };
            }
            let to = Target {
                rows: cx.rows.add(call.rows),
                nrows: call.nrows,
                m: call.m,
                out: cx.base.add(call.out.off + p.first),
                out_row: call.out.row,
                residual: match call.residual {
                    Some(plane) => cx.base.add(plane.off + p.first),
                    None => std::ptr::null(),
                },
                residual_row: residual.row,
            };
            panel(&mut t, p.vectors, &to, weights);
        }
    }
}
