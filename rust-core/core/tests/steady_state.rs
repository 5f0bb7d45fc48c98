//! What biglittle does for a frame beside its networks allocates nothing once it
//! is warm.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;

use biglittle::cascade::{Cascade, Classifier, Level, Member};
use biglittle::decision::ScoreHistogram;
use biglittle::decision::{Confidence, OutputSpec};
use biglittle::device::{DeviceReading, ThermalLevel};
use biglittle::engine::{
    AlarmOptions, DriftReference, Frame, Runtime, RuntimeOptions, SystemClock,
};
use biglittle::gate::{GateOptions, Signature, TemporalGate};
use biglittle::monitor::{Answered, AuditOptions, DriftOptions};
use biglittle::policy::{Budget, BudgetKind};
use biglittle::storm::{StormGuard, StormOptions, StormPriority};
use biglittle::{AnswerStatus, FrameView, PixelFormat, Threshold};
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

/// One test, so that nothing else allocates meanwhile.
#[test]
fn no_allocation_per_frame() {
    the_cascade();
    the_runtime_parts();
}

fn the_runtime_parts() {
    let mut calibration = ScoreHistogram::empty((0.0, 1.0));
    (0..1000u16).for_each(|n| calibration.add(f32::from(n) / 1000.0));
    let budget = Budget { kind: BudgetKind::BigShare(0.2), costs: None };
    let options = RuntimeOptions {
        budget: Some(budget),
        audit: Some(AuditOptions {
            probability: 0.1,
            raised_probability: 0.1,
            ..Default::default()
        }),
        accuracy_alarm: Some(AlarmOptions { expected: 0.01, alarming: 0.03 }),
        drift: Some(DriftReference { options: DriftOptions::default(), calibration }),
        ..RuntimeOptions::uncertified(Threshold::new(0.1).unwrap()).unwrap()
    };
    let mut runtime = Runtime::new(&options, "test", (0.0, 1.0)).unwrap();
    let mut gate = TemporalGate::new(GateOptions::default()).unwrap();
    let storm = StormOptions {
        runs_per_second: 5.0,
        burst: 2.0,
        deadline_ms: 50.0,
        priority: StormPriority::LatencyFirst,
    };
    let mut storm = StormGuard::new(storm).unwrap();
    let pixels = [90u8; 64 * 64];
    let frame = FrameView::packed(PixelFormat::Gray8, 64, 64, &pixels, 64).unwrap();
    let mut audits = 0;
    let region = Region::new(ALLOCATOR);
    for at_ms in (0..1_000_000).step_by(100) {
        if at_ms % 1000 == 0 {
            runtime.push_reading(&DeviceReading {
                at_ms,
                battery_percent: Some(60.0),
                thermal_level: Some(ThermalLevel::None),
                thermal_headroom: Some(0.7),
                ..DeviceReading::default()
            });
        }
        let plan = runtime.begin(at_ms);
        let signature = Signature::of(&frame);
        let reused = gate.answer(&signature, at_ms).is_some();
        gate.remember(signature, at_ms, ());
        let score = (at_ms % 997) as f32 / 997.0;
        let accepted = plan.effective.threshold.accepts(score);
        let answered = match () {
            () if accepted && reused => Answered::Reused,
            () if accepted => Answered::Little,
            () if storm.may_run(at_ms * 1_000_000, 1_000_000) => Answered::Big,
            () => Answered::Degraded,
        };
        audits += usize::from(plan.audit.is_some());
        let differs = plan.audit.map(|_| false);
        runtime.finish(&plan, &Frame { score, accepted, answered, differs, ..Frame::default() });
        assert!(runtime.status().demand.level <= 1);
    }
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
    assert!(audits > 500, "{audits}");
}

fn the_cascade() {
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
