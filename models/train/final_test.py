"""The one look at the 10,000 test digits, for the pair that was chosen.

    python final_test.py --data DATA_DIR --export ../mnist

Adds the test figures to export.json and writes golden.json (logits of test digits
0 to 15 by ONNX Runtime) and the gzipped test digits beside it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
from pathlib import Path

import numpy as np
import onnxruntime

import choose
import data
import measure

GOLDEN = 16


def wilson(right: np.ndarray) -> dict[str, object]:
    """Percentage right with its Wilson 95 % interval."""
    n, z = len(right), 1.959963984540054
    p = float(right.mean())
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low, high = 100 * (middle - half), 100 * (middle + half)
    return {
        "right": int(right.sum()),
        "n": n,
        "accuracy": round(100 * p, 2),
        "wilson_95": [round(low, 2), round(high, 2)],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--export", type=Path, default=Path("../mnist"))
    args = parser.parse_args()
    images, labels = data.test(args.data)
    labels = labels.numpy()
    path = args.export / "export.json"
    record = json.loads(path.read_text())
    logits = {r: measure.answer(args.export / f"{r}.onnx", images) for r in ("little", "big")}
    right = {role: z.argmax(1) == labels for role, z in logits.items()}
    accepted = choose.margins(logits["little"]) > record["pair"]["threshold"]
    cascade = np.where(accepted, right["little"], right["big"])
    rate = float(1.0 - accepted.mean())
    record["test"] = {
        "little": wilson(right["little"]),
        "big": wilson(right["big"]),
        "cascade": wilson(cascade),
        "escalation_rate": round(rate, 4),
        "loss_points": round(100 * float(right["big"].mean() - cascade.mean()), 2),
        "macs_fraction": round(record["little"]["macs"] / record["big"]["macs"] + rate, 5),
    }
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record["test"], indent=2))
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
