"""Exports every trained network, answers the validation digits, times the files.

    python measure.py --data DATA_DIR --runs RUN_DIR --out MEASURED [--biglittle PATH]

For every RUN_DIR/NAME.json: MEASURED/NAME.onnx, MEASURED/NAME.npy (validation logits
by ONNX Runtime) and an entry of MEASURED/measured.json. Times are by `biglittle bench`,
in the runtime the pair will run on: CPU time, the lowest median of interleaved rounds.
"""

from __future__ import annotations

import argparse
import json
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


def timings(biglittle: Path, files: list[Path], rounds: int) -> dict[str, dict[str, float]]:
    """What `biglittle bench` says of each file, by name, with the lowest times of the rounds."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for file in files:
            argv = [str(biglittle), "bench", str(file), "--json"]
            printed = subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout
            (result,) = json.loads(printed)["networks"]
            entry = best.setdefault(file.stem, result)
            for time in ("cpu_median_ns", "min_ns"):
                entry[time] = min(entry[time], result[time])
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
    timed = timings(args.biglittle, files, args.rounds)
    for entry in entries:
        result = timed[entry["name"]]
        if result["macs"] != entry["macs"]:
            raise SystemExit(
                f"{entry['name']}: biglittle counts {result['macs']} MACs, nets.py"
                f" {entry['macs']}; delete its files in {args.out} and retry"
            )
        entry["cpu_us_median"] = round(result["cpu_median_ns"] / 1000, 2)
        entry["cpu_us_min"] = round(result["min_ns"] / 1000, 2)
        print(
            f"{entry['name']:18} {entry['macs'] / 1e6:7.3f} MMACs"
            f" {entry['cpu_us_median']:8.2f} us {entry['validation_accuracy']:.2f} %"
        )
    (args.out / "measured.json").write_text(json.dumps(entries, indent=2) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("measured"))
    parser.add_argument("--biglittle", type=Path, default=Path("../../target/release/biglittle"))
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if not args.biglittle.is_file():
        parser.error(
            f"{args.biglittle} not found; run cargo build --release -p biglittle-cli,"
            " or name another with --biglittle"
        )
    args.biglittle = args.biglittle.resolve()
    measure(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
