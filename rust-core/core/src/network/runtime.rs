//! What runs a network, in words for the one who chose it.

use std::fmt;

use biglittle_kernels::Isa;
use serde::Serialize;

use super::lower::regions::culprit;

/// What runs a network.
///
/// Its text is one line: `kernels (AVX-512)`, `kernels (NEON, int8)`, `kernels (AVX-512) for 97.0 % of
/// the MACs, tract for 2 of 34 layers`, or `tract, because layer "n1" (Lrn) is
/// not among ...`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Runtime {
    /// The kernels of biglittle run all of it.
    #[non_exhaustive]
    Kernels {
        /// The instruction set: `AVX-512`, `AVX2`, `NEON` or `portable`.
        instruction_set: &'static str,
        /// The numbers that it computes with.
        precision: Precision,
    },
    /// The kernels run parts of it and tract, a few times slower, the others.
    #[non_exhaustive]
    Mixed {
        /// The instruction set of the kernels.
        instruction_set: &'static str,
        /// The parts in about the order in which they are run, of either kind
        /// one at least.
        parts: Vec<Part>,
    },
    /// tract runs all of it.
    #[non_exhaustive]
    Tract {
        /// Why; continues a sentence after `because`.
        reason: String,
        /// Its layers; empty where no layer is the reason.
        layers: Vec<TractLayer>,
    },
}

/// The numbers that the kernels compute with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Precision {
    /// 32-bit floating point.
    Float32,
    /// 8-bit integers, by a calibration table.
    Int8,
    /// 32-bit floating point in spite of a calibration table: the processor has
    /// no dot product of bytes, without which int8 is no faster.
    Float32ForInt8,
}

/// Layers of a network that one runtime runs. Their names are those of the
/// file's nodes, with a suffix where one node has become several layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "runtime", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Run by the kernels, in one call.
    #[non_exhaustive]
    Kernels {
        /// Their names.
        layers: Vec<String>,
        /// Multiply-accumulates of the part.
        macs: u64,
    },
    /// Run by tract.
    #[non_exhaustive]
    Tract {
        /// The layers, each with the reason.
        layers: Vec<TractLayer>,
        /// Multiply-accumulates of the part.
        macs: u64,
    },
}

/// A layer that tract runs, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TractLayer {
    /// Its name.
    pub name: String,
    /// Its operator, as tract calls it.
    pub operator: String,
    /// Why the kernels do not run it; continues a sentence about the layer.
    pub reason: String,
}

impl Runtime {
    pub(super) fn kernels(isa: Isa, precision: Precision) -> Runtime {
        Runtime::Kernels { instruction_set: instruction_set(isa), precision }
    }

    pub(super) fn mixed(isa: Isa, parts: Vec<Part>) -> Runtime {
        Runtime::Mixed { instruction_set: instruction_set(isa), parts }
    }

    /// All by tract, because of a layer of `parts`.
    pub(super) fn tract(parts: Vec<Part>) -> Runtime {
        let layers: Vec<TractLayer> = parts
            .into_iter()
            .flat_map(|part| match part {
                Part::Tract { layers, .. } => layers,
                Part::Kernels { .. } => vec![],
            })
            .collect();
        let reason = culprit(&layers).map_or_else(String::new, ToString::to_string);
        Runtime::Tract { reason, layers }
    }

    /// All by tract, whatever its layers are.
    pub(super) fn tract_because(reason: String) -> Runtime {
        Runtime::Tract { reason, layers: vec![] }
    }
}

fn instruction_set(isa: Isa) -> &'static str {
    match isa {
        Isa::Avx512 => "AVX-512",
        Isa::Avx2 => "AVX2",
        Isa::Neon => "NEON",
        Isa::Scalar => "portable",
        other => other.name(),
    }
}

impl fmt::Display for TractLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer {:?} ({}) {}", self.name, self.operator, self.reason)
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Runtime::Kernels { instruction_set, precision } => match precision {
                Precision::Float32 => write!(f, "kernels ({instruction_set})"),
                Precision::Int8 => write!(f, "kernels ({instruction_set}, int8)"),
                Precision::Float32ForInt8 => write!(
                    f,
                    "kernels ({instruction_set}), in float32 because the processor has no dot \
                     product of bytes"
                ),
            },
            Runtime::Mixed { instruction_set, parts } => {
                let (mut macs, mut layers) = ([0; 2], [0; 2]);
                for part in parts {
                    let (of, count, work) = match part {
                        Part::Kernels { layers, macs } => (0, layers.len(), macs),
                        Part::Tract { layers, macs } => (1, layers.len(), macs),
                    };
                    layers[of] += count;
                    macs[of] += work;
                }
                write!(
                    f,
                    "kernels ({instruction_set}) for {:.1} % of the MACs, tract for {} of {} layers",
                    100.0 * macs[0] as f64 / (macs[0] + macs[1]).max(1) as f64,
                    layers[1],
                    layers[0] + layers[1]
                )
            }
            Runtime::Tract { reason, .. } => write!(f, "tract, because {reason}"),
        }
    }
}
