//! What counts as a bad answer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a calibration sample costs where the answer of an earlier level stands
/// instead of the last level's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The answer that stands is wrong where the last level's is right. Needs
    /// labels; bounds the loss of accuracy from above.
    Harm,
    /// The answer that stands is not the last level's. Needs no labels, so it
    /// can be calibrated on the device; never less than harm.
    Disagree,
}

impl Loss {
    /// Whether samples need their true label.
    #[must_use]
    pub fn needs_labels(self) -> bool {
        self == Loss::Harm
    }

    /// Whether `answer` is bad in place of the last level's, `reference`, for a
    /// sample whose true label is `label`.
    #[must_use]
    pub fn is_bad(self, answer: Option<u32>, reference: Option<u32>, label: Option<u32>) -> bool {
        match self {
            Loss::Harm => label.is_some() && reference == label && answer != label,
            Loss::Disagree => answer != reference,
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::Harm => "harm",
            Loss::Disagree => "disagree",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harm_needs_a_label_and_is_never_more_than_disagreement() {
        let answers = [None, Some(0), Some(1), Some(2)];
        for answer in answers {
            for reference in answers {
                for label in answers {
                    let harm = Loss::Harm.is_bad(answer, reference, label);
                    assert!(!harm || Loss::Disagree.is_bad(answer, reference, label));
                    assert!(!harm || label.is_some());
                    assert_eq!(harm, label.is_some() && reference == label && answer != label);
                }
            }
        }
    }
}
