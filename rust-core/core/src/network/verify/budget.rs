//! The memory and work of a checked graph.
//!
//! Decides whether opening and running the network stays under the memory
//! limit, from the sizes of its constants and the lives of its activations. An
//! estimate, made from above. Called by `graph` at the end.

use super::graph::{Graph, ValueId};
use super::refuse::invalid;
use crate::Result;

/// Sums over the graph that tract gets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Multiply-accumulates of one run.
    pub(crate) macs: u64,
    /// Elements of all constants.
    pub(crate) parameters: u64,
    /// Estimated peak of memory in bytes while opening or running.
    pub(crate) memory_bytes: usize,
}

/// Sums up the kept steps of `graph` and refuses them over the memory limit.
pub(super) fn check(
    graph: &Graph<'_>,
    file_bytes: usize,
    needed: &[bool],
    output: ValueId,
) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut constants = 0usize;
    let mut folded = 0usize;
    for (value, _) in graph.values.iter().zip(needed).filter(|(_, needed)| **needed) {
        if value.constant && value.is_of_file() {
            constants = constants.saturating_add(value.fact.bytes());
            totals.parameters += value.fact.elements() as u64;
        } else if value.constant {
            folded = folded.saturating_add(value.fact.bytes());
        }
    }
    totals.macs = graph.steps.iter().fold(0, |sum, step| sum.saturating_add(step.macs));

    let mut last_use = vec![0; graph.values.len()];
    for (at, step) in graph.steps.iter().enumerate() {
        step.inputs.iter().flatten().for_each(|&id| last_use[id] = at);
    }
    last_use[output] = graph.steps.len();
    let size = |id: ValueId| {
        let value = &graph.values[id];
        if value.constant { 0 } else { value.fact.bytes() }
    };
    let mut live: usize = 0;
    let mut peak = 0;
    for (at, step) in graph.steps.iter().enumerate() {
        live = step.outputs.iter().fold(live, |sum, &id| sum.saturating_add(size(id)));
        peak = peak.max(live.saturating_add(step.workspace));
        let mut ended: Vec<ValueId> = step.inputs.iter().flatten().copied().collect();
        ended.extend(&step.outputs);
        ended.sort_unstable();
        ended.dedup();
        for id in ended.into_iter().filter(|&id| last_use[id] <= at) {
            live = live.saturating_sub(size(id));
        }
    }

    // While it is opened: the file, its decoded copy, tract's tensors, then
    // what is folded and packed for the kernels. While it runs: the tensors,
    // the packed copies and the activations.
    // Both keep the tables of the convolutions' and pools' borders.
    let tables = graph.steps.iter().fold(0usize, |sum, step| sum.saturating_add(step.tables));
    let kept = constants.saturating_add(folded).saturating_mul(2).saturating_add(tables);
    let opening = kept.saturating_add(file_bytes);
    let running = kept.saturating_add(peak);
    totals.memory_bytes = opening.max(running);
    if totals.memory_bytes > graph.limits.max_memory_bytes {
        return Err(invalid(format!(
            "the network takes about {} bytes of memory ({constants} of weights, {folded} computed \
             from weights, {tables} of tables, {peak} of activations), more than {}; use a smaller network or raise \
             ModelLimits::max_memory_bytes",
            totals.memory_bytes, graph.limits.max_memory_bytes
        )));
    }
    Ok(totals)
}
