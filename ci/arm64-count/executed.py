"""Executed instructions of a program under emulation, and of one inference.

A program is run twice, with few and with more inferences. What the second
executed beyond the first, divided by the difference, is one inference in the
steady state: loading, first runs and an interpreter's start cancel out.
"""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CPU = "cortex-a76"

# Address: instruction word, executions.
Executed = dict[int, tuple[int, float]]


class Failed(Exception):
    """A program that could not be counted; says why."""


@dataclass
class Emulator:
    """qemu-aarch64 with the plugin that counts."""

    plugin: Path
    # The arm64 system around programs that are not linked statically.
    root: Path | None = None

    def run(self, words: Sequence[str | Path], stdin: str, env: dict[str, str]) -> tuple:
        """What was executed, and standard output."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "blocks")
            command = ["qemu-aarch64", *(["-L", self.root] if self.root else []), "-cpu", CPU]
            command += ["-plugin", f"{self.plugin},out={out}", *words]
            done = subprocess.run(
                [str(word) for word in command],
                input=stdin,
                capture_output=True,
                text=True,
                env=os.environ | env,
                timeout=1800,
            )
            if done.returncode or not out.exists():
                lines = done.stderr.strip().splitlines() or ["it ended without a word"]
                raise Failed(f"exit code {done.returncode}: {lines[-1]}")
            return read(out), done.stdout

    def inference(
        self, words: Sequence[str | Path], runs: int, env: dict[str, str] | None = None
    ) -> tuple[Executed, str]:
        """The mean of `runs` inferences of a program that answers `run N`, and
        the first line it printed."""
        few, _ = self.run(words, "run 2\n", env or {})
        more, printed = self.run(words, f"run {2 + runs}\n", env or {})
        return subtract(more, few, runs), printed.partition("\n")[0]


def read(path: Path) -> Executed:
    """The plugin's file."""
    times: Executed = {}
    for line in path.read_text().splitlines():
        start, executions, words = line.split()
        for i in range(0, len(words), 8):
            address = int(start, 16) + i // 2
            before = times.get(address, (0, 0))[1]
            times[address] = (int(words[i : i + 8], 16), before + int(executions, 16))
    return times


def subtract(more: Executed, few: Executed, runs: int) -> Executed:
    """(more - few) / runs, instruction by instruction."""
    rest = {a: (word, n - few.get(a, (0, 0))[1]) for a, (word, n) in more.items()}
    return {a: (word, n / runs) for a, (word, n) in rest.items() if n}


def total(one: Executed) -> float:
    return sum(n for _, n in one.values())


def dot_products(one: Executed) -> float:
    """How many of the instructions are dot products of bytes: SDOT and UDOT."""
    vector = sum(n for word, n in one.values() if word & 0x9FE0_FC00 == 0x0E80_9400)
    by_element = sum(n for word, n in one.values() if word & 0x9FC0_F400 == 0x0F80_E000)
    return vector + by_element
