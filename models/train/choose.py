"""Weighs every little against every big on the validation digits; exports a pair.

    python choose.py                                      # only prints
    python choose.py --pair LITTLE BIG                    # exports, threshold by harm
    python choose.py --pair LITTLE BIG --budget 0.0275    # exports, threshold by budget

The cost of a pair is (t_little + overhead) / t_big + r: its CPU time as a fraction of
big's, r being the escalation rate. A digit is harmed when little is wrong, big is
right, and the margin is above the threshold. Two rules set a threshold:

harm    fewest escalations with few enough harmed digits: as many as leave the binomial
        tail at `--epsilon` no larger than `--delta`. All pairs are weighed by it.
budget  the highest threshold on the pair's curve whose cost is at most `--budget`.

The validation digits also chose the networks, so neither is a certificate.
With --pair, writes front.json (all networks and pairs, the chosen pair's curve),
export.json and the bundle, without sizes and hashes: run ./pack next.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATES = (0.0025, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.03, 0.05)
LICENCE = {"authors": "The biglittle authors", "licence": "MIT OR Apache-2.0"}


def margins(logits: np.ndarray) -> np.ndarray:
    """Largest minus second-largest softmax probability."""
    z = logits.astype(np.float64)
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p.sort(1)
    return p[:, -1] - p[:, -2]


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Probability of at most `k` successes in `n` trials, 0 < p < 1."""
    whole = math.lgamma(n + 1)
    return math.fsum(
        math.exp(
            whole
            - math.lgamma(i + 1)
            - math.lgamma(n - i + 1)
            + i * math.log(p)
            + (n - i) * math.log1p(-p)
        )
        for i in range(k + 1)
    )


def allowed(n: int, epsilon: float, delta: float) -> int:
    """The largest k with BinomCDF(k; n, epsilon) <= delta, or -1."""
    k = -1
    while binomial_cdf(k + 1, n, epsilon) <= delta:
        k += 1
    return k


@dataclass(frozen=True)
class Pair:
    """A little and a big with their answers to the validation digits."""

    little: dict
    big: dict
    overhead_us: float  # preprocessing and bookkeeping of a digit
    scores: np.ndarray  # little's margins
    right: np.ndarray  # whether little is
    rescued: np.ndarray  # whether big is right

    @classmethod
    def load(cls, little: dict, big: dict, folder: Path, overhead_us: float) -> Pair:
        labels = np.load(folder / "labels.npy")
        small, large = (np.load(folder / f"{x['name']}.npy") for x in (little, big))
        right, rescued = small.argmax(1) == labels, large.argmax(1) == labels
        return cls(little, big, overhead_us, margins(small), right, rescued)

    def at(self, threshold: float) -> dict[str, float]:
        """What the pair costs and loses on the validation digits at this threshold."""
        accepted = self.scores > threshold
        rate = float(1.0 - accepted.mean())
        cascade = np.where(accepted, self.right, self.rescued)
        little_us = self.little["cpu_us_median"] + self.overhead_us
        return {
            "threshold": threshold,
            "escalation_rate": round(rate, 5),
            "harmed": int((~self.right & self.rescued & accepted).sum()),
            "validation_accuracy": round(100.0 * float(cascade.mean()), 2),
            "validation_loss_points": round(100.0 * float(self.rescued.mean() - cascade.mean()), 2),
            "cpu_cost_fraction": round(little_us / self.big["cpu_us_median"] + rate, 5),
            "mac_cost_fraction": round(self.little["macs"] / self.big["macs"] + rate, 5),
        }

    def by_harm(self, k: int) -> dict[str, float]:
        """The lowest threshold letting at most `k` bad digits through, rounded up to 1e-5."""
        bad = np.sort(self.scores[~self.right & self.rescued])[::-1]
        return self.at(math.ceil(bad[k] * 1e5) / 1e5 if len(bad) > k else 0.0)

    def curve(self) -> list[dict[str, float]]:
        """The pair at rising thresholds, one for each of `RATES`."""
        ranked = np.sort(self.scores)
        return [
            self.at(math.floor(ranked[round(rate * len(ranked)) - 1] * 1e5) / 1e5) for rate in RATES
        ]

    def by_budget(self, budget: float) -> dict[str, float]:
        """The highest threshold on the curve whose cost is at most `budget`."""
        points = self.curve()
        within = [p for p in points if p["cpu_cost_fraction"] <= budget]
        if not within:
            least = min(p["cpu_cost_fraction"] for p in points)
            raise SystemExit(
                f"no threshold of {self.little['name']} and {self.big['name']} costs at most"
                f" {budget} of big's CPU time; the cheapest costs {least}: raise --budget"
            )
        return max(within, key=lambda p: p["threshold"])


def manifest(pair: Pair, threshold: float) -> dict[str, object]:
    """The bundle's manifest without sizes, hashes and MACs, which `biglittle pack` fills in."""

    def network(role: str, entry: dict) -> dict[str, object]:
        return {
            "id": role,
            "file": {"path": f"{role}.onnx"},
            "input": {
                "width": 28,
                "height": 28,
                "channels": "gray",
                "fit": "stretch",
                "filter": "bilinear",
                "antialias": True,
                "mean": [33.3285],  # 255 x 0.1307
                "std": [78.5655],  # 255 x 0.3081
            },
            "output": {"kind": "logits", "temperature": 1.0},
            "provenance": {
                **LICENCE,
                "source": f"models/train, architecture {entry['name']}, seed {entry['seed']}",
                "training_data": "MNIST, 50,000 of the 60,000 training digits",
            },
        }

    def level(role: str) -> dict[str, object]:
        return {"name": role, "networks": [role], "answer": "own", "confidence": "margin"}

    return {
        "format_version": 1,
        "name": "mnist",
        "version": "1.0.0",
        "description": "Handwritten digits 0 to 9, white on black, 28 x 28 pixels.",
        "labels": {"path": "labels.txt"},
        "networks": [network("little", pair.little), network("big", pair.big)],
        "levels": [{**level("little"), "threshold": threshold}, level("big")],
        "provenance": {**LICENCE, "source": "models/train"},
    }


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def dump(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def export(pair: Pair, chosen: dict[str, object], measured: Path, folder: Path) -> None:
    """Writes FOLDER/bundle, to be packed, and export.json, which keeps its `test`."""
    bundle, path = folder / "bundle", folder / "export.json"
    bundle.mkdir(parents=True, exist_ok=True)
    (bundle / "manifest.sha256").unlink(missing_ok=True)
    record: dict[str, object] = {
        "preprocessing": "pixel / 255, then (x - 0.1307) / 0.3081; input [1,1,28,28]",
        "output": "logits [1,10]",
    }
    for role, entry in (("little", pair.little), ("big", pair.big)):
        target = bundle / f"{role}.onnx"
        shutil.copyfile(measured / f"{entry['name']}.onnx", target)
        record[role] = {
            "file": f"bundle/{target.name}",
            "sha256": sha256(target),
            "bytes": target.stat().st_size,
            **entry,
        }
    record["pair"] = {"score": "margin", "temperature": 1.0, **chosen}
    record["test"] = json.loads(path.read_text())["test"] if path.exists() else []
    (bundle / "labels.txt").write_text("".join(f"{digit}\n" for digit in range(10)))
    dump(bundle / "manifest.json", manifest(pair, chosen["threshold"]))
    dump(path, record)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, default=Path("measured"))
    parser.add_argument("--epsilon", type=float, default=0.001)
    parser.add_argument("--delta", type=float, default=0.05)
    parser.add_argument("--overhead-us", type=float, default=0.7)
    parser.add_argument("--pair", nargs=2, metavar=("LITTLE", "BIG"))
    parser.add_argument("--budget", type=float, help="largest cost, a fraction of big's CPU time")
    parser.add_argument("--export", type=Path, default=Path("../mnist"))
    args = parser.parse_args()
    if args.budget is not None and not args.pair:
        parser.error("--budget sets the threshold of a pair: name it with --pair LITTLE BIG")
    entries = json.loads((args.measured / "measured.json").read_text())
    of = {role: {e["name"]: e for e in entries if e["role"] == role} for role in ("little", "big")}
    if args.pair and (args.pair[0] not in of["little"] or args.pair[1] not in of["big"]):
        parser.error(f"--pair: choose from {', '.join(of['little'])} and {', '.join(of['big'])}")
    n = len(np.load(args.measured / "labels.npy"))
    k = allowed(n, args.epsilon, args.delta)

    def load(little: dict, big: dict) -> Pair:
        return Pair.load(little, big, args.measured, args.overhead_us)

    pairs = [
        {"little": a["name"], "big": b["name"], **load(a, b).by_harm(k)}
        for b in of["big"].values()
        for a in of["little"].values()
    ]
    pairs.sort(key=lambda p: (p["big"], p["cpu_cost_fraction"]))
    for p in pairs:
        print(
            f"{p['little']:18} {p['big']:14} t {p['threshold']:.5f}"
            f" r {100 * p['escalation_rate']:6.3f} % loss {p['validation_loss_points']:5.2f}"
            f" cpu {100 * p['cpu_cost_fraction']:6.3f} % macs {100 * p['mac_cost_fraction']:6.3f} %"
        )
    if args.pair:
        pair = load(of["little"][args.pair[0]], of["big"][args.pair[1]])
        front = {
            "epsilon": args.epsilon,
            "delta": args.delta,
            "overhead_us": args.overhead_us,
            "networks": entries,
            "pairs": pairs,
            "curve_of_the_chosen_pair": pair.curve(),
        }
        if args.budget is None:
            rule = (
                f"harm: fewest escalations on the {n:,} validation digits with at most {k} harmed"
                f" (epsilon {args.epsilon}, delta {args.delta})"
            )
            chosen = pair.by_harm(k)
        else:
            rule = (
                f"budget: the highest threshold on the curve in front.json whose cost on the"
                f" {n:,} validation digits is at most {args.budget} of big's CPU time"
                f" ({args.overhead_us:g} us a digit for preprocessing and bookkeeping included)"
            )
            chosen = pair.by_budget(args.budget)
        export(pair, {"rule": rule, **chosen}, args.measured, args.export)
        dump(args.export / "front.json", front)
        print(f"exported at threshold {chosen['threshold']:.5f}; run ./pack next")
    return 0


if __name__ == "__main__":
    sys.exit(main())
