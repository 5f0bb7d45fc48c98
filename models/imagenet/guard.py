"""Fails where a network of a report of `biglittle quantize` lost more than 0.5 points of
accuracy in int8.

Usage: guard.py REPORT.json
"""

import json
import sys
from pathlib import Path

MOST_LOST = 0.5


def main() -> None:
    lost = {}
    for network in json.loads(Path(sys.argv[1]).read_text())["networks"]:
        labelled = network["labelled"]
        if labelled is None:
            sys.exit("the photographs have no labels: accuracy cannot be judged")
        before, after = (100 * share for share in labelled["accuracy"])
        lost[network["network"]] = before - after
        print(f"{network['network']}: {before:.2f} % in float32, {after:.2f} % in int8")
    # half a point exactly is not more
    if failed := [name for name, points in lost.items() if points > MOST_LOST + 1e-9]:
        sys.exit(f"more than {MOST_LOST} points lost: {', '.join(failed)}")


if __name__ == "__main__":
    main()
