//! AVX2 with FMA: 8 floats, 16 registers.

use super::{Simd, hide, methods};
use std::arch::x86_64::{
    __m256, _CMP_UNORD_Q, _MM_HINT_T0, _mm_prefetch, _mm256_add_ps, _mm256_blendv_ps,
    _mm256_castps_si256, _mm256_castsi256_ps, _mm256_cmp_ps, _mm256_div_ps, _mm256_fmadd_ps,
    _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_permute2f128_ps,
    _mm256_set1_ps, _mm256_slli_epi32, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps,
    _mm256_unpacklo_ps,
};

#[derive(Clone, Copy)]
pub(crate) struct Avx2;

impl Simd for Avx2 {
    type V = __m256;
    type A = *const f32;
    const L: usize = 8;
    // 4 x 3 and 4 x 24 floats spill
    const MR: [usize; 4] = [12, 6, 1, 1];
    const GROUP: usize = 3;
    const DEPTHWISE_ROWS: usize = 1;
    const BURST: usize = 1;
    const FETCH: usize = 16;

    methods! {
        load(p: *const f32) -> __m256 { _mm256_loadu_ps(p) }
        store(p: *mut f32, v: __m256) -> () { _mm256_storeu_ps(p, v) }
        splat(x: f32) -> __m256 { _mm256_set1_ps(x) }
        fma(a: __m256, b: __m256, c: __m256) -> __m256 { _mm256_fmadd_ps(a, b, c) }
        add(a: __m256, b: __m256) -> __m256 { _mm256_add_ps(a, b) }
        sub(a: __m256, b: __m256) -> __m256 { _mm256_sub_ps(a, b) }
        mul(a: __m256, b: __m256) -> __m256 { _mm256_mul_ps(a, b) }
        div(a: __m256, b: __m256) -> __m256 { _mm256_div_ps(a, b) }
        // the instruction returns its second operand when either is NaN
        min(bound: __m256, v: __m256) -> __m256 { _mm256_min_ps(bound, v) }
        max(bound: __m256, v: __m256) -> __m256 { _mm256_max_ps(bound, v) }
        max_nan(a: __m256, b: __m256) -> __m256 {
            _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a))
        }
        to_exponent(v: __m256) -> __m256 {
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(v)))
        }
        zip(a: __m256, b: __m256) -> (__m256, __m256) {
            {
                let (lo, hi) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                (_mm256_permute2f128_ps::<0x20>(lo, hi), _mm256_permute2f128_ps::<0x31>(lo, hi))
            }
        }
        prefetch(p: *const f32) -> () { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }

    #[inline(always)]
    unsafe fn load_a(p: *const f32) -> *const f32 {
        p
    }

    #[inline(always)]
    unsafe fn fma_lane<const K: usize>(acc: __m256, b: __m256, a: *const f32) -> __m256 {
        // SAFETY: `a` came from `load_a`, whose caller vouched for 4 floats.
        unsafe { _mm256_fmadd_ps(_mm256_set1_ps(*a.add(K)), b, acc) }
    }

    #[inline(always)]
    fn running<T>(p: *const T) -> *const T {
        hide(p)
    }
}
