//! Binomial tails, exact to the last few bits and the same on every platform.
//!
//! Point probabilities by the saddle-point expansion of Loader, "Fast and
//! Accurate Computation of Binomial Probabilities" (2000), tails by adding them
//! up: incomplete-beta routines with a fixed number of iterations lose digits at
//! millions of samples, and those on the platform's `ln` and `exp` differ from
//! platform to platform. Everything here is basic arithmetic and the `libm`
//! crate, whose results do not depend on the platform.

use core::f64::consts::TAU;

/// The largest number of trials: above, integers are not exact in `f64`.
pub const MAX_TRIALS: u64 = 1 << 53;

/// `P(X <= k)` for `X` the number of successes in `n` trials of probability `p`
/// each. Relative error below 1e-11 for `n` up to 1e7.
///
/// 1 where `k >= n`; NaN where `p` is not from 0 to 1.
#[must_use]
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k >= n || p == 0.0 {
        return 1.0;
    }
    if p == 1.0 {
        return 0.0;
    }
    if (k as f64) < n as f64 * p {
        lower_tail(k, n, [p, 1.0 - p])
    } else {
        // X <= k if and only if there are at least n - k failures.
        1.0 - lower_tail(n - k - 1, n, [1.0 - p, p])
    }
}

/// `P(X <= k)` for a `k` at most about the mean: from `k` downwards terms only
/// shrink. Success and failure both have their probability, since 1 - p forgets
/// the digits of a small one.
fn lower_tail(k: u64, n: u64, [p, q]: [f64; 2]) -> f64 {
    let odds = q / p;
    let mut term = binomial_pmf(k, n, [p, q]);
    let mut sum = 0.0;
    let mut i = k;
    loop {
        sum += term;
        if i == 0 || term <= sum * 1e-18 {
            return sum.min(1.0);
        }
        term *= i as f64 / (n - i + 1) as f64 * odds;
        i -= 1;
    }
}

/// `P(X = k)`, for `p` strictly between 0 and 1 and `q = 1 - p`.
fn binomial_pmf(k: u64, n: u64, [p, q]: [f64; 2]) -> f64 {
    let (x, n_) = (k as f64, n as f64);
    let log = |p: f64, q: f64| if q < 0.5 { libm::log1p(-q) } else { libm::log(p) };
    if k == 0 {
        return libm::exp(n_ * log(q, p));
    }
    if k == n {
        return libm::exp(n_ * log(p, q));
    }
    let exponent = stirling_error(n)
        - stirling_error(k)
        - stirling_error(n - k)
        - deviance(x, n_ * p)
        - deviance(n_ - x, n_ * q);
    libm::exp(exponent) * libm::sqrt(n_ / (TAU * x * (n_ - x)))
}

/// `ln(n!) - ln(sqrt(2 pi n) (n/e)^n)`.
fn stirling_error(n: u64) -> f64 {
    const SERIES: [f64; 5] = [1.0 / 12.0, 1.0 / 360.0, 1.0 / 1260.0, 1.0 / 1680.0, 1.0 / 1188.0];
    let x = n as f64;
    if n < 16 {
        // n! is exact here.
        let factorial: f64 = (1..=n).map(|i| i as f64).product();
        return libm::log(factorial) - 0.5 * libm::log(TAU * x) - x * libm::log(x) + x;
    }
    let square = x * x;
    let [a, b, c, d, e] = SERIES;
    (a - (b - (c - (d - e / square) / square) / square) / square) / x
}

/// `x ln(x / mean) + mean - x`, without cancellation where `x` is near `mean`.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * libm::log(x / mean) - difference;
    }
    let v = difference / (x + mean);
    let mut sum = difference * v;
    let mut power = 2.0 * x * v;
    let mut odd = 3.0;
    loop {
        power *= v * v;
        let next = sum + power / odd;
        if next == sum {
            return sum;
        }
        sum = next;
        odd += 2.0;
    }
}

/// The largest `k` with `P(X <= k) <= delta` for `n` trials of probability
/// `eps`: how many bad samples may be accepted. `None` where even 0 is too
/// likely: `n` is too small.
#[must_use]
pub fn most_bad(n: u64, eps: f64, delta: f64) -> Option<u64> {
    let is_rare = |k: u64| binomial_cdf(k, n, eps) <= delta;
    if n == 0 || !is_rare(0) {
        return None;
    }
    // The tail grows with k, and for delta < 1 does not hold at n.
    let (mut good, mut bad) = (0, n);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if is_rare(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Some(good)
}

/// The fewest samples for which [`most_bad`] is something: `eps` can be promised
/// if none of them is bad.
#[must_use]
pub fn samples_needed(eps: f64, delta: f64) -> u64 {
    let estimate = libm::ceil(libm::log(delta) / libm::log1p(-eps)) as u64;
    let mut n = estimate.saturating_sub(1).max(1);
    while binomial_cdf(0, n, eps) > delta {
        n += 1;
    }
    n
}

/// The exact two-sided interval of a proportion with `successes` in `trials`
/// (Clopper and Pearson 1934): misses the truth with probability `alpha` at
/// most.
#[must_use]
pub fn clopper_pearson(successes: u64, trials: u64, alpha: f64) -> [f64; 2] {
    let half = alpha / 2.0;
    let low = match successes {
        0 => 0.0,
        // P(X >= k) = 1 - P(X <= k - 1) rises with p.
        k => root(|p| 1.0 - binomial_cdf(k - 1, trials, p) >= half),
    };
    let high = match successes >= trials {
        true => 1.0,
        false => root(|p| binomial_cdf(successes, trials, p) <= half),
    };
    [low, high]
}

/// The smallest `p` from which on `holds`, to the last bits.
fn root(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

/// A p-value for "the mean loss is above `eps`" from `n` losses between 0 and 1
/// whose sum is `sum`, rounded up to `whole`: the smaller of Hoeffding's and
/// Bentkus' (Bates et al., "Distribution-free, risk-controlling prediction
/// sets", 2021).
#[must_use]
pub fn hoeffding_bentkus(n: u64, sum: f64, whole: u64, eps: f64) -> f64 {
    let n_ = n as f64;
    let mean = (sum / n_).min(eps);
    let hoeffding = libm::exp(-n_ * relative_entropy(mean, eps));
    let bentkus = core::f64::consts::E * binomial_cdf(whole, n, eps);
    hoeffding.min(bentkus).min(1.0)
}

/// `a ln(a/b) + (1-a) ln((1-a)/(1-b))`.
fn relative_entropy(a: f64, b: f64) -> f64 {
    let part = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a * libm::log(a / b) };
    part(a, b) + part(1.0 - a, 1.0 - b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_needed_samples() {
        for (eps, n) in [(0.05, 59), (0.02, 149), (0.01, 299), (0.005, 598), (0.001, 2995)] {
            assert_eq!(samples_needed(eps, 0.05), n, "{eps}");
            assert_eq!(most_bad(n, eps, 0.05), Some(0));
            assert_eq!(most_bad(n - 1, eps, 0.05), None);
        }
        // The share of the budget that can be used at 1 %.
        for (n, share) in [(1_000, 0.40), (2_000, 0.60), (5_000, 0.76), (10_000, 0.83)] {
            let k = most_bad(n, 0.01, 0.05).unwrap();
            assert!((k as f64 / (n as f64 * 0.01) - share).abs() < 0.006, "{n}: {k}");
        }
        assert_eq!(most_bad(0, 0.5, 0.5), None);
    }

    #[test]
    fn tails_of_few_trials_are_sums_of_products() {
        for n in 1..=20u64 {
            for p in [1e-6, 0.009, 0.3, 0.5, 0.97] {
                let mut sum = 0.0;
                for k in 0..=n {
                    let choose: f64 = (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product();
                    sum += choose * libm::pow(p, k as f64) * libm::pow(1.0 - p, (n - k) as f64);
                    let cdf = binomial_cdf(k, n, p);
                    assert!((cdf - sum).abs() <= 1e-13 * sum, "{k} of {n} at {p}: {cdf} {sum}");
                }
            }
        }
    }

    #[test]
    fn edges() {
        assert_eq!(binomial_cdf(0, 10, 0.0), 1.0);
        assert_eq!(binomial_cdf(9, 10, 1.0), 0.0);
        assert_eq!(binomial_cdf(10, 10, 1.0), 1.0);
        assert!(binomial_cdf(1, 2, f64::NAN).is_nan());
        assert_eq!(hoeffding_bentkus(10, 10.0, 10, 0.1), 1.0);
        assert!(hoeffding_bentkus(1_000, 0.0, 0, 0.01) <= binomial_cdf(0, 1_000, 0.01) * 1.001);
    }
}
