//! What things are called, which depends on whether there are labels.

use biglittle::calibrate::Loss;

/// What is counted.
pub struct Words {
    /// "accuracy", or "agreement with big".
    pub accuracy: String,
    /// "right", or "the same as big's".
    pub right: String,
    pub wrong: String,
    /// What a loss is, of an answer that stands.
    pub loss: String,
    /// A loss in few words.
    pub bad: &'static str,
    pub good: &'static str,
    pub has_labels: bool,
}

impl Words {
    pub fn of(loss: Loss, last: &str) -> Self {
        match loss {
            Loss::Harm => Words {
                accuracy: "accuracy".into(),
                right: "right".into(),
                wrong: "wrong".into(),
                loss: format!("wrong where {last} alone is right"),
                bad: "harm",
                good: "no harm",
                has_labels: true,
            },
            Loss::Disagree => Words {
                accuracy: format!("agreement with {last}"),
                right: format!("the same as {last}'s"),
                wrong: format!("other than {last}'s"),
                loss: format!("not the one that {last} gives"),
                bad: "disagreement",
                good: "agreement",
                has_labels: false,
            },
        }
    }
}
