//! The only place with intrinsics: one trait, one file per instruction set.
//!
//! Decides how a vector operation is spelled. The micro-kernels in
//! [`micro`](crate::micro) are generic over [`Simd`] and are instantiated once
//! per set, inside functions that enable its features.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod scalar;

use crate::micro::unroll;

/// A vector of f32 and what the kernels do with it.
///
/// # Safety
/// Every method may only be called on a CPU that has the instruction set.
/// Methods that take a pointer read or write [`Simd::L`] floats there (those
/// with other extents say so); no alignment is needed.
pub(crate) trait Simd: Copy {
    /// The vector.
    type V: Copy;
    /// Up to 4 consecutive floats of one matrix row, to be multiplied one by
    /// one: a pointer on x86 (broadcast from memory), a vector on arm64.
    type A: Copy;
    /// Floats in a vector.
    const L: usize;
    /// Largest spill-free tile height for 1, 2, 3 and 4 vectors; 0 for widths
    /// that are not used.
    const MR: [usize; 4];

    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, v: Self::V);
    unsafe fn splat(x: f32) -> Self::V;
    /// `a * b + c`.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// The smaller of `bound` and `v`; NaN where `v` is NaN.
    unsafe fn min(bound: Self::V, v: Self::V) -> Self::V;
    /// The larger of `bound` and `v`; NaN where `v` is NaN.
    unsafe fn max(bound: Self::V, v: Self::V) -> Self::V;
    /// The larger of two; NaN where either is NaN.
    unsafe fn max_nan(a: Self::V, b: Self::V) -> Self::V;
    /// The bits of each float shifted left by 23: moves an integer held in the
    /// low bits to the exponent.
    unsafe fn to_exponent(v: Self::V) -> Self::V;
    /// Elements of two vectors alternately: `a0 b0 a1 b1 ...`, as two vectors.
    unsafe fn zip(a: Self::V, b: Self::V) -> (Self::V, Self::V);
    /// Hints that the cache line at `p` is read soon; `p` may be anything.
    unsafe fn prefetch(p: *const f32);
    /// [`Simd::prefetch`] of [`Simd::FETCH`] lines in a row, where
    /// [`Simd::BURST`] is more than 1.
    #[inline(always)]
    unsafe fn prefetch_burst(_p: *const f32) {}
    /// Reads 4 floats (or keeps the pointer for [`Simd::fma_lane`]).
    unsafe fn load_a(p: *const f32) -> Self::A;
    /// `acc + b * a[K]` for `K` in 0..4.
    unsafe fn fma_lane<const K: usize>(acc: Self::V, b: Self::V, a: Self::A) -> Self::V;

    /// The next `N` vectors, 1 to 4 of them, at `p`, which moves past them. `K` in
    /// 0..4 counts such calls in a row; `ahead` holds what one of them may have
    /// read for the next.
    #[inline(always)]
    unsafe fn next<const N: usize, const K: usize>(
        p: &mut *const f32,
        _ahead: &mut [Self::V; 4],
    ) -> [Self::V; N] {
        // SAFETY: the caller vouches for `N` vectors at `p`.
        unsafe {
            let mut v = [Self::splat(0.0); N];
            unroll!(4: J < N, {
                v[J] = Self::load(p.add(J * Self::L));
            });
            *p = p.add(N * Self::L);
            v
        }
    }

    /// How many rows of a matrix tile are addressed from one pointer. x86 can
    /// scale an index by the row stride only once and twice, so that more rows
    /// from one pointer would cost a register each; arm64 moves a pointer in the
    /// load itself, so that each row has its own.
    const GROUP: usize;
    /// Output rows of a depthwise tile: 2 where the registers hold the sums of
    /// both and share the input rows in between.
    const DEPTHWISE_ROWS: usize;
    /// Steps of the matrix loop between two prefetches. With more than 1,
    /// weights that are read once from front to back are left to the hardware.
    const BURST: usize;
    /// Most cache lines of one prefetch; the number of them if `BURST` is
    /// more than 1.
    const FETCH: usize;

    /// `p`, hidden from the optimiser, which would fold several running
    /// pointers into one index and spill the differences. For matrix loops.
    #[inline(always)]
    fn running<T>(p: *const T) -> *const T {
        p
    }
    /// `p`, hidden only where registers are plenty. For depthwise loops.
    #[inline(always)]
    fn opaque<T>(p: *const T) -> *const T {
        p
    }
    /// `n`, hidden likewise, so that each offset has a register of its own.
    #[inline(always)]
    fn opaque_offset(n: usize) -> usize {
        n
    }
}

/// The body of simple methods: expressions of intrinsics.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! methods {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $ret:ty { $body:expr })*) => { $(
        #[inline(always)]
        unsafe fn $name($($arg: $ty),*) -> $ret {
            // SAFETY: the caller keeps the trait's contract: the CPU has the
            // set, and pointers are valid for what the method says.
            unsafe { $body }
        }
    )* };
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use methods;

/// [`Simd::running`] of real instruction sets.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[allow(clippy::pointers_in_nomem_asm_block, reason = "the pointer is not followed")]
#[inline(always)]
fn hide<T>(mut p: *const T) -> *const T {
    // SAFETY: no instruction; the register comes back as it went in.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) p, options(nomem, nostack, preserves_flags));
    }
    p
}
