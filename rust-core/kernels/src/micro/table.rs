//! One instance of every kernel per instruction set, as function pointers.
//!
//! Decides where features are enabled: each instance is one out-of-line
//! function, so that generic code is compiled once per set and nothing else
//! needs the features.

use super::Context;
use super::depthwise::{self, Depthwise, DepthwiseCall};
use super::elementwise::{self, InterleaveCall, MapCall, SoftmaxCall};
use super::gemm::{self, Dense, GemmCall, Target, Tiles};
use super::peak;
use super::pool::{self, GlobalCall, PoolCall};
use crate::isa::Isa;
use crate::winograd::{self, Winograd, WinogradCall};

/// The kernels of one instruction set. Each may only be called on a CPU that
/// has it, with calls that the plan has verified against the context.
pub(crate) struct Kernels {
    pub gemm: unsafe fn(&Context, &GemmCall, &Dense),
    pub depthwise: unsafe fn(&Context, &DepthwiseCall, &Depthwise),
    pub winograd: unsafe fn(&Context, &WinogradCall, &Winograd),
    pub pool: unsafe fn(&Context, &PoolCall),
    pub global: unsafe fn(&Context, &GlobalCall),
    pub map: unsafe fn(&Context, &MapCall),
    pub softmax: unsafe fn(&Context, &SoftmaxCall),
    pub interleave: unsafe fn(&Context, &InterleaveCall),
    /// The loop of [`peak`], for so many rounds.
    pub peak: unsafe fn(usize) -> f32,
    /// Float operations of one of its rounds.
    pub operations: usize,
    /// Tile heights of the matrix kernel, see [`Simd::MR`](crate::simd::Simd::MR).
    pub heights: [usize; 4],
}

macro_rules! instance {
    ($module:ident, $set:ty $(, $features:literal)?) => {
        mod $module {
            use super::*;
            type S = $set;

            pub(super) static KERNELS: Kernels = Kernels {
                gemm,
                depthwise,
                winograd,
                pool,
                global,
                map,
                softmax,
                interleave,
                peak,
                operations: peak::operations::<S>(),
                heights: <S as crate::simd::Simd>::MR,
            };

            $(#[target_feature(enable = $features)])?
            unsafe fn panel(t: &mut Tiles<'_>, vectors: usize, to: &Target, weights: *const f32) {
                // SAFETY: passed on from `gemm` and `winograd`.
                unsafe { gemm::panel::<S>(t, vectors, to, weights) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn gemm(cx: &Context, call: &GemmCall, w: &Dense) {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { gemm::run::<S>(cx, call, w, panel, map) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn depthwise(cx: &Context, call: &DepthwiseCall, w: &Depthwise) {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { depthwise::run::<S>(cx, call, w, map) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn winograd(cx: &Context, call: &WinogradCall, w: &Winograd) {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { winograd::run::<S>(cx, call, w, panel, map) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn pool(cx: &Context, call: &PoolCall) {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { pool::run::<S>(cx, call) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn global(cx: &Context, call: &GlobalCall) {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { pool::global::<S>(cx, call) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn map(cx: &Context, call: &MapCall) {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { elementwise::map::<S>(cx, call) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn softmax(cx: &Context, call: &SoftmaxCall) {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { elementwise::softmax::<S>(cx, call) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn peak(rounds: usize) -> f32 {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { peak::run::<S>(rounds) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn interleave(cx: &Context, call: &InterleaveCall) {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { elementwise::interleave::<S>(cx, call) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
instance!(avx512, crate::simd::avx512::Avx512, "avx512f,avx512vl,avx512dq,avx2,fma");
#[cfg(target_arch = "x86_64")]
instance!(avx2, crate::simd::avx2::Avx2, "avx2,fma");
#[cfg(target_arch = "aarch64")]
instance!(neon, crate::simd::neon::Neon, "neon");
instance!(scalar, crate::simd::scalar::Scalar);

/// The kernels of `isa`; the scalar ones for sets of another architecture.
pub(crate) fn kernels(isa: Isa) -> &'static Kernels {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => &avx512::KERNELS,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => &avx2::KERNELS,
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => &neon::KERNELS,
        _ => &scalar::KERNELS,
    }
}
