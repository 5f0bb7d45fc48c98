"""Calibrates on one half of a trace, judges on the other, over many random splits.

    python study.py --biglittle PROGRAM pair.parquet committee.parquet

prints a table in Markdown: medians and 5 to 95 % ranges over the splits. Two rules:

certified  `biglittle calibrate --loss harm --eps 0.009 --delta 0.05`, whose splits are by
           hash, so that their sizes vary; a cascade of three levels needs 5 % of the
           photographs to order its thresholds.
empirical  the lowest threshold, the same at every level, that loses at most a given number
           of points of accuracy on the calibration half. No promise is made by it.

The cost is the CPU time that was measured when the trace was recorded: of the levels that
an answer took, as a share of always using the last level. A committee's last level uses
all its networks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

EPS, DELTA = 0.009, 0.05
POINTS = (0.9, 0.6, 0.3)  # of accuracy that the empirical rule may lose


@dataclass(frozen=True)
class Rows:
    """A trace's rows; arrays by row, and by level where two-dimensional."""

    keys: list[bytes]
    right: np.ndarray
    scores: np.ndarray
    cpu_ms: np.ndarray
    committee: bool

    @classmethod
    def load(cls, path: Path) -> Rows:
        table = pq.read_table(path, columns=["image_sha256", "label", "levels"])
        rows = table.to_pylist()
        names = list(rows[0]["levels"])
        meta = json.loads(table.schema.metadata[b"biglittle.trace"])

        def column(field: str, missing: float) -> np.ndarray:
            values = [[row["levels"][name][field] for name in names] for row in rows]
            return np.array([[missing if v is None else v for v in row] for row in values], float)

        labels = np.array([row["label"] for row in rows])
        return cls(
            keys=[row["image_sha256"].encode() for row in rows],
            right=column("answer", -1) == labels[:, None],
            scores=column("margin", -np.inf),
            cpu_ms=column("cpu_ns", 0) / 1e6,
            committee=meta["manifest"]["levels"][-1]["answer"] == "committee",
        )

    def judge(self, at: np.ndarray, thresholds: list[float]) -> tuple[float, float, float]:
        """Points lost, share of CPU time saved and share escalated on the rows `at`."""
        last = self.right.shape[1] - 1
        level = np.full(len(at), last)
        for index in reversed(range(last)):
            # In float32, as biglittle compares.
            accepted = self.scores[at, index] > np.float32(thresholds[index])
            level[accepted] = index
        spent = sum(self.cpu_ms[at, i][level >= i].sum() for i in range(last + 1))
        always = self.cpu_ms[at].sum() if self.committee else self.cpu_ms[at, last].sum()
        lost = self.right[at, last].mean() - self.right[at, level].mean()
        return 100 * lost, 100 * (1 - spent / always), 100 * (level > 0).mean()

    def empirical(self, at: np.ndarray, points: float) -> list[float]:
        """The lowest threshold, one for all levels, that loses at most `points` on `at`."""
        count = self.right.shape[1] - 1
        for threshold in np.arange(0.0, 1.0, 0.01):
            if self.judge(at, [threshold] * count)[0] <= points + 1e-9:
                return [threshold] * count
        return [np.inf] * count

    def split(self, seed: int, percent: tuple[int, int, int]) -> np.ndarray:
        """The test rows of biglittle's division (docs/traces.md)."""
        head = b"biglittle split 1" + seed.to_bytes(8, "little")
        places = [
            int.from_bytes(hashlib.sha256(head + key).digest()[:8], "big") / 2**64 * 100
            for key in self.keys
        ]
        return np.flatnonzero(np.array(places) >= percent[0] + percent[1])


def certified(args: argparse.Namespace, trace: Path, rows: Rows, seed: int) -> tuple | None:
    """Thresholds by `biglittle calibrate`, judged on its test rows."""
    percent = (0, 50, 50) if rows.right.shape[1] == 2 else (5, 50, 45)
    command = [args.biglittle, "calibrate", trace, "--loss", "harm", "--eps", str(EPS)]
    command += ["--delta", str(DELTA), "--no-tune", "--seed", str(seed), "--json"]
    command += ["--split", ",".join(map(str, percent))]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        if "samples" not in done.stderr:
            raise SystemExit(done.stderr)
        return None
    certificate = json.loads(done.stdout)["certificates"][0]
    test = rows.split(seed, percent)
    if len(test) != certificate["test"]["n"]:
        raise SystemExit(f"{trace}: {len(test)} test rows here, {certificate['test']['n']} there")
    names = {"always_escalate": np.inf, "never_escalate": -np.inf}
    thresholds = [names.get(t, t) for t in certificate["thresholds"]]
    return (*rows.judge(test, thresholds), *thresholds)


def line(name: str, results: list[tuple]) -> str:
    """A row of the table."""
    cells = []
    for values, unit in zip(np.array([r[:3] for r in results]).T, ("", " %", " %")):
        low, middle, high = np.percentile(values, [5, 50, 95])
        cells.append(f"{middle:.2f}{unit} ({low:.2f} to {high:.2f})".replace("-0.00", "0.00"))
    middles = np.percentile([r[3:] for r in results], 50, axis=0, method="nearest")
    cells.append(", ".join(f"{t:.2f}" if np.isfinite(t) else "escalate" for t in middles))
    return f"| {name} | {' | '.join(cells)} |"


def study(args: argparse.Namespace, trace: Path) -> None:
    rows = Rows.load(trace)
    n = len(rows.right)
    accuracies = ", ".join(f"{100 * a:.2f} %" for a in rows.right.mean(0))
    times = ", ".join(f"{t:.2f} ms" for t in np.median(rows.cpu_ms, 0))
    print(f"\n### {trace.stem}\n\n{n} photographs. Accuracy of each level alone: {accuracies};")
    print(f"median CPU time of its own networks: {times}.\n")
    print("| rule | points lost | CPU time saved | escalated | median thresholds |")
    print("| --- | --- | --- | --- | --- |")
    found = [certified(args, trace, rows, seed) for seed in range(args.splits)]
    enough = [result for result in found if result is not None]
    if enough:
        share = f"certified, {100 * EPS:.1f} %, in {len(enough)} of {args.splits} splits"
        print(line(share, enough))
    for points in POINTS:
        results = []
        for seed in range(args.splits):
            order = np.random.default_rng(seed).permutation(n)
            half, other = order[: n // 2], order[n // 2 :]
            thresholds = rows.empirical(half, points)
            results.append((*rows.judge(other, thresholds), *thresholds))
        print(line(f"empirical, {points} points", results))
    sys.stdout.flush()


def rounding(stored: Path, exact: Path) -> None:
    """Compares the accuracy of every network with int8 and with float32 weights."""
    print("\n### int8 weights\n\n| network | float32 | int8 | answers that differ |")
    print("| --- | --- | --- | --- |")
    answers, labels = [], None
    for path in (exact, stored):
        rows = pq.read_table(path, columns=["label", "networks"]).to_pylist()
        labels = np.array([row["label"] for row in rows])
        answers.append(
            {
                name: np.array([np.argmax(row["networks"][name]["outputs"]) for row in rows])
                for name in rows[0]["networks"]
            }
        )
    for name, before in answers[0].items():
        after = answers[1][name]
        right = [f"{100 * np.mean(a == labels):.2f} %" for a in (before, after)]
        print(f"| {name} | {right[0]} | {right[1]} | {np.sum(before != after)} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("traces", type=Path, nargs="+")
    parser.add_argument("--biglittle", required=True)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--float", type=Path, help="the last trace, with float32 weights")
    args = parser.parse_args()
    for trace in args.traces:
        study(args, trace)
    if args.float:
        rounding(args.traces[-1], args.float)
    return 0


if __name__ == "__main__":
    sys.exit(main())
