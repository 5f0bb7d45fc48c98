//! From raw values to an answer and every score of it.

use biglittle::bundle::{LevelAnswer, Manifest};
use biglittle::decision::{Confidence, LabelTally, OutputSpec, Scores, Threshold, judge};
use biglittle::{EscalationReason, Result};

use super::block::SCORES;
use super::invalid;

/// What a level answers, and how sure it is by every confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    pub label: Option<u32>,
    /// Why the answer can never be accepted, if so.
    pub flaw: Option<EscalationReason>,
    /// For each of [`SCORES`]; NaN where it can never be accepted by it.
    pub scores: [f32; 4],
}

impl Answer {
    const fn none(flaw: EscalationReason) -> Self {
        Answer { label: None, flaw: Some(flaw), scores: [f32::NAN; 4] }
    }
}

/// Judges levels as the cascade does, by every confidence at once.
#[derive(Debug)]
pub struct Judge {
    label_count: usize,
    scores: Scores,
    tally: LabelTally,
}

impl Judge {
    /// A judge for a bundle of `label_count` labels.
    pub fn new(label_count: usize) -> Self {
        Judge { label_count, scores: Scores::new(), tally: LabelTally::new(label_count) }
    }

    /// The answer of a level, where `output` gives the raw values of a network
    /// by its number; an empty slice is a network that failed. `p` is the order
    /// of the norm.
    pub fn answer<'a>(
        &mut self,
        level: &LevelPlan,
        specs: &[&OutputSpec],
        output: impl Fn(usize) -> &'a [f32],
        p: f32,
    ) -> Answer {
        self.tally.clear();
        for network in &level.before {
            // One that failed at an earlier level is left out.
            if self.read(specs[*network], output(*network)).is_none() {
                self.tally.add(&self.scores, specs[*network]);
            }
        }
        let mut flaw = None;
        for network in &level.own {
            let found = self.read(specs[*network], output(*network));
            if found.is_none() && level.by_label {
                self.tally.add(&self.scores, specs[*network]);
            }
            flaw = flaw.or(found);
        }
        if let Some(flaw) = flaw {
            return Answer::none(flaw);
        }
        let (confidence, threshold) = (Confidence::Margin, Threshold::NEVER_ESCALATE);
        let spec = specs[level.own[0]];
        let verdict = if level.by_label {
            self.tally.judge(&mut self.scores, confidence, threshold)
        } else {
            judge(&self.scores, spec, confidence, threshold)
        };
        let mut scores = [f32::NAN; 4];
        if verdict.escalation.is_none() {
            for (score, kind) in scores.iter_mut().zip(SCORES) {
                let confidence = kind.confidence(p);
                if confidence.validate((!level.by_label).then_some(spec.kind)).is_ok() {
                    let value = confidence.of(&self.scores);
                    *score = if value.is_finite() { value } else { f32::NAN };
                }
            }
        }
        Answer { label: verdict.label, flaw: verdict.escalation, scores }
    }

    /// Reads raw values; says why they cannot be used, if so.
    fn read(&mut self, spec: &OutputSpec, output: &[f32]) -> Option<EscalationReason> {
        if output.is_empty() {
            return Some(EscalationReason::NetworkFailed);
        }
        self.scores.read(spec, self.label_count, output);
        self.scores.flaw()
    }
}

/// The networks behind a level's answer, by their number in the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelPlan {
    /// Those of the levels before that the answer is the mean with.
    pub before: Vec<usize>,
    /// The level's own, at least one.
    pub own: Vec<usize>,
    /// Whether it is judged on probabilities by label, as the cascade says.
    pub by_label: bool,
}

impl LevelPlan {
    /// The plans of a checked manifest's levels.
    pub fn of(manifest: &Manifest) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        let mut plans = Vec::new();
        for level in &manifest.levels {
            let number = |id: &String| {
                let found = manifest.networks.iter().position(|network| network.id == *id);
                found.ok_or_else(|| invalid(format!("level {:?} names no network", level.name)))
            };
            let own = level.networks.iter().map(number).collect::<Result<Vec<_>>>()?;
            let committee = level.answer == LevelAnswer::Committee;
            let before = if committee { all.clone() } else { Vec::new() };
            all.extend(&own);
            let by_label = committee
                || own.len() > 1
                || own.iter().any(|network| manifest.networks[*network].output.merges_classes());
            plans.push(LevelPlan { before, own, by_label });
        }
        Ok(plans)
    }
}

#[cfg(test)]
mod tests {
    use biglittle::cascade::{Cascade, Classifier, Level, Member};
    use biglittle::clock::{Clock, Times};
    use biglittle::decision::OutputKind;
    use biglittle::{Error, ErrorKind};

    use super::*;

    struct NoClock;

    impl Clock for NoClock {
        fn now(&self) -> Times {
            Times::default()
        }
    }

    /// Answers the input's raw values of its own number.
    struct Recorded(usize);

    impl Classifier<Vec<Vec<f32>>> for Recorded {
        fn classify(&mut self, input: &Vec<Vec<f32>>, output: &mut Vec<f32>) -> Result<()> {
            if input[self.0].is_empty() {
                return Err(Error::new(ErrorKind::Inference, "failed"));
            }
            output.clone_from(&input[self.0]);
            Ok(())
        }

        fn macs(&self) -> u64 {
            1
        }
    }

    const LABELS: usize = 3;

    fn specs() -> [OutputSpec; 4] {
        let logits = OutputSpec::logits();
        let merged = vec![Some(0), Some(1), Some(2), Some(2)];
        let unmapped = vec![Some(2), None, Some(0)];
        [
            OutputSpec { temperature: 0.7, ..logits.clone() },
            OutputSpec { dropped_outputs: vec![0], ..logits.clone() },
            OutputSpec { label_map: Some(merged), ..logits.clone() },
            OutputSpec { kind: OutputKind::Probabilities, label_map: Some(unmapped), ..logits },
        ]
    }

    /// Inputs of every sort: sure and unsure, ties, NaN, failures.
    fn inputs() -> Vec<Vec<Vec<f32>>> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1u64 << 24) as f32
        };
        let input = |index: usize| {
            let network = |(number, spec): (usize, OutputSpec)| {
                let mut values: Vec<f32> =
                    (0..spec.output_count(LABELS)).map(|_| next() * 8.0 - 3.0).collect();
                if spec.kind == OutputKind::Probabilities {
                    let sum: f32 = values.iter().map(|value| value.abs()).sum();
                    values.iter_mut().for_each(|value| *value = value.abs() / sum);
                }
                match (index + number) % 11 {
                    3 => values.fill(0.25),
                    5 => values[1] = f32::NAN,
                    7 => values.clear(),
                    8 => values.fill(0.0),
                    _ => {}
                }
                values
            };
            specs().into_iter().enumerate().map(network).collect()
        };
        (0..400).map(input).collect()
    }

    #[test]
    fn levels_are_judged_as_the_cascade_judges_them() {
        // Alone, a committee with the one before, and two more at once.
        let levels = [(vec![0], false), (vec![1], true), (vec![2, 3], false), (vec![], true)];
        let specs = specs();
        let references: Vec<&OutputSpec> = specs.iter().collect();
        for setup in
            [&levels[..3], &[(vec![1], false), (vec![2], false), (vec![3], false), (vec![0], true)]]
        {
            let mut before = Vec::new();
            let mut plans = Vec::new();
            for (own, committee) in setup {
                let merges = own.iter().any(|network: &usize| specs[*network].merges_classes());
                plans.push(LevelPlan {
                    before: if *committee { before.clone() } else { vec![] },
                    own: own.clone(),
                    by_label: *committee || own.len() > 1 || merges,
                });
                before.extend(own);
            }
            let mut judge = Judge::new(LABELS);
            let mut compared = [0; 4];
            for kind in SCORES {
                let p = 3.0;
                let levels = setup.iter().zip(&plans).map(|((own, committee), plan)| {
                    let member = |network: &usize| Member {
                        classifier: Recorded(*network),
                        output: specs[*network].clone(),
                    };
                    // Where it has no meaning the cascade refuses it.
                    let output = (!plan.by_label).then_some(specs[own[0]].kind);
                    let is_valid = kind.confidence(p).validate(output).is_ok();
                    Level {
                        members: own.iter().map(member).collect(),
                        committee: *committee,
                        confidence: if is_valid { kind.confidence(p) } else { Confidence::Margin },
                        threshold: Threshold::ALWAYS_ESCALATE,
                    }
                });
                let mut cascade = Cascade::new(levels.collect(), LABELS).unwrap();
                for input in inputs() {
                    let reports = cascade.run_all(&input, &NoClock, &mut |_, _| {});
                    for (number, report) in reports.iter().enumerate() {
                        let answer = judge.answer(&plans[number], &references, |n| &input[n], p);
                        assert_eq!(answer.label, report.label, "{input:?} {number}");
                        let flaw =
                            report.escalation.filter(|why| *why != EscalationReason::LowScore);
                        let score = answer.scores[kind as usize];
                        if flaw == answer.flaw && !score.is_nan() {
                            assert_eq!(score.to_bits(), report.score.to_bits());
                            compared[kind as usize] += 1;
                        } else if cascade.levels()[number].confidence == kind.confidence(p) {
                            // No score: it could not have been accepted.
                            assert!(flaw.is_some() && score.is_nan(), "{answer:?} {report:?}");
                        }
                    }
                }
            }
            assert!(compared.iter().all(|count| *count > 200), "{compared:?}");
        }
    }
}
