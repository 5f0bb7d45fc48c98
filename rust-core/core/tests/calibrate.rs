//! Calibration against SciPy, and whether its promise is kept.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use biglittle::Threshold;
use biglittle::calibrate::{
    ExactRule, LevelRows, LogitRow, Loss, Rows, Target, binomial_cdf, clopper_pearson,
    fit_temperature, fixed_sequence, most_bad, order_thresholds,
};
use biglittle::decision::{Confidence, OutputSpec};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/binomial.json")).unwrap()
}

/// Tails below this are nothing, to SciPy too.
const NOTHING: f64 = 1e-290;

#[test]
fn tails_agree_with_scipy_and_with_fifty_digits() {
    let golden = golden();
    let (mut from_scipy, mut from_exact) = (0.0f64, 0.0f64);
    for tail in golden["tails"].as_array().unwrap() {
        let number = |at: usize| tail[at].as_f64().unwrap();
        let (k, n, p) = (tail[0].as_u64().unwrap(), tail[1].as_u64().unwrap(), number(2));
        let (scipy, exact) = (number(3), number(4));
        let found = binomial_cdf(k, n, p);
        if exact <= NOTHING {
            assert!(found <= NOTHING, "{k} of {n} at {p}: {found}");
            continue;
        }
        from_exact = from_exact.max((found / exact - 1.0).abs());
        from_scipy = from_scipy.max((found / scipy - 1.0).abs());
        assert!((found / exact - 1.0).abs() < 1e-11, "{k} of {n} at {p}: {found} {exact}");
        // Of 10 million trials SciPy knows 9 digits.
        assert!((found / scipy - 1.0).abs() < 1e-8, "{k} of {n} at {p}: {found} {scipy}");
    }
    println!("worst relative difference: {from_exact:e} from 50 digits, {from_scipy:e} from SciPy");
}

#[test]
fn intervals_and_counts_agree_with_scipy() {
    let golden = golden();
    for interval in golden["intervals"].as_array().unwrap() {
        let number = |at: usize| interval[at].as_f64().unwrap();
        let (k, n) = (interval[0].as_u64().unwrap(), interval[1].as_u64().unwrap());
        let found = clopper_pearson(k, n, number(2));
        for (found, expected) in found.into_iter().zip([number(3), number(4)]) {
            assert!((found - expected).abs() <= 1e-8 * expected, "{k} of {n}: {found} {expected}");
        }
    }
    for count in golden["most_bad"].as_array().unwrap() {
        let (n, eps, delta) =
            (count[0].as_u64().unwrap(), count[1].as_f64().unwrap(), count[2].as_f64().unwrap());
        assert_eq!(most_bad(n, eps, delta), count[3].as_u64(), "{n} {eps} {delta}");
    }
}

/// A small generator, so that what is simulated is the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Little's score is uniform on 0 to 1 in steps of 1/1000, so that there are
/// ties; its answer is harmful with probability 0.12 (1 - score)^2.
fn draw(random: &mut Random) -> (f32, bool) {
    let score = (random.next() * 1_000.0).floor() / 1_000.0;
    (score as f32, random.next() < 0.12 * (1.0 - score) * (1.0 - score))
}

/// The true risk at a threshold: the sum over the scores above it.
fn risk(threshold: Threshold) -> f64 {
    let scores = (0..1_000).map(|step| f64::from(step) / 1_000.0);
    let accepted = scores.filter(|score| threshold.accepts(*score as f32));
    accepted.map(|score| 0.12 * (1.0 - score) * (1.0 - score) / 1_000.0).sum()
}

const CALIBRATIONS: usize = 1_000;
const EPS: f64 = 0.01;
const DELTA: f64 = 0.05;

#[test]
#[cfg_attr(
    all(target_arch = "aarch64", target_feature = "crt-static"),
    ignore = "thousands of calibrations, of integers that do not depend on the machine"
)]
fn the_promise_is_kept_where_the_naive_rule_breaks_it() {
    let target = Target::new(EPS, DELTA).unwrap();
    for n in [300usize, 1_000, 3_000] {
        let mut random = Random(n as u64);
        let (mut exact, mut naive) = (0, 0);
        for _ in 0..CALIBRATIONS {
            let samples: Vec<_> = (0..n).map(|_| draw(&mut random)).collect();
            let mut rule = ExactRule::new(target, n as u64);
            samples.iter().for_each(|(score, is_bad)| rule.push(*score, *is_bad));
            exact += usize::from(risk(rule.finish().unwrap().threshold) > EPS);
            // The lowest threshold whose loss on the samples is at most eps.
            let mut bad: Vec<f32> = samples.iter().filter(|s| s.1).map(|s| s.0).collect();
            bad.sort_by(|a, b| b.total_cmp(a));
            let allowed = (EPS * n as f64).floor() as usize;
            let threshold = bad
                .get(allowed)
                .map_or(Threshold::NEVER_ESCALATE, |score| Threshold::new(*score).unwrap());
            naive += usize::from(risk(threshold) > EPS);
        }
        let share = |count: usize| count as f64 / CALIBRATIONS as f64;
        println!(
            "n = {n}: broken by the rule {:.3}, by the naive rule {:.3}",
            share(exact),
            share(naive)
        );
        // Three standard deviations of 1,000 draws at delta.
        assert!(share(exact) <= DELTA + 3.0 * (DELTA * (1.0 - DELTA) / 1_000.0f64).sqrt());
        assert!(share(naive) > 0.25, "the naive rule breaks it often: {}", share(naive));
    }
}

/// Three levels: the middle one is harmful half as often.
fn three_levels(random: &mut Random, groups: &[u32]) -> Rows {
    let mut rows = Rows { levels: vec![LevelRows::default(); 3], ..Rows::default() };
    let mut kind = 0.0;
    for row in 0..groups.len() {
        // Rows of a group are alike: a hard clip is hard in every frame.
        if row == 0 || groups[row] != groups[row - 1] {
            kind = random.next();
        }
        rows.labels.push(Some(0));
        for (level, weight) in [(0, 0.2), (1, 0.1)] {
            let score = (random.next() * 1_000.0).floor() / 1_000.0;
            let chance = weight * 2.0 * kind * (1.0 - score) * (1.0 - score);
            rows.levels[level].scores.push(score as f32);
            rows.levels[level].answers.push(Some(u32::from(random.next() < chance)));
        }
        rows.levels[2].answers.push(Some(0));
    }
    if groups.iter().enumerate().any(|(row, group)| row as u32 != *group) {
        rows.groups = groups.to_vec();
    }
    rows
}

/// The true risk of [`three_levels`], whatever the groups.
fn risk_of_three(thresholds: &[Threshold]) -> f64 {
    let level = |threshold: Threshold, weight: f64| {
        let scores = (0..1_000).map(|step| f64::from(step) / 1_000.0);
        let accepted: Vec<f64> = scores.filter(|score| threshold.accepts(*score as f32)).collect();
        // The mean of 2 kind is 1.
        let bad: f64 = accepted.iter().map(|s| weight * (1.0 - s) * (1.0 - s)).sum();
        (accepted.len() as f64 / 1_000.0, bad / 1_000.0)
    };
    let ((accepted, first), (_, second)) = (level(thresholds[0], 0.2), level(thresholds[1], 0.1));
    first + (1.0 - accepted) * second
}

#[test]
#[cfg_attr(
    all(target_arch = "aarch64", target_feature = "crt-static"),
    ignore = "thousands of calibrations, of integers that do not depend on the machine"
)]
fn fixed_sequences_keep_the_promise_with_three_levels_and_with_groups() {
    let target = Target::new(0.02, DELTA).unwrap();
    let alone: Vec<u32> = (0..1_000).collect();
    let clips: Vec<u32> = (0..2_000).map(|row| row / 4).collect();
    for (groups, calibrations) in [(alone, 60), (clips, 30)] {
        let mut random = Random(7);
        let tuning = three_levels(&mut random, &groups);
        let sequence = order_thresholds(&tuning, Loss::Harm, &[1.0, 3.0, 20.0]).unwrap();
        assert_eq!(sequence[0], [Threshold::ALWAYS_ESCALATE; 2]);
        assert_eq!(sequence[sequence.len() - 1], [Threshold::NEVER_ESCALATE; 2]);
        let nested = |pair: &[Vec<Threshold>]| pair[0].iter().zip(&pair[1]).all(|(a, b)| a >= b);
        assert!(sequence.windows(2).all(nested), "each step only lowers");
        let mut broken = 0;
        let mut mean = 0.0;
        for _ in 0..calibrations {
            let rows = three_levels(&mut random, &groups);
            let found = fixed_sequence(&rows, Loss::Harm, target, &sequence).unwrap();
            let risk = risk_of_three(&found.thresholds);
            mean += risk / f64::from(calibrations);
            broken += u32::from(risk > 0.02);
        }
        let share = f64::from(broken) / f64::from(calibrations);
        println!("{} rows: broken {share:.3}, mean risk {mean:.4} of 0.02", groups.len());
        let sd = (DELTA * (1.0 - DELTA) / f64::from(calibrations)).sqrt();
        assert!(share <= DELTA + 3.0 * sd, "{share}");
        assert!(mean > 0.005, "it is of use: {mean}");
    }
}

#[test]
fn too_few_samples_are_refused_by_sequences_too() {
    let mut random = Random(1);
    let rows = three_levels(&mut random, &(0..100).collect::<Vec<_>>());
    let sequence = order_thresholds(&rows, Loss::Harm, &[1.0, 3.0, 20.0]).unwrap();
    let target = Target::new(0.01, 0.05).unwrap();
    let text = fixed_sequence(&rows, Loss::Harm, target, &sequence).unwrap_err().to_string();
    assert!(text.contains("100 calibration samples") && text.contains("299"), "{text}");
    let none = Rows { levels: vec![LevelRows::default(); 3], ..Rows::default() };
    let text = order_thresholds(&none, Loss::Harm, &[1.0; 3]).unwrap_err().to_string();
    assert!(text.contains("the tuning split is empty"), "{text}");
}

#[test]
fn the_same_rows_give_the_same_bits_on_every_platform() {
    let mut random = Random(42);
    let mut rule = ExactRule::new(Target::new(EPS, DELTA).unwrap(), 5_000);
    let mut rows = Vec::new();
    for _ in 0..5_000 {
        let (score, is_bad) = draw(&mut random);
        rule.push(score, is_bad);
        let logits = [score * 9.0, 2.0, random.next() as f32 * 3.0];
        rows.push((logits, u32::from(is_bad)));
    }
    let found = rule.finish().unwrap();
    let rows: Vec<_> =
        rows.iter().map(|(output, label)| LogitRow { output, label: *label }).collect();
    let spec = OutputSpec::logits();
    let fitted = fit_temperature(&rows, &spec, 3, Confidence::NegativeEntropy).unwrap();
    let three = three_levels(&mut random, &(0..2_000).collect::<Vec<_>>());
    let sequence = order_thresholds(&three, Loss::Harm, &[1.0, 3.0, 20.0]).unwrap();
    let target = Target::new(0.02, DELTA).unwrap();
    let sequential = fixed_sequence(&three, Loss::Harm, target, &sequence).unwrap();
    let bits = |thresholds: &[Threshold]| -> Vec<u32> {
        thresholds.iter().map(|threshold| threshold.value().to_bits()).collect()
    };
    let found = (
        found.k,
        bits(&[found.threshold]),
        binomial_cdf(38, 5_000, EPS).to_bits(),
        fitted.value.to_bits(),
        fitted.aurc_after.to_bits(),
        bits(&sequential.thresholds),
    );
    let expected = (
        38,
        vec![1_054_716_461],
        4_586_871_651_237_487_048,
        1_066_428_351,
        4_588_680_538_707_396_406,
        vec![1_054_750_015, 1_061_041_471],
    );
    assert_eq!(found, expected);
}
