//! NEON with the dot product (ARMv8.2): 4 sums, 32 registers.
//!
//! The dot product is of signed bytes: activations are stored with the top bit
//! flipped, that is 128 lower, and so is the zero point that the plan takes
//! out. The standard library's intrinsics for it are not stable yet.

use super::Int8;
use crate::simd::{methods, neon::Neon};
use std::arch::aarch64::{
    float32x4_t, int32x4_t, uint16x8_t, vaddq_s32, vcombine_u8, vcombine_u16, vcvtnq_s32_f32,
    vcvtq_f32_s32, vdupq_n_s32, vdupq_n_u8, veorq_u8, vget_high_u16, vget_low_u8, vget_low_u16,
    vld1q_dup_s32, vld1q_u8, vld1q_u8_x4, vmaxq_s8, vmovl_high_u8, vmovl_u8, vmovl_u16, vqmovn_u16,
    vqmovun_s32, vqtbl4q_u8, vqtbx4q_u8, vreinterpretq_s8_s32, vreinterpretq_s32_s8,
    vreinterpretq_s32_u8, vreinterpretq_s32_u16, vreinterpretq_s32_u32, vreinterpretq_u8_s32,
    vreinterpretq_u16_u8, vst1q_u8, vsubq_u8, vzip1q_u8, vzip1q_u16, vzip2q_u8, vzip2q_u16,
};
use std::arch::asm;

#[derive(Clone, Copy)]
pub(crate) struct Dot;

macro_rules! sdot {
    ($acc:ident, $w:ident, $a:ident, $lane:literal) => {
        asm!(
            concat!("sdot {0:v}.4s, {1:v}.16b, {2:v}.", $lane),
            inout(vreg) $acc, in(vreg) $w, in(vreg) $a,
            options(pure, nomem, nostack, preserves_flags)
        )
    };
}

impl Int8 for Dot {
    type Float = Neon;
    type V = int32x4_t;
    type H = uint16x8_t;
    type A = int32x4_t;
    type Order = ();
    const L: usize = 4;
    const FLIP: u8 = 0x80;
    const MR: [usize; 4] = [0, 0, 0, 5];
    const COLUMNS: [usize; 2] = [3, 3];
    const TALL: usize = 4;
    const NARROW: bool = false;
    const JOINT: usize = 1;
    const PAIRS: bool = true;

    methods! {
        load(p: *const u8) -> int32x4_t { vreinterpretq_s32_u8(vld1q_u8(p)) }
        add(a: int32x4_t, b: int32x4_t) -> int32x4_t { vaddq_s32(a, b) }
        zero() -> int32x4_t { vdupq_n_s32(0) }
        broadcast(p: *const u8) -> int32x4_t { vld1q_dup_s32(p.cast()) }
        load_a(p: *const u8) -> int32x4_t { vreinterpretq_s32_u8(vld1q_u8(p)) }
        to_float(v: int32x4_t) -> float32x4_t { vcvtq_f32_s32(v) }
        to_int(v: float32x4_t) -> int32x4_t { vcvtnq_s32_f32(v) }
        narrow(a: int32x4_t, b: int32x4_t) -> uint16x8_t {
            vcombine_u16(vqmovun_s32(a), vqmovun_s32(b))
        }
        store_halves(a: uint16x8_t, b: uint16x8_t, out: *mut u8, _n: usize) -> () {
            {
                let q = vcombine_u8(vqmovn_u16(a), vqmovn_u16(b));
                vst1q_u8(out, veorq_u8(q, vdupq_n_u8(Self::FLIP)));
            }
        }
        store_bytes(v: int32x4_t, out: *mut u8, _n: usize) -> () {
            vst1q_u8(out, vreinterpretq_u8_s32(v))
        }
        // flipped bytes are in order as signed ones
        larger(a: int32x4_t, b: int32x4_t) -> int32x4_t {
            vreinterpretq_s32_s8(vmaxq_s8(vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)))
        }
    }

    #[inline(always)]
    unsafe fn dot(mut acc: int32x4_t, a: int32x4_t, w: int32x4_t) -> int32x4_t {
        // SAFETY: register arithmetic; the caller vouches for the CPU.
        unsafe { sdot!(acc, w, a, "16b") };
        acc
    }

    #[inline(always)]
    unsafe fn dot_lane<const Q: usize>(
        mut acc: int32x4_t,
        a: int32x4_t,
        w: int32x4_t,
    ) -> int32x4_t {
        // SAFETY: register arithmetic; the caller vouches for the CPU.
        unsafe {
            match Q {
                0 => sdot!(acc, w, a, "4b[0]"),
                1 => sdot!(acc, w, a, "4b[1]"),
                2 => sdot!(acc, w, a, "4b[2]"),
                _ => sdot!(acc, w, a, "4b[3]"),
            }
        }
        acc
    }

    #[inline(always)]
    unsafe fn store<const NV: usize>(q: [int32x4_t; NV], out: *mut u8) {
        assert!(NV == 4, "panels are of 4 vectors here");
        // SAFETY: the caller vouches for 16 bytes at `out`.
        unsafe {
            let (a, b) = (Self::narrow(q[0], q[1]), Self::narrow(q[2], q[3]));
            Self::store_halves(a, b, out, 16);
        }
    }

    #[inline(always)]
    unsafe fn unpack<const NV: usize>(p: *const u8) -> [int32x4_t; NV] {
        assert!(NV == 4, "panels are of 4 vectors here");
        // SAFETY: the caller vouches for 16 bytes at `p`.
        unsafe {
            let q = veorq_u8(vld1q_u8(p), vdupq_n_u8(Self::FLIP));
            let (lo, hi) = (vmovl_u8(vget_low_u8(q)), vmovl_high_u8(q));
            let wide = |h| vreinterpretq_s32_u32(vmovl_u16(h));
            let all = [
                wide(vget_low_u16(lo)),
                wide(vget_high_u16(lo)),
                wide(vget_low_u16(hi)),
                wide(vget_high_u16(hi)),
            ];
            std::array::from_fn(|j| all[j])
        }
    }

    #[inline(always)]
    unsafe fn transpose<const HALF: usize>(rows: [*const u8; 4]) -> [int32x4_t; 2] {
        // SAFETY: the caller vouches for 16 bytes at each pointer.
        unsafe {
            let [a, b, c, d] = rows.map(|p| vld1q_u8(p));
            let (ab, cd) = match HALF {
                0 => (vzip1q_u8(a, b), vzip1q_u8(c, d)),
                _ => (vzip2q_u8(a, b), vzip2q_u8(c, d)),
            };
            let (ab, cd) = (vreinterpretq_u16_u8(ab), vreinterpretq_u16_u8(cd));
            [vreinterpretq_s32_u16(vzip1q_u16(ab, cd)), vreinterpretq_s32_u16(vzip2q_u16(ab, cd))]
        }
    }

    #[inline(always)]
    unsafe fn look_up(table: *const u8, from: *const u8, to: *mut u8, n: usize) {
        // SAFETY: the caller vouches for 256 bytes of table and `n`, a multiple
        // of 16, on either side.
        unsafe {
            let [a, b, c, d] = [0, 64, 128, 192].map(|i| vld1q_u8_x4(table.add(i)));
            for i in (0..n).step_by(16) {
                let q = vld1q_u8(from.add(i));
                let less = |n: u8| vsubq_u8(q, vdupq_n_u8(n));
                let mut found = vqtbl4q_u8(a, q);
                found = vqtbx4q_u8(found, b, less(64));
                found = vqtbx4q_u8(found, c, less(128));
                found = vqtbx4q_u8(found, d, less(192));
                vst1q_u8(to.add(i), found);
            }
        }
    }
}
