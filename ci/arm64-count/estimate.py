"""Cycles that executed instructions would take, by llvm-mca: an estimate.

Each stretch of instructions that ran equally often is simulated as a steady
loop, with perfect caches and perfect branch prediction. It ranks code for big
cores; it says nothing of memory.
"""

import re
import shutil
import subprocess

from executed import Executed, total

# Cores of the same designs, for which LLVM has a model of its own; the last is in order.
CORES = {"Cortex-A76": "neoverse-n1", "Cortex-X1": "neoverse-v1", "Cortex-A55": "cortex-a55"}

# The oldest LLVM that models both and can skip what it does not know.
OLDEST = 19
# What is simulated: the rest is taken to run at the same rate.
COVERAGE, MOST = 0.992, 260
LONGEST = 600
ITERATIONS = 50

# Control flow ends a simulation, and the rest is unknown to it.
LEFT_OUT = {"bl", "blr", "ret", "svc", "br", "b", "mrs", "msr", "hint", "bti"}
LEFT_OUT |= {"paciasp", "autiasp", "dmb", "isb"}


def tools() -> tuple[str, str] | None:
    """llvm-mc and llvm-mca of one LLVM that is new enough."""
    for suffix in ["", *(f"-{version}" for version in range(30, OLDEST - 1, -1))]:
        mc, mca = shutil.which(f"llvm-mc{suffix}"), shutil.which(f"llvm-mca{suffix}")
        if not mc or not mca:
            continue
        words = subprocess.run([mca, "--version"], capture_output=True, text=True).stdout
        found = re.search(r"version (\d+)", words)
        if found and int(found[1]) >= OLDEST:
            return mc, mca
    return None


def stretches(one: Executed) -> list[tuple[float, list[int]]]:
    """Neighbouring instructions that ran equally often, heaviest first."""
    found: list[tuple[float, list[int]]] = []
    last = None
    for address in sorted(a for a, (_, n) in one.items() if n > 0):
        word, n = one[address]
        joined = last == address - 4 and abs(n - found[-1][0]) <= 0.02 * n
        if joined and len(found[-1][1]) < LONGEST:
            found[-1][1].append(word)
        else:
            found.append((n, [word]))
        last = address
    return sorted(found, key=lambda s: -s[0] * len(s[1]))


def disassemble(mc: str, words: list[int]) -> list[str]:
    source = "\n".join(" ".join(f"0x{b:02x}" for b in w.to_bytes(4, "little")) for w in words)
    command = [mc, "--disassemble", "-triple=aarch64", "-mattr=+all"]
    printed = subprocess.run(command, input=source, capture_output=True, text=True).stdout
    lines = [x for x in printed.splitlines() if x.startswith("\t") and not x.startswith("\t.")]
    if len(lines) != len(words):
        raise ValueError(f"{len(words)} instructions, but {len(lines)} disassembled")
    return lines


def apart(line: str) -> list[str]:
    """A store that moves its pointer, as two instructions: the model would have
    the pointer wait for what is stored."""
    after = re.match(r"(\tst\w+\t.*), \[(x\d+|sp)\], (#-?\d+|x\d+)$", line)
    before = re.match(r"(\tst\w+\t.*), \[(x\d+|sp), (#-?\d+)\]!$", line)
    if after:
        store, pointer, by = after.groups()
        return [f"{store}, [{pointer}]", f"\tadd\t{pointer}, {pointer}, {by}"]
    if before:
        store, pointer, by = before.groups()
        return [f"\tadd\t{pointer}, {pointer}, {by}", f"{store}, [{pointer}]"]
    return [line]


def cycles(one: Executed, core: str, llvm: tuple[str, str]) -> float:
    """Cycles on a core, a name that llvm-mca knows."""
    mc, mca = llvm
    chosen, covered, everything = [], 0.0, total(one)
    for times, words in stretches(one):
        chosen.append((times, words))
        covered += times * len(words)
        if covered >= COVERAGE * everything or len(chosen) == MOST:
            break
    lines = iter(disassemble(mc, [word for _, words in chosen for word in words]))
    source = []
    for i, (_, words) in enumerate(chosen):
        body = [next(lines) for _ in words]
        body = [part for line in body if line.split()[0] not in LEFT_OUT for part in apart(line)]
        source += [f"# LLVM-MCA-BEGIN r{i}", *(body or ["\tnop"]), "# LLVM-MCA-END"]
    command = [mca, "-mtriple=aarch64", f"-mcpu={core}", "-mattr=+all"]
    command += [f"-iterations={ITERATIONS}", "-instruction-info=0", "-resource-pressure=0"]
    command += ["-skip-unsupported-instructions=lack-sched"]
    done = subprocess.run(command, input="\n".join(source) + "\n", capture_output=True, text=True)
    found = re.findall(r"Code Region - r(\d+)\n.*?Total Cycles:\s+(\d+)", done.stdout, re.S)
    taken = {int(i): int(n) / ITERATIONS for i, n in found}
    if len(taken) != len(chosen):
        raise ValueError(f"llvm-mca on {core}: {done.stderr.strip()[:300]}")
    return sum(times * taken[i] for i, (times, _) in enumerate(chosen)) * everything / covered
