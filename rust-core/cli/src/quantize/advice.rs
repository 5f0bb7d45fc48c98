//! Whether a network should stay in float32.
//!
//! Decides by what int8 costs in accuracy and in what the score margin tells, and
//! by whether it gains time. The figures are [`judge`](super::judge)'s.

use biglittle::calibrate::binomial_cdf;

use super::judge::Labelled;
use crate::commands::table::duration;

/// The most points of accuracy that int8 may cost.
const MOST_LOST: f64 = 0.5;
/// A difference that is less probable than this is not put down to chance.
const CHANCE: f64 = 0.05;
/// The most by which the AUROC of the score margin may fall.
const MOST_AUROC_LOST: f64 = 0.02;
/// The least agreement without labels, in percent.
const LEAST_AGREEMENT: f64 = 95.0;

/// Why the network should stay in float32, each reason a sentence about it; none
/// where it should not. `median_ns` are the times of float32 and of int8.
pub fn reasons(
    agreement: f64,
    labelled: Option<&Labelled>,
    median_ns: Option<[u64; 2]>,
) -> Vec<String> {
    let quality = match labelled {
        Some(labelled) => [accuracy(labelled), auroc(labelled)],
        None => [unlabelled(agreement), None],
    };
    quality.into_iter().flatten().chain(median_ns.and_then(speed)).collect()
}

fn accuracy(labelled: &Labelled) -> Option<String> {
    let Labelled { accuracy: [float, int8], only_right: [more, fewer], mcnemar_p, .. } = labelled;
    let lost = 100.0 * (float - int8);
    // half a point exactly is not more
    if lost <= MOST_LOST + 1e-9 {
        return None;
    }
    let chance = if *mcnemar_p < CHANCE {
        "which chance does not explain"
    } else {
        "which may be chance, so judge it on more images"
    };
    Some(format!(
        "it loses {lost:.2} points of accuracy, more than {MOST_LOST}, {chance} ({more} answers are \
         right in float32 only, {fewer} in int8 only: {} by McNemar's exact test)",
        p_value(*mcnemar_p)
    ))
}

fn auroc(labelled: &Labelled) -> Option<String> {
    let [Some(float), Some(int8)] = labelled.margin_auroc else { return None };
    (float - int8 > MOST_AUROC_LOST).then(|| {
        format!(
            "the AUROC of its score margin falls from {float:.3} to {int8:.3}, by more than \
             {MOST_AUROC_LOST}: the cascade escalates by the margin, and would let more wrong \
             answers pass (where few answers are wrong, that may be chance)"
        )
    })
}

fn unlabelled(agreement: f64) -> Option<String> {
    let percent = 100.0 * agreement;
    (percent < LEAST_AGREEMENT)
        .then(|| format!("only {percent:.2} % of the answers stay, less than {LEAST_AGREEMENT} %"))
}

fn speed([float, int8]: [u64; 2]) -> Option<String> {
    (int8 >= float).then(|| {
        format!(
            "it is not faster in int8 on this machine: {}, in float32 {}",
            duration(int8 as f64),
            duration(float as f64)
        )
    })
}

/// The two-sided p-value of McNemar's exact test: of images that only one of two
/// classifiers answers right, how probable it is that they are divided so unequally
/// or more, were either as likely.
pub fn mcnemar([more, fewer]: [usize; 2]) -> f64 {
    let (least, all) = (more.min(fewer) as u64, (more + fewer) as u64);
    (2.0 * binomial_cdf(least, all, 0.5)).min(1.0)
}

/// A p-value with as many digits as anybody needs.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(accuracy: [f64; 2], only_right: [usize; 2], auroc: [f64; 2]) -> Labelled {
        Labelled {
            accuracy,
            accuracy_ci95: [[0.0, 1.0]; 2],
            only_right,
            mcnemar_p: mcnemar(only_right),
            margin_auroc: auroc.map(Some),
        }
    }

    #[test]
    fn mcnemar_is_a_fair_coin_tossed_for_each_image() {
        assert_eq!(mcnemar([0, 0]), 1.0);
        assert_eq!(mcnemar([4, 4]), 1.0);
        // Both ends of ten tosses: 2 (1 + 10) / 1024.
        assert!((mcnemar([9, 1]) - 22.0 / 1024.0).abs() < 1e-12);
        assert_eq!(mcnemar([1, 9]), mcnemar([9, 1]));
    }

    #[test]
    fn what_costs_more_than_half_a_point_should_stay() {
        let said = |accuracy, only_right| {
            reasons(0.5, Some(&labelled(accuracy, only_right, [0.9; 2])), Some([2, 1]))
        };
        assert_eq!(said([0.900, 0.896], [40, 36]), [""; 0]);
        // exactly half a point, which is no exact difference of floats
        assert_eq!(said([0.900, 0.895], [1, 0]), [""; 0]);
        assert!(said([508.0 / 565.0, 505.0 / 565.0], [3, 0])[0].contains("loses 0.53 points"));
        let sure = said([0.900, 0.880], [22, 2]);
        assert!(sure[0].contains("loses 2.00 points") && sure.len() == 1, "{sure:?}");
        assert!(sure[0].contains("chance does not explain"), "{sure:?}");
        assert!(sure[0].contains("p < 0.001"), "{sure:?}");
        let unsure = said([0.900, 0.880], [6, 4]);
        assert!(unsure[0].contains("may be chance"), "{unsure:?}");
        assert!(
            unsure[0].contains("6 answers are right in float32 only, 4 in int8 only: p = 0.754")
        );
    }

    #[test]
    fn what_blurs_the_margin_should_stay() {
        let said = |auroc| reasons(1.0, Some(&labelled([0.9; 2], [0; 2], auroc)), None);
        assert_eq!(said([0.900, 0.881]), [""; 0]);
        let blurred = said([0.900, 0.879]);
        assert!(blurred[0].contains("from 0.900 to 0.879"), "{blurred:?}");
        let none =
            Labelled { margin_auroc: [Some(0.9), None], ..labelled([0.9; 2], [0; 2], [0.0; 2]) };
        assert_eq!(reasons(1.0, Some(&none), None), [""; 0]);
    }

    #[test]
    fn what_gains_no_time_should_stay() {
        assert_eq!(reasons(0.951, None, Some([1_000_001, 1_000_000])), [""; 0]);
        let slow = reasons(0.951, None, Some([1_000_000, 1_200_000]));
        assert!(slow[0].contains("on this machine: 1.20 ms, in float32 1.00 ms"), "{slow:?}");
        assert_eq!(reasons(0.949, None, Some([1, 1])).len(), 2);
    }
}
