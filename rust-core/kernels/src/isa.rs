//! Instruction sets: which there are, which this machine has, which to use.
//!
//! Decides by asking the CPU, once, when a model is compiled. The vector code
//! itself is in [`simd`](crate::simd); the plan asks here for vector length
//! and register tiles.

use crate::error::{Error, ErrorKind};
use std::fmt;

/// An instruction set that a model can be compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// x86-64 with AVX-512 F, VL and DQ: 16 floats a vector.
    Avx512,
    /// x86-64 with AVX2 and FMA: 8 floats a vector.
    Avx2,
    /// arm64 with NEON: 4 floats a vector.
    Neon,
    /// Portable code without intrinsics, 4 floats a vector: the fallback, and
    /// the reference that the others are tested against.
    Scalar,
}

impl Isa {
    /// The fastest instruction set of this machine.
    #[must_use]
    pub fn detect() -> Self {
        Self::available()[0]
    }

    /// All instruction sets of this machine, fastest first; the last is always
    /// [`Isa::Scalar`].
    #[must_use]
    pub fn available() -> Vec<Self> {
        [Self::Avx512, Self::Avx2, Self::Neon, Self::Scalar]
            .into_iter()
            .filter(|isa| isa.is_available())
            .collect()
    }

    /// Whether this machine has the instruction set.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            Self::Scalar => true,
            #[allow(unreachable_patterns, reason = "the sets of other architectures")]
            _ => false,
        }
    }

    /// The fastest set of this machine on which int8 pays; `None` where there is
    /// no dot product of bytes. Never [`Isa::Scalar`].
    #[must_use]
    pub fn detect_int8() -> Option<Self> {
        Self::available().into_iter().find(|&isa| isa != Self::Scalar && isa.has_int8())
    }

    /// Whether this machine can run [int8 models](crate::Model::compile_int8)
    /// on this set: AVX-512 with BW and VNNI, AVX2 with AVX-VNNI, NEON with the
    /// dot product, or the portable reference, which is slow.
    #[must_use]
    pub fn has_int8(self) -> bool {
        self.is_available()
            && match self {
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => {
                    is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vnni")
                }
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => is_x86_feature_detected!("avxvnni"),
                #[cfg(target_arch = "aarch64")]
                Self::Neon => std::arch::is_aarch64_feature_detected!("dotprod"),
                Self::Scalar => true,
                #[allow(unreachable_patterns, reason = "the sets of other architectures")]
                _ => false,
            }
    }

    /// The name as it appears in profiles: `avx512`, `avx2`, `neon`, `scalar`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Scalar => "scalar",
        }
    }

    /// Floats in a vector.
    pub(crate) fn lanes(self) -> usize {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 8,
            Self::Neon | Self::Scalar => 4,
        }
    }

    /// The set forced by the caller if this machine has it, else the fastest.
    pub(crate) fn choose(forced: Option<Self>) -> Result<Self, Error> {
        match forced {
            None => Ok(Self::detect()),
            Some(isa) if isa.is_available() => Ok(isa),
            Some(isa) => Err(Error::new(
                ErrorKind::IsaUnavailable,
                format!(
                    "instruction set {isa} is not on this machine, which has {}",
                    Self::available().iter().map(|i| i.name()).collect::<Vec<_>>().join(", ")
                ),
            )),
        }
    }
}

impl Isa {
    /// As [`choose`](Self::choose), for int8 models.
    pub(crate) fn choose_int8(forced: Option<Self>) -> Result<Self, Error> {
        let unavailable = |what: String| {
            let message =
                format!("{what} has no dot product of bytes here: keep the network in f32");
            Err(Error::new(ErrorKind::IsaUnavailable, message))
        };
        match forced {
            Some(isa) if isa.has_int8() => Ok(isa),
            Some(isa) => Self::choose(Some(isa))
                .and_then(|isa| unavailable(format!("instruction set {isa}"))),
            None => Self::detect_int8().map_or_else(|| unavailable("this machine".into()), Ok),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalar_is_always_there_and_last() {
        assert_eq!(Isa::available().last(), Some(&Isa::Scalar));
        assert!(Isa::detect().is_available());
    }

    #[test]
    fn a_set_of_another_machine_is_refused_by_name() {
        let foreign = if cfg!(target_arch = "aarch64") { Isa::Avx2 } else { Isa::Neon };
        let error = Isa::choose(Some(foreign)).expect_err("not on this machine");
        assert_eq!(error.kind(), ErrorKind::IsaUnavailable);
        assert!(error.to_string().contains(foreign.name()), "{error}");
        assert!(error.to_string().contains("scalar"), "{error}");
    }
}
