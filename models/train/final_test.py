"""A look at the 10,000 test digits with the pair in the bundle.

    python final_test.py --data DATA_DIR --export ../mnist

Adds a look (threshold, rule and figures) to `test` in export.json, unless the same look
is there already; earlier looks stay. Writes golden.json (logits of test digits 0 to 15
by ONNX Runtime) and the gzipped test digits. Nothing is chosen here or from what it says.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

import choose
import data
import measure

GOLDEN = 16
ROLES = ("little", "big")


def clopper_pearson(wrong: int, n: int) -> tuple[float, float]:
    """The exact 95 % interval of an accuracy, in percent."""

    def root(below: Callable[[float], bool]) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if below(middle) else (low, middle)
        return low

    most = root(lambda p: choose.binomial_cdf(wrong, n, p) > 0.025)
    least = root(lambda p: 1 - choose.binomial_cdf(wrong - 1, n, p) < 0.025)
    return round(100 * (1 - most), 2), round(100 * (1 - least), 2)


def figures(right: np.ndarray) -> dict[str, object]:
    """Right answers, percentage and its interval."""
    n, hits = len(right), int(right.sum())
    return {
        "right": hits,
        "n": n,
        "accuracy": round(100 * hits / n, 2),
        "clopper_pearson_95": clopper_pearson(n - hits, n),
    }


def check(record: dict, bundle: Path) -> None:
    """Refuses a bundle that is not the one export.json describes."""
    for role in ROLES:
        file = bundle / f"{role}.onnx"
        if choose.sha256(file) != record[role]["sha256"]:
            raise SystemExit(f"{file} is not the network in export.json; run choose.py --pair")
    packed = json.loads((bundle / "manifest.json").read_text())["levels"][0]["threshold"]
    if packed != record["pair"]["threshold"]:
        raise SystemExit(
            f"{bundle / 'manifest.json'} has threshold {packed}, export.json"
            f" {record['pair']['threshold']}; run choose.py --pair"
        )


def look(record: dict, logits: dict[str, np.ndarray], labels: np.ndarray) -> dict[str, object]:
    """The figures of the pair on the test digits."""
    right = {role: z.argmax(1) == labels for role, z in logits.items()}
    accepted = choose.margins(logits["little"]) > record["pair"]["threshold"]
    cascade = np.where(accepted, right["little"], right["big"])
    rate = float(1.0 - accepted.mean())
    return {
        "networks": {role: record[role]["sha256"] for role in ROLES},
        "threshold": record["pair"]["threshold"],
        "rule": record["pair"]["rule"],
        **{role: figures(right[role]) for role in ROLES},
        "cascade": figures(cascade),
        "escalation_rate": round(rate, 4),
        "loss_points": round(100 * float(right["big"].mean() - cascade.mean()), 2),
        "macs_fraction": round(record["little"]["macs"] / record["big"]["macs"] + rate, 5),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--export", type=Path, default=Path("../mnist"))
    args = parser.parse_args()
    path, bundle = args.export / "export.json", args.export / "bundle"
    record = json.loads(path.read_text())
    check(record, bundle)
    images, labels = data.test(args.data)
    labels = labels.numpy()
    logits = {role: measure.answer(bundle / f"{role}.onnx", images) for role in ROLES}
    # Through JSON, so that it compares with the looks that were read from a file.
    new = json.loads(json.dumps(look(record, logits, labels)))
    if new not in record["test"]:
        record["test"].append(new)
        choose.dump(path, record)
    print(json.dumps(new, indent=2))
    golden = {
        "runtime": f"onnxruntime {onnxruntime.__version__}",
        "digits": list(range(GOLDEN)),
        "labels": labels[:GOLDEN].tolist(),
        **{role: [[float(v) for v in row] for row in z[:GOLDEN]] for role, z in logits.items()},
    }
    (args.export / "golden.json").write_text(json.dumps(golden) + "\n")
    for part in ("images-idx3", "labels-idx1"):
        name = f"t10k-{part}-ubyte"
        packed = gzip.compress((args.data / name).read_bytes(), 9, mtime=0)
        (args.export / f"{name}.gz").write_bytes(packed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
