//! The intrinsics of the int8 kernels: one trait, one file per instruction set.
//!
//! Decides how a vector operation is spelled. Bytes of activations are kept as
//! the set's dot product likes them: unsigned on x86, with the top bit flipped
//! (signed) on arm64. All sets give the same integers.
//!
//! A panel of `NV` vectors holds its channels in *lane order*
//! ([`lane_channel`]), in which the instructions that narrow 32 bits to 8
//! leave bytes in their natural order.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod scalar;

use crate::simd::Simd;

/// The channel of lane `lane` of vector `j` of `nv`.
pub(crate) fn lane_channel(nv: usize, j: usize, lane: usize) -> usize {
    lane / 4 * 4 * nv + 4 * j + lane % 4
}

/// A vector of floats.
pub(crate) type F<S> = <<S as Int8>::Float as Simd>::V;

/// Vectors of `L` sums of 32 bits, each of 4 products of bytes a step.
///
/// # Safety
/// Every method may only be called on a CPU that has the instruction set.
/// Methods that take a pointer read or write `4 * L` bytes there unless they
/// say so; no alignment is needed.
pub(crate) trait Int8: Copy {
    /// The float vectors of the same length.
    type Float: Simd;
    /// `L` integers of 32 bits.
    type V: Copy;
    /// `2 * L` integers of 16 bits.
    type H: Copy;
    /// Up to 16 bytes of one matrix row, to be multiplied 4 by 4: a pointer on
    /// x86 (broadcast from memory), a vector on arm64.
    type A: Copy;
    /// What [`Int8::order`] gives.
    type Order: Copy;
    /// Integers in a vector.
    const L: usize;
    /// What stored bytes of activations are XORed with.
    const FLIP: u8;
    /// Largest spill-free tile height for 1, 2, 3 and 4 vectors; 0 for widths
    /// that are not used.
    const MR: [usize; 4];
    /// Columns of a depthwise tile of 3x3, for strides 1 and 2.
    const COLUMNS: [usize; 2];
    /// Output rows of a depthwise tile of 5x5 and stride 1.
    const TALL: usize;
    /// Whether there are 32 registers, and [`Int8::neighbours`], for which `L` has
    /// to be 16.
    const NARROW: bool;
    /// Vectors of several pixels that [`Int8::store_pixels`] narrows at once.
    const JOINT: usize;
    /// Whether two pixels of a depthwise tile share the weights they load.
    const PAIRS: bool;

    unsafe fn load(p: *const u8) -> Self::V;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn zero() -> Self::V;
    /// Four bytes at `p` in every lane.
    unsafe fn broadcast(p: *const u8) -> Self::V;
    /// `acc` plus the sums of 4 products of activations `a` and weights `w`.
    unsafe fn dot(acc: Self::V, a: Self::V, w: Self::V) -> Self::V;
    /// Reads 16 bytes (or keeps the pointer for [`Int8::dot_lane`]).
    unsafe fn load_a(p: *const u8) -> Self::A;
    /// [`Int8::dot`] with bytes `4 * Q..4 * Q + 4` of `a`, `Q` in 0..4.
    unsafe fn dot_lane<const Q: usize>(acc: Self::V, a: Self::A, w: Self::V) -> Self::V;
    /// To the nearest float, ties to even.
    unsafe fn to_float(v: Self::V) -> F<Self>;
    /// To the nearest integer, ties to even; for magnitudes under 2^31.
    unsafe fn to_int(v: F<Self>) -> Self::V;
    /// `a * b + c`, rounded once.
    #[inline(always)]
    unsafe fn fma(a: F<Self>, b: F<Self>, c: F<Self>) -> F<Self> {
        // SAFETY: passed on from the caller.
        unsafe { Self::Float::fma(a, b, c) }
    }
    /// Saturates to bytes and stores `NV * L` of them.
    unsafe fn store<const NV: usize>(q: [Self::V; NV], out: *mut u8);
    /// [`Int8::store`] of `N` pixels that are `pix` bytes apart.
    #[inline(always)]
    unsafe fn store_pixels<const NV: usize, const N: usize>(
        q: [[Self::V; NV]; N],
        out: *mut u8,
        pix: usize,
    ) {
        for (i, q) in q.into_iter().enumerate() {
            // SAFETY: the caller vouches for `NV * L` bytes a pixel.
            unsafe { Self::store(q, out.add(i * pix)) };
        }
    }
    /// `NV * L` bytes as integers in lane order.
    unsafe fn unpack<const NV: usize>(p: *const u8) -> [Self::V; NV];
    /// Saturates to 16 bits, for [`Int8::store_halves`].
    unsafe fn narrow(a: Self::V, b: Self::V) -> Self::H;
    /// Saturates to bytes and stores the first `n` of `4 * L`, a multiple of 16.
    unsafe fn store_halves(a: Self::H, b: Self::H, out: *mut u8, n: usize);
    /// Stores the first `n` of `4 * L` bytes as they are, `n` a multiple of 16.
    unsafe fn store_bytes(v: Self::V, out: *mut u8, n: usize);
    /// The larger of each two bytes, both as they are stored.
    unsafe fn larger(a: Self::V, b: Self::V) -> Self::V;
    /// `to[i] = table[from[i]]` for `n` bytes, a multiple of 16; the table has 256.
    unsafe fn look_up(table: *const u8, from: *const u8, to: *mut u8, n: usize);
    /// Four rows, byte by byte: lanes of (row 0, row 1, row 2, row 3), the
    /// vectors `2 * HALF` and `2 * HALF + 1` of four in lane order.
    unsafe fn transpose<const HALF: usize>(rows: [*const u8; 4]) -> [Self::V; 2];
    /// What [`Int8::neighbours`] needs besides, to be kept in registers.
    #[inline(always)]
    unsafe fn order() -> Self::Order {
        unreachable!("only sets with vectors of 16 sums have narrow tiles")
    }
    /// 16 channels of `N` neighbouring pixels, 3 or 4, byte by byte: lane `c` has
    /// channel `c` of each. Pixels are `pix` bytes apart; `TIGHT` says that this
    /// is 16, and reads four.
    ///
    /// # Panics
    /// Where there is no [`Int8::NARROW`].
    #[inline(always)]
    unsafe fn neighbours<const N: usize, const TIGHT: bool>(
        _order: Self::Order,
        _p: *const u8,
        _pix: usize,
    ) -> Self::V {
        unreachable!("only sets with vectors of 16 sums have narrow tiles")
    }
}

/// [`Int8::look_up`] one by one.
///
/// # Safety
/// There are 256 bytes at `table` and `n` each at `from` and `to`.
#[inline(always)]
unsafe fn look_up_bytes(table: *const u8, from: *const u8, to: *mut u8, n: usize) {
    for i in 0..n {
        // SAFETY: the caller's contract.
        unsafe { *to.add(i) = *table.add(usize::from(*from.add(i))) };
    }
}
