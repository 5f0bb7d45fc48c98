//! Max, average and global average pools.
//!
//! Windows are cut at the tensor's sides; rows above and below it do not exist
//! here. Sums are integers of 32 bits, requantized once.

use super::BLOCK;
use super::elementwise::byte;
use crate::graph::PoolKind;
use crate::int8::simd::{Int8, lane_channel};
use crate::micro::{Context, Plane, unroll};

type Bytes = [u8; BLOCK];
type Sums = [i32; BLOCK];

/// One call of a windowed pool: `nrows` rows of `m` pixels.
#[derive(Clone, Debug)]
pub(crate) struct PoolCall {
    pub kind: PoolKind,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Rows of padding above, columns on the left.
    pub before: [usize; 2],
    /// Height and width of the input.
    pub size: [usize; 2],
    /// The first output row, and the number of them.
    pub first: usize,
    pub nrows: usize,
    pub m: usize,
    /// First entry in the row table, which holds the offset of the first pixel
    /// of each input row: `nrows * kernel height` are used.
    pub rows: usize,
    /// Bytes between neighbouring input pixels.
    pub ipix: usize,
    pub out: Plane,
    /// Bytes a pixel, a multiple of 16.
    pub channels: usize,
    pub mean: Mean,
}

/// How a sum becomes a mean: `(sum - n * zero) * (ratio / n) + offset`, `n`
/// being the number of values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mean {
    pub zero: i32,
    pub ratio: f64,
    pub offset: f32,
    /// Whether the result is floats: then there is no offset.
    pub floats: bool,
}

/// One call of a global average.
#[derive(Clone, Debug)]
pub(crate) struct GlobalCall {
    pub x: Plane,
    pub size: [usize; 2],
    pub out: usize,
    pub channels: usize,
    pub mean: Mean,
}

impl Mean {
    /// Stores the mean of `n` values, divided by `divisor`.
    ///
    /// # Safety
    /// There are 16 bytes (or floats) at `out`.
    #[inline(always)]
    unsafe fn store(self, sum: Sums, n: usize, divisor: usize, out: *mut u8, flip: u8) {
        let scale = (self.ratio / divisor as f64) as f32;
        let zero = self.zero * n as i32;
        // SAFETY: the caller's contract.
        unsafe {
            if self.floats {
                let v: [f32; BLOCK] = std::array::from_fn(|i| (sum[i] - zero) as f32 * scale);
                out.cast::<[f32; BLOCK]>().write_unaligned(v);
            } else {
                let q: Bytes = std::array::from_fn(|i| {
                    let v = ((sum[i] - zero) as f32).mul_add(scale, self.offset);
                    byte(v, 0.0, 255.0) ^ flip
                });
                out.cast::<Bytes>().write_unaligned(q);
            }
        }
    }
}

/// The part of window `i` that lies on the tensor: first element and count.
#[inline(always)]
fn cut(i: usize, stride: usize, padding: usize, kernel: usize, size: usize) -> (usize, usize) {
    let start = (i * stride).saturating_sub(padding);
    let end = (i * stride + kernel).saturating_sub(padding).min(size);
    (start, end - start)
}

/// The first row of the kernel that lies on the tensor, for window `i`.
#[inline(always)]
fn above(i: usize, stride: usize, padding: usize) -> usize {
    padding.saturating_sub(i * stride)
}

/// Runs a windowed pool.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena and rows.
#[inline(always)]
pub(crate) unsafe fn run<S: Int8>(cx: &Context<u8>, call: &PoolCall) {
    let ([kh, kw], [sy, sx], [top, left], [h, w]) =
        (call.kernel, call.stride, call.before, call.size);
    for r in 0..call.nrows {
        let skipped = above(call.first + r, sy, top);
        let ny = cut(call.first + r, sy, top, kh, h).1;
        for i in 0..call.m {
            let (x, nx) = cut(i, sx, left, kw, w);
            // SAFETY: the plan proved all rows of the table, `width` pixels
            // wide, and the output inside the arena, and that no window is
            // empty; builds with `checks` look again.
            unsafe {
                let rows = cx.rows.add(call.rows + r * kh + skipped);
                let out = cx.base.add(call.out.off + r * call.out.row + i * call.out.pix);
                cx.check(out, call.channels);
                if call.kind == PoolKind::Max {
                    let vector = 4 * S::L;
                    for c in (0..call.channels).step_by(vector) {
                        let at = |y: usize| cx.base.add(*rows.add(y) as usize + x * call.ipix + c);
                        cx.check(at(0), vector);
                        let mut most = S::load(at(0));
                        for y in 0..ny {
                            let p = at(y);
                            cx.check(p, (nx - 1) * call.ipix + vector);
                            for dx in 0..nx {
                                most = S::larger(most, S::load(p.add(dx * call.ipix)));
                            }
                        }
                        S::store_bytes(most, out.add(c), (call.channels - c).min(vector));
                    }
                    continue;
                }
                for c in (0..call.channels).step_by(BLOCK) {
                    let pixel = |y: usize, dx: usize| {
                        let at = *rows.add(y) as usize + (x + dx) * call.ipix + c;
                        let p = cx.base.add(at).cast_const();
                        cx.check(p, BLOCK);
                        p.cast::<Bytes>().read_unaligned()
                    };
                    let mut sum: Sums = [0; BLOCK];
                    for y in 0..ny {
                        for dx in 0..nx {
                            let v = pixel(y, dx);
                            sum = std::array::from_fn(|i| sum[i] + i32::from(v[i] ^ S::FLIP));
                        }
                    }
                    let divisor = match call.kind {
                        PoolKind::Average { count_include_pad: true } => kh * kw,
                        _ => ny * nx,
                    };
                    call.mean.store(sum, ny * nx, divisor, out.add(c), S::FLIP);
                }
            }
        }
    }
}

/// Runs a global average: four pixels at a time, byte by byte side by side,
/// times ones.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena.
#[inline(always)]
pub(crate) unsafe fn global<S: Int8>(cx: &Context<u8>, call: &GlobalCall) {
    const ONES: [[u8; 4]; 5] = [[0; 4], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1; 4]];
    let ([h, w], pix, vector) = (call.size, call.x.pix, 4 * S::L);
    let size = if call.mean.floats { 4 } else { 1 };
    for first in (0..call.channels).step_by(vector) {
        let mut sums = [0i32; 64];
        // SAFETY: the plan proved whole vectors of input, and the output, inside
        // the arena; builds with `checks` look again.
        unsafe {
            // flipped bytes are 128 lower
            let start = i32::from(S::FLIP) * (h * w) as i32;
            let mut acc = [S::broadcast((&raw const start).cast()); 4];
            for y in 0..h {
                let row = cx.base.add(call.x.off + y * call.x.row + first).cast_const();
                cx.check(row, (w - 1) * pix + vector);
                for x in (0..w).step_by(4) {
                    let here = (w - x).min(4);
                    let ones = S::broadcast(ONES[here].as_ptr());
                    let p = row.add(x * pix);
                    let at = |i: usize| p.add(i.min(here - 1) * pix);
                    let pixels = [at(0), at(1), at(2), at(3)];
                    let (lo, hi) = (S::transpose::<0>(pixels), S::transpose::<1>(pixels));
                    let t = [lo[0], lo[1], hi[0], hi[1]];
                    unroll!(4: Q < 4, {
                        acc[Q] = S::dot(acc[Q], t[Q], ones);
                    });
                }
            }
            let mut lanes = [[0i32; 16]; 4];
            for (lanes, acc) in lanes.iter_mut().zip(acc) {
                lanes.as_mut_ptr().cast::<S::V>().write_unaligned(acc);
            }
            for (j, lanes) in lanes.iter().enumerate() {
                for (lane, &sum) in lanes[..S::L].iter().enumerate() {
                    sums[lane_channel(4, j, lane)] = sum;
                }
            }
            let here = (call.channels - first).min(vector);
            for (i, sum) in sums[..here].chunks_exact(BLOCK).enumerate() {
                let sum: Sums = std::array::from_fn(|i| sum[i]);
                let out = cx.base.add(call.out + (first + i * BLOCK) * size);
                cx.check(out, BLOCK * size);
                call.mean.store(sum, h * w, h * w, out, S::FLIP);
            }
        }
    }
}
