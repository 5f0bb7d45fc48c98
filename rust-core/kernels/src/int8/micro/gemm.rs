//! The matrix kernel behind every dense convolution and fully connected layer.
//!
//! A call computes `nrows` rows of `m` pixels. Each output row reads `segments`
//! stretches of `klen` contiguous bytes for its first pixel; the next pixel's
//! are `apix` bytes further. Four bytes are multiplied at once, so that up to 3
//! more may be read, which meet weights of zero. Weights come in panels of 1 to
//! 4 vectors of output channels: the sums' start, which takes the zero point
//! out, the multiplier and the offset of the requantization, then one row per 4
//! inputs.

use super::super::simd::{F, Int8};
use crate::micro::{Context, Plane, unroll};
use crate::simd::Simd;

/// One panel: `vectors` vectors of output channels from `first` on, at
/// `offset` in the weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel {
    pub vectors: usize,
    pub first: usize,
    pub offset: usize,
}

/// Vectors of constants in front of a panel's weights.
pub(crate) const CONSTANTS: usize = 3;

/// Packed weights of one dense convolution, or of one of its groups.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    pub segments: usize,
    /// Bytes of a segment.
    pub klen: usize,
    pub panels: Vec<Panel>,
    /// Bounds of what is stored: of bytes, or of floats.
    pub lo: f32,
    pub hi: f32,
    /// Whether bounds differ from what saturation does anyway.
    pub clamp: bool,
    /// Whether the output is floats, in natural order.
    pub floats: bool,
    /// Multiplier of the residual's bytes; its zero point is in the offsets.
    pub residual: f32,
    /// Large enough that prefetching the next panel pays.
    pub stream: bool,
}

impl Dense {
    /// Steps of 4 bytes in a segment.
    pub fn steps(&self) -> usize {
        self.klen.div_ceil(4)
    }

    /// Bytes of a panel of so many vectors of `lanes` channels.
    pub fn panel_bytes(&self, vectors: usize, lanes: usize) -> usize {
        (CONSTANTS + self.segments * self.steps()) * vectors * lanes * 4
    }
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

/// What all tiles of a panel share.
pub(crate) struct Tiles<'a> {
    cx: &'a Context<u8>,
    w: &'a Dense,
    segments: usize,
    steps: usize,
    apix: usize,
    opix: usize,
    rpix: usize,
    /// Lines to fetch in each of the first `bursts` times 4 steps of a tile.
    lines: usize,
    bursts: usize,
}

/// Where a tile reads and writes; a tile leaves it at its neighbour.
struct Cursor {
    /// Bytes from the first pixel of the call's input to the tile's.
    skip: usize,
    out: *mut u8,
    /// Null for none.
    residual: *const u8,
    prefetch: *const u8,
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

/// `MR` pixels by `NV` vectors. As in the float kernel, addresses are stepped
/// from row to row behind `opaque`: as multiples of a stride they would be
/// computed ahead of all tiles and spilled.
#[inline(always)]
unsafe fn tile<S: Int8, const MR: usize, const NV: usize>(
    t: &Tiles<'_>,
    rows: *const u32,
    panel: *const u8,
    at: &mut Cursor,
) {
    // SAFETY: the plan proved for the whole call that every row offset plus
    // `(m - 1) * apix + 4 * steps`, and the written and residual pixels, lie
    // inside the arena, and that the panel holds its constants and `segments *
    // steps` rows of `NV` vectors. Builds with `checks` look again. Prefetches may
    // point anywhere.
    unsafe {
        let group = const { <S::Float as Simd>::GROUP };
        let (parts, groups) = (parts(MR * NV), MR.div_ceil(group));
        let vector = 4 * S::L;
        let mut acc = [[[S::zero(); NV]; MR]; 4];
        unroll!(14: I < MR, {
            unroll!(4: J < NV, {
                acc[0][I][J] = S::load(panel.add(J * vector));
            });
        });
        let mut off = [0usize; MR];
        unroll!(14: I < MR, {
            if !I.is_multiple_of(group) {
                off[I] = S::Float::opaque_offset(I % group * t.apix);
            }
        });
        let mut b = panel.add(CONSTANTS * NV * vector);
        let mut pf = at.prefetch;
        let mut fetching = t.bursts;
        for r in 0..t.segments {
            let first = t.cx.base.add(*rows.add(r) as usize + at.skip).cast_const();
            t.cx.check(first, (MR - 1) * t.apix + 4 * t.steps);
            let mut a = [S::Float::running(first); 14];
            unroll!(14: G < groups, {
                if G > 0 {
                    a[G] = S::Float::running(a[G - 1].add(group * t.apix));
                }
            });
            macro_rules! step {
                () => {
                    let mut av = [S::load_a(a[0]); MR];
                    unroll!(14: I < MR, {
                        av[I] = S::load_a(a[I / group].add(off[I]));
                    });
                    unroll!(4: Q < 4, {
                        let mut bv = [S::zero(); NV];
                        unroll!(4: J < NV, {
                            bv[J] = S::load(b.add((Q * NV + J) * vector));
                        });
                        // row by row: the other way around, all rows' bytes would
                        // be in registers at once
                        unroll!(14: I < MR, {
                            unroll!(4: J < NV, {
                                let p = Q % parts;
                                acc[p][I][J] = S::dot_lane::<Q>(acc[p][I][J], av[I], bv[J]);
                            });
                        });
                    });
                    unroll!(14: G < groups, {
                        a[G] = S::Float::running(a[G].add(16));
                    });
                    b = S::Float::running(b.add(4 * NV * vector));
                };
            }
            let mut q = t.steps / 4;
            if const { <S::Float as Simd>::BURST == 1 } {
                let with = fetching.min(q);
                fetching -= with;
                q -= with;
                for _ in 0..with {
                    step!();
                    for _ in 0..t.lines {
                        S::Float::prefetch(pf.cast());
                        pf = pf.wrapping_add(64);
                    }
                }
            }
            for _ in 0..q {
                step!();
            }
            for _ in 0..t.steps % 4 {
                let mut bv = [S::zero(); NV];
                unroll!(4: J < NV, {
                    bv[J] = S::load(b.add(J * vector));
                });
                unroll!(14: I < MR, {
                    let x = S::broadcast(a[I / group].add(off[I]));
                    unroll!(4: J < NV, {
                        acc[0][I][J] = S::dot(acc[0][I][J], x, bv[J]);
                    });
                });
                unroll!(14: G < groups, {
                    a[G] = S::Float::running(a[G].add(4));
                });
                b = S::Float::running(b.add(NV * vector));
            }
        }
        at.prefetch = pf;
        at.skip += MR * t.apix;
        let mut sum = acc[0];
        unroll!(4: P < parts, {
            if P > 0 {
                unroll!(14: I < MR, {
                    unroll!(4: J < NV, {
                        sum[I][J] = S::add(sum[I][J], acc[P][I][J]);
                    });
                });
            }
        });
        let constants = panel.cast::<f32>();
        let mut scale = [S::Float::splat(0.0); NV];
        let mut offset = scale;
        unroll!(4: J < NV, {
            scale[J] = S::Float::load(constants.add((NV + J) * S::L));
            offset[J] = S::Float::load(constants.add((2 * NV + J) * S::L));
        });
        store::<S, MR, NV>(t, sum, scale, offset, at);
    }
}

/// Requantizes a tile and stores it.
#[inline(always)]
unsafe fn store<S: Int8, const MR: usize, const NV: usize>(
    t: &Tiles<'_>,
    sum: [[S::V; NV]; MR],
    scale: [F<S>; NV],
    offset: [F<S>; NV],
    at: &mut Cursor,
) {
    let plain = !t.w.clamp && !t.w.floats && at.residual.is_null();
    // SAFETY: the caller passes on the tile's contract.
    unsafe {
        if plain {
            store_as::<S, MR, NV, true>(t, sum, scale, offset, at);
        } else {
            store_as::<S, MR, NV, false>(t, sum, scale, offset, at);
        }
    }
}

/// [`store`]; `PLAIN` is for tiles without residual and clamp, as bytes, so that
/// nothing is asked pixel by pixel.
#[inline(always)]
unsafe fn store_as<S: Int8, const MR: usize, const NV: usize, const PLAIN: bool>(
    t: &Tiles<'_>,
    sum: [[S::V; NV]; MR],
    scale: [F<S>; NV],
    offset: [F<S>; NV],
    at: &mut Cursor,
) {
    // SAFETY: the caller passes on the tile's contract.
    unsafe {
        // by value: stores might change what is behind a reference
        let (clamp, floats) = (t.w.clamp, t.w.floats);
        let (opix, rpix) = (t.opix, t.rpix);
        let (lo, hi) = (S::Float::splat(t.w.lo), S::Float::splat(t.w.hi));
        let factor = S::Float::splat(t.w.residual);
        let size = if floats { 4 } else { 1 };
        t.cx.check(at.out, (MR - 1) * opix + NV * S::L * size);
        if !at.residual.is_null() {
            t.cx.check(at.residual, (MR - 1) * rpix + NV * S::L);
        }
        let joint = const { if S::JOINT > NV { S::JOINT / NV } else { 1 } };
        let mut q = sum;
        unroll!(14: I < MR, {
            let mut v = offset;
            if !PLAIN && !at.residual.is_null() {
                let r = S::unpack::<NV>(at.residual);
                unroll!(4: J < NV, {
                    v[J] = S::fma(S::to_float(r[J]), factor, offset[J]);
                });
                at.residual = S::Float::opaque(at.residual.wrapping_add(rpix));
            }
            unroll!(4: J < NV, {
                v[J] = S::fma(S::to_float(sum[I][J]), scale[J], v[J]);
            });
            if !PLAIN && clamp {
                unroll!(4: J < NV, {
                    v[J] = S::Float::min(hi, S::Float::max(lo, v[J]));
                });
            }
            if !PLAIN && floats {
                unroll!(4: J < NV, {
                    S::Float::store(at.out.cast::<f32>().add(J * S::L), v[J]);
                });
                at.out = S::Float::opaque(at.out.wrapping_add(opix)).cast_mut();
            } else {
                unroll!(4: J < NV, {
                    q[I][J] = S::to_int(v[J]);
                });
                // pixel by pixel, or a few once the last of them is there
                let first = I / joint * joint;
                if I + 1 == MR || I + 1 == first + joint {
                    let pixel = |i: usize| q[(first + i).min(MR - 1)];
                    let out = at.out;
                    match I + 1 - first {
                        1 => S::store_pixels([pixel(0)], out, opix),
                        2 => S::store_pixels([pixel(0), pixel(1)], out, opix),
                        3 => S::store_pixels([pixel(0), pixel(1), pixel(2)], out, opix),
                        _ => {
                            let all = [pixel(0), pixel(1), pixel(2), pixel(3)];
                            S::store_pixels(all, out, opix);
                        }
                    }
                    let next = out.wrapping_add((I + 1 - first) * opix);
                    at.out = S::Float::opaque(next).cast_mut();
                }
            }
        });
    }
}

/// `count` tiles of equal height, one after another.
#[inline(always)]
unsafe fn span<S: Int8, const MR: usize, const NV: usize>(
    t: &Tiles<'_>,
    rows: *const u32,
    count: usize,
    panel: *const u8,
    at: &mut Cursor,
) {
    if const { MR > S::MR[NV - 1] } {
        return;
    }
    for _ in 0..count {
        // SAFETY: the pixels are pixels of the call.
        unsafe { tile::<S, MR, NV>(&*S::Float::opaque(&raw const *t), rows, panel, at) };
    }
}

/// One row of pixels, split evenly over as few tiles as possible.
#[inline(always)]
unsafe fn row<S: Int8, const NV: usize>(
    t: &Tiles<'_>,
    rows: *const u32,
    m: usize,
    panel: *const u8,
    at: &mut Cursor,
) {
    let tiles = m.div_ceil(S::MR[NV - 1].max(1));
    let (height, taller) = (m / tiles, m % tiles);
    for (height, count) in [(height + 1, taller), (height, tiles - taller)] {
        macro_rules! go {
            ($($n:literal)*) => {
                match height {
                    // SAFETY: heights and counts add up to the row's pixels.
                    $( $n => unsafe { span::<S, $n, NV>(t, rows, count, panel, at) }, )*
                    _ => {}
                }
            };
        }
        if count > 0 {
            go!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
        }
    }
}

/// All rows of a call with one panel.
///
/// # Safety
/// As for [`run`]; `weights` are the panel's, of `NV` vectors.
#[inline(always)]
pub(crate) unsafe fn panel<S: Int8, const NV: usize>(
    t: &Tiles<'_>,
    call: &GemmCall,
    first: usize,
    weights: *const u8,
    prefetch: *const u8,
) {
    let (cx, size) = (t.cx, if t.w.floats { 4 } else { 1 });
    let (out, residual) = (std::ptr::null_mut(), std::ptr::null());
    let mut at = Cursor { skip: 0, out, residual, prefetch };
    // SAFETY: the plan checked panels, rows, outputs and residuals.
    unsafe {
        for r in 0..call.nrows {
            let rows = cx.rows.add(call.rows + r * t.segments);
            at.skip = 0;
            at.out = cx.base.add(call.out.off + r * call.out.row + first * size);
            if let Some(plane) = call.residual {
                at.residual = cx.base.add(plane.off + r * plane.row + first);
            }
            row::<S, NV>(t, rows, call.m, weights, &mut at);
        }
    }
}

/// [`panel`] for 1 to 4 vectors, each a function of its own: as one, with all its
/// tiles, they would take the compiler many times as long.
pub(crate) type Panels =
    [unsafe fn(t: &Tiles<'_>, call: &GemmCall, first: usize, *const u8, *const u8); 4];

/// Runs one call.
///
/// # Safety
/// The CPU has `S`, of which `panels` are, and the plan has verified the call
/// against the context's arena, rows and weights.
#[inline(always)]
pub(crate) unsafe fn run<S: Int8>(cx: &Context<u8>, call: &GemmCall, w: &Dense, panels: &Panels) {
    let residual = call.residual.unwrap_or_default();
    let steps = w.steps();
    let mut t = Tiles {
        cx,
        w,
        segments: w.segments,
        steps,
        apix: call.apix,
        opix: call.out.pix,
        rpix: residual.pix,
        lines: 0,
        bursts: 0,
    };
    let fours = steps / 4 * w.segments;
    for (i, p) in w.panels.iter().enumerate() {
        // SAFETY: the plan checked panels, rows, outputs and residuals.
        unsafe {
            let weights = cx.weights.add(p.offset);
            let mut prefetch = std::ptr::null();
            if w.stream && fours > 0 && const { <S::Float as Simd>::BURST == 1 } {
                if call.m * call.nrows == 1 {
                    // one pass over the weights: fetch what comes 4 KB later
                    prefetch = weights.wrapping_add(4096);
                    (t.lines, t.bursts) = ((4 * p.vectors * S::L / 16).max(1), fours);
                } else {
                    let (next, len) = match w.panels.get(i + 1) {
                        Some(n) => (n.offset, w.panel_bytes(n.vectors, S::L)),
                        None => call.next,
                    };
                    let tiles = call.nrows * call.m.div_ceil(S::MR[p.vectors - 1].max(1));
                    let all = len.div_ceil(64);
                    prefetch = cx.weights.wrapping_add(next);
                    t.lines = all.div_ceil(tiles * fours).min(4 * p.vectors);
                    t.bursts = all.div_ceil(tiles * t.lines.max(1)).min(fours);
                }
            }
            panels[p.vectors - 1](&t, call, p.first, weights, prefetch);
        }
    }
}
