"""Checks that a trace from devices carries no image and nothing that identifies anybody.

    python device_schema.py TRACE.parquet...

A device trace has only the columns below. Any other is refused: a sample's name or
hash, a group, raw outputs (from which an image can be guessed), a time, a place.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = {"label", "split", "models_sha256", "levels"}
LEVEL = {
    "answer", "flaw", "margin", "max_probability", "negative_entropy", "max_logit_p_norm",
    "macs", "cpu_ns", "wall_ns",
}  # fmt: skip


def problems(path: str) -> Iterator[str]:
    """What in the trace at `path` is not a device trace's."""
    schema = pq.read_schema(path)
    for field in schema:
        if field.name not in COLUMNS:
            yield f"column {field.name} is not a device trace's: leave it out"
    for name in sorted(COLUMNS - {"label"} - set(schema.names)):
        yield f"column {name} is missing: devices record it"
    levels = schema.field("levels").type if "levels" in schema.names else pa.struct([])
    for level in levels:
        for field in level.type if pa.types.is_struct(level.type) else [level]:
            if field.name not in LEVEL:
                yield f"levels.{level.name}.{field.name} is not a device trace's: leave it out"
    for key, value in (schema.metadata or {}).items():
        if key == b"biglittle.trace":
            if json.loads(value)["data"]["first_skipped"]:
                yield "its metadata names samples (data.first_skipped): empty the list"
        elif key != b"ARROW:schema":
            yield f"its metadata has {key.decode(errors='replace')!r}: leave it out"


def main() -> int:
    found = [f"{path}: {problem}" for path in sys.argv[1:] for problem in problems(path)]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
