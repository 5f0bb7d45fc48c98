//! Portable code: arrays of 4, plain arithmetic. The reference of the others.

use super::{Int8, look_up_bytes};
use crate::simd::scalar::Scalar;

#[derive(Clone, Copy)]
pub(crate) struct Portable;

type V = [i32; 4];

/// Two vectors of 16 bits, saturated.
type Halves = [i16; 8];

fn saturate(v: i16) -> u8 {
    v.clamp(0, 255) as u8
}

impl Int8 for Portable {
    type Float = Scalar;
    type V = V;
    type H = Halves;
    type A = *const u8;
    type Order = ();
    const L: usize = 4;
    const FLIP: u8 = 0;
    const MR: [usize; 4] = [0, 0, 0, 2];
    const COLUMNS: [usize; 2] = [1, 1];
    const TALL: usize = 2;
    const NARROW: bool = false;
    const JOINT: usize = 1;
    const PAIRS: bool = true;

    #[inline(always)]
    unsafe fn load(p: *const u8) -> V {
        // SAFETY: the caller vouches for 16 bytes at `p`.
        unsafe { p.cast::<V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn add(a: V, b: V) -> V {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    unsafe fn zero() -> V {
        [0; 4]
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u8) -> V {
        // SAFETY: the caller vouches for 4 bytes at `p`.
        [unsafe { p.cast::<i32>().read_unaligned() }; 4]
    }
    #[inline(always)]
    unsafe fn dot(acc: V, a: V, w: V) -> V {
        // by shifts, which the compiler turns into vectors
        let (byte, weight) =
            (|v: i32, at: i32| v >> at & 255, |v: i32, at: i32| v << (24 - at) >> 24);
        std::array::from_fn(|i| {
            let product = |at: i32| byte(a[i], at) * weight(w[i], at);
            let pairs = (product(0) + product(8)) + (product(16) + product(24));
            acc[i].wrapping_add(pairs)
        })
    }
    #[inline(always)]
    unsafe fn load_a(p: *const u8) -> *const u8 {
        p
    }
    #[inline(always)]
    unsafe fn dot_lane<const Q: usize>(acc: V, a: *const u8, w: V) -> V {
        // SAFETY: `a` came from `load_a`, whose caller vouched for 16 bytes.
        unsafe { Self::dot(acc, Self::broadcast(a.add(4 * Q)), w) }
    }
    #[inline(always)]
    unsafe fn to_float(v: V) -> [f32; 4] {
        v.map(|x| x as f32)
    }
    #[inline(always)]
    unsafe fn to_int(v: [f32; 4]) -> V {
        v.map(|x| x.round_ties_even() as i32)
    }
    #[inline(always)]
    unsafe fn fma(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
    }
    #[inline(always)]
    unsafe fn store<const NV: usize>(q: [V; NV], out: *mut u8) {
        // SAFETY: the caller vouches for 16 bytes at `out`.
        unsafe {
            let (a, b) = (Self::narrow(q[0], q[1 % NV]), Self::narrow(q[2 % NV], q[NV - 1]));
            Self::store_halves(a, b, out, 16);
        }
    }
    #[inline(always)]
    unsafe fn unpack<const NV: usize>(p: *const u8) -> [V; NV] {
        // SAFETY: the caller vouches for 16 bytes at `p`.
        let bytes = unsafe { p.cast::<[[u8; 4]; 4]>().read_unaligned() };
        std::array::from_fn(|j| bytes[j].map(i32::from))
    }
    #[inline(always)]
    unsafe fn narrow(a: V, b: V) -> Halves {
        let all = [a, b];
        std::array::from_fn(|i| all[i / 4][i % 4].clamp(-32_768, 32_767) as i16)
    }
    #[inline(always)]
    unsafe fn store_halves(a: Halves, b: Halves, out: *mut u8, _n: usize) {
        let all = [a, b];
        let bytes: [u8; 16] = std::array::from_fn(|i| saturate(all[i / 8][i % 8]));
        // SAFETY: the caller vouches for 16 bytes at `out`.
        unsafe { out.cast::<[u8; 16]>().write_unaligned(bytes) };
    }
    #[inline(always)]
    unsafe fn store_bytes(v: V, out: *mut u8, _n: usize) {
        // SAFETY: the caller vouches for 16 bytes at `out`.
        unsafe { out.cast::<V>().write_unaligned(v) };
    }
    #[inline(always)]
    unsafe fn larger(a: V, b: V) -> V {
        std::array::from_fn(|i| {
            let (a, b) = (a[i].to_ne_bytes(), b[i].to_ne_bytes());
            i32::from_ne_bytes(std::array::from_fn(|j| a[j].max(b[j])))
        })
    }
    #[inline(always)]
    unsafe fn look_up(table: *const u8, from: *const u8, to: *mut u8, n: usize) {
        // SAFETY: the caller's contract.
        unsafe { look_up_bytes(table, from, to, n) };
    }
    #[inline(always)]
    unsafe fn transpose<const HALF: usize>(rows: [*const u8; 4]) -> [V; 2] {
        // SAFETY: the caller vouches for 16 bytes at each pointer.
        let rows = rows.map(|p| unsafe { p.cast::<[u8; 16]>().read_unaligned() });
        std::array::from_fn(|q| {
            std::array::from_fn(|i| i32::from_le_bytes(rows.map(|row| row[HALF * 8 + q * 4 + i])))
        })
    }
}
