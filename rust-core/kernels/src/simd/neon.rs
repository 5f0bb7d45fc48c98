//! NEON on arm64: 4 floats, 32 registers.

use super::{Simd, hide, methods};
use crate::micro::unroll;
use std::arch::aarch64::{
    float32x4_t, vaddq_f32, vdivq_f32, vdupq_n_f32, vfmaq_f32, vfmaq_laneq_f32, vld1q_f32,
    vmaxq_f32, vminq_f32, vmulq_f32, vreinterpretq_f32_u32, vreinterpretq_u32_f32, vshlq_n_u32,
    vst1q_f32, vsubq_f32, vzip1q_f32, vzip2q_f32,
};
use std::arch::asm;

#[derive(Clone, Copy)]
pub(crate) struct Neon;

impl Simd for Neon {
    type V = float32x4_t;
    type A = float32x4_t;
    const L: usize = 4;
    // accumulators, one vector of four k for each row, weights: 9 x 2 spills
    // where it prefetches, 5 x 4 and 4 x 4 likewise
    const MR: [usize; 4] = [12, 8, 7, 1];
    const GROUP: usize = 1;
    const DEPTHWISE_ROWS: usize = 2;
    const BURST: usize = 8;
    const FETCH: usize = 4;

    methods! {
        load(p: *const f32) -> float32x4_t { vld1q_f32(p) }
        store(p: *mut f32, v: float32x4_t) -> () { vst1q_f32(p, v) }
        splat(x: f32) -> float32x4_t { vdupq_n_f32(x) }
        fma(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t { vfmaq_f32(c, a, b) }
        add(a: float32x4_t, b: float32x4_t) -> float32x4_t { vaddq_f32(a, b) }
        sub(a: float32x4_t, b: float32x4_t) -> float32x4_t { vsubq_f32(a, b) }
        mul(a: float32x4_t, b: float32x4_t) -> float32x4_t { vmulq_f32(a, b) }
        div(a: float32x4_t, b: float32x4_t) -> float32x4_t { vdivq_f32(a, b) }
        // the instruction returns NaN when either is NaN; bounds never are
        min(bound: float32x4_t, v: float32x4_t) -> float32x4_t { vminq_f32(bound, v) }
        max(bound: float32x4_t, v: float32x4_t) -> float32x4_t { vmaxq_f32(bound, v) }
        max_nan(a: float32x4_t, b: float32x4_t) -> float32x4_t { vmaxq_f32(a, b) }
        to_exponent(v: float32x4_t) -> float32x4_t {
            vreinterpretq_f32_u32(vshlq_n_u32::<23>(vreinterpretq_u32_f32(v)))
        }
        zip(a: float32x4_t, b: float32x4_t) -> (float32x4_t, float32x4_t) {
            (vzip1q_f32(a, b), vzip2q_f32(a, b))
        }
        prefetch(p: *const f32) -> () {
            asm!("prfm pldl1keep, [{0}]", in(reg) p, options(nostack, preserves_flags, readonly))
        }
        load_a(p: *const f32) -> float32x4_t { vld1q_f32(p) }
    }

    #[inline(always)]
    unsafe fn fma_lane<const K: usize>(
        acc: float32x4_t,
        b: float32x4_t,
        a: float32x4_t,
    ) -> float32x4_t {
        // SAFETY: register arithmetic on a CPU with NEON.
        unsafe {
            match K {
                0 => vfmaq_laneq_f32::<0>(acc, b, a),
                1 => vfmaq_laneq_f32::<1>(acc, b, a),
                2 => vfmaq_laneq_f32::<2>(acc, b, a),
                _ => vfmaq_laneq_f32::<3>(acc, b, a),
            }
        }
    }

    #[inline(always)]
    unsafe fn prefetch_burst(p: *const f32) {
        // SAFETY: a hint, which may point anywhere.
        unsafe {
            asm!(
                "prfm pldl1keep, [{0}]",
                "prfm pldl1keep, [{0}, #64]",
                "prfm pldl1keep, [{0}, #128]",
                "prfm pldl1keep, [{0}, #192]",
                in(reg) p,
                options(nostack, preserves_flags, readonly)
            );
        }
    }

    // several registers in one instruction, which moves the pointer as well
    #[inline(always)]
    unsafe fn next<const N: usize, const K: usize>(
        p: &mut *const f32,
        ahead: &mut [float32x4_t; 4],
    ) -> [float32x4_t; N] {
        // SAFETY: the caller vouches for the vectors: in groups of four calls of
        // 1, 2 or 4, no more are read than the group asks for.
        unsafe {
            let mut v = [vdupq_n_f32(0.0); N];
            if N == 3 {
                let (a, b, c);
                asm!(
                    "ld1 {{v0.4s, v1.4s, v2.4s}}, [{p}], #48",
                    p = inout(reg) *p, out("v0") a, out("v1") b, out("v2") c,
                    options(nostack, preserves_flags, readonly)
                );
                *ahead = [a, b, c, c];
            } else if N * K % 4 == 0 {
                let (a, b, c, d);
                asm!(
                    "ld1 {{v0.4s, v1.4s, v2.4s, v3.4s}}, [{p}], #64",
                    p = inout(reg) *p, out("v0") a, out("v1") b, out("v2") c, out("v3") d,
                    options(nostack, preserves_flags, readonly)
                );
                *ahead = [a, b, c, d];
            }
            unroll!(4: J < N, {
                v[J] = ahead[if N == 3 { J } else { (N * K + J) % 4 }];
            });
            v
        }
    }

    #[inline(always)]
    fn running<T>(p: *const T) -> *const T {
        hide(p)
    }

    #[inline(always)]
    fn opaque<T>(p: *const T) -> *const T {
        hide(p)
    }

    #[inline(always)]
    fn opaque_offset(n: usize) -> usize {
        hide(std::ptr::without_provenance::<u8>(n)).addr()
    }
}
