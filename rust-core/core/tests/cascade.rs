//! The cascade's rules, with networks that answer what the test says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;

use biglittle::cascade::{Cascade, Classifier, Level, Member};
use biglittle::clock::{Clock, Times};
use biglittle::decision::{Confidence, OutputKind, OutputSpec, Scores, judge};
use biglittle::{AnswerStatus, Error, ErrorKind, EscalationReason, Outcome, Threshold};
use proptest::prelude::*;

/// Answers with fixed logits, or fails.
#[derive(Debug, Clone)]
struct Fixed {
    answer: Option<Vec<f32>>,
    macs: u64,
    runs: usize,
}

impl Classifier<()> for Fixed {
    fn classify(&mut self, (): &(), output: &mut Vec<f32>) -> biglittle::Result<()> {
        self.runs += 1;
        match &self.answer {
            Some(logits) => output.extend(logits),
            None => return Err(Error::new(ErrorKind::Inference, "out of order")),
        }
        Ok(())
    }

    fn macs(&self) -> u64 {
        self.macs
    }
}

/// Two clocks that move on by uneven steps at every reading.
#[derive(Default)]
struct Steps(Cell<u64>);

impl Clock for Steps {
    fn now(&self) -> Times {
        let n = self.0.get() + 1;
        self.0.set(n);
        Times { wall_ns: n * n * 10, cpu_ns: n * n * 3 }
    }
}

fn member(answer: Option<&[f32]>, macs: u64) -> Member<Fixed> {
    let classifier = Fixed { answer: answer.map(<[f32]>::to_vec), macs, runs: 0 };
    Member { classifier, output: OutputSpec::logits() }
}

fn level(members: Vec<Member<Fixed>>, threshold: f32) -> Level<Fixed> {
    let threshold = Threshold::new(threshold).unwrap();
    Level { members, committee: false, confidence: Confidence::Margin, threshold }
}

fn single(answer: Option<&[f32]>, threshold: f32) -> Level<Fixed> {
    level(vec![member(answer, 10)], threshold)
}

const NEVER: f32 = f32::NEG_INFINITY;

fn run(levels: Vec<Level<Fixed>>, labels: usize) -> biglittle::Result<Outcome> {
    Cascade::new(levels, labels).unwrap().run(&(), &Steps::default())
}

#[test]
fn a_sure_little_answers_alone() {
    let levels = vec![single(Some(&[9.0, 0.0]), 0.5), single(Some(&[0.0, 9.0]), NEVER)];
    let outcome = run(levels, 2).unwrap();
    assert_eq!((outcome.label, outcome.tier), (Some(0), 0));
    assert_eq!(outcome.status, AnswerStatus::Accepted);
    assert_eq!((outcome.levels.len(), outcome.macs), (1, 10));
}

#[test]
fn an_unsure_little_is_overruled() {
    let levels = vec![single(Some(&[0.1, 0.0]), 0.5), single(Some(&[0.0, 9.0]), NEVER)];
    let outcome = run(levels, 2).unwrap();
    assert_eq!((outcome.label, outcome.tier), (Some(1), 1));
    assert_eq!(outcome.levels[0].escalation, Some(EscalationReason::LowScore));
    assert_eq!((outcome.levels[0].label, outcome.levels[1].escalation), (Some(0), None));
}

#[test]
fn a_failing_big_leaves_littles_answer_marked() {
    for big in [None, Some(&[f32::NAN, 0.0][..])] {
        let outcome = run(vec![single(Some(&[0.1, 0.0]), 0.5), single(big, NEVER)], 2).unwrap();
        assert_eq!((outcome.label, outcome.tier), (Some(0), 0));
        assert_eq!(outcome.status, AnswerStatus::Fallback);
        assert_eq!(outcome.levels.len(), 2);
        assert_eq!(outcome.failure.is_some(), big.is_none());
    }
}

#[test]
fn a_failing_little_lets_the_big_answer() {
    let outcome = run(vec![single(None, 0.5), single(Some(&[0.0, 9.0]), NEVER)], 2).unwrap();
    assert_eq!((outcome.label, outcome.tier), (Some(1), 1));
    assert_eq!(outcome.status, AnswerStatus::Accepted);
    assert_eq!(outcome.levels[0].escalation, Some(EscalationReason::NetworkFailed));
    assert_eq!(outcome.levels[0].macs, 0);
}

#[test]
fn no_usable_answer_is_an_error_that_says_why() {
    let error = run(vec![single(None, 0.5), single(Some(&[1.0]), NEVER)], 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Inference);
    let text = error.to_string();
    assert!(text.contains("out of order") && text.contains("level 1: another number"), "{text}");
}

#[test]
fn a_last_level_below_its_threshold_is_unsure() {
    let levels = vec![single(Some(&[0.1, 0.0]), 0.5), single(Some(&[0.0, 0.2]), 0.5)];
    let outcome = run(levels, 2).unwrap();
    assert_eq!((outcome.label, outcome.status), (Some(1), AnswerStatus::Unsure));
}

#[test]
fn a_committee_answers_with_the_mean_of_all_so_far() {
    let ln = |p: [f32; 3]| p.map(f32::ln);
    let (little, big) = (ln([0.5, 0.4, 0.1]), ln([0.1, 0.5, 0.4]));
    let mut second = single(Some(&big), NEVER);
    second.committee = true;
    let outcome = run(vec![single(Some(&little), 0.9), second], 3).unwrap();
    // The mean is 0.30, 0.45, 0.25.
    assert_eq!((outcome.label, outcome.macs), (Some(1), 20));
    assert!((outcome.score - 0.15).abs() < 1e-6, "{}", outcome.score);

    let own = level(vec![member(Some(&little), 1), member(Some(&big), 2)], NEVER);
    let outcome = run(vec![single(Some(&[0.0, 0.0, 9.0]), 2.0), own], 3).unwrap();
    assert_eq!((outcome.label, outcome.macs), (Some(1), 13), "its own two only");
}

#[test]
fn label_maps_bring_networks_together() {
    let mut little = single(Some(&[9.0, 0.0]), 0.5);
    little.members[0].output.label_map = Some(vec![Some(2), None]);
    let levels = || vec![single(Some(&[0.0, 9.0, 0.0]), NEVER)];
    let outcome = run([vec![little], levels()].concat_levels(), 3).unwrap();
    assert_eq!((outcome.label, outcome.tier), (Some(2), 0));

    let mut unmapped = single(Some(&[0.0, 9.0]), NEVER);
    unmapped.members[0].output.label_map = Some(vec![Some(2), None]);
    let outcome = run([vec![unmapped], levels()].concat_levels(), 3).unwrap();
    assert_eq!((outcome.label, outcome.tier), (Some(1), 1));
    assert_eq!(outcome.levels[0].escalation, Some(EscalationReason::UnmappedClass));
}

#[test]
fn a_committee_does_not_outvote_a_class_without_a_label() {
    let mut little = single(Some(&[0.0, 5.0, 0.0]), 2.0);
    little.members[0].output.label_map = Some(vec![Some(0), None, Some(1)]);
    let mut big = single(Some(&[0.3, 0.0]), NEVER);
    big.committee = true;
    let outcome = run(vec![little, big], 2).unwrap();
    assert_eq!(outcome.levels[1].escalation, Some(EscalationReason::UnmappedClass));
    assert_eq!((outcome.label, outcome.status), (None, AnswerStatus::Unsure));
}

#[test]
fn classes_of_one_label_are_added_before_judging() {
    let little = |confidence| {
        let mut level = single(Some(&[5.0, 5.0, -9.0]), 0.9);
        level.members[0].output.label_map = Some(vec![Some(0), Some(0), Some(1)]);
        level.confidence = confidence;
        level
    };
    let outcome = run(vec![little(Confidence::Margin)], 2).unwrap();
    assert_eq!((outcome.label, outcome.status), (Some(0), AnswerStatus::Accepted));
    assert!(outcome.score > 0.99, "{}", outcome.score);
    let p_norm = little(Confidence::MaxLogitPNorm { p: 2.0 });
    assert!(Cascade::new(vec![p_norm], 2).unwrap_err().to_string().contains("merge"));
}

#[test]
fn another_levels_answer_is_never_passed_off_as_the_one_asked_for() {
    let mut broken = single(None, NEVER);
    broken.committee = true;
    let levels = vec![single(Some(&[9.0, 0.0]), 0.5), broken];
    let outcome = Cascade::new(levels, 2).unwrap().run_level(1, &(), &Steps::default()).unwrap();
    assert_eq!((outcome.tier, outcome.status), (0, AnswerStatus::Fallback));
}

#[test]
fn one_level_can_be_asked_alone() {
    let levels = vec![single(Some(&[0.1, 0.0]), 0.5), single(Some(&[0.0, 9.0]), NEVER)];
    let mut cascade = Cascade::new(levels, 2).unwrap();
    let little = cascade.run_level(0, &(), &Steps::default()).unwrap();
    assert_eq!(
        (little.label, little.levels.len(), little.status),
        (Some(0), 1, AnswerStatus::Unsure)
    );
    let big = cascade.run_level(1, &(), &Steps::default()).unwrap();
    assert_eq!((big.label, big.tier, big.levels.len()), (Some(1), 1, 1));
    let error = cascade.run_level(2, &(), &Steps::default()).unwrap_err();
    assert!(error.to_string().contains("levels 0 to 1"), "{error}");
}

#[test]
fn thresholds_can_be_moved_while_running() {
    let levels = vec![single(Some(&[1.0, 0.0]), 0.9), single(Some(&[0.0, 9.0]), NEVER)];
    let mut cascade = Cascade::new(levels, 2).unwrap();
    let mut tier = |threshold| {
        cascade.set_threshold(0, threshold).unwrap();
        cascade.run(&(), &Steps::default()).unwrap().tier
    };
    assert_eq!(tier(Threshold::ALWAYS_ESCALATE), 1);
    assert_eq!(tier(Threshold::NEVER_ESCALATE), 0);
    assert_eq!(tier(Threshold::new(0.5).unwrap()), 1);
    assert!(cascade.set_threshold(2, Threshold::NEVER_ESCALATE).is_err());
}

#[test]
fn cascades_that_cannot_run_are_refused() {
    let refused = |levels: Vec<Level<Fixed>>, words: &str| {
        let error = Cascade::new(levels, 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(words), "{error}");
    };
    refused(vec![], "0 levels");
    refused((0..9).map(|_| single(None, 0.0)).collect(), "9 levels");
    refused(vec![level(vec![], 0.0)], "no network");
    let mut p_norm = single(None, 0.0);
    p_norm.confidence = Confidence::MaxLogitPNorm { p: 2.0 };
    p_norm.members[0].output.kind = OutputKind::Probabilities;
    refused(vec![p_norm], "needs one logit a class");
}

trait ConcatLevels {
    fn concat_levels(self) -> Vec<Level<Fixed>>;
}

impl<const N: usize> ConcatLevels for [Vec<Level<Fixed>>; N] {
    fn concat_levels(self) -> Vec<Level<Fixed>> {
        self.into_iter().flatten().collect()
    }
}

fn any_logit() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -9f32..9.0,
        2 => (-2i8..3).prop_map(f32::from),
        1 => prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY)],
    ]
}

proptest! {
    /// The next level runs if and only if the score is not above the threshold.
    #[test]
    fn escalates_if_and_only_if_not_above(
        answers in proptest::collection::vec(
            (proptest::option::weighted(0.9, proptest::collection::vec(any_logit(), 2..5)),
             0f32..1.0, 0u64..1000), 1..=8),
    ) {
        let make = |(answer, threshold, macs): &(Option<Vec<f32>>, f32, u64)| {
            level(vec![member(answer.as_deref(), *macs)], *threshold)
        };
        let mut cascade = Cascade::new(answers.iter().map(make).collect(), 3).unwrap();
        let clock = Steps::default();
        let outcome = cascade.run(&(), &clock);
        let readings = clock.0.get();

        let accepts = |(answer, threshold, _): &(Option<Vec<f32>>, f32, u64)| {
            let Some(logits) = answer else { return false };
            if logits.len() != 3 || logits.iter().any(|z| !z.is_finite()) {
                return false;
            }
            let mut scores = Scores::new();
            scores.read(&OutputSpec::logits(), 3, logits);
            let mut sorted = scores.probabilities().to_vec();
            sorted.sort_by(f32::total_cmp);
            let spec = OutputSpec::logits();
            let tie = judge(&scores, &spec, Confidence::Margin, Threshold::NEVER_ESCALATE);
            tie.escalation.is_none() && sorted[2] - sorted[1] > *threshold
        };
        let stop = answers.iter().position(accepts);
        let expected_runs = stop.map_or(answers.len(), |level| level + 1);
        let runs: Vec<_> =
            cascade.levels().iter().map(|level| level.members[0].classifier.runs).collect();
        prop_assert!(runs.iter().enumerate().all(|(i, n)| *n == usize::from(i < expected_runs)));

        if let Ok(outcome) = outcome {
            prop_assert_eq!(outcome.levels.len(), expected_runs);
            let mut times = Times::default();
            for level in &outcome.levels {
                times = times + level.times;
            }
            prop_assert_eq!(outcome.times, times);
            let last = Times { wall_ns: readings * readings * 10, cpu_ns: readings * readings * 3 };
            prop_assert_eq!(outcome.times, last - Times { wall_ns: 10, cpu_ns: 3 });
            let macs: u64 = outcome.levels.iter().map(|level| level.macs).sum();
            prop_assert_eq!(outcome.macs, macs);
            let ran = answers.iter().take(expected_runs).filter(|(a, _, _)| a.is_some());
            prop_assert_eq!(outcome.macs, ran.map(|(_, _, macs)| macs).sum::<u64>());
            prop_assert_eq!(outcome.status == AnswerStatus::Accepted, stop.is_some());
        } else {
            prop_assert!(stop.is_none());
        }
    }
}

#[test]
fn a_cancelled_run_ends_before_the_next_level_and_says_so() {
    let levels = vec![single(Some(&[0.1, 0.0]), 0.5), single(Some(&[0.0, 9.0]), NEVER)];
    let mut cascade = Cascade::new(levels, 2).unwrap();
    let clock = Steps::default();
    let flag = cascade.cancel_flag().clone();
    // Set between the levels: the second does not run.
    let between = cascade.run_while(&(), &clock, |_| {
        flag.cancel();
        true
    });
    assert_eq!(between.unwrap_err().kind(), ErrorKind::Cancelled);
    // It stays set.
    for stopped in [cascade.run(&(), &clock), cascade.run_level(1, &(), &clock)] {
        assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    }
    assert!(cascade.run_all(&(), &clock, &mut |_, _| {}).is_empty());
    let runs = cascade.levels().iter().map(|level| level.members[0].classifier.runs);
    assert_eq!(runs.collect::<Vec<_>>(), [1, 0]);
    flag.reset();
    assert_eq!(cascade.run(&(), &clock).unwrap().tier, 1);
}
