//! Fast loops over pixels: what turns a camera frame into a network's input.
//!
//! Decides how weighted sums along rows and columns, colour conversion and
//! normalisation are computed, in integers and the same on every instruction
//! set. Knows nothing of frames, filters or geometry: those are the caller's.
//!
//! The loops are portable code that the compiler turns into vectors, built once
//! for each instruction set; only sums along a row, which cannot be had that way,
//! have intrinsics on x86.

#[cfg(target_arch = "x86_64")]
mod along;
mod portable;
mod taps;

pub use portable::YuvWeights;
pub use taps::{Taps, Window};

use crate::error::Error;
use crate::isa::Isa;

/// The loops, for one instruction set.
#[derive(Clone, Copy, Debug)]
pub struct PixelKernels {
    set: Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the target always has: NEON on arm64.
    Portable,
}

/// Calls one function of [`portable`] in the instance of a set.
macro_rules! dispatch {
    ($set:expr, $name:ident($($arg:expr),*)) => {
        match $set {
            // SAFETY: `with_isa` made the set, and only where the CPU has it.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { avx512::$name($($arg),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { avx2::$name($($arg),*) },
            Set::Portable => portable::$name($($arg),*),
        }
    };
}

/// The portable loops, compiled for a set.
#[cfg(target_arch = "x86_64")]
macro_rules! instances {
    ($module:ident, $features:literal) => {
        mod $module {
            use super::{YuvWeights, portable};

            #[target_feature(enable = $features)]
            pub(super) fn down_u8(
                data: &[u8],
                stride: usize,
                weights: &[i16],
                shift: u32,
                out: &mut [u8],
            ) {
                portable::down_u8(data, stride, weights, shift, out);
            }
            #[target_feature(enable = $features)]
            pub(super) fn down_i16(
                data: &[u8],
                stride: usize,
                weights: &[i16],
                shift: u32,
                out: &mut [i16],
            ) {
                portable::down_i16(data, stride, weights, shift, out);
            }
            #[target_feature(enable = $features)]
            pub(super) fn pick_u8(row: &[u8], step: usize, out: &mut [i16]) {
                portable::pick(row, step, out);
            }
            #[target_feature(enable = $features)]
            pub(super) fn pick_i16(row: &[i16], step: usize, out: &mut [i16]) {
                portable::pick(row, step, out);
            }
            #[target_feature(enable = $features)]
            pub(super) fn yuv_to_rgb(planes: [&mut [u8]; 3], weights: &YuvWeights) {
                portable::yuv_to_rgb(planes, weights);
            }
            #[target_feature(enable = $features)]
            pub(super) fn normalize(pixels: &[u8], mean: f32, std: f32, out: &mut [f32]) {
                portable::normalize(pixels, mean, std, out);
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
instances!(avx512, "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma");
#[cfg(target_arch = "x86_64")]
instances!(avx2, "avx2,fma");

impl PixelKernels {
    /// The loops for the fastest instruction set of this machine.
    #[must_use]
    pub fn detect() -> Self {
        Self::of(Isa::detect())
    }

    /// The loops for `isa`, to compare sets.
    ///
    /// # Errors
    /// [`ErrorKind::IsaUnavailable`](crate::ErrorKind::IsaUnavailable) when this
    /// machine does not have it.
    pub fn with_isa(isa: Isa) -> Result<Self, Error> {
        Isa::choose(Some(isa)).map(Self::of)
    }

    fn of(isa: Isa) -> Self {
        let set = match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 if is_x86_feature_detected!("avx512bw") => Set::Avx512,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 | Isa::Avx2 => Set::Avx2,
            _ => Set::Portable,
        };
        PixelKernels { set }
    }

    /// Weighted sums along a row: `out[x]` is the sum of output `x` of `taps`,
    /// rounded and cut off at 0 and 255. `row` has [`Taps::SLACK`] values after its
    /// last, whatever they are.
    ///
    /// # Panics
    /// If `row` is shorter than [`Taps::input`] plus [`Taps::SLACK`] or `out` is not
    /// [`Taps::output`] long.
    pub fn along(&self, row: &[i16], taps: &Taps, out: &mut [u8]) {
        assert!(row.len() >= taps.input() + Taps::SLACK, "a row has its slack");
        assert_eq!(out.len(), taps.output(), "one byte an output");
        match self.set {
            // SAFETY: the CPU has the sets, see `of`; lengths were checked above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { along::avx512(row, taps, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { along::avx2(row, taps, out) },
            Set::Portable => portable::along(row, taps, out),
        }
    }

    /// Weighted sums down the columns: the bytes at `x`, `x + stride`,
    /// `x + 2 stride`, ... of `data` times `weights`, shifted right by `shift`,
    /// rounded and cut off at 0 and 255.
    ///
    /// # Panics
    /// If `data` ends before the last byte that this takes.
    pub fn down_u8(&self, data: &[u8], stride: usize, weights: &[i16], shift: u32, out: &mut [u8]) {
        dispatch!(self.set, down_u8(data, stride, weights, shift, out));
    }

    /// [`PixelKernels::down_u8`] that keeps what lies beyond 0 and 255, for
    /// shifts that leave fractional bits.
    ///
    /// # Panics
    /// If `data` ends before the last byte that this takes.
    pub fn down_i16(
        &self,
        data: &[u8],
        stride: usize,
        weights: &[i16],
        shift: u32,
        out: &mut [i16],
    ) {
        dispatch!(self.set, down_i16(data, stride, weights, shift, out));
    }

    /// Every `step`th byte of `row`, from the first on.
    ///
    /// # Panics
    /// If `row` ends before the last byte that this takes, or `step` is 0.
    pub fn pick_u8(&self, row: &[u8], step: usize, out: &mut [i16]) {
        dispatch!(self.set, pick_u8(row, step, out));
    }

    /// Every `step`th value of `row`, from the first on.
    ///
    /// # Panics
    /// If `row` ends before the last value that this takes, or `step` is 0.
    pub fn pick_i16(&self, row: &[i16], step: usize, out: &mut [i16]) {
        dispatch!(self.set, pick_i16(row, step, out));
    }

    /// Replaces luma, Cb and Cr by red, green and blue.
    ///
    /// # Panics
    /// If the planes differ in length.
    pub fn yuv_to_rgb(&self, planes: [&mut [u8]; 3], weights: &YuvWeights) {
        dispatch!(self.set, yuv_to_rgb(planes, weights));
    }

    /// `(pixel - mean) / std`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn normalize(&self, pixels: &[u8], mean: f32, std: f32, out: &mut [f32]) {
        dispatch!(self.set, normalize(pixels, mean, std, out));
    }
}
