//! Depthwise convolution of 3x3 where channels do not fill the blocks of the
//! general [tile](super::depthwise): 16 channels, four neighbouring pixels byte
//! by byte side by side, times rows of the filter.
//!
//! All weights and constants stay in registers for a row.

use super::depthwise::{Depthwise, DepthwiseCall};
use crate::int8::simd::Int8;
use crate::micro::{Context, unroll};
use crate::simd::Simd;

/// Pixels of a tile, and so the fewest of a call.
pub(crate) const PIXELS: usize = 4;
/// Channels of a tile.
pub(crate) const CHANNELS: usize = 16;
/// Vectors of constants in front of a block's weights.
pub(crate) const CONSTANTS: usize = 3;

/// Vectors of weights for 16 channels: for stride 1 each row of the filter twice,
/// the second time one pixel further, so that four pixels of input serve two of
/// output.
pub(crate) fn weights(stride: usize) -> usize {
    3 * (3 - stride)
}

/// Runs one call.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena, rows and weights.
#[inline(always)]
pub(super) unsafe fn run<S: Int8>(cx: &Context<u8>, call: &DepthwiseCall, d: &Depthwise) {
    if const { !S::NARROW } {
        return;
    }
    let tight = call.ipix == CHANNELS;
    for y in (0..call.nrows).step_by(d.rows) {
        let rows = call.rows + y / d.rows * 4 * d.fours;
        for (i, channel) in (0..d.channels).step_by(CHANNELS).enumerate() {
            // SAFETY: the plan proved rows, blocks and outputs.
            unsafe {
                let row = Row {
                    cx,
                    call,
                    d,
                    from: cx.rows.add(rows),
                    channel,
                    weights: cx.weights.add(d.offset + i * d.block),
                    out: cx.base.add(call.out.off + y * call.out.row + channel),
                };
                match (d.stride, call.nrows - y, tight) {
                    (1, 1, true) => row.run::<S, 1, 1, true>(),
                    (1, 1, false) => row.run::<S, 1, 1, false>(),
                    (1, _, true) => row.run::<S, 1, 2, true>(),
                    (1, _, false) => row.run::<S, 1, 2, false>(),
                    (_, _, true) => row.run::<S, 2, 1, true>(),
                    (_, _, false) => row.run::<S, 2, 1, false>(),
                }
            }
        }
    }
}

/// One or two output rows of 16 channels.
struct Row<'a> {
    cx: &'a Context<u8>,
    call: &'a DepthwiseCall,
    d: &'a Depthwise,
    /// The row table's entries.
    from: *const u32,
    channel: usize,
    weights: *const u8,
    out: *mut u8,
}

impl Row<'_> {
    /// # Safety
    /// As for [`run`]; there are `R` output rows, the stride is `ST`, and `TIGHT`
    /// says that pixels of input follow each other.
    #[inline(always)]
    unsafe fn run<S: Int8, const ST: usize, const R: usize, const TIGHT: bool>(&self) {
        let (call, vector) = (self.call, 4 * S::L);
        let (ipix, opix, orow) = (call.ipix, call.out.pix, call.out.row);
        // SAFETY: the plan proved that a tile at each four pixels reads and writes
        // inside the arena, and the packed weights inside the model's. Builds with
        // `checks` look again.
        unsafe {
            let start = S::load(self.weights);
            let scale = S::Float::load(self.weights.add(vector).cast());
            let offset = S::Float::load(self.weights.add(2 * vector).cast());
            let mut w = [[start; 2]; 4];
            unroll!(4: Y < 3, {
                unroll!(2: D < 3 - ST, {
                    w[Y][D] = S::load(self.weights.add((CONSTANTS + Y * (3 - ST) + D) * vector));
                });
            });
            let mut from = [std::ptr::null::<u8>(); 4];
            unroll!(4: I < R + 2, {
                from[I] = self.cx.base.add(*self.from.add(I) as usize + self.channel);
            });
            let (lo, hi) = (S::Float::splat(self.d.lo), S::Float::splat(self.d.hi));
            let order = S::order();
            let (clamp, last) = (self.d.clamp, call.m - PIXELS);
            let mut x = 0;
            loop {
                // the last tile may compute pixels again
                x = last.min(x);
                let mut acc = [[start; PIXELS]; R];
                unroll!(4: P < PIXELS * ST / 2, {
                    let skip = (x * ST + 2 * P) * ipix;
                    unroll!(4: I < R + 2, {
                        let p = from[I].add(skip);
                        let read = if TIGHT { vector } else { (5 - ST) * ipix + CHANNELS - ipix };
                        self.cx.check(p, read);
                        let t = match ST {
                            1 => S::neighbours::<4, TIGHT>(order, p, ipix),
                            _ => S::neighbours::<3, TIGHT>(order, p, ipix),
                        };
                        unroll!(2: Y < R, {
                            if I >= Y && I < Y + 3 {
                                let w = w[I - Y];
                                let first = P * (3 - ST);
                                acc[Y][first] = S::dot(acc[Y][first], t, w[0]);
                                if ST == 1 {
                                    acc[Y][first + 1] = S::dot(acc[Y][first + 1], t, w[1]);
                                }
                            }
                        });
                    });
                });
                unroll!(2: Y < R, {
                    let mut q = [[start; 1]; PIXELS];
                    unroll!(4: D < PIXELS, {
                        let mut v = S::fma(S::to_float(acc[Y][D]), scale, offset);
                        if clamp {
                            v = S::Float::min(hi, S::Float::max(lo, v));
                        }
                        q[D] = [S::to_int(v)];
                    });
                    let out = self.out.add(Y * orow + x * opix);
                    self.cx.check(out, (PIXELS - 1) * opix + CHANNELS);
                    S::store_pixels(q, out, opix);
                });
                if x >= last {
                    break;
                }
                x += PIXELS;
            }
        }
    }
}
