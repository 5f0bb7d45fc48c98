"""biglittle, DuckDB and Spark find the same threshold, to the bit, on the same trace.

    python test_fleet.py --biglittle PROGRAM [--rows 200000] [--engines duckdb spark]

Writes a synthetic trace (10,000,000 rows with --rows 10000000), calibrates it with each
engine for both losses and several eps, and fails on any difference. Says how long
`biglittle calibrate` took and how much memory; fails above 200 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

import device_schema
import fleet
import synthetic

MNIST = Path(__file__).parent.parent / "mnist"
NAMES = {"little": "little", "big": "big", "score": "margin"}
DELTA = 0.05
EPS = (1e-7, 0.001, 0.009, 0.5)  # too strict for the rows, two usual ones, one for all
MEMORY_MB = 200


def embedded(program: str, trace: str, loss: str, eps: float) -> tuple[dict, float, float]:
    """The certificate by biglittle, its seconds and megabytes at most."""
    command = [program, "calibrate", trace, "--loss", loss, "--eps", str(eps), "--no-tune"]
    began = time.monotonic()
    child = subprocess.Popen(
        [*command, "--delta", str(DELTA), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    # The peak of what a child uses would count this process too, before it became
    # biglittle: asked while it runs, the system knows the peak of the program.
    peak_kb, status = 0, Path(f"/proc/{child.pid}/status")
    while child.poll() is None:
        with contextlib.suppress(OSError):
            peaks = [line for line in status.read_text().splitlines() if "VmHWM" in line]
            peak_kb = max([peak_kb, *(int(line.split()[1]) for line in peaks)])
        time.sleep(0.005)
    seconds, megabytes = time.monotonic() - began, peak_kb * 1024 / 1e6
    out, error = child.communicate()
    if child.returncode != 0:
        return {"error": error.decode().strip()}, seconds, megabytes
    return json.loads(out)["certificates"][0], seconds, megabytes


def bits(threshold: object) -> str:
    """A threshold as the bits of its float32, or its name."""
    if isinstance(threshold, str):
        return threshold
    return struct.pack(">f", threshold).hex()


def compare(args: argparse.Namespace, trace: str) -> None:
    """Calibrates the trace with all engines."""
    queries = {name: fleet.ENGINES[name](trace) for name in args.engines}
    for loss in fleet.BAD:
        for eps in EPS:
            own, seconds, megabytes = embedded(args.biglittle, trace, loss, eps)
            if megabytes > MEMORY_MB:
                raise SystemExit(f"biglittle took {megabytes:.0f} MB, more than {MEMORY_MB}")
            if "error" in own and "samples" not in own["error"]:
                raise SystemExit(own["error"])
            # biglittle gives no certificate, but the number of samples needed.
            expected = bits(own["thresholds"][0]) if "error" not in own else "always_escalate"
            took = [f"biglittle {seconds:.1f} s, {megabytes:.0f} MB"]
            for name, query in queries.items():
                began = time.monotonic()
                found = fleet.calibrate(query, loss, eps, DELTA, NAMES)
                took.append(f"{name} {time.monotonic() - began:.1f} s")
                if bits(found.threshold) != expected:
                    raise SystemExit(
                        f"{loss}, eps {eps}: {name} found {found}, biglittle {own or expected}"
                    )
                if "error" not in own and (own["n"], own["k"]) != (found.n, found.k):
                    raise SystemExit(f"{loss}, eps {eps}: {name} counted {found}, biglittle {own}")
            print(f"{loss}, eps {eps}: n {found.n}, k {found.k}, {expected}: {', '.join(took)}")
            sys.stdout.flush()


def schema(trace: str, folder: Path) -> None:
    """The check of device traces takes this trace and refuses one with a name in it."""
    if found := list(device_schema.problems(trace)):
        raise SystemExit(f"a device trace was refused: {found}")
    table = pq.ParquetFile(trace).read_row_group(0).slice(0, 10)
    named = table.append_column("sample", [[f"IMG_{i}.jpg" for i in range(10)]])
    pq.write_table(named, folder / "named.parquet")
    found = list(device_schema.problems(str(folder / "named.parquet")))
    if not any("column sample" in problem for problem in found):
        raise SystemExit(f"a trace with names was not refused for them: {found}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--biglittle", required=True)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--engines", nargs="+", choices=fleet.ENGINES, default=["duckdb"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        seed, trace = str(folder / "seed.parquet"), str(folder / "trace.parquet")
        subprocess.run(
            [args.biglittle, "trace", "--bundle", MNIST / "bundle", "--data", MNIST,
             "--samples", "10", "--no-outputs", "-o", seed],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        synthetic.write(seed, trace, args.rows)
        print(f"{args.rows:,} rows, {os.path.getsize(trace) / 1e6:.0f} MB")
        schema(trace, folder)
        compare(args, trace)
    return 0


if __name__ == "__main__":
    sys.exit(main())
