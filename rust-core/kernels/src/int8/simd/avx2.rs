//! AVX2 with AVX-VNNI: 8 sums, 16 registers.

use super::Int8;
use crate::simd::{avx2::Avx2, methods};
use std::arch::x86_64::{
    __m256, __m256i, _mm_loadl_epi64, _mm_loadu_si128, _mm_storel_epi64, _mm_storeu_si128,
    _mm256_add_epi32, _mm256_and_si256, _mm256_blendv_epi8, _mm256_broadcastsi128_si256,
    _mm256_castsi128_si256, _mm256_castsi256_si128, _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32,
    _mm256_cvtps_epi32, _mm256_dpbusd_avx_epi32, _mm256_loadu_si256, _mm256_max_epu8,
    _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32,
    _mm256_set1_epi8, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_slli_epi16, _mm256_storeu_si256, _mm256_unpackhi_epi8,
    _mm256_unpackhi_epi16, _mm256_unpacklo_epi8, _mm256_unpacklo_epi16,
};

#[derive(Clone, Copy)]
pub(crate) struct AvxVnni;

impl Int8 for AvxVnni {
    type Float = Avx2;
    type V = __m256i;
    type H = __m256i;
    type A = *const u8;
    type Order = ();
    const L: usize = 8;
    const FLIP: u8 = 0;
    const MR: [usize; 4] = [0, 6, 0, 2];
    const COLUMNS: [usize; 2] = [1, 1];
    const TALL: usize = 2;
    const NARROW: bool = false;
    const JOINT: usize = 1;
    const PAIRS: bool = false;

    methods! {
        load(p: *const u8) -> __m256i { _mm256_loadu_si256(p.cast()) }
        add(a: __m256i, b: __m256i) -> __m256i { _mm256_add_epi32(a, b) }
        zero() -> __m256i { _mm256_setzero_si256() }
        broadcast(p: *const u8) -> __m256i { _mm256_set1_epi32(p.cast::<i32>().read_unaligned()) }
        dot(acc: __m256i, a: __m256i, w: __m256i) -> __m256i { _mm256_dpbusd_avx_epi32(acc, a, w) }
        to_float(v: __m256i) -> __m256 { _mm256_cvtepi32_ps(v) }
        to_int(v: __m256) -> __m256i { _mm256_cvtps_epi32(v) }
        narrow(a: __m256i, b: __m256i) -> __m256i { _mm256_packs_epi32(a, b) }
        store_halves(a: __m256i, b: __m256i, out: *mut u8, n: usize) -> () {
            Self::store_bytes(_mm256_packus_epi16(a, b), out, n)
        }
        store_bytes(v: __m256i, out: *mut u8, n: usize) -> () {
            if n >= 32 {
                _mm256_storeu_si256(out.cast(), v);
            } else {
                _mm_storeu_si128(out.cast(), _mm256_castsi256_si128(v));
            }
        }
        larger(a: __m256i, b: __m256i) -> __m256i { _mm256_max_epu8(a, b) }
    }

    #[inline(always)]
    unsafe fn load_a(p: *const u8) -> *const u8 {
        p
    }

    #[inline(always)]
    unsafe fn dot_lane<const Q: usize>(acc: __m256i, a: *const u8, w: __m256i) -> __m256i {
        // SAFETY: `a` came from `load_a`, whose caller vouched for 16 bytes.
        unsafe { Self::dot(acc, Self::broadcast(a.add(4 * Q)), w) }
    }

    #[inline(always)]
    unsafe fn store<const NV: usize>(q: [__m256i; NV], out: *mut u8) {
        // SAFETY: the caller vouches for `NV * 8` bytes at `out`.
        unsafe {
            let last = NV - 1;
            let lo = _mm256_packs_epi32(q[0], q[last.min(1)]);
            let hi = _mm256_packs_epi32(q[last.min(2)], q[last]);
            match NV {
                4 => _mm256_storeu_si256(out.cast(), _mm256_packus_epi16(lo, hi)),
                2 => {
                    let q = _mm256_permute4x64_epi64::<8>(_mm256_packus_epi16(lo, lo));
                    _mm_storeu_si128(out.cast(), _mm256_castsi256_si128(q));
                }
                _ => {
                    let order = _mm256_setr_epi32(0, 4, 0, 0, 0, 0, 0, 0);
                    let q = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(lo, lo), order);
                    _mm_storel_epi64(out.cast(), _mm256_castsi256_si128(q));
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn unpack<const NV: usize>(p: *const u8) -> [__m256i; NV] {
        // SAFETY: the caller vouches for `NV * 8` bytes at `p`.
        unsafe {
            let zero = _mm256_setzero_si256();
            let bytes = match NV {
                4 => Self::load(p),
                2 => {
                    let half = _mm256_castsi128_si256(_mm_loadu_si128(p.cast()));
                    _mm256_permute4x64_epi64::<0x50>(half)
                }
                _ => return [_mm256_cvtepu8_epi32(_mm_loadl_epi64(p.cast())); NV],
            };
            let lo = _mm256_unpacklo_epi8(bytes, zero);
            let hi = _mm256_unpackhi_epi8(bytes, zero);
            let all = [
                _mm256_unpacklo_epi16(lo, zero),
                _mm256_unpackhi_epi16(lo, zero),
                _mm256_unpacklo_epi16(hi, zero),
                _mm256_unpackhi_epi16(hi, zero),
            ];
            std::array::from_fn(|j| all[j])
        }
    }

    #[inline(always)]
    unsafe fn transpose<const HALF: usize>(rows: [*const u8; 4]) -> [__m256i; 2] {
        // SAFETY: the caller vouches for 32 bytes at each pointer.
        unsafe {
            let [a, b, c, d] = rows.map(|p| Self::load(p));
            let (ab, cd) = match HALF {
                0 => (_mm256_unpacklo_epi8(a, b), _mm256_unpacklo_epi8(c, d)),
                _ => (_mm256_unpackhi_epi8(a, b), _mm256_unpackhi_epi8(c, d)),
            };
            [_mm256_unpacklo_epi16(ab, cd), _mm256_unpackhi_epi16(ab, cd)]
        }
    }

    #[inline(always)]
    unsafe fn look_up(table: *const u8, from: *const u8, to: *mut u8, n: usize) {
        // SAFETY: the caller vouches for 256 bytes of table and `n`, a multiple
        // of 16, on either side.
        unsafe {
            // 16 entries each, chosen between by the bits 4, 5, 6 and 7
            let find = |q: __m256i| {
                let low = _mm256_and_si256(q, _mm256_set1_epi8(15));
                let row = |i: usize| {
                    let entries = _mm_loadu_si128(table.add(16 * i).cast());
                    _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), low)
                };
                let bits = [
                    _mm256_slli_epi16::<3>(q),
                    _mm256_slli_epi16::<2>(q),
                    _mm256_slli_epi16::<1>(q),
                ];
                let two = |i: usize| _mm256_blendv_epi8(row(i), row(i + 1), bits[0]);
                let four = |i: usize| _mm256_blendv_epi8(two(i), two(i + 2), bits[1]);
                let eight = |i: usize| _mm256_blendv_epi8(four(i), four(i + 4), bits[2]);
                _mm256_blendv_epi8(eight(0), eight(8), q)
            };
            let whole = n / 32 * 32;
            for i in (0..whole).step_by(32) {
                let q = find(_mm256_loadu_si256(from.add(i).cast()));
                _mm256_storeu_si256(to.add(i).cast(), q);
            }
            if whole < n {
                let q = _mm256_castsi128_si256(_mm_loadu_si128(from.add(whole).cast()));
                _mm_storeu_si128(to.add(whole).cast(), _mm256_castsi256_si128(find(q)));
            }
        }
    }
}
