#!/usr/bin/env python3
"""Checks what `ci/bench-peers --check` wrote: check.py FIGURES PAGE."""

import json
import sys
from pathlib import Path

from contestants import NAMES, PEERS

figures = json.loads(Path(sys.argv[1]).read_text())["networks"]["mnist_little"]
page = Path(sys.argv[2]).read_text()
measured, missing = set(figures["median_ns"]), figures["missing"]
expected = set(NAMES) - {"avx2"}
problems = [f"{NAMES[key]}: {missing.get(key)}" for key in expected - measured]
problems += [f"{key} took no time" for key, ns in figures["median_ns"].items() if ns <= 0]
problems += [f"{NAMES[key]} is not in the page" for key in PEERS if NAMES[key] not in page]
if figures["macs"] < 100_000 or "`mnist_little`" not in page:
    problems.append(f"not mnist_little: {figures['macs']} products")
if problems:
    sys.exit("\n".join(problems))
print(f"all of {', '.join(sorted(measured))} were measured")
