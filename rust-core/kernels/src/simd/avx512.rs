//! AVX-512 (F, VL, DQ): 16 floats, 32 registers.

use super::{Simd, hide, methods};
use std::arch::x86_64::{
    __m512, _CMP_ORD_Q, _MM_HINT_T0, _mm_prefetch, _mm512_add_ps, _mm512_castps_si512,
    _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_div_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
    _mm512_mask_max_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_permutex2var_ps,
    _mm512_set1_ps, _mm512_setr_epi32, _mm512_slli_epi32, _mm512_storeu_ps, _mm512_sub_ps,
};

#[derive(Clone, Copy)]
pub(crate) struct Avx512;

impl Simd for Avx512 {
    type V = __m512;
    type A = *const f32;
    const L: usize = 16;
    // 7 x 4 spills
    const MR: [usize; 4] = [14, 12, 9, 6];
    const GROUP: usize = 3;
    const DEPTHWISE_ROWS: usize = 1;
    const BURST: usize = 1;
    const FETCH: usize = 16;

    methods! {
        load(p: *const f32) -> __m512 { _mm512_loadu_ps(p) }
        store(p: *mut f32, v: __m512) -> () { _mm512_storeu_ps(p, v) }
        splat(x: f32) -> __m512 { _mm512_set1_ps(x) }
        fma(a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fmadd_ps(a, b, c) }
        add(a: __m512, b: __m512) -> __m512 { _mm512_add_ps(a, b) }
        sub(a: __m512, b: __m512) -> __m512 { _mm512_sub_ps(a, b) }
        mul(a: __m512, b: __m512) -> __m512 { _mm512_mul_ps(a, b) }
        div(a: __m512, b: __m512) -> __m512 { _mm512_div_ps(a, b) }
        // the instruction returns its second operand when either is NaN
        min(bound: __m512, v: __m512) -> __m512 { _mm512_min_ps(bound, v) }
        max(bound: __m512, v: __m512) -> __m512 { _mm512_max_ps(bound, v) }
        max_nan(a: __m512, b: __m512) -> __m512 {
            _mm512_mask_max_ps(a, _mm512_cmp_ps_mask::<_CMP_ORD_Q>(a, a), a, b)
        }
        to_exponent(v: __m512) -> __m512 {
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_castps_si512(v)))
        }
        zip(a: __m512, b: __m512) -> (__m512, __m512) {
            {
                let lo = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
                let hi =
                    _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
                (_mm512_permutex2var_ps(a, lo, b), _mm512_permutex2var_ps(a, hi, b))
            }
        }
        prefetch(p: *const f32) -> () { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }

    #[inline(always)]
    unsafe fn load_a(p: *const f32) -> *const f32 {
        p
    }

    #[inline(always)]
    unsafe fn fma_lane<const K: usize>(acc: __m512, b: __m512, a: *const f32) -> __m512 {
        // SAFETY: `a` came from `load_a`, whose caller vouched for 4 floats.
        unsafe { _mm512_fmadd_ps(_mm512_set1_ps(*a.add(K)), b, acc) }
    }

    #[inline(always)]
    fn running<T>(p: *const T) -> *const T {
        hide(p)
    }
}
