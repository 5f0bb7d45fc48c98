//! What is fitted on the tuning split: temperature and the order of the norm.

use crate::decision::{Confidence, OutputSpec, Scores};

use super::curve::aurc;

/// Temperatures that are tried: from sharper by 20 to softer by 20.
const LOWEST: f64 = 0.05;
const HIGHEST: f64 = 20.0;
/// Orders of the norm that are tried.
const ORDERS: [f32; 10] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];

/// A labelled row of one network: its logits by class and the class that is
/// right, if one is.
#[derive(Debug, Clone, Copy)]
pub struct LogitRow<'a> {
    /// Raw values, in the network's order.
    pub output: &'a [f32],
    /// The index of the bundle's label that is right.
    pub label: u32,
}

/// What a fit found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    /// The value.
    pub value: f32,
    /// The area under the risk-coverage curve before and with it; the fit is
    /// worth keeping only where it is smaller.
    pub aurc_before: f64,
    /// With it.
    pub aurc_after: f64,
    /// Whether the value lies at the edge of what is tried, so that the best one
    /// may lie beyond: too few rows, or none that is wrong.
    pub at_edge: bool,
}

impl Fitted {
    /// Whether it makes confidence rank answers better.
    #[must_use]
    pub fn is_better(&self) -> bool {
        self.aurc_after < self.aurc_before
    }
}

/// The temperature with the least negative log-likelihood of the labels, for a
/// network of logits described by `spec`, judged by what it does to the ranking
/// by `confidence`. `None` where no row can be used.
#[must_use]
pub fn fit_temperature(
    rows: &[LogitRow<'_>],
    spec: &OutputSpec,
    label_count: usize,
    confidence: Confidence,
) -> Option<Fitted> {
    let mut logits = Vec::new();
    let mut scores = Scores::new();
    let plain = OutputSpec { temperature: 1.0, ..spec.clone() };
    for row in rows {
        scores.read(&plain, label_count, row.output);
        let class = (0..scores.logits().len()).find(|c| spec.label_of(*c) == Some(row.label));
        if let (None, Some(class)) = (scores.flaw(), class) {
            logits.push((scores.logits().to_vec(), class));
        }
    }
    if logits.is_empty() {
        return None;
    }
    // In 1/T the likelihood has one valley, and so it has in ln T.
    let nll = |log_t: f64| negative_log_likelihood(&logits, libm::exp(-log_t));
    let value = libm::exp(minimum(nll, libm::log(LOWEST), libm::log(HIGHEST))) as f32;
    let with = |temperature: f32| {
        let spec = OutputSpec { temperature, ..spec.clone() };
        ranking(rows, &spec, label_count, confidence)
    };
    let (aurc_before, aurc_after) = (with(spec.temperature), with(value));
    let at_edge = f64::from(value) < 1.01 * LOWEST || f64::from(value) > HIGHEST / 1.01;
    Some(Fitted { value, aurc_before, aurc_after, at_edge })
}

/// The order of the norm of [`Confidence::MaxLogitPNorm`] that ranks answers
/// best, compared with the order `before`. `None` where there are no rows.
#[must_use]
pub fn fit_norm_order(
    rows: &[LogitRow<'_>],
    spec: &OutputSpec,
    label_count: usize,
    before: f32,
) -> Option<Fitted> {
    let with = |p: f32| ranking(rows, spec, label_count, Confidence::MaxLogitPNorm { p });
    let aurc_before = with(before);
    let tried = ORDERS.into_iter().map(|p| (p, with(p)));
    let (value, aurc_after) = tried.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let at_edge = value == ORDERS[0] || value == ORDERS[ORDERS.len() - 1];
    (!rows.is_empty()).then_some(Fitted { value, aurc_before, aurc_after, at_edge })
}

/// The area under the risk-coverage curve of a network's own errors.
fn ranking(
    rows: &[LogitRow<'_>],
    spec: &OutputSpec,
    label_count: usize,
    confidence: Confidence,
) -> f64 {
    let mut scores = Scores::new();
    let judged = rows.iter().map(|row| {
        scores.read(spec, label_count, row.output);
        let answer = scores.top_class().and_then(|(class, _)| spec.label_of(class));
        (confidence.of(&scores), answer != Some(row.label))
    });
    aurc(&judged.collect::<Vec<_>>())
}

fn negative_log_likelihood(rows: &[(Vec<f32>, usize)], inverse: f64) -> f64 {
    let row = |(logits, class): &(Vec<f32>, usize)| {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shifted = |logit: &f32| (f64::from(*logit) - f64::from(max)) * inverse;
        let sum: f64 = logits.iter().map(|logit| libm::exp(shifted(logit))).sum();
        libm::log(sum) - shifted(&logits[*class])
    };
    rows.iter().map(row).sum()
}

/// The place of the least value of a function with one valley, by golden
/// sections, to six digits.
fn minimum(value: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_a, mut at_b) = (value(a), value(b));
    while high - low > 1e-6 {
        if at_a <= at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - GOLDEN * (high - low);
            at_a = value(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + GOLDEN * (high - low);
            at_b = value(b);
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_temperature_that_made_the_labels_is_found() {
        // Logits (z, 0): class 0 is right with probability 1 / (1 + exp(-z/3)).
        let outputs: Vec<[f32; 2]> = (0..2_000).map(|i| [(i % 100) as f32 / 10.0, 0.0]).collect();
        let rows: Vec<_> = outputs
            .iter()
            .enumerate()
            .map(|(i, output)| {
                let p = 1.0 / (1.0 + libm::exp(-f64::from(output[0]) / 3.0));
                let u = ((i / 100) as f64 + 0.5) / 20.0;
                LogitRow { output, label: u32::from(u > p) }
            })
            .collect();
        let fitted = fit_temperature(&rows, &OutputSpec::logits(), 2, Confidence::Margin).unwrap();
        assert!((fitted.value - 3.0).abs() < 0.1, "{fitted:?}");
        // Two classes are ranked alike at any temperature.
        assert!(!fitted.is_better() && (fitted.aurc_after - fitted.aurc_before).abs() < 1e-9);
        assert!(fit_temperature(&[], &OutputSpec::logits(), 2, Confidence::Margin).is_none());
        assert!(fit_norm_order(&[], &OutputSpec::logits(), 2, 4.0).is_none());
        let order = fit_norm_order(&rows, &OutputSpec::logits(), 2, 4.0).unwrap();
        assert!(ORDERS.contains(&order.value) && order.aurc_after <= order.aurc_before);
    }

    #[test]
    fn minima_are_found() {
        let found = minimum(|x| (x - 1.25) * (x - 1.25), -3.0, 3.0);
        assert!((found - 1.25).abs() < 1e-5);
    }
}
