"""The runtimes that are compared, each a process that runs on command."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PEERS = {"ort": "ONNX Runtime", "litert": "LiteRT", "ncnn": "ncnn"}
OURS = {"tract": "stock tract", "ours": "biglittle", "avx2": "biglittle, AVX2 only"}
NAMES = OURS | PEERS
# What is compared in int8, and what each was made from.
INT8_NAMES = {
    "ort": "ONNX Runtime float32",
    "litert": "LiteRT float32",
    "ours": "biglittle float32",
    "ort_int8": "ONNX Runtime int8",
    "litert_int8": "LiteRT int8",
    "ours_int8": "biglittle int8",
}


class Failed(Exception):
    """A runtime that cannot run a network; says why."""


@dataclass
class Contestant:
    """One runtime with one network open."""

    key: str
    process: subprocess.Popen
    loaded: dict
    runs_a_turn: int = 0
    medians_ns: list[float] = field(default_factory=list)  # one a round

    def run(self, count: int) -> list[int]:
        """Wall times in nanoseconds."""
        assert self.process.stdin and self.process.stdout
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"run {count}\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed("it ended while it ran")
        return [int(pair.split(":")[0]) for pair in line.split()]

    def turn(self, warm_up: int = 2) -> None:
        self.run(warm_up)
        self.medians_ns.append(statistics.median(self.run(self.runs_a_turn)))

    def close(self) -> None:
        assert self.process.stdin
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(30)


def command(key: str, zoo: Path, network: str, biglittle: Path) -> list[str]:
    if key.removesuffix("_int8") in PEERS:
        return [sys.executable, str(Path(__file__).with_name("peer.py")), key, str(zoo), network]
    form = "int8.biglittle" if key == "ours_int8" else "onnx"
    extra = {"tract": ["--runtime", "tract"], "avx2": ["--isa", "avx2"]}.get(key, [])
    return [str(biglittle), "bench", str(zoo / f"{network}.{form}"), "--interactive", *extra]


def pin(cpu: int) -> None:
    """In the new process: one core, and first in line for it where allowed."""
    os.sched_setaffinity(0, {cpu})
    with suppress(PermissionError):
        os.nice(-10)


def start(words: Sequence[str], key: str, cpu: int) -> Contestant:
    """Starts a runtime and waits until its network is open."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: pin(cpu),
    )
    assert process.stdout and process.stderr
    # Some runtimes greet on standard output before our own line.
    while line := process.stdout.readline():
        if line.startswith("{"):
            return Contestant(key, process, json.loads(line))
    errors = process.stderr.read().strip().splitlines() or ["it ended without a word"]
    process.wait(30)
    raise Failed(errors[-1])
