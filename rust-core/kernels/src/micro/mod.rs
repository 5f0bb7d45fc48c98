//! Micro-kernels, generic over the vector type: what a plan's calls execute.
//!
//! Decides how one call is computed, never which: offsets, strides and counts
//! come from the [plan](crate::plan), which has proven them inside the arena
//! before a session exists. [`table`] makes one instance per instruction set.

pub(crate) mod depthwise;
pub(crate) mod elementwise;
pub(crate) mod gemm;
pub(crate) mod mover;
pub(crate) mod peak;
pub(crate) mod pool;
pub(crate) mod table;

use crate::simd::Simd;

/// Repeats a block for constant `$i` in `0..$n`, so that arrays indexed by it
/// stay in registers. The number in front is the largest `$n` there may be: a
/// short list keeps nested repetitions, and so compile time, small.
macro_rules! unroll {
    (2: $($rest:tt)*) => { $crate::micro::unroll!(@ [0 1] $($rest)*) };
    (4: $($rest:tt)*) => { $crate::micro::unroll!(@ [0 1 2 3] $($rest)*) };
    (6: $($rest:tt)*) => { $crate::micro::unroll!(@ [0 1 2 3 4 5] $($rest)*) };
    (7: $($rest:tt)*) => { $crate::micro::unroll!(@ [0 1 2 3 4 5 6] $($rest)*) };
    (14: $($rest:tt)*) => {
        $crate::micro::unroll!(@ [0 1 2 3 4 5 6 7 8 9 10 11 12 13] $($rest)*)
    };
    (17: $($rest:tt)*) => {
        $crate::micro::unroll!(@ [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] $($rest)*)
    };
    (@ [$($k:literal)*] $i:ident < $n:expr, $b:block) => {
        $crate::micro::unroll!(# $i, $n, $b, $($k)*)
    };
    (# $i:ident, $n:expr, $b:block, $($k:literal)*) => { $(
        #[allow(clippy::absurd_extreme_comparisons, unused_comparisons)]
        if $k < $n {
            #[allow(non_upper_case_globals)]
            const $i: usize = $k;
            $b
        }
    )* };
}
pub(crate) use unroll;

/// The memory of one run, in elements of `E`: floats, or bytes in int8 models.
#[derive(Clone, Copy)]
pub(crate) struct Context<E = f32> {
    /// The arena.
    pub base: *mut E,
    /// Its length in elements.
    pub len: usize,
    /// The plan's table of row offsets.
    pub rows: *const u32,
    /// The model's packed weights.
    pub weights: *const E,
}

impl<E> Context<E> {
    /// With the feature `checks`: panics unless `n` elements at `p` are inside the arena.
    #[inline(always)]
    pub fn check(&self, p: *const E, n: usize) {
        if cfg!(feature = "checks") {
            self.check_inside(p as usize, n);
        }
    }

    #[inline(never)]
    fn check_inside(&self, at: usize, n: usize) {
        let (base, size) = (self.base as usize, size_of::<E>());
        assert!(
            at >= base && at + size * n <= base + size * self.len,
            "{n} elements at {} leave the arena of {}",
            (at as isize - base as isize) / size as isize,
            self.len
        );
    }
}

/// Where the pixels of a tensor are: offset of the first, elements from row to
/// row and from pixel to pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plane {
    pub off: usize,
    pub row: usize,
    pub pix: usize,
}

/// What happens to an accumulator before it is stored: a clamp, then
/// optionally hard swish.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Epilogue {
    pub lo: f32,
    pub hi: f32,
    pub hard_swish: bool,
}

impl Epilogue {
    pub const NONE: Self = Self { lo: f32::NEG_INFINITY, hi: f32::INFINITY, hard_swish: false };

    #[inline(always)]
    pub fn has_lo(&self) -> bool {
        self.lo.to_bits() != f32::NEG_INFINITY.to_bits()
    }

    #[inline(always)]
    pub fn has_hi(&self) -> bool {
        self.hi.to_bits() != f32::INFINITY.to_bits()
    }

    /// Applies the epilogue to one vector.
    ///
    /// # Safety
    /// The CPU has `S`.
    #[inline(always)]
    pub unsafe fn apply<S: Simd>(&self, v: S::V) -> S::V {
        // SAFETY: register arithmetic; the caller vouches for the CPU.
        unsafe {
            let v = S::min(S::splat(self.hi), S::max(S::splat(self.lo), v));
            if self.hard_swish { hard_swish::<S>(v) } else { v }
        }
    }
}

/// `v * clamp(v / 6 + 1 / 2, 0, 1)`.
///
/// # Safety
/// The CPU has `S`.
#[inline(always)]
pub(crate) unsafe fn hard_swish<S: Simd>(v: S::V) -> S::V {
    // SAFETY: register arithmetic; the caller vouches for the CPU.
    unsafe {
        let gate = S::fma(v, S::splat(1.0 / 6.0), S::splat(0.5));
        S::mul(v, S::min(S::splat(1.0), S::max(S::splat(0.0), gate)))
    }
}
