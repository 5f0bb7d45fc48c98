//! How numbers are written on a page.

use crate::commands::table;
use crate::trace::ScoreKind;

/// A score as a reader knows it.
pub fn score(kind: ScoreKind) -> &'static str {
    match kind {
        ScoreKind::Margin => "margin",
        ScoreKind::MaxProbability => "largest probability",
        ScoreKind::NegativeEntropy => "negative entropy",
        ScoreKind::MaxLogitPNorm => "max-logit p-norm",
    }
}

/// A share as a percentage that is not broken over lines.
pub fn percent(share: f64, decimals: usize) -> String {
    table::percent(share, decimals).replace(' ', "\u{a0}")
}

/// What is spent, against what the last level alone takes: "97.3 % less".
pub fn saved(share: f64, less: &str) -> (String, String) {
    let (saved, word) = if share > 1.0 { (share - 1.0, "more") } else { (1.0 - share, less) };
    (percent(saved, 1), word.to_owned())
}

/// A threshold or score with as many digits as it needs.
pub fn number(value: f32) -> String {
    if value == f32::NEG_INFINITY {
        return "none escalates".into();
    }
    if value == f32::INFINITY {
        return "all escalate".into();
    }
    let rounded: f64 = format!("{:.5e}", f64::from(value)).parse().unwrap_or_default();
    rounded.to_string()
}

/// The first characters of a hash.
pub fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
