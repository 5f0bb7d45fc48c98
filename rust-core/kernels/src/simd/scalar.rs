//! Portable vectors: arrays of 4 floats, plain arithmetic, no intrinsics.
//!
//! The fallback of unknown CPUs and the reference of the others. The compiler
//! turns it into whatever the target has by default (SSE2 on x86-64).

use super::Simd;

#[derive(Clone, Copy)]
pub(crate) struct Scalar;

type V = [f32; 4];

#[inline(always)]
fn each(a: V, b: V, f: impl Fn(f32, f32) -> f32) -> V {
    [f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])]
}

impl Simd for Scalar {
    type V = V;
    type A = *const f32;
    const L: usize = 4;
    const MR: [usize; 4] = [8, 4, 1, 1];
    const GROUP: usize = 14;
    const DEPTHWISE_ROWS: usize = 1;
    const BURST: usize = 1;
    const FETCH: usize = 16;

    #[inline(always)]
    unsafe fn load(p: *const f32) -> V {
        // SAFETY: the caller vouches for 4 floats at `p`.
        unsafe { p.cast::<V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: V) {
        // SAFETY: the caller vouches for 4 floats at `p`.
        unsafe { p.cast::<V>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> V {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn fma(a: V, b: V, c: V) -> V {
        // two roundings: a fused one is a library call without hardware
        each(each(a, b, |x, y| x * y), c, |x, y| x + y)
    }
    #[inline(always)]
    unsafe fn add(a: V, b: V) -> V {
        each(a, b, |x, y| x + y)
    }
    #[inline(always)]
    unsafe fn sub(a: V, b: V) -> V {
        each(a, b, |x, y| x - y)
    }
    #[inline(always)]
    unsafe fn mul(a: V, b: V) -> V {
        each(a, b, |x, y| x * y)
    }
    #[inline(always)]
    unsafe fn div(a: V, b: V) -> V {
        each(a, b, |x, y| x / y)
    }
    #[inline(always)]
    unsafe fn min(bound: V, v: V) -> V {
        each(bound, v, |b, x| if b < x { b } else { x })
    }
    #[inline(always)]
    unsafe fn max(bound: V, v: V) -> V {
        each(bound, v, |b, x| if b > x { b } else { x })
    }
    #[inline(always)]
    unsafe fn max_nan(a: V, b: V) -> V {
        each(a, b, |x, y| if x > y || x.is_nan() { x } else { y })
    }
    #[inline(always)]
    unsafe fn to_exponent(v: V) -> V {
        v.map(|x| f32::from_bits(x.to_bits() << 23))
    }
    #[inline(always)]
    unsafe fn zip(a: V, b: V) -> (V, V) {
        ([a[0], b[0], a[1], b[1]], [a[2], b[2], a[3], b[3]])
    }
    #[inline(always)]
    unsafe fn prefetch(_: *const f32) {}
    #[inline(always)]
    unsafe fn load_a(p: *const f32) -> *const f32 {
        p
    }
    #[inline(always)]
    unsafe fn fma_lane<const K: usize>(acc: V, b: V, a: *const f32) -> V {
        // SAFETY: `a` came from `load_a`, whose caller vouched for 4 floats.
        unsafe { Self::fma(Self::splat(*a.add(K)), b, acc) }
    }
}
