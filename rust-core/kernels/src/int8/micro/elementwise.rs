//! Element by element: sums, products, scale and shift, functions by table,
//! softmax, interleave.
//!
//! Plain loops over 16 bytes, which the compiler turns into vectors of each
//! set; the arithmetic is written out, so that all sets round alike.

use super::BLOCK;
use crate::micro::elementwise::InterleaveCall;
use crate::micro::{Context, Plane};

/// The bytes of a block as the dot product stores them.
type Bytes = [u8; BLOCK];

/// A function of one or two bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    /// `a * scales[0] + (b * scales[1] + offset)`.
    Add { scales: [f32; 2], offset: f32 },
    /// `(a - zeros[0]) * (b - zeros[1]) * scale + offset`.
    Mul { zeros: [i32; 2], scale: f32, offset: f32 },
    /// `(a - zero) * scale[c] + offset[c]`, the constants from here on in the
    /// weights: 16 of each, alternately.
    Affine { zero: i32, constants: usize },
    /// The entry of 256 from here on in the weights.
    Table(usize),
}

/// One call over `rows` rows of `m` pixels of `channels` bytes, a multiple of
/// 16.
#[derive(Clone, Debug)]
pub(crate) struct MapCall {
    pub function: Function,
    pub a: Plane,
    /// The second input; strides of 0 repeat one pixel. `a` again for
    /// functions of one input.
    pub b: Plane,
    pub out: Plane,
    pub rows: usize,
    pub m: usize,
    pub channels: usize,
    /// Bounds of what is stored, as bytes.
    pub lo: f32,
    pub hi: f32,
}

/// The byte nearest to `v` within the bounds, ties to even.
#[inline(always)]
pub(super) fn byte(v: f32, lo: f32, hi: f32) -> u8 {
    let v = if v > lo { v } else { lo };
    let v = if v < hi { v } else { hi };
    // 1.5 * 2^23 more has the rounded number in its lowest bits
    (v + 12_582_912.0).to_bits() as u8
}

#[inline(always)]
unsafe fn each(cx: &Context<u8>, call: &MapCall, body: impl Fn(Bytes, Bytes, usize) -> Bytes) {
    for r in 0..call.rows {
        for x in 0..call.m {
            // SAFETY: the plan proved all pixels of the call inside the arena;
            // builds with `checks` look again.
            unsafe {
                let a = cx.base.add(call.a.off + r * call.a.row + x * call.a.pix);
                let b = cx.base.add(call.b.off + r * call.b.row + x * call.b.pix);
                let out = cx.base.add(call.out.off + r * call.out.row + x * call.out.pix);
                for p in [a, b, out] {
                    cx.check(p, call.channels);
                }
                for c in (0..call.channels).step_by(BLOCK) {
                    let a = a.add(c).cast::<Bytes>().read_unaligned();
                    let b = b.add(c).cast::<Bytes>().read_unaligned();
                    out.add(c).cast::<Bytes>().write_unaligned(body(a, b, c));
                }
            }
        }
    }
}

/// Runs one call; stored bytes are XORed with `FLIP`.
///
/// # Safety
/// The plan has verified the call against the context's arena and weights.
#[inline(always)]
pub(crate) unsafe fn map<const FLIP: u8>(cx: &Context<u8>, call: &MapCall) {
    let (lo, hi) = (call.lo, call.hi);
    let int = |v: u8| i32::from(v ^ FLIP);
    let real = |v: u8| int(v) as f32;
    let store = |v: f32| byte(v, lo, hi) ^ FLIP;
    // SAFETY: passed on from the caller; constants and tables were checked
    // against the weights.
    unsafe {
        match call.function {
            Function::Add { scales: [sa, sb], offset } => each(cx, call, |a, b, _| {
                std::array::from_fn(|i| {
                    store(real(a[i]).mul_add(sa, real(b[i]).mul_add(sb, offset)))
                })
            }),
            Function::Mul { zeros: [za, zb], scale, offset } => each(cx, call, |a, b, _| {
                std::array::from_fn(|i| {
                    let product = (int(a[i]) - za) * (int(b[i]) - zb);
                    store((product as f32).mul_add(scale, offset))
                })
            }),
            Function::Affine { zero, constants } => {
                let constants = cx.weights.add(constants).cast::<[[f32; BLOCK]; 2]>();
                each(cx, call, |a, _, c| {
                    let [scale, offset] = &*constants.add(c / BLOCK);
                    std::array::from_fn(|i| {
                        store(((int(a[i]) - zero) as f32).mul_add(scale[i], offset[i]))
                    })
                });
            }
            Function::Table(at) => {
                let table = &*cx.weights.add(at).cast::<[u8; 256]>();
                each(cx, call, |a, _, _| a.map(|v| table[usize::from(v)]));
            }
        }
    }
}

/// Softmax over `channels` floats of each pixel.
#[derive(Clone, Debug)]
pub(crate) struct SoftmaxCall {
    pub x: Plane,
    pub out: Plane,
    pub rows: usize,
    pub m: usize,
    pub channels: usize,
}

/// `e` to the power of `x` for `x <= 0`: 0 below -87. In operations that every
/// machine rounds alike; relative error under 1e-15.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    /// Adding 1.5 * 2^52 rounds to an integer, 1023 more is an exponent.
    const MAGIC: f64 = 6_755_399_441_055_744.0 + 1023.0;
    /// 1 / k!
    const TERMS: [f64; 15] = {
        let (mut terms, mut k) = ([1.0; 15], 1);
        while k < 15 {
            terms[k] = terms[k - 1] / k as f64;
            k += 1;
        }
        terms
    };
    let low = x < -87.0;
    let x = if low { 0.0 } else { x };
    let t = x * std::f64::consts::LOG2_E + MAGIC;
    let r = x - (t - MAGIC) * std::f64::consts::LN_2;
    let sum = TERMS.iter().rev().fold(0.0, |sum, term| sum * r + term);
    if low { 0.0 } else { sum * f64::from_bits(t.to_bits() << 52) }
}

/// Runs one call.
///
/// # Safety
/// The plan has verified the call against the context's arena.
#[inline(always)]
pub(crate) unsafe fn softmax(cx: &Context<u8>, call: &SoftmaxCall) {
    for r in 0..call.rows {
        for x in 0..call.m {
            // SAFETY: the plan proved all pixels of the call inside the arena,
            // aligned for floats; builds with `checks` look again.
            let (from, to) = unsafe {
                let from = cx.base.add(call.x.off + r * call.x.row + x * call.x.pix);
                let to = cx.base.add(call.out.off + r * call.out.row + x * call.out.pix);
                cx.check(from, 4 * call.channels);
                cx.check(to, 4 * call.channels);
                (
                    std::slice::from_raw_parts(from.cast::<f32>(), call.channels),
                    std::slice::from_raw_parts_mut(to.cast::<f32>(), call.channels),
                )
            };
            let largest = from.iter().fold(f32::NEG_INFINITY, |m, &v| if v > m { v } else { m });
            let power = |v: f32| exp(f64::from(v) - f64::from(largest));
            let sum: f64 = from.iter().map(|&v| power(v)).sum();
            for (to, &v) in to.iter_mut().zip(from) {
                *to = (power(v) / sum) as f32;
            }
        }
    }
}

/// Runs one call.
///
/// # Safety
/// The plan has verified the call against the context's arena.
#[inline(always)]
pub(crate) unsafe fn interleave(cx: &Context<u8>, call: &InterleaveCall) {
    let n = call.channels;
    for r in 0..call.rows {
        for x in 0..call.m {
            // SAFETY: the plan proved `n` channels of every input pixel and
            // `2 * n` of every output pixel inside the arena, in different
            // tensors. Builds with `checks` look again.
            let (a, b, out) = unsafe {
                let a = cx.base.add(call.a.off + r * call.a.row + x * call.a.pix);
                let b = cx.base.add(call.b.off + r * call.b.row + x * call.b.pix);
                let out = cx.base.add(call.out.off + r * call.out.row + x * call.out.pix);
                cx.check(a, n);
                cx.check(b, n);
                cx.check(out, 2 * n);
                (
                    std::slice::from_raw_parts(a, n),
                    std::slice::from_raw_parts(b, n),
                    std::slice::from_raw_parts_mut(out.cast::<[u8; 2]>(), n),
                )
            };
            for ((to, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *to = [a, b];
            }
        }
    }
}
