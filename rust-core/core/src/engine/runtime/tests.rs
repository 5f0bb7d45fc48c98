use fastrand::Rng;

use super::*;
use crate::decision::ScoreHistogram;
use crate::error::ErrorKind;
use crate::monitor::{AuditOptions, DriftOptions, FleetSummary};
use crate::policy::{BudgetKind, CertifiedThreshold, PolicyOptions, ThresholdReason};

fn options() -> RuntimeOptions {
    let certificates =
        [(0.001, 0.95f32), (0.005, 0.8), (0.01, 0.6), (0.05, 0.2)].map(|(eps, threshold)| {
            CertifiedThreshold { eps, threshold: Threshold::new(threshold).unwrap() }
        });
    RuntimeOptions::new(PolicyOptions::new(certificates.to_vec(), 0.01).unwrap())
}

fn runtime(options: &RuntimeOptions) -> Runtime {
    Runtime::new(options, "test 1", (0.0, 1.0)).unwrap()
}

/// A cool, full phone.
fn all_well(at_ms: u64) -> DeviceReading {
    DeviceReading {
        at_ms,
        battery_percent: Some(100.0),
        charging: Some(false),
        low_power_mode: Some(false),
        thermal_level: Some(crate::device::ThermalLevel::None),
        thermal_headroom: None,
    }
}

/// What came of frames of a simulated session.
#[derive(Debug, Default)]
struct Sums {
    escalated: u32,
    bad: u32,
    below: u32,
}

/// Runs frames at 10 a second; `world` draws a score and whether the little
/// network's answer differs from the big one's.
fn simulate(
    runtime: &mut Runtime,
    start_ms: u64,
    frames: u32,
    mut world: impl FnMut() -> (f32, bool),
) -> Sums {
    let mut sums = Sums::default();
    for frame in 0..frames {
        let at_ms = start_ms + u64::from(frame) * 100;
        if frame % 100 == 0 {
            runtime.push_reading(&all_well(at_ms));
        }
        let plan = runtime.begin(at_ms);
        let (score, differs) = world();
        let accepted = plan.effective.threshold.accepts(score);
        sums.escalated += u32::from(!accepted);
        sums.bad += u32::from(accepted && differs);
        let below = accepted && Runtime::is_below_certificate(&plan, score);
        sums.below += u32::from(below);
        assert_eq!(below, accepted && score <= plan.effective.floor.value());
        let known = !accepted || plan.audit.is_some();
        let answered = if accepted { Answered::Little } else { Answered::Big };
        let differs = known.then_some(differs);
        runtime.finish(&plan, &Frame { score, accepted, answered, differs, ..Frame::default() });
    }
    sums
}

#[test]
fn a_feasible_budget_is_met_within_the_bound() {
    let share = Budget { kind: BudgetKind::BigShare(0.3), costs: None };
    let mut runtime = runtime(&RuntimeOptions { budget: Some(share), ..options() });
    let mut random = Rng::with_seed(1);
    // The safe mode of the start, where less is allowed.
    simulate(&mut runtime, 0, 1_300, || (0.5 + 0.5 * random.f32(), false));
    let frames = 5_000;
    let sums = simulate(&mut runtime, 130_000, frames, || (0.5 + 0.5 * random.f32(), false));
    let rate = f64::from(sums.escalated) / f64::from(frames);
    let bound = 1.02 / (0.02 * f64::from(frames));
    assert!((rate - 0.3).abs() <= bound, "{rate}");
    let status = runtime.status();
    assert_eq!(status.budget_infeasible, None);
    assert_eq!(status.effective.reason, ThresholdReason::BudgetRate);
    assert!((9.9..10.1).contains(&status.frames_per_second));
    assert_eq!(sums.below, 0);
}

#[test]
fn an_infeasible_budget_says_what_is_possible() {
    let share = Budget { kind: BudgetKind::BigShare(0.1), costs: None };
    let mut runtime = runtime(&RuntimeOptions { budget: Some(share), ..options() });
    let mut random = Rng::with_seed(2);
    simulate(&mut runtime, 0, 5_000, || (random.f32(), false));
    let found = runtime.status().budget_infeasible.unwrap();
    // The floor lies at 0.6.
    assert!((found.nearest_rate - 0.6).abs() < 0.06, "{found:?}");
    let expected = 10.0 * 0.1 / found.nearest_rate;
    assert!((found.suggested_frames_per_second - expected).abs() < 0.01, "{found:?}");
    assert_eq!(runtime.status().effective.threshold.value(), 0.6);
    assert_eq!(runtime.status().effective.reason, ThresholdReason::CertifiedFloor);
}

#[test]
fn below_the_floor_only_by_leave_and_marked() {
    let share = Budget { kind: BudgetKind::BigShare(0.1), costs: None };
    let mut options = RuntimeOptions { budget: Some(share), ..options() };
    options.policy.accuracy_may_drop = true;
    let mut runtime = runtime(&options);
    let mut random = Rng::with_seed(3);
    simulate(&mut runtime, 0, 2_000, || (random.f32(), false));
    let sums = simulate(&mut runtime, 200_000, 5_000, || (random.f32(), false));
    assert!((450..600).contains(&sums.escalated), "{sums:?}");
    assert!(sums.below > 2_000, "{sums:?}");
    let marked = runtime.summary().accounting.frames.below_certificate;
    assert!(marked >= u64::from(sums.below), "{marked}");
    runtime.set_mode(UserMode::Precise);
    let sums = simulate(&mut runtime, 700_000, 1_000, || (random.f32(), false));
    assert_eq!(sums.below, 0, "who asks for precision gets it");
}

#[test]
fn audits_are_charged_to_the_budget() {
    let share = Budget { kind: BudgetKind::BigShare(0.5), costs: None };
    let (probability, raised_probability) = (0.2, 0.2);
    let audit =
        AuditOptions { probability, raised_probability, seed: Some(1), ..Default::default() };
    let mut options = RuntimeOptions { budget: Some(share), audit: Some(audit), ..options() };
    options.policy.accuracy_may_drop = true;
    let mut runtime = runtime(&options);
    let mut random = Rng::with_seed(9);
    simulate(&mut runtime, 0, 2_000, || (random.f32(), false));
    let drawn = runtime.summary().audit.drawn;
    let sums = simulate(&mut runtime, 200_000, 20_000, || (random.f32(), false));
    // Of the drawn frames those that escalate cost nothing more.
    let drawn = (runtime.summary().audit.drawn - drawn) as f64;
    let escalated = f64::from(sums.escalated);
    let big = escalated + drawn * (1.0 - escalated / 20_000.0);
    assert!((big / 20_000.0 - 0.5).abs() < 0.02, "{big} of 20,000 frames: {sums:?}");
}

#[test]
fn worse_answers_raise_the_floor_until_audits_certify_less() {
    let options = RuntimeOptions {
        audit: Some(AuditOptions {
            probability: 0.2,
            raised_probability: 0.5,
            seed: Some(0),
            ..Default::default()
        }),
        accuracy_alarm: Some(AlarmOptions { expected: 0.01, alarming: 0.03 }),
        recalibration: Some(RecalibrationOptions { rows: 1_000, delta: 0.05 }),
        ..options()
    };
    let mut runtime = runtime(&options);
    let mut random = Rng::with_seed(4);
    // Answers differ with probability 1 - score, in a tenth of the frames.
    let mut good = || {
        let score = random.f32();
        (score, random.f32() < 0.1 * (1.0 - score))
    };
    simulate(&mut runtime, 0, 30_000, &mut good);
    assert_eq!(runtime.status().floor_raised_by, 0);
    let share = runtime.summary().audit.disagreement().unwrap();
    assert!(share.share < 0.01 && share.ci95[1] > 0.0, "{share:?}");
    // Now they differ in half of all frames, whatever the score.
    let mut random = Rng::with_seed(5);
    let mut broken = || (random.f32(), random.bool());
    simulate(&mut runtime, 3_000_000, 20_000, &mut broken);
    let floor = runtime.status().effective.floor.value();
    assert!(floor > 0.97, "next to nothing may be accepted: {floor}");
    assert!(runtime.summary().accuracy_alarms >= 1);
    // And then only the least sure ones: audits of all frames show it.
    let mut random = Rng::with_seed(6);
    let mut mended = || {
        let score = random.f32();
        (score, score < 0.7)
    };
    simulate(&mut runtime, 5_000_000, 20_000, &mut mended);
    let floor = runtime.status().effective.floor.value();
    assert!((0.68..0.72).contains(&floor), "{floor}");
}

#[test]
fn drifting_scores_raise_the_audits() {
    let mut calibration = ScoreHistogram::empty((0.0, 1.0));
    let mut random = Rng::with_seed(7);
    (0..10_000).for_each(|_| calibration.add(random.f32()));
    let options = RuntimeOptions {
        audit: Some(AuditOptions { seed: Some(0), ..Default::default() }),
        drift: Some(DriftReference {
            options: DriftOptions { every: 1, ..DriftOptions::default() },
            calibration,
        }),
        ..options()
    };
    let mut runtime = runtime(&options);
    simulate(&mut runtime, 0, 20_000, || (random.f32(), false));
    let (quiet, audits) = (runtime.summary().drift_alarms, runtime.summary().audit.drawn);
    assert_eq!(quiet, 0);
    assert!((150..250).contains(&audits), "{audits}");
    simulate(&mut runtime, 2_000_000, 20_000, || (0.7 * random.f32(), false));
    let more = runtime.summary().audit.drawn - audits;
    assert!(runtime.summary().drift_alarms > 0 && (850..1150).contains(&more), "{more}");
}

#[test]
fn a_saved_session_goes_on_and_a_damaged_one_changes_nothing() {
    let options = RuntimeOptions {
        audit: Some(AuditOptions { seed: Some(0), ..Default::default() }),
        accuracy_alarm: Some(AlarmOptions { expected: 0.01, alarming: 0.03 }),
        ..options()
    };
    let mut first = runtime(&options);
    let mut random = Rng::with_seed(8);
    simulate(&mut first, 0, 2_000, || (random.f32(), random.f32() < 0.02));
    let text = first.save();
    let mut second = runtime(&options);
    second.restore(&text).unwrap();
    let expected = FleetSummary { sessions: 2, ..first.summary().clone() };
    assert_eq!((second.summary(), first.summary().sessions), (&expected, 1));
    // The random numbers go on, on a clock that began anew.
    let draws = |runtime: &mut Runtime, start_ms: u64| -> Vec<_> {
        (0..2_000u64).map(|frame| runtime.begin(start_ms + frame * 100).audit).collect()
    };
    let expected = draws(&mut first, 200_000);
    assert!(expected.iter().flatten().count() > 5);
    assert_eq!(draws(&mut second, 0), expected);

    let before = second.save();
    let cut = &text[..text.len() / 2];
    let other = Runtime::new(&options, "test 2", (0.0, 1.0)).unwrap().save();
    let flipped = text.replacen("\"drawn\":", "\"drawn\":1", 1);
    let json = text.lines().next().unwrap();
    // These have the right sum.
    let swindled = state::seal(&json.replace("\"seen\":2000", "\"seen\":2001"));
    let later = state::seal(&json.replace("{\"format_version\":1", "{\"format_version\":2"));
    let empty = state::seal("[]");
    for (damaged, part) in [
        (cut, "is damaged"),
        ("", "is damaged"),
        (json, "is damaged"),
        (&flipped, "is damaged"),
        (&empty, "cannot be read"),
        (&other, "of the bundle \"test 2\""),
        (&swindled, "do not add up"),
        (&later, "format_version 2"),
    ] {
        assert_ne!(damaged, text);
        let error = second.restore(damaged).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(second.save(), before);
    }
}

#[test]
fn a_bad_option_is_named() {
    let audit = AuditOptions { probability: 2.0, ..AuditOptions::default() };
    let watched = || RuntimeOptions {
        audit: Some(AuditOptions::default()),
        accuracy_alarm: Some(AlarmOptions { expected: 0.01, alarming: 0.03 }),
        ..options()
    };
    let recalibrating = |rows, delta| RuntimeOptions {
        recalibration: Some(RecalibrationOptions { rows, delta }),
        ..watched()
    };
    for (options, field) in [
        (RuntimeOptions { rate_step: 0.0, ..options() }, "rate_step is 0"),
        (RuntimeOptions { audit: Some(audit), ..options() }, "audit.probability is 2"),
        (
            RuntimeOptions {
                accuracy_alarm: Some(AlarmOptions { expected: 0.1, alarming: 0.1 }),
                ..watched()
            },
            "accuracy_alarm: the rates to tell apart are 0.1 and 0.1",
        ),
        (RuntimeOptions { audit: None, ..watched() }, "accuracy_alarm is set without audit"),
        (
            RuntimeOptions { accuracy_alarm: None, ..recalibrating(1_000, 0.05) },
            "recalibration is set without accuracy_alarm",
        ),
        (recalibrating(100, 0.05), "recalibration.rows is 100: it must be 299 to 100000"),
        (recalibrating(u32::MAX, 0.05), "recalibration.rows is 4294967295"),
        (recalibrating(1_000, 1.0), "recalibration: delta is 1"),
    ] {
        let error = Runtime::new(&options, "test", (0.0, 1.0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(field), "{error}");
    }
}
