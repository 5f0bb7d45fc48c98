//! One instance of every int8 kernel per instruction set, as function pointers.

use super::depthwise::{self, Depthwise, DepthwiseCall, Order};
use super::elementwise::{self, MapCall, SoftmaxCall};
use super::floats::{self, ActivateCall, DenseCall};
use super::gemm::{self, Dense, GemmCall, Panels, Tiles};
use super::narrow;
use super::pool::{self, GlobalCall, PoolCall};
use super::port::{self, Entry, Exit};
use crate::int8::simd::{self, Int8};
use crate::isa::Isa;
use crate::micro::Context;
use crate::micro::elementwise::InterleaveCall;

/// The kernels of one instruction set. Each may only be called on a CPU that
/// has it, with calls that the plan has verified against the context.
pub(crate) struct Kernels {
    pub gemm: unsafe fn(&Context<u8>, &GemmCall, &Dense),
    pub depthwise: unsafe fn(&Context<u8>, &DepthwiseCall, &Depthwise),
    pub pool: unsafe fn(&Context<u8>, &PoolCall),
    pub global: unsafe fn(&Context<u8>, &GlobalCall),
    pub map: unsafe fn(&Context<u8>, &MapCall),
    pub float_dense: unsafe fn(&Context<u8>, &DenseCall),
    pub activate: unsafe fn(&Context<u8>, &ActivateCall),
    pub softmax: unsafe fn(&Context<u8>, &SoftmaxCall),
    pub interleave: unsafe fn(&Context<u8>, &InterleaveCall),
    pub read_floats: unsafe fn(&Context<u8>, &Entry, &[f32]),
    pub read_bytes: unsafe fn(&Context<u8>, &Entry, &[u8]),
    pub write: unsafe fn(&Context<u8>, &Exit, &mut [f32]),
    pub set: Set,
}

/// What the plan has to know of an instruction set; see [`Int8`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    pub lanes: usize,
    pub flip: u8,
    pub heights: [usize; 4],
    pub joint: usize,
    pub tall: usize,
    pub narrow: bool,
}

macro_rules! instance {
    ($module:ident, $set:ty $(, $features:literal)?) => {
        mod $module {
            use super::*;
            type S = $set;
            const FLIP: u8 = <S as Int8>::FLIP;

            pub(super) static KERNELS: Kernels = Kernels {
                gemm,
                depthwise,
                pool,
                global,
                map,
                float_dense,
                activate,
                softmax,
                interleave,
                read_floats,
                read_bytes,
                write,
                set: Set {
                    lanes: <S as Int8>::L,
                    flip: FLIP,
                    heights: <S as Int8>::MR,
                    joint: <S as Int8>::JOINT,
                    tall: <S as Int8>::TALL,
                    narrow: <S as Int8>::NARROW,
                },
            };

            static PANELS: Panels = [panel_1, panel_2, panel_3, panel_4];
            instance!(@panel $($features)?, panel_1 1);
            instance!(@panel $($features)?, panel_2 2);
            instance!(@panel $($features)?, panel_3 3);
            instance!(@panel $($features)?, panel_4 4);
            $(#[target_feature(enable = $features)])?
            unsafe fn gemm(cx: &Context<u8>, call: &GemmCall, w: &Dense) {
                // SAFETY: the caller keeps the contract of `Kernels`.
                unsafe { gemm::run::<S>(cx, call, w, &PANELS) }
            }

            unsafe fn depthwise(cx: &Context<u8>, call: &DepthwiseCall, d: &Depthwise) {
                // SAFETY: the caller keeps the contract of `Kernels`; where there
                // are no narrow tiles, the plan has refused such calls.
                unsafe {
                    match d.order {
                        Order::Square => square(cx, call, d),
                        Order::Stream => stream(cx, call, d),
                        Order::Narrow => narrow(cx, call, d),
                    }
                }
            }
            instance!(@ $($features)?,
                square(call: &DepthwiseCall, d: &Depthwise) depthwise::run::<S, true>);
            instance!(@ $($features)?,
                stream(call: &DepthwiseCall, d: &Depthwise) depthwise::run::<S, false>);
            instance!(@ $($features)?,
                narrow(call: &DepthwiseCall, d: &Depthwise) narrow::run::<S>);
            instance!(@ $($features)?, pool(call: &PoolCall) pool::run::<S>);
            instance!(@ $($features)?, global(call: &GlobalCall) pool::global::<S>);
            instance!(@ $($features)?, map(call: &MapCall) elementwise::map::<S>);
            instance!(@ $($features)?, float_dense(call: &DenseCall) floats::dense);
            instance!(@ $($features)?, activate(call: &ActivateCall) floats::map::<FLIP>);
            instance!(@ $($features)?, softmax(call: &SoftmaxCall) elementwise::softmax);
            instance!(@ $($features)?, interleave(call: &InterleaveCall) elementwise::interleave);
            instance!(@ $($features)?,
                read_floats(e: &Entry, from: &[f32]) port::read_floats::<FLIP>);
            instance!(@ $($features)?, read_bytes(e: &Entry, from: &[u8]) port::read_bytes::<FLIP>);
            instance!(@ $($features)?, write(e: &Exit, to: &mut [f32]) port::write::<FLIP>);
        }
    };
    (@panel $($features:literal)?, $name:ident $vectors:literal) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name(
            t: &Tiles<'_>,
            call: &GemmCall,
            first: usize,
            weights: *const u8,
            prefetch: *const u8,
        ) {
            // SAFETY: the caller keeps the contract of `Kernels`.
            unsafe { gemm::panel::<S, $vectors>(t, call, first, weights, prefetch) }
        }
    };
    (@ $($features:literal)?, $name:ident($($arg:ident: $ty:ty),*) $kernel:expr) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name(cx: &Context<u8>, $($arg: $ty),*) {
            // SAFETY: the caller keeps the contract of `Kernels`.
            unsafe { $kernel(cx, $($arg),*) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
instance!(avx512, simd::avx512::Vnni512, "avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma");
#[cfg(target_arch = "x86_64")]
instance!(avx2, simd::avx2::AvxVnni, "avxvnni,avx2,fma");
#[cfg(target_arch = "aarch64")]
instance!(neon, simd::neon::Dot, "neon,dotprod");
instance!(scalar, simd::scalar::Portable);

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
