//! What is accepted and what escalates, for every confidence and output kind.

use proptest::prelude::*;

use super::*;
use crate::decision::OutputKind;

fn verdict(spec: &OutputSpec, confidence: Confidence, threshold: f32, output: &[f32]) -> Verdict {
    let labels = spec.label_map.as_ref().map_or(output.len(), |_| 3);
    let labels = if spec.kind.is_binary() { 2 } else { labels };
    let mut scores = Scores::new();
    scores.read(spec, labels, output);
    judge(&scores, spec, confidence, Threshold::new(threshold).unwrap())
}

fn of_kind(kind: OutputKind) -> OutputSpec {
    OutputSpec { kind, ..OutputSpec::logits() }
}

fn close(left: f32, right: f64) -> bool {
    (f64::from(left) - right).abs() < 1e-6
}

#[test]
fn scores_follow_their_formulas() {
    let logits = [1.0f32, 3.0, 2.5];
    let exp: Vec<f64> = logits.iter().map(|z| f64::from(*z).exp()).collect();
    let sum: f64 = exp.iter().sum();
    let p: Vec<f64> = exp.iter().map(|e| e / sum).collect();
    let entropy: f64 = p.iter().map(|p| p * p.ln()).sum();
    let norm = logits.iter().map(|z| f64::from(*z).powi(4)).sum::<f64>().powf(0.25);
    for (confidence, expected) in [
        (Confidence::Margin, p[1] - p[2]),
        (Confidence::MaxProbability, p[1]),
        (Confidence::NegativeEntropy, entropy),
        (Confidence::MaxLogitPNorm { p: 4.0 }, 3.0 / norm),
    ] {
        let verdict = verdict(&OutputSpec::logits(), confidence, -9.0, &logits);
        assert!(close(verdict.score, expected), "{confidence:?}: {} {expected}", verdict.score);
        assert_eq!((verdict.label, verdict.escalation), (Some(1), None));
    }
}

#[test]
fn temperature_divides_the_logits() {
    let cool = OutputSpec { temperature: 2.0, ..OutputSpec::logits() };
    let halved = verdict(&OutputSpec::logits(), Confidence::Margin, 0.0, &[1.0, 2.0]);
    assert_eq!(verdict(&cool, Confidence::Margin, 0.0, &[2.0, 4.0]), halved);
}

#[test]
fn a_binary_margin_is_twice_p_minus_one() {
    let one = verdict(&of_kind(OutputKind::BinaryProbability), Confidence::Margin, 0.0, &[0.8]);
    assert!(close(one.score, 0.6) && one.label == Some(1));
    let zero = verdict(&of_kind(OutputKind::BinaryProbability), Confidence::Margin, 0.0, &[0.1]);
    assert!(close(zero.score, 0.8) && zero.label == Some(0));
    let logit = verdict(&of_kind(OutputKind::BinaryLogit), Confidence::Margin, 0.0, &[4.0f32.ln()]);
    assert!(close(logit.score, 0.6) && logit.label == Some(1));
}

#[test]
fn dropped_outputs_are_gone_before_the_softmax() {
    let spec = OutputSpec { dropped_outputs: vec![0], ..OutputSpec::logits() };
    let mut scores = Scores::new();
    scores.read(&spec, 2, &[100.0, 1.0, 2.0]);
    let verdict = judge(&scores, &spec, Confidence::Margin, Threshold::NEVER_ESCALATE);
    assert_eq!((verdict.label, verdict.escalation), (Some(1), None));
    assert!((scores.probabilities().iter().sum::<f32>() - 1.0).abs() < 1e-6);
}

#[test]
fn what_cannot_be_trusted_escalates_whatever_the_threshold() {
    let logits = OutputSpec::logits();
    let mapped =
        OutputSpec { label_map: Some(vec![Some(2), None, Some(0)]), ..OutputSpec::logits() };
    let probabilities = of_kind(OutputKind::Probabilities);
    let inf = f32::INFINITY;
    for (spec, output, reason) in [
        (&logits, &[1.0, f32::NAN, 0.0][..], EscalationReason::NotFinite),
        (&logits, &[inf, 0.0, 0.0], EscalationReason::NotFinite),
        (&logits, &[-inf, 0.0, 1.0], EscalationReason::NotFinite),
        (&logits, &[2.0, 2.0, 0.0], EscalationReason::Tie),
        (&logits, &[3.0], EscalationReason::TooFewClasses),
        (&logits, &[], EscalationReason::TooFewClasses),
        (&mapped, &[0.0, 9.0, 1.0], EscalationReason::UnmappedClass),
        (&mapped, &[0.0, 9.0], EscalationReason::WrongLength),
        (&probabilities, &[0.2, 7.0, 0.1], EscalationReason::NotProbabilities),
        (&probabilities, &[0.2, -0.5, 0.1], EscalationReason::NotProbabilities),
        (&probabilities, &[0.4, 0.4, 0.2], EscalationReason::Tie),
    ] {
        let verdict = verdict(spec, Confidence::Margin, f32::NEG_INFINITY, output);
        assert_eq!(verdict.escalation, Some(reason), "{output:?}");
    }
}

#[test]
fn a_logit_lead_that_the_softmax_rounds_away_is_no_tie() {
    let verdict = verdict(&OutputSpec::logits(), Confidence::Margin, -1.0, &[0.0, 1e-30]);
    assert_eq!((verdict.label, verdict.escalation, verdict.score), (Some(1), None, 0.0));
}

#[test]
fn a_norm_of_nothing_is_no_confidence() {
    let p_norm = Confidence::MaxLogitPNorm { p: 2.0 };
    let zero = verdict(&OutputSpec::logits(), p_norm, f32::NEG_INFINITY, &[0.0, 0.0]);
    assert_eq!(zero.escalation, Some(EscalationReason::NotFinite));
    for kind in [None, Some(OutputKind::Probabilities), Some(OutputKind::BinaryLogit)] {
        assert!(p_norm.validate(kind).is_err());
    }
    for p in [0.0, 0.5, f32::NAN, f32::INFINITY] {
        assert!(Confidence::MaxLogitPNorm { p }.validate(Some(OutputKind::Logits)).is_err());
    }
    let steep = Confidence::MaxLogitPNorm { p: 300.0 };
    assert!(close(verdict(&OutputSpec::logits(), steep, 0.0, &[30.0, 1.0]).score, 1.0));
}

#[test]
fn thresholds_outside_the_range_of_their_confidence_are_refused() {
    let good = |confidence: Confidence, value: f32| {
        confidence.validate_threshold(Threshold::new(value).unwrap(), 10).is_ok()
    };
    for (confidence, inside, outside) in [
        (Confidence::Margin, [0.0, 1.0], [70.2, -0.1]),
        (Confidence::MaxProbability, [0.1, 0.9], [1.1, -1.0]),
        (Confidence::NegativeEntropy, [-2.3, 0.0], [0.7, -2.4]),
        (Confidence::MaxLogitPNorm { p: 2.0 }, [-1.0, 1.0], [1.5, -1.5]),
    ] {
        assert!(inside.into_iter().all(|value| good(confidence, value)), "{confidence:?}");
        assert!(!outside.into_iter().any(|value| good(confidence, value)), "{confidence:?}");
        assert!(good(confidence, f32::INFINITY) && good(confidence, f32::NEG_INFINITY));
    }
}

#[test]
fn specifications_out_of_range_name_the_field() {
    let refused = |spec: OutputSpec, field: &str| {
        let error = spec.validate(3).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    };
    let logits = OutputSpec::logits;
    refused(OutputSpec { temperature: 0.0, ..logits() }, "temperature is 0");
    refused(OutputSpec { temperature: f32::NAN, ..logits() }, "temperature is NaN");
    refused(
        OutputSpec { temperature: 2.0, ..of_kind(OutputKind::Probabilities) },
        "on probabilities",
    );
    refused(of_kind(OutputKind::BinaryLogit), "2 classes");
    refused(OutputSpec { dropped_outputs: vec![4], ..logits() }, "dropped_outputs has 4");
    refused(OutputSpec { dropped_outputs: vec![1, 1], ..logits() }, "rising order");
    refused(OutputSpec { label_map: Some(vec![Some(3)]), ..logits() }, "label_map has 3");
    assert!(OutputSpec { dropped_outputs: vec![3], ..logits() }.validate(3).is_ok());
}

proptest! {
    #[test]
    fn accepted_if_and_only_if_the_score_is_above(
        logits in proptest::collection::vec(-30f32..30.0, 2..20),
        threshold in prop_oneof![0f32..1.0, Just(f32::INFINITY), Just(f32::NEG_INFINITY)],
    ) {
        let verdict = verdict(&OutputSpec::logits(), Confidence::Margin, threshold, &logits);
        prop_assert!((0.0..=1.0).contains(&verdict.score));
        if verdict.escalation != Some(EscalationReason::Tie) {
            prop_assert_eq!(verdict.escalation.is_none(), verdict.score > threshold);
        }
        let top = logits[verdict.label.unwrap() as usize];
        prop_assert!(logits.iter().all(|logit| *logit <= top));
    }

    #[test]
    fn any_bits_at_all_are_judged(bits in proptest::collection::vec(any::<u32>(), 0..8)) {
        let output: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        for kind in [OutputKind::Logits, OutputKind::Probabilities] {
            let verdict = verdict(&of_kind(kind), Confidence::Margin, 0.0, &output);
            if output.iter().any(|value| !value.is_finite()) {
                prop_assert_eq!(verdict.escalation, Some(EscalationReason::NotFinite));
            }
            prop_assert!(verdict.escalation.is_some() || verdict.score > 0.0);
        }
    }
}
