"""Exports every trained network, answers the validation digits, times the files.

    python measure.py --data DATA_DIR --runs RUN_DIR --out MEASURED --bench "COMMAND"

For every RUN_DIR/NAME.pt: MEASURED/NAME.onnx, MEASURED/NAME.npy (validation logits
by ONNX Runtime) and an entry of MEASURED/measured.json. COMMAND gets ONNX files as
arguments and prints a line `FILE median_us X min_us Y` for each, in the runtime the
pair will run on. Rounds are interleaved; the lowest median of the rounds is kept.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

import data
import export_onnx
import nets


def session(path: Path) -> onnxruntime.InferenceSession:
    """A single-threaded ONNX Runtime session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def answer(path: Path, images: torch.Tensor) -> np.ndarray:
    """Float32 logits [n,10] of uint8 images, one image at a time as deployed."""
    run = session(path).run
    return np.concatenate(
        [run(None, {"input": x[None]})[0] for x in data.normalise(images).numpy()]
    )


def timings(command: str, files: list[Path], rounds: int) -> dict[str, dict[str, float]]:
    """Microseconds per file: the lowest median and the lowest minimum of the rounds."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        argv = [*shlex.split(command), *map(str, files)]
        printed = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        for line in printed.splitlines():
            path, _, median, _, least = line.split()
            entry = best.setdefault(Path(path).stem, {"median": np.inf, "min": np.inf})
            entry["median"] = min(entry["median"], float(median))
            entry["min"] = min(entry["min"], float(least))
    return best


def measure(args: argparse.Namespace) -> None:
    """Brings MEASURED up to date with RUN_DIR."""
    args.out.mkdir(parents=True, exist_ok=True)
    _, (images, labels) = data.train_validation(args.data)
    np.save(args.out / "labels.npy", labels.numpy())
    entries, files = [], []
    for record_path in sorted(args.runs.glob("*.json")):
        name = record_path.stem
        weights, path = args.runs / f"{name}.pt", args.out / f"{name}.onnx"
        scores = args.out / f"{name}.npy"
        if not scores.exists() or scores.stat().st_mtime < weights.stat().st_mtime:
            module = export_onnx.load(args.runs, name)
            onnx.save(export_onnx.to_onnx(module, name), path)
            np.save(scores, answer(path, images))
        right = np.load(scores).argmax(1) == labels.numpy()
        macs, params = nets.count(nets.ALL[nets.architecture(name)])
        record = json.loads(record_path.read_text())
        files.append(path)
        entries.append(
            {
                "name": name,
                "role": "big" if nets.architecture(name) in nets.BIGS else "little",
                "macs": macs,
                "params": params,
                "validation_accuracy": round(100.0 * float(right.mean()), 2),
                "seed": record["seed"],
                "recipe": record["recipe"],
            }
        )
    timed = timings(args.bench, files, args.rounds)
    for entry in entries:
        entry["tract_us_median"] = timed[entry["name"]]["median"]
        entry["tract_us_min"] = timed[entry["name"]]["min"]
        print(
            f"{entry['name']:18} {entry['macs'] / 1e6:7.3f} MMACs"
            f" {entry['tract_us_median']:8.2f} us {entry['validation_accuracy']:.2f} %"
        )
    (args.out / "measured.json").write_text(json.dumps(entries, indent=2) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("measured"))
    parser.add_argument("--bench", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    measure(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
