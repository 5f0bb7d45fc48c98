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
