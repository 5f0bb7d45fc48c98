"""Weighs every little against every big on the validation digits; writes the front.

    python choose.py --measured MEASURED --front front.json [--pair LITTLE BIG --export DIR]

Harm is: little wrong, big right, margin above the threshold. The threshold of a pair
is the lowest at which as many harmed digits are let through as leave the binomial
tail at `--epsilon` no larger than `--delta`. The validation digits also chose the
networks, so this is a rule for choosing, not a certificate.
The cost of a pair is (t_little + r t_big) / t_big, r the escalation rate.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import sys
from pathlib import Path

import numpy as np


def margins(logits: np.ndarray) -> np.ndarray:
    """Largest minus second-largest softmax probability."""
    z = logits.astype(np.float64)
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p.sort(1)
    return p[:, -1] - p[:, -2]


def allowed(n: int, epsilon: float, delta: float) -> int:
    """The largest k with BinomCDF(k; n, epsilon) <= delta, or -1."""
    k, term, tail = -1, (1 - epsilon) ** n, 0.0
    while tail + term <= delta:
        k, tail = k + 1, tail + term
        term *= (n - k) / (k + 1) * epsilon / (1 - epsilon)
    return k


def threshold(scores: np.ndarray, bad: np.ndarray, k: int) -> float:
    """Lowest threshold letting at most `k` bad digits through, rounded up to 1e-5."""
    ranked = np.sort(scores[bad])[::-1]
    return math.ceil(ranked[k] * 1e5) / 1e5 if len(ranked) > k else 0.0


def weigh(little: dict, big: dict, folder: Path, k: int) -> dict[str, object]:
    """One pair: threshold, escalation, loss and cost on the validation digits."""
    labels = np.load(folder / "labels.npy")
    small, large = (np.load(folder / f"{x['name']}.npy") for x in (little, big))
    scores = margins(small)
    right, rescued = small.argmax(1) == labels, large.argmax(1) == labels
    t = threshold(scores, ~right & rescued, k)
    accepted = scores > t
    rate = float(1.0 - accepted.mean())
    cascade = np.where(accepted, right, rescued)
    return {
        "little": little["name"],
        "big": big["name"],
        "threshold": t,
        "escalation_rate": round(rate, 5),
        "harmed": int((~right & rescued & accepted).sum()),
        "validation_accuracy": round(100.0 * float(cascade.mean()), 2),
        "validation_loss_points": round(100.0 * float(rescued.mean() - cascade.mean()), 2),
        "cpu_cost_fraction": round(little["tract_us_median"] / big["tract_us_median"] + rate, 5),
        "mac_cost_fraction": round(little["macs"] / big["macs"] + rate, 5),
    }


def curve(little: dict, big: dict, folder: Path) -> list[dict[str, object]]:
    """What one pair costs and loses on the validation digits at a range of escalation rates."""
    labels = np.load(folder / "labels.npy")
    small, large = (np.load(folder / f"{x['name']}.npy") for x in (little, big))
    scores = margins(small)
    right, rescued = small.argmax(1) == labels, large.argmax(1) == labels
    points = []
    for rate in (0.0025, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.03, 0.05):
        t = math.floor(np.sort(scores)[round(rate * len(scores)) - 1] * 1e5) / 1e5
        accepted = scores > t
        actual = float(1.0 - accepted.mean())
        cascade = np.where(accepted, right, rescued)
        points.append(
            {
                "threshold": t,
                "escalation_rate": round(actual, 5),
                "harmed": int((~right & rescued & accepted).sum()),
                "validation_loss_points": round(100.0 * float(rescued.mean() - cascade.mean()), 2),
                "cpu_cost_fraction": round(
                    little["tract_us_median"] / big["tract_us_median"] + actual, 5
                ),
            }
        )
    return points


def network(entry: dict, file: Path) -> dict[str, object]:
    """The export record of one network."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"file": file.name, "sha256": digest, "bytes": file.stat().st_size, **entry}


def export(args: argparse.Namespace, networks: dict[str, dict], pairs: list[dict]) -> None:
    """Copies the chosen pair and writes labels.txt and export.json (without test figures)."""
    args.export.mkdir(parents=True, exist_ok=True)
    record: dict[str, object] = {
        "preprocessing": "pixel / 255, then (x - 0.1307) / 0.3081; input [1,1,28,28]",
        "output": "logits [1,10]",
    }
    for role, name in zip(("little", "big"), args.pair):
        target = args.export / f"{role}.onnx"
        shutil.copyfile(args.measured / f"{name}.onnx", target)
        record[role] = network(networks[name], target)
    chosen = next(p for p in pairs if [p["little"], p["big"]] == args.pair)
    record["pair"] = {
        "score": "margin",
        "temperature": 1.0,
        **{k: v for k, v in chosen.items() if k not in ("little", "big")},
        "rule": "fewest escalations on the 10,000 validation digits with at most "
        f"{allowed(10_000, args.epsilon, args.delta)} harmed "
        f"(epsilon {args.epsilon}, delta {args.delta})",
    }
    (args.export / "labels.txt").write_text("".join(f"{digit}\n" for digit in range(10)))
    (args.export / "export.json").write_text(json.dumps(record, indent=2) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, default=Path("measured"))
    parser.add_argument("--front", type=Path, default=Path("front.json"))
    parser.add_argument("--epsilon", type=float, default=0.001)
    parser.add_argument("--delta", type=float, default=0.05)
    parser.add_argument("--pair", nargs=2, metavar=("LITTLE", "BIG"))
    parser.add_argument("--export", type=Path, default=Path("../mnist"))
    args = parser.parse_args()
    entries = json.loads((args.measured / "measured.json").read_text())
    k = allowed(len(np.load(args.measured / "labels.npy")), args.epsilon, args.delta)
    of = {role: [e for e in entries if e["role"] == role] for role in ("little", "big")}
    pairs = [weigh(a, b, args.measured, k) for b in of["big"] for a in of["little"]]
    pairs.sort(key=lambda p: (p["big"], p["cpu_cost_fraction"]))
    front = {"epsilon": args.epsilon, "delta": args.delta, "networks": entries, "pairs": pairs}
    if args.pair:
        small, large = (next(e for e in entries if e["name"] == name) for name in args.pair)
        front["curve_of_the_chosen_pair"] = curve(small, large, args.measured)
    args.front.write_text(json.dumps(front, indent=2) + "\n")
    for p in pairs:
        print(
            f"{p['little']:16} {p['big']:16} t {p['threshold']:.5f}"
            f" r {100 * p['escalation_rate']:6.3f} % loss {p['validation_loss_points']:5.2f}"
            f" cpu {100 * p['cpu_cost_fraction']:6.3f} % macs {100 * p['mac_cost_fraction']:6.3f} %"
        )
    if args.pair:
        export(args, {e["name"]: e for e in entries}, pairs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
