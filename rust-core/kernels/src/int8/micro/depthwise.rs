//! Depthwise convolution through the dot product: four rows of input, byte by
//! byte side by side, times four rows of the filter.
//!
//! A tile computes blocks of four vectors of channels. Several output rows
//! share the transposed input: a filter that is shorter than the four or eight
//! rows is packed once per output row, moved down and surrounded by zeros. In
//! tensors narrower than a block, neighbouring pixels fill it, or channels that
//! fill none are [`narrow`](super::narrow)'s.

use super::super::simd::Int8;
use crate::micro::{Context, Plane, unroll};
use crate::simd::Simd;

/// How a tile goes through its sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// 3x3: all transposed columns of several pixels are in registers, one
    /// vector of sums after the other.
    Square,
    /// Any filter: all sums of one pixel are in registers, one column after
    /// the other.
    Stream,
    /// 3x3 of 16 channels at a time; see [`narrow`](super::narrow).
    Narrow,
}

/// Packed weights of one depthwise convolution.
#[derive(Clone, Debug)]
pub(crate) struct Depthwise {
    pub order: Order,
    pub kernel_width: usize,
    /// Horizontal stride and dilation; the vertical ones are in the row table.
    pub stride: usize,
    pub dilation: usize,
    /// Output rows of a tile, and how many times 4 input rows they take.
    pub rows: usize,
    pub fours: usize,
    /// Bytes of an output pixel, a multiple of 16.
    pub channels: usize,
    /// Pixels in a block; 1 in all but narrow tensors.
    pub wide: usize,
    /// Start of the packed weights and bytes a block.
    pub offset: usize,
    pub block: usize,
    /// Bounds of what is stored.
    pub lo: f32,
    pub hi: f32,
    /// Whether they differ from what saturation does anyway.
    pub clamp: bool,
}

/// Vectors of constants in front of a block's weights.
pub(crate) const CONSTANTS: usize = 12;

/// One call: `nrows` rows of `m` pixels.
#[derive(Clone, Debug)]
pub(crate) struct DepthwiseCall {
    /// Index of the [`Depthwise`].
    pub depthwise: usize,
    /// First entry in the row table; each group of [`Depthwise::rows`] output
    /// rows has `4 * fours`.
    pub rows: usize,
    pub nrows: usize,
    pub m: usize,
    /// Bytes between neighbouring input pixels.
    pub ipix: usize,
    pub out: Plane,
}

/// What tiles of one block share.
pub(super) struct Block<'a> {
    pub cx: &'a Context<u8>,
    pub call: &'a DepthwiseCall,
    pub d: &'a Depthwise,
    /// Constants and weights.
    pub weights: *const u8,
    /// The row table's entries of the first output row, and where the first 4
    /// point to.
    pub rows: *const u32,
    at: [*const u8; 4],
    /// Output rows that exist, of the tile's.
    here: usize,
    /// First channel.
    pub channel: usize,
    /// First pixel of the first row.
    out: *mut u8,
}

impl Block<'_> {
    /// Requantizes one vector of sums, the `Q`th of the block.
    #[inline(always)]
    pub unsafe fn requantize<S: Int8, const Q: usize>(&self, sum: S::V) -> S::V {
        // SAFETY: the block has 4 vectors of each constant.
        unsafe {
            let constants = self.weights.cast::<f32>();
            let scale = S::Float::load(constants.add((4 + Q) * S::L));
            let offset = S::Float::load(constants.add((8 + Q) * S::L));
            let mut v = S::fma(S::to_float(sum), scale, offset);
            if self.d.clamp {
                let (lo, hi) = (S::Float::splat(self.d.lo), S::Float::splat(self.d.hi));
                v = S::Float::min(hi, S::Float::max(lo, v));
            }
            S::to_int(v)
        }
    }

    /// Stores pixel `x` of output row `y`, if there is one.
    #[inline(always)]
    pub unsafe fn store<S: Int8>(&self, y: usize, x: usize, halves: [S::H; 2], n: usize) {
        if y < self.here {
            // SAFETY: the pixel is one of the call's, and `n` bytes of it (or
            // of it and its neighbours) are.
            unsafe {
                let out = self.out.add(y * self.call.out.row + x * self.call.out.pix);
                self.cx.check(out, n);
                S::store_halves(halves[0], halves[1], out, n);
            }
        }
    }
}

/// `XT` pixels of `R` output rows of a 3x3 filter of stride `ST`.
#[inline(always)]
unsafe fn square<S: Int8, const ST: usize, const R: usize, const XT: usize>(
    b: &Block<'_>,
    x: usize,
    n: usize,
) {
    // SAFETY: the plan proved all rows, columns and outputs of the call inside
    // the arena, and the packed weights inside the model's. Builds with `checks` look
    // again.
    unsafe {
        let (columns, pix, vector) = ((XT - 1) * ST + 3, b.call.ipix, 4 * S::L);
        let rows = b.at.map(|p| p.add(x * ST * pix));
        rows.iter().for_each(|&p| b.cx.check(p, (columns - 1) * pix + vector));
        let none = S::narrow(S::zero(), S::zero());
        let mut halves = [[[none; 2]; XT]; R];
        unroll!(2: H < 2, {
            let mut t = [[S::zero(); 2]; 14];
            let mut p = rows;
            unroll!(14: J < columns, {
                if J > 0 {
                    unroll!(4: I < 4, {
                        p[I] = S::Float::running(p[I].add(pix));
                    });
                }
                t[J] = S::transpose::<H>(p);
            });
            let mut result = [[[S::zero(); XT]; R]; 2];
            unroll!(2: Q < 2, {
                let start = S::load(b.weights.add((2 * H + Q) * vector));
                let mut acc = [[start; XT]; R];
                let w = b.weights.add((CONSTANTS + (2 * H + Q) * 3 * R) * vector);
                unroll!(4: X < 3, {
                    unroll!(2: Y < R, {
                        let wv = S::load(w.add((X * R + Y) * vector));
                        unroll!(4: D < XT, {
                            acc[Y][D] = S::dot(acc[Y][D], t[D * ST + X][Q], wv);
                        });
                    });
                });
                unroll!(2: Y < R, {
                    unroll!(4: D < XT, {
                        result[Q][Y][D] = b.requantize::<S, { 2 * H + Q }>(acc[Y][D]);
                    });
                });
            });
            unroll!(2: Y < R, {
                unroll!(4: D < XT, {
                    halves[Y][D][H] = S::narrow(result[0][Y][D], result[1][Y][D]);
                });
            });
        });
        unroll!(2: Y < R, {
            unroll!(4: D < XT, {
                b.store::<S>(Y, x + D, halves[Y][D], n);
            });
        });
    }
}

/// One pixel (or block of them) of `R` output rows of any filter.
#[inline(always)]
unsafe fn stream<S: Int8, const R: usize>(b: &Block<'_>, x: usize, n: usize) {
    // SAFETY: as in `square`.
    unsafe {
        let vector = 4 * S::L;
        let mut start = [S::zero(); 4];
        unroll!(4: Q < 4, {
            start[Q] = S::load(b.weights.add(Q * vector));
        });
        let mut acc = [start; R];
        let mut w = b.weights.add(CONSTANTS * vector);
        let first = x * b.d.stride * b.call.ipix + b.channel;
        for column in 0..b.d.kernel_width {
            let skip = first + column * b.d.dilation * b.call.ipix;
            for four in 0..b.d.fours {
                let mut rows = [std::ptr::null::<u8>(); 4];
                unroll!(4: I < 4, {
                    rows[I] = b.cx.base.add(*b.rows.add(4 * four + I) as usize + skip);
                    b.cx.check(rows[I], vector);
                });
                let (lo, hi) = (S::transpose::<0>(rows), S::transpose::<1>(rows));
                let t = [lo[0], lo[1], hi[0], hi[1]];
                unroll!(4: Y < R, {
                    unroll!(4: Q < 4, {
                        acc[Y][Q] = S::dot(acc[Y][Q], t[Q], S::load(w.add((Y * 4 + Q) * vector)));
                    });
                });
                w = S::Float::running(w.add(R * 4 * vector));
            }
        }
        unroll!(4: Y < R, {
            let (a, b1) = (b.requantize::<S, 0>(acc[Y][0]), b.requantize::<S, 1>(acc[Y][1]));
            let (c, d) = (b.requantize::<S, 2>(acc[Y][2]), b.requantize::<S, 3>(acc[Y][3]));
            b.store::<S>(Y, x, [S::narrow(a, b1), S::narrow(c, d)], n);
        });
    }
}

/// `R` whole rows of a filter of stride `ST` that takes up to 8 rows of input:
/// two pixels share each load of weights, for one half of the block's channels
/// after the other.
#[inline(always)]
unsafe fn pairs<S: Int8, const ST: usize, const R: usize>(b: &Block<'_>, n: usize) {
    // SAFETY: as in `square`; a row has two pixels.
    unsafe {
        let (pix, vector) = (b.call.ipix, 4 * S::L);
        let mut rows = [[std::ptr::null::<u8>(); 4]; 2];
        unroll!(2: I < 2, {
            unroll!(4: J < 4, {
                rows[I][J] = b.cx.base.add(*b.rows.add(4 * I + J) as usize + b.channel);
            });
        });
        let last = b.call.m - 2;
        let mut x = 0;
        loop {
            // the last pair may compute a pixel again
            x = last.min(x);
            let none = S::narrow(S::zero(), S::zero());
            let mut halves = [[[none; 2]; 2]; R];
            unroll!(2: H < 2, {
                let start = b.weights.add(2 * H * vector);
                let mut acc = [[[S::load(start), S::load(start.add(vector))]; R]; 2];
                let mut t = [[[S::zero(); 2]; 2]; 3];
                let mut skip = x * ST * pix;
                // four rows of a column; a closure would not be inlined
                macro_rules! column {
                    ($i:ident) => {{
                        let mut p = rows[$i];
                        unroll!(4: J < 4, {
                            p[J] = p[J].add(skip);
                            b.cx.check(p[J], vector);
                        });
                        S::transpose::<H>(p)
                    }};
                }
                unroll!(2: X < ST, {
                    unroll!(2: I < 2, {
                        t[X][I] = column!(I);
                    });
                    skip += pix;
                });
                let mut w = b.weights.add((CONSTANTS + 2 * H) * vector);
                for _ in 0..b.d.kernel_width {
                    unroll!(2: I < 2, {
                        t[ST][I] = column!(I);
                        unroll!(4: Y < R, {
                            unroll!(2: Q < 2, {
                                let wv = S::load(w.add(((I * R + Y) * 4 + Q) * vector));
                                acc[0][Y][Q] = S::dot(acc[0][Y][Q], t[0][I][Q], wv);
                                acc[1][Y][Q] = S::dot(acc[1][Y][Q], t[ST][I][Q], wv);
                            });
                        });
                    });
                    t = [t[1], t[2], t[2]];
                    skip += pix;
                    w = S::Float::running(w.add(2 * R * 4 * vector));
                }
                unroll!(4: Y < R, {
                    unroll!(2: D < 2, {
                        let first = b.requantize::<S, { 2 * H }>(acc[D][Y][0]);
                        let second = b.requantize::<S, { 2 * H + 1 }>(acc[D][Y][1]);
                        halves[Y][D][H] = S::narrow(first, second);
                    });
                });
            });
            unroll!(4: Y < R, {
                unroll!(2: D < 2, {
                    b.store::<S>(Y, x + D, halves[Y][D], n);
                });
            });
            if x >= last {
                break;
            }
            x += 2;
        }
    }
}

/// A row (or a few) of pixels of one block, in [`Order::Square`] or else in
/// [`Order::Stream`].
#[inline(always)]
unsafe fn across<S: Int8, const SQUARE: bool>(b: &Block<'_>) {
    let (m, d) = (b.call.m, b.d);
    let bytes = (d.channels - b.channel).min(4 * S::L);
    // SAFETY: pixels below `m` are pixels of the call.
    unsafe {
        if SQUARE && d.wide == 1 {
            let most = S::COLUMNS[d.stride - 1];
            let tiles = m.div_ceil(most);
            let (width, wider) = (m / tiles, m % tiles);
            let mut x = 0;
            for i in 0..tiles {
                let n = width + usize::from(i < wider);
                macro_rules! go {
                    ($($n:literal)*) => {
                        match (d.stride, n) {
                            $( (1, $n) if const { $n <= S::COLUMNS[0] } => {
                                square::<S, 1, 2, $n>(b, x, bytes);
                            } )*
                            $( (2, $n) if const { $n <= S::COLUMNS[1] } => {
                                square::<S, 2, 1, $n>(b, x, bytes);
                            } )*
                            _ => {}
                        }
                    };
                }
                go!(1 2 3 4);
                x += n;
            }
            return;
        }
        let paired = (d.wide, d.dilation, d.fours) == (1, 1, 2) && m > 1;
        if const { S::PAIRS && !SQUARE } && paired {
            match (d.stride, d.rows) {
                (1, 4) => return pairs::<S, 1, 4>(b, bytes),
                (2, 2) => return pairs::<S, 2, 2>(b, bytes),
                _ => {}
            }
        }
        let mut x = 0;
        while x < m {
            let n = if d.wide > 1 { (m - x).min(d.wide) * d.channels } else { bytes };
            if SQUARE {
                square::<S, 1, 2, 1>(b, x, n);
            } else {
                match d.rows {
                    1 => stream::<S, 1>(b, x, n),
                    2 => stream::<S, 2>(b, x, n),
                    _ => {
                        if const { S::TALL == 4 } {
                            stream::<S, 4>(b, x, n);
                        }
                    }
                }
            }
            x += d.wide;
        }
    }
}

/// Runs one call in [`Order::Square`], or else in [`Order::Stream`]: each has a
/// function of its own: compiled into one they are slower.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena, rows and weights.
#[inline(always)]
pub(crate) unsafe fn run<S: Int8, const SQUARE: bool>(
    cx: &Context<u8>,
    call: &DepthwiseCall,
    d: &Depthwise,
) {
    let mut y = 0;
    while y < call.nrows {
        let here = d.rows.min(call.nrows - y);
        let first = call.rows + y / d.rows * 4 * d.fours;
        for i in 0..d.channels.div_ceil(4 * S::L) {
            let channel = i * 4 * S::L;
            // SAFETY: the plan proved rows, blocks and outputs.
            unsafe {
                let rows = cx.rows.add(first);
                let at = |i: usize| cx.base.add(*rows.add(i) as usize + channel).cast_const();
                across::<S, SQUARE>(&Block {
                    cx,
                    call,
                    d,
                    weights: cx.weights.add(d.offset + i * d.block),
                    rows,
                    at: [at(0), at(1), at(2), at(3)],
                    here,
                    channel,
                    out: cx.base.add(call.out.off + y * call.out.row + channel),
                });
            }
        }
        y += here;
    }
}
