#!/usr/bin/env python3
"""Checks what `ci/bench-peers --check` wrote: check.py FIGURES PAGE."""

import json
import sys
from pathlib import Path

from contestants import INT8_NAMES, NAMES

NETWORK = "mnist_little"
document = json.loads(Path(sys.argv[1]).read_text())
figures = document["networks"][NETWORK]
page = Path(sys.argv[2]).read_text()
measured, missing = set(figures["median_ns"]), figures["missing"]
names = INT8_NAMES if document["int8"] else NAMES
expected = set(names) - {"avx2"}
if "no dot product" in missing.get("ours_int8", ""):
    # Its bundle was made and opened all the same.
    expected.remove("ours_int8")
problems = [f"{names[key]}: {missing.get(key)}" for key in expected - measured]
if "ours_int8" in measured and set(figures["to_ours"]) != measured - {"ours_int8"}:
    problems.append(f"ratios to biglittle int8 of {', '.join(figures['to_ours'])} only")
problems += [f"{key} took no time" for key, ns in figures["median_ns"].items() if ns <= 0]
problems += [f"{names[key]} is not in the page" for key in expected if names[key] not in page]
if figures["macs"] < 100_000 or f"\n{document['date']}, " not in page or f"`{NETWORK}`" not in page:
    problems.append(f"{NETWORK} with {figures['macs']} products is not in the page")
if problems:
    sys.exit("\n".join(problems))
print(f"all of {', '.join(sorted(measured))} were measured")
