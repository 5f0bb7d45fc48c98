//! From a network's raw output to probabilities, in memory that is kept.

use super::output::{OutputKind, OutputSpec};
use super::verdict::EscalationReason;

/// The probabilities of one answer, and its logits where there are any.
///
/// Reads a network's output without allocating after the first frame.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    probabilities: Vec<f32>,
    logits: Vec<f32>,
    flaw: Option<EscalationReason>,
}

impl Scores {
    /// Scores with nothing in them yet: fewer than two classes.
    #[must_use]
    pub fn new() -> Self {
        Scores::default()
    }

    /// Takes `output`, the raw values of a network described by `spec` in a
    /// bundle of `label_count` labels.
    ///
    /// A wrong number of values, a value that is not finite and, for
    /// probabilities, a value outside 0 to 1 are not errors: they make
    /// [`Scores::flaw`] say why no answer can be trusted.
    pub fn read(&mut self, spec: &OutputSpec, label_count: usize, output: &[f32]) {
        self.probabilities.clear();
        self.logits.clear();
        self.flaw = self.fill(spec, label_count, output).err();
    }

    fn fill(
        &mut self,
        spec: &OutputSpec,
        label_count: usize,
        output: &[f32],
    ) -> Result<(), EscalationReason> {
        if output.len() != spec.output_count(label_count) {
            return Err(EscalationReason::WrongLength);
        }
        let dropped = &spec.dropped_outputs;
        let kept = output
            .iter()
            .enumerate()
            .filter(|(index, _)| dropped.binary_search(&(*index as u32)).is_err())
            .map(|(_, value)| *value);
        match spec.kind {
            OutputKind::Logits => self.logits.extend(kept),
            OutputKind::BinaryLogit => self.logits.extend([0.0, output[0]]),
            OutputKind::Probabilities => self.probabilities.extend(kept),
            OutputKind::BinaryProbability => {
                self.probabilities.extend([1.0 - output[0], output[0]]);
            }
        }
        let values = if spec.kind.is_logits() { &self.logits } else { &self.probabilities };
        if values.iter().any(|value| !value.is_finite()) {
            return Err(EscalationReason::NotFinite);
        }
        if spec.kind.is_logits() {
            softmax(&self.logits, spec.temperature, &mut self.probabilities);
        } else if values.iter().any(|value| !(-1e-3..=1.001).contains(value)) {
            return Err(EscalationReason::NotProbabilities);
        }
        Ok(())
    }

    /// Takes the mean of committee members' probabilities, label by label.
    pub(crate) fn read_mean(&mut self, sums: &[f32], members: usize) {
        self.logits.clear();
        self.probabilities.clear();
        self.probabilities.extend(sums.iter().map(|sum| sum / members as f32));
        self.flaw = None;
    }

    /// Why no answer can be taken from these scores, if so.
    #[must_use]
    pub fn flaw(&self) -> Option<EscalationReason> {
        match self.flaw {
            None if self.probabilities.len() < 2 => Some(EscalationReason::TooFewClasses),
            flaw => flaw,
        }
    }

    /// One probability a class, in the network's order; empty where
    /// [`Scores::flaw`] says that the output could not be read.
    #[must_use]
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// One logit a class, or nothing where the network delivers probabilities.
    #[must_use]
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// The class with the highest score and whether it has it alone; the
    /// lowest index where several share it. `None` where the output could not
    /// be read.
    #[must_use]
    pub fn top_class(&self) -> Option<(usize, bool)> {
        if self.flaw().is_some() {
            return None;
        }
        // Logits tell classes apart that the softmax rounds to the same value.
        let values = if self.logits.is_empty() { &self.probabilities } else { &self.logits };
        let (mut top, mut alone) = (0, true);
        for (class, value) in values.iter().enumerate().skip(1) {
            if *value > values[top] {
                (top, alone) = (class, true);
            } else if *value == values[top] {
                alone = false;
            }
        }
        Some((top, alone))
    }
}

/// Softmax of `logits / temperature`, shifted by the maximum so that nothing
/// overflows. `libm` gives the same bits on every platform.
fn softmax(logits: &[f32], temperature: f32, out: &mut Vec<f32>) {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    out.extend(logits.iter().map(|logit| libm::expf((logit - max) / temperature)));
    let sum: f32 = out.iter().sum();
    out.iter_mut().for_each(|value| *value /= sum);
}
