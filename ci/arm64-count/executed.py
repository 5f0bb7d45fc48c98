"""Executed instructions of a program under emulation, and of one inference.

A program is run twice, with few and with more inferences; what the second
executed beyond the first, divided by the difference, is one inference in the
steady state: loading, first runs and the interpreter's start cancel out.
"""

import os
import subprocess
import tempfile
from pathlib import Path

CPU = "cortex-a76"


class Emulator:
    """qemu-aarch64 as a Cortex-A76, with the plugin that counts."""

    def __init__(self, plugin, root=None):
        self.plugin = Path(plugin).resolve()
        # the arm64 system around programs that are not linked statically
        self.root = ["-L", str(Path(root).resolve())] if root else []

    def run(self, command, env=None, timeout=1800):
        """Executed instructions, {address: (word, times)}, and the program's output."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "blocks")
            done = subprocess.run(
                ["qemu-aarch64", *self.root, "-cpu", CPU, "-plugin", f"{self.plugin},out={out}",
                 *map(str, command)],
                env={**os.environ, **(env or {})}, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, timeout=timeout)
            if done.returncode != 0 or not out.exists():
                raise RuntimeError(
                    f"exit code {done.returncode} of {' '.join(map(str, command))}: "
                    f"{done.stderr.strip()[-600:]}")
            return read(out), done.stdout

    def inference(self, command, runs, env=None):
        """One inference, {address: (word, times)}; `command(n)` is the program
        with n inferences, `runs` the two numbers of them. And its output."""
        few, _ = self.run(command(runs[0]), env)
        more, output = self.run(command(runs[1]), env)
        return subtract(more, few, runs[1] - runs[0]), output


def read(path):
    """The plugin's file as {address: (word, times)}."""
    times = {}
    for line in Path(path).read_text().splitlines():
        address, executions, words = line.split()
        address, executions = int(address, 16), int(executions, 16)
        for i in range(0, len(words), 8):
            at = address + i // 2
            word = int(words[i:i + 8], 16)
            before = times.get(at)
            times[at] = (word, executions + (before[1] if before else 0))
    return times


def subtract(more, few, runs):
    one = {}
    for at, (word, n) in more.items():
        base = few.get(at)
        rest = n - (base[1] if base and base[0] == word else 0)
        if rest:
            one[at] = (word, rest / runs)
    return one


def total(one):
    return sum(n for _, n in one.values())
