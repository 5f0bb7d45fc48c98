//! What runs a network, in words for the one who chose it.

use std::fmt;

use biglittle_kernels::Isa;
use serde::Serialize;

use super::lower::Refusal;

/// What runs a network.
///
/// Its text is one line: `kernels (AVX-512)`, or `tract, because node "n1"
/// (Gather) ...`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Runtime {
    /// The kernels of biglittle run all of it.
    #[non_exhaustive]
    Kernels {
        /// The instruction set: `AVX-512`, `AVX2`, `NEON` or `portable`.
        instruction_set: &'static str,
    },
    /// tract runs all of it, a few times slower, because of one node.
    #[non_exhaustive]
    Tract {
        /// The node's name.
        node: String,
        /// Its operator, as tract calls it.
        operator: String,
        /// What of it is not supported; continues a sentence about the node.
        reason: String,
    },
}

impl Runtime {
    pub(super) fn kernels(isa: Isa) -> Runtime {
        let instruction_set = match isa {
            Isa::Avx512 => "AVX-512",
            Isa::Avx2 => "AVX2",
            Isa::Neon => "NEON",
            Isa::Scalar => "portable",
            other => other.name(),
        };
        Runtime::Kernels { instruction_set }
    }

    pub(super) fn tract(refusal: Refusal) -> Runtime {
        let Refusal { node, operator, reason } = refusal;
        Runtime::Tract { node, operator, reason }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Runtime::Kernels { instruction_set } => write!(f, "kernels ({instruction_set})"),
            Runtime::Tract { node, operator, reason } => {
                write!(f, "tract, because node {node:?} ({operator}) {reason}")
            }
        }
    }
}
