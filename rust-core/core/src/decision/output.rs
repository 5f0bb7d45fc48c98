//! What a network's raw output means: the part of a bundle's manifest between
//! the last layer and the success checker.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// What a network's output values are, and which label each one stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// Whether the network ends before or after its softmax or sigmoid. A
    /// second softmax on probabilities flattens every score, so this is said,
    /// never guessed.
    pub kind: OutputKind,
    /// What logits are divided by before the softmax or sigmoid, above 0;
    /// fitted on held-out data, 1 where it was not. Must be 1 for
    /// probabilities.
    #[serde(default = "one")]
    pub temperature: f32,
    /// Output indices to leave out before the softmax, in rising order, such as
    /// a background class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped_outputs: Vec<u32>,
    /// For each remaining class of the network, the index of the bundle's
    /// label, or null where the bundle has none: such an answer always
    /// escalates. Several classes may have the same label: their probabilities
    /// are added. Left out when the classes are the bundle's labels in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_map: Option<Vec<Option<u32>>>,
}

fn one() -> f32 {
    1.0
}

/// What the values of a network's output are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// One value a class, before the softmax.
    Logits,
    /// One value a class, after the softmax.
    Probabilities,
    /// A single value before the sigmoid: the logit of class 1 of two.
    BinaryLogit,
    /// A single value after the sigmoid: the probability of class 1 of two.
    BinaryProbability,
}

impl OutputKind {
    /// Whether the values are logits.
    #[must_use]
    pub fn is_logits(self) -> bool {
        matches!(self, OutputKind::Logits | OutputKind::BinaryLogit)
    }

    /// Whether one value stands for two classes.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, OutputKind::BinaryLogit | OutputKind::BinaryProbability)
    }
}

impl OutputSpec {
    /// Logits of the bundle's labels in order, at temperature 1.
    #[must_use]
    pub fn logits() -> Self {
        OutputSpec {
            kind: OutputKind::Logits,
            temperature: 1.0,
            dropped_outputs: Vec::new(),
            label_map: None,
        }
    }

    /// The number of classes the network tells apart in a bundle of
    /// `label_count` labels.
    #[must_use]
    pub fn class_count(&self, label_count: usize) -> usize {
        self.label_map.as_ref().map_or(label_count, Vec::len)
    }

    /// The number of values the network must deliver in a bundle of
    /// `label_count` labels.
    #[must_use]
    pub fn output_count(&self, label_count: usize) -> usize {
        if self.kind.is_binary() {
            1
        } else {
            self.class_count(label_count) + self.dropped_outputs.len()
        }
    }

    /// Whether several classes stand for the same label. Their probabilities
    /// are added before the answer is judged.
    #[must_use]
    pub fn merges_classes(&self) -> bool {
        let mut labels: Vec<u32> = self.label_map.iter().flatten().flatten().copied().collect();
        let count = labels.len();
        labels.sort_unstable();
        labels.dedup();
        labels.len() < count
    }

    /// The bundle's label for a class of the network, if it has one.
    #[must_use]
    pub fn label_of(&self, class: usize) -> Option<u32> {
        match &self.label_map {
            Some(map) => map.get(class).copied().flatten(),
            None => u32::try_from(class).ok(),
        }
    }

    /// Checks every field against a bundle of `label_count` labels.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the field, its value and the
    /// limit.
    pub fn validate(&self, label_count: usize) -> Result<()> {
        let temperature = self.temperature;
        if !(temperature.is_normal() && temperature > 0.0) {
            return Err(invalid(format!(
                "temperature is {temperature}: it must be a finite number above 0"
            )));
        }
        if !self.kind.is_logits() && temperature != 1.0 {
            return Err(invalid(format!(
                "temperature is {temperature} on probabilities: it must be 1, or the network must \
                 deliver logits"
            )));
        }
        let classes = self.class_count(label_count);
        if self.kind.is_binary() && classes != 2 {
            return Err(invalid(format!(
                "a binary output tells 2 classes apart, but there are {classes}: give 2 labels or \
                 a label_map of 2"
            )));
        }
        if self.kind.is_binary() && !self.dropped_outputs.is_empty() {
            return Err(invalid(
                "dropped_outputs is not empty: a binary output has one value, \
                                which cannot be dropped"
                    .into(),
            ));
        }
        if let Some(pair) = self.dropped_outputs.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(invalid(format!(
                "dropped_outputs has {} before {}: give each index once, in rising order",
                pair[0], pair[1]
            )));
        }
        let outputs = self.output_count(label_count);
        if let Some(last) = self.dropped_outputs.last()
            && *last as usize >= outputs
        {
            return Err(invalid(format!(
                "dropped_outputs has {last}: the network has the outputs 0 to {}",
                outputs.saturating_sub(1)
            )));
        }
        let labels = self.label_map.iter().flatten().flatten();
        if let Some(label) = labels.into_iter().find(|label| **label as usize >= label_count) {
            return Err(invalid(format!(
                "label_map has {label}: the bundle has the labels 0 to {}",
                label_count.saturating_sub(1)
            )));
        }
        Ok(())
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
