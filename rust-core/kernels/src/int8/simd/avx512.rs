//! AVX-512 with BW and VNNI: 16 sums, 32 registers.

use super::{Int8, look_up_bytes};
use crate::simd::{Simd, avx512::Avx512, methods};
use std::arch::x86_64::{
    __m256i, __m512, __m512i, _mm_loadu_si128, _mm_storeu_si128, _mm256_loadu_si256,
    _mm256_storeu_si256, _mm512_add_epi32, _mm512_broadcast_i32x4, _mm512_castsi256_si512,
    _mm512_castsi512_si128, _mm512_castsi512_si256, _mm512_cvtepi32_ps, _mm512_cvtepu8_epi32,
    _mm512_cvtps_epi32, _mm512_dpbusd_epi32, _mm512_extracti32x4_epi32, _mm512_extracti64x4_epi64,
    _mm512_loadu_si512, _mm512_mask_blend_epi8, _mm512_mask_broadcast_i32x4,
    _mm512_mask_storeu_epi8, _mm512_mask_storeu_epi32, _mm512_maskz_loadu_epi8,
    _mm512_maskz_loadu_epi32, _mm512_max_epu8, _mm512_movepi8_mask, _mm512_packs_epi32,
    _mm512_packus_epi16, _mm512_permutex2var_epi8, _mm512_permutexvar_epi32,
    _mm512_permutexvar_epi64, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setr_epi64,
    _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_storeu_si512, _mm512_unpackhi_epi8,
    _mm512_unpackhi_epi16, _mm512_unpacklo_epi8, _mm512_unpacklo_epi16, _mm512_zextsi128_si512,
};

#[derive(Clone, Copy)]
pub(crate) struct Vnni512;

impl Int8 for Vnni512 {
    type Float = Avx512;
    type V = __m512i;
    type H = __m512i;
    type A = *const u8;
    type Order = [__m512i; 2];
    const L: usize = 16;
    const FLIP: u8 = 0;
    const MR: [usize; 4] = [14, 11, 8, 6];
    const COLUMNS: [usize; 2] = [3, 4];
    const TALL: usize = 4;
    const NARROW: bool = true;
    const JOINT: usize = 4;
    const PAIRS: bool = true;

    methods! {
        load(p: *const u8) -> __m512i { _mm512_loadu_si512(p.cast()) }
        add(a: __m512i, b: __m512i) -> __m512i { _mm512_add_epi32(a, b) }
        zero() -> __m512i { _mm512_setzero_si512() }
        broadcast(p: *const u8) -> __m512i { _mm512_set1_epi32(p.cast::<i32>().read_unaligned()) }
        dot(acc: __m512i, a: __m512i, w: __m512i) -> __m512i { _mm512_dpbusd_epi32(acc, a, w) }
        to_float(v: __m512i) -> __m512 { _mm512_cvtepi32_ps(v) }
        to_int(v: __m512) -> __m512i { _mm512_cvtps_epi32(v) }
        narrow(a: __m512i, b: __m512i) -> __m512i { _mm512_packs_epi32(a, b) }
        store_halves(a: __m512i, b: __m512i, out: *mut u8, n: usize) -> () {
            Self::store_bytes(_mm512_packus_epi16(a, b), out, n)
        }
        store_bytes(v: __m512i, out: *mut u8, n: usize) -> () {
            if n >= 64 {
                _mm512_storeu_si512(out.cast(), v);
            } else {
                _mm512_mask_storeu_epi8(out.cast(), (1 << n) - 1, v);
            }
        }
        larger(a: __m512i, b: __m512i) -> __m512i { _mm512_max_epu8(a, b) }
    }

    #[inline(always)]
    unsafe fn load_a(p: *const u8) -> *const u8 {
        p
    }

    #[inline(always)]
    unsafe fn dot_lane<const Q: usize>(acc: __m512i, a: *const u8, w: __m512i) -> __m512i {
        // SAFETY: `a` came from `load_a`, whose caller vouched for 16 bytes.
        unsafe { Self::dot(acc, Self::broadcast(a.add(4 * Q)), w) }
    }

    #[inline(always)]
    unsafe fn store<const NV: usize>(q: [__m512i; NV], out: *mut u8) {
        // SAFETY: the caller vouches for `NV * 16` bytes at `out`.
        unsafe {
            let last = NV - 1;
            let lo = _mm512_packs_epi32(q[0], q[last.min(1)]);
            let hi = _mm512_packs_epi32(q[last.min(2)], q[last]);
            match NV {
                4 => _mm512_storeu_si512(out.cast(), _mm512_packus_epi16(lo, hi)),
                3 => {
                    let order =
                        _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0);
                    let q = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(lo, hi));
                    _mm512_mask_storeu_epi32(out.cast(), 0xfff, q);
                }
                2 => {
                    let order = _mm512_setr_epi64(0, 2, 4, 6, 0, 0, 0, 0);
                    let q = _mm512_permutexvar_epi64(order, _mm512_packus_epi16(lo, lo));
                    _mm256_storeu_si256(out.cast(), _mm512_castsi512_si256(q));
                }
                _ => {
                    let order = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
                    let q = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(lo, lo));
                    _mm_storeu_si128(out.cast(), _mm512_castsi512_si128(q));
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn store_pixels<const NV: usize, const N: usize>(
        q: [[__m512i; NV]; N],
        out: *mut u8,
        pix: usize,
    ) {
        // SAFETY: the caller vouches for `NV * 16` bytes a pixel.
        unsafe {
            if N == 1 || NV > 2 || N * NV > 4 {
                for (i, q) in q.into_iter().enumerate() {
                    Self::store(q, out.add(i * pix));
                }
                return;
            }
            let at = |i: usize| q[(i / NV).min(N - 1)][i % NV];
            let lo = _mm512_packs_epi32(at(0), at(1));
            let hi = _mm512_packs_epi32(at(2), at(3));
            let q = _mm512_packus_epi16(lo, hi);
            if NV == 2 {
                let q = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), q);
                if pix == 32 {
                    _mm512_storeu_si512(out.cast(), q);
                } else {
                    _mm256_storeu_si256(out.cast(), _mm512_castsi512_si256(q));
                    let second = _mm512_extracti64x4_epi64::<1>(q);
                    _mm256_storeu_si256(out.add(pix).cast(), second);
                }
                return;
            }
            let q = _mm512_permutexvar_epi32(by_fours(), q);
            if pix == 16 {
                Self::store_bytes(q, out, 16 * N);
            } else {
                _mm_storeu_si128(out.cast(), _mm512_castsi512_si128(q));
                let second = _mm512_extracti32x4_epi32::<1>(q);
                _mm_storeu_si128(out.add(pix).cast(), second);
                if N > 2 {
                    let third = _mm512_extracti32x4_epi32::<2>(q);
                    _mm_storeu_si128(out.add(2 * pix).cast(), third);
                }
                if N > 3 {
                    let last = _mm512_extracti32x4_epi32::<3>(q);
                    _mm_storeu_si128(out.add(3 * pix).cast(), last);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn unpack<const NV: usize>(p: *const u8) -> [__m512i; NV] {
        // SAFETY: the caller vouches for `NV * 16` bytes at `p`.
        unsafe {
            let zero = _mm512_setzero_si512();
            let bytes = match NV {
                4 => Self::load(p),
                3 => {
                    let order =
                        _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
                    _mm512_permutexvar_epi32(order, _mm512_maskz_loadu_epi32(0xfff, p.cast()))
                }
                2 => {
                    let half: __m256i = _mm256_loadu_si256(p.cast());
                    let order = _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3);
                    _mm512_permutexvar_epi64(order, _mm512_castsi256_si512(half))
                }
                _ => return [_mm512_cvtepu8_epi32(_mm_loadu_si128(p.cast())); NV],
            };
            let lo = _mm512_unpacklo_epi8(bytes, zero);
            let hi = _mm512_unpackhi_epi8(bytes, zero);
            let all = [
                _mm512_unpacklo_epi16(lo, zero),
                _mm512_unpackhi_epi16(lo, zero),
                _mm512_unpacklo_epi16(hi, zero),
                _mm512_unpackhi_epi16(hi, zero),
            ];
            std::array::from_fn(|j| all[j])
        }
    }

    #[inline(always)]
    unsafe fn transpose<const HALF: usize>(rows: [*const u8; 4]) -> [__m512i; 2] {
        // SAFETY: the caller vouches for 64 bytes at each pointer.
        unsafe {
            let [a, b, c, d] = rows.map(|p| Self::load(p));
            let (ab, cd) = match HALF {
                0 => (_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, d)),
                _ => (_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, d)),
            };
            [_mm512_unpacklo_epi16(ab, cd), _mm512_unpackhi_epi16(ab, cd)]
        }
    }

    #[inline(always)]
    unsafe fn order() -> [__m512i; 2] {
        static BYTES: [u8; 16] = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];
        // SAFETY: the array has 16 bytes.
        unsafe {
            // hidden: known, the two would become more instructions than they are
            let bytes = _mm_loadu_si128(Avx512::running(BYTES.as_ptr()).cast());
            [_mm512_cvtepu8_epi32(bytes), _mm512_broadcast_i32x4(bytes)]
        }
    }

    #[inline(always)]
    unsafe fn neighbours<const N: usize, const TIGHT: bool>(
        order: [__m512i; 2],
        p: *const u8,
        pix: usize,
    ) -> __m512i {
        // SAFETY: the caller vouches for 16 bytes of each pixel.
        unsafe {
            let pixels = if TIGHT {
                Self::load(p)
            } else {
                let at = |i: usize| _mm_loadu_si128(p.add(i * pix).cast());
                let mut v = _mm512_zextsi128_si512(at(0));
                v = _mm512_mask_broadcast_i32x4(v, 0x00f0, at(1));
                v = _mm512_mask_broadcast_i32x4(v, 0x0f00, at(2));
                if N > 3 {
                    v = _mm512_mask_broadcast_i32x4(v, 0xf000, at(3));
                }
                v
            };
            // rows of 4 pixels to columns, by 4 bytes and then within each 16
            _mm512_shuffle_epi8(_mm512_permutexvar_epi32(order[0], pixels), order[1])
        }
    }

    #[inline(always)]
    unsafe fn look_up(table: *const u8, from: *const u8, to: *mut u8, n: usize) {
        // SAFETY: the caller's contract; the feature was asked for.
        unsafe {
            if is_x86_feature_detected!("avx512vbmi") {
                look_up(table, from, to, n);
            } else {
                look_up_bytes(table, from, to, n);
            }
        }
    }
}

/// The order of 32-bit lanes that turns 4 rows of 4 into 4 columns.
#[inline(always)]
fn by_fours() -> __m512i {
    // SAFETY: the CPU has the set wherever its methods are called.
    unsafe { _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15) }
}

/// [`Int8::look_up`] by permutations of bytes, 128 entries each.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn look_up(table: *const u8, from: *const u8, to: *mut u8, n: usize) {
    // SAFETY: the caller vouches for 256 bytes of table and `n` on either side.
    unsafe {
        let quarter = |i: usize| _mm512_loadu_si512(table.add(64 * i).cast());
        let [a, b, c, d] = [quarter(0), quarter(1), quarter(2), quarter(3)];
        let mut i = 0;
        while i < n {
            let here = if n - i < 64 { (1 << (n - i)) - 1 } else { u64::MAX };
            let q = _mm512_maskz_loadu_epi8(here, from.add(i).cast());
            let lo = _mm512_permutex2var_epi8(a, q, b);
            let hi = _mm512_permutex2var_epi8(c, q, d);
            let q = _mm512_mask_blend_epi8(_mm512_movepi8_mask(q), lo, hi);
            _mm512_mask_storeu_epi8(to.add(i).cast(), here, q);
            i += 64;
        }
    }
}
