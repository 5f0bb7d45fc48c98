//! The cascade's own work allocates nothing once it is warm.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;

use biglittle::cascade::{Cascade, Classifier, Level, Member};
use biglittle::decision::{Confidence, OutputSpec};
use biglittle::engine::SystemClock;
use biglittle::{AnswerStatus, Threshold};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Answers from a table, so that all work measured is the cascade's.
struct Table([f32; 1000]);

impl Classifier<usize> for Table {
    fn classify(&mut self, input: &usize, output: &mut Vec<f32>) -> biglittle::Result<()> {
        output.extend_from_slice(&self.0);
        output[*input % 1000] += 20.0 * (*input % 2) as f32;
        Ok(())
    }

    fn macs(&self) -> u64 {
        1
    }
}

fn level(committee: bool, confidence: Confidence, threshold: f32) -> Level<Table> {
    let classifier = Table(std::array::from_fn(|class| (class % 7) as f32 * 0.1));
    let member = Member { classifier, output: OutputSpec::logits() };
    let threshold = Threshold::new(threshold).unwrap();
    Level { members: vec![member], committee, confidence, threshold }
}

#[test]
fn no_allocation_per_frame() {
    let levels = vec![
        level(false, Confidence::Margin, 0.5),
        level(true, Confidence::NegativeEntropy, -1.0),
        level(false, Confidence::MaxLogitPNorm { p: 3.0 }, f32::NEG_INFINITY),
    ];
    let mut cascade = Cascade::new(levels, 1000).unwrap();
    let clock = SystemClock::new();
    let mut escalated = 0;
    for input in 0..10 {
        cascade.run(&input, &clock).unwrap();
    }
    let region = Region::new(ALLOCATOR);
    for input in 0..10_000 {
        let outcome = cascade.run(&input, &clock).unwrap();
        escalated += usize::from(outcome.levels.len() > 1);
        assert_ne!(outcome.status, AnswerStatus::Fallback);
    }
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
    assert!((1000..9000).contains(&escalated), "both ways were taken: {escalated}");
}
