//! The score that an answer has to beat.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

const ALWAYS_ESCALATE: &str = "always_escalate";
const NEVER_ESCALATE: &str = "never_escalate";

/// The score that an answer has to beat: accepted if and only if
/// `score > threshold`, strictly, so that equal scores escalate.
///
/// In JSON a number, or the words `"always_escalate"` and `"never_escalate"`
/// for plus and minus infinity.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Threshold(f32);

impl Threshold {
    /// No score is enough.
    pub const ALWAYS_ESCALATE: Threshold = Threshold(f32::INFINITY);
    /// Any finite score is enough.
    pub const NEVER_ESCALATE: Threshold = Threshold(f32::NEG_INFINITY);

    /// A threshold at `value`, in the unit of the confidence it is compared
    /// with.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when `value` is NaN.
    pub fn new(value: f32) -> Result<Self> {
        if value.is_nan() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "threshold is NaN: it must be a number, or infinite to always or never escalate",
            ));
        }
        Ok(Threshold(value))
    }

    /// The value to compare with; infinite for always and never.
    #[must_use]
    pub fn value(self) -> f32 {
        self.0
    }

    /// Whether a finite `score` is above the threshold.
    #[must_use]
    pub fn accepts(self, score: f32) -> bool {
        score.is_finite() && score > self.0
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Threshold::ALWAYS_ESCALATE => f.write_str(ALWAYS_ESCALATE),
            Threshold::NEVER_ESCALATE => f.write_str(NEVER_ESCALATE),
            Threshold(value) => value.fmt(f),
        }
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Threshold::ALWAYS_ESCALATE => serializer.serialize_str(ALWAYS_ESCALATE),
            Threshold::NEVER_ESCALATE => serializer.serialize_str(NEVER_ESCALATE),
            Threshold(value) => serializer.serialize_f32(value),
        }
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ThresholdVisitor)
    }
}

struct ThresholdVisitor;

impl Visitor<'_> for ThresholdVisitor {
    type Value = Threshold;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a finite number, \"{ALWAYS_ESCALATE}\" or \"{NEVER_ESCALATE}\"")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Threshold, E> {
        let narrowed = value as f32;
        if narrowed.is_finite() {
            Ok(Threshold(narrowed))
        } else {
            Err(E::invalid_value(de::Unexpected::Float(value), &self))
        }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Threshold, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Threshold, E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Threshold, E> {
        match word {
            ALWAYS_ESCALATE => Ok(Threshold::ALWAYS_ESCALATE),
            NEVER_ESCALATE => Ok(Threshold::NEVER_ESCALATE),
            _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
        }
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Threshold {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The score that an answer has to beat: accepted if and only if \
                            score > threshold, strictly.",
            "oneOf": [{"type": "number"}, {"enum": [ALWAYS_ESCALATE, NEVER_ESCALATE]}],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_words_for_the_infinities() {
        for (threshold, json) in [
            (Threshold::new(0.25).unwrap(), "0.25"),
            (Threshold::ALWAYS_ESCALATE, "\"always_escalate\""),
            (Threshold::NEVER_ESCALATE, "\"never_escalate\""),
        ] {
            assert_eq!(serde_json::to_string(&threshold).unwrap(), json);
            assert_eq!(serde_json::from_str::<Threshold>(json).unwrap(), threshold);
        }
        for json in ["1e300", "\"never\"", "null", "[]"] {
            assert!(serde_json::from_str::<Threshold>(json).is_err(), "{json}");
        }
        assert!(Threshold::new(f32::NAN).is_err());
    }

    #[test]
    fn only_a_finite_score_strictly_above_is_accepted() {
        let threshold = Threshold::new(0.5).unwrap();
        assert!(threshold.accepts(0.500_001));
        assert!(!threshold.accepts(0.5));
        for score in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!threshold.accepts(score));
            assert!(!Threshold::NEVER_ESCALATE.accepts(score));
        }
        assert!(Threshold::NEVER_ESCALATE.accepts(f32::MIN));
        assert!(!Threshold::ALWAYS_ESCALATE.accepts(f32::MAX));
    }
}
