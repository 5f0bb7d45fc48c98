//! Times per layer, for those who ask for them.
//!
//! Decides what is counted; only
//! [`Session::run_profiled`](crate::Session::run_profiled) reads the clock.

use crate::isa::Isa;
use crate::plan::Model;

/// Time spent in one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerProfile {
    /// The node's name; for merged nodes the convolution's.
    pub name: String,
    /// What computes it: `pointwise`, `conv`, `depthwise`, `winograd`, `pool`
    /// and so on.
    pub kind: &'static str,
    /// Multiply-accumulates a run.
    pub macs: u64,
    /// Nanoseconds over all runs.
    pub total_ns: u64,
}

/// Sums over profiled runs of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The instruction set.
    pub isa: Isa,
    /// Runs so far.
    pub runs: u64,
    /// Nanoseconds spent copying input and output.
    pub transfer_ns: u64,
    /// One entry per layer, in order of execution.
    pub layers: Vec<LayerProfile>,
}

impl Profile {
    /// An empty profile for sessions of `model`.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let layers = model
            .layers
            .iter()
            .map(|l| LayerProfile { name: l.name.clone(), kind: l.kind, macs: l.macs, total_ns: 0 })
            .collect();
        Self { isa: model.isa, runs: 0, transfer_ns: 0, layers }
    }
}
