#!/usr/bin/env python3
"""Writes binomial.json: binomial tails and intervals by SciPy, and the tails in
50 digits by mpmath too, because SciPy's have 9 digits at 10 million trials.

Usage: pip install scipy==1.17.1 mpmath==1.4.1 && python3 binomial.py > binomial.json
"""

import json

import mpmath
from scipy.stats import beta, binom

TAILS = [(1, [0, 1]), (2, [0, 1]), (59, [0, 1, 30, 58]), (1_000, [0, 4, 10, 999])]
TAILS += [(10_000, [0, 82, 83, 100, 9_999])]
TAILS += [(10_000_000, [0, 10, 30, 4_999_999, 5_003_000, 9_999_999])]
PROBABILITIES = [1e-6, 0.001, 0.009, 0.01, 0.05, 0.5, 0.999]


def exact(k: int, n: int, p: float) -> float:
    """P(X <= k), by adding up terms until they no longer matter."""
    mpmath.mp.dps = 50
    if k >= n:
        return 1.0
    p = mpmath.mpf(p)
    if k >= n * p:
        return float(1 - lower(n - k - 1, n, 1 - p))
    return float(lower(k, n, p))


def lower(k: int, n: int, p: mpmath.mpf) -> mpmath.mpf:
    log_term = mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
    term = mpmath.exp(log_term + k * mpmath.log(p) + (n - k) * mpmath.log1p(-p))
    total = mpmath.mpf(0)
    for i in range(k, -1, -1):
        total += term
        if term < total * mpmath.mpf(10) ** -25:
            break
        term *= i * (1 - p) / ((n - i + 1) * p)
    return total


def main() -> None:
    tails = []
    for n, ks in TAILS:
        for p in PROBABILITIES:
            # And around the mean, where the sums are longest.
            sd = (n * p * (1 - p)) ** 0.5
            near = [round(n * p + z * sd) for z in (-6, -1.7, -1, 0, 1, 4)]
            for k in sorted({k for k in ks + near if 0 <= k <= n}):
                tails.append([k, n, p, float(binom.cdf(k, n, p)), exact(k, n, p)])
    intervals = []
    for k, n in [(0, 1), (1, 1), (0, 10), (10, 10), (9_965, 10_000), (350, 100_000), (3, 10_000_000)]:
        for alpha in (0.05, 0.001):
            low = 0.0 if k == 0 else float(beta.ppf(alpha / 2, k, n - k + 1))
            high = 1.0 if k == n else float(beta.ppf(1 - alpha / 2, k + 1, n - k))
            intervals.append([k, n, alpha, low, high])
    most_bad = []
    for n in (59, 299, 1_000, 2_995, 10_000, 1_000_000, 10_000_000):
        for eps in (1e-6, 0.001, 0.009, 0.05):
            for delta in (0.05, 0.05 / 3, 0.01):
                k = int(binom.ppf(delta, n, eps)) + 2
                while k >= 0 and binom.cdf(k, n, eps) > delta:
                    k -= 1
                most_bad.append([n, eps, delta, k if k >= 0 else None])
    print(json.dumps({"tails": tails, "intervals": intervals, "most_bad": most_bad}))


if __name__ == "__main__":
    main()
