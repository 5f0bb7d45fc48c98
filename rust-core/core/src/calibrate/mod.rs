//! Calibration: from scored rows to thresholds with a guarantee.
//!
//! Decides which samples may be used for what ([`SplitSpec`]), which answers
//! are bad ([`Loss`]) and how low thresholds may be for bad answers to stay
//! rare ([`ExactRule`] for two levels, [`fixed_sequence`] in general), and what
//! a bundle says about that ([`Certificate`]). Pure: no file, no network, no
//! clock. Called by the command line on traces, and on a device on its own
//! scored frames (`disagree` needs no labels).
//!
//! The same rows give the same threshold, bit for bit, on every platform: what
//! decides it is comparisons of scores, integers, and tails made of basic
//! arithmetic and the `libm` crate, never the platform's `ln` or `exp`.
//!
//! The guarantee is over exchangeable samples: those that come must be drawn
//! like those of calibration, frames of one video clip are one sample, and
//! calibration samples are used once.

mod binomial;
mod certificate;
mod curve;
mod exact;
mod loss;
mod rows;
mod sequence;
mod split;
mod tune;

pub use binomial::{
    MAX_TRIALS, binomial_cdf, clopper_pearson, hoeffding_bentkus, most_bad, samples_needed,
};
pub use certificate::{
    Certificate, CertifiedData, CertifiedNetwork, Method, TestResult, check_date,
};
pub use curve::{
    EscalationCurve, EscalationPoint, RiskPoint, ScoredPair, aurc, escalation_curve, risk_coverage,
};
pub use exact::{ExactRule, ExactThreshold, Target};
pub use loss::Loss;
pub use rows::{Evaluation, LevelRows, Losses, Rows};
pub use sequence::{SequenceThresholds, fixed_sequence, order_thresholds, p_value};
pub use split::{Split, SplitSpec};
pub use tune::{Fitted, LogitRow, fit_norm_order, fit_temperature};
