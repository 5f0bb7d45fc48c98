//! The mean of several networks' probabilities, label by label.

use super::confidence::Confidence;
use super::output::OutputSpec;
use super::scores::Scores;
use super::threshold::Threshold;
use super::verdict::{EscalationReason, Verdict, judge};

/// Sums of probabilities by the bundle's labels: what a level of several
/// networks, or of one that has several classes for a label, is judged on.
///
/// Allocates once, for its labels.
#[derive(Debug, Clone)]
pub struct LabelTally {
    sums: Vec<f32>,
    unmapped: f32,
    members: usize,
    labels_in_order: OutputSpec,
}

impl LabelTally {
    /// An empty tally over `label_count` labels.
    #[must_use]
    pub fn new(label_count: usize) -> Self {
        LabelTally {
            sums: vec![0.0; label_count],
            unmapped: 0.0,
            members: 0,
            labels_in_order: OutputSpec::logits(),
        }
    }

    /// Forgets all members.
    pub fn clear(&mut self) {
        self.members = 0;
        self.unmapped = 0.0;
        self.sums.fill(0.0);
    }

    /// Adds a member: scores without a [flaw](Scores::flaw), read by `spec`,
    /// whose labels are below the tally's.
    pub fn add(&mut self, scores: &Scores, spec: &OutputSpec) {
        self.members += 1;
        for (class, probability) in scores.probabilities().iter().enumerate() {
            match spec.label_of(class) {
                Some(label) => self.sums[label as usize] += probability,
                None => self.unmapped = self.unmapped.max(*probability),
            }
        }
    }

    /// The verdict on the mean of the members, of which there is at least one;
    /// `scores` holds that mean afterwards.
    ///
    /// It escalates where a class without a label is likelier to any of them
    /// than the best label is to all.
    pub fn judge(
        &self,
        scores: &mut Scores,
        confidence: Confidence,
        threshold: Threshold,
    ) -> Verdict {
        scores.read_mean(&self.sums, self.members);
        let verdict = judge(scores, &self.labels_in_order, confidence, threshold);
        let best = scores.probabilities().iter().copied().fold(0.0, f32::max);
        if self.unmapped < best {
            return verdict;
        }
        Verdict { label: None, escalation: Some(EscalationReason::UnmappedClass), ..verdict }
    }
}
