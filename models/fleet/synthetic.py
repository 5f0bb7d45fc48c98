"""Writes a synthetic device trace.

    python synthetic.py SEED_TRACE OUT.parquet --rows 10000000

takes networks and levels from SEED_TRACE, a trace of the MNIST pair, and makes up the
rows: 60 % of them for calibration; scores with many ties, some missing, NaN or infinite;
the little network is wrong more often where it is unsure.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CHUNK = 1_000_000


def rows(rng: np.random.Generator, count: int, models: str) -> pa.Table:
    """`count` made-up rows."""
    margin = rng.beta(6, 0.5, count).astype(np.float32)
    tied = rng.random(count) < 0.5
    margin[tied] = np.round(margin[tied], 2)
    label = rng.integers(0, 10, count, dtype=np.int32)
    wrong = rng.random(count) < 0.5 * (1 - margin)
    little = np.where(wrong, (label + rng.integers(1, 10, count)) % 10, label).astype(np.int32)
    big_wrong = rng.random(count) < np.where(wrong, 0.2, 0.002)
    big = np.where(big_wrong, (label + rng.integers(1, 10, count)) % 10, label).astype(np.int32)
    odd = rng.random(count)
    margin[odd < 0.003] = np.nan
    margin[odd < 0.002] = np.inf
    margin[odd < 0.001] = -np.inf
    missing = (odd > 0.995) & (odd < 0.998)

    def level(answer: np.ndarray, score: np.ndarray, none: np.ndarray) -> pa.StructArray:
        arrays = [
            pa.array(answer, mask=none),
            # Nulls by a mask: from_pandas would make them of NaN.
            pa.array(score, mask=missing, from_pandas=False),
        ]
        return pa.StructArray.from_arrays(arrays, ["answer", "margin"])

    levels = pa.StructArray.from_arrays(
        [level(little, margin, odd > 0.999), level(big, np.ones_like(margin), odd > 2)],
        ["little", "big"],
    )
    split = rng.choice(3, count, p=[0.2, 0.6, 0.2]).astype(np.int32)
    names = pa.array(["tune", "calibrate", "test"])
    return pa.table(
        {
            "label": pa.array(label),
            "split": pa.DictionaryArray.from_arrays(pa.array(split), names).cast(pa.string()),
            "models_sha256": pa.array([models]).take(pa.array(np.zeros(count, np.int32))),
            "levels": levels,
        }
    )


def write(seed_trace: str, out: str, count: int) -> None:
    """Writes `count` rows to `out`, about a million in memory at a time."""
    meta = json.loads(pq.read_schema(seed_trace).metadata[b"biglittle.trace"])
    meta |= {"has_outputs": False}
    meta["data"] |= {"samples": count, "skipped": 0, "first_skipped": []}
    rng = np.random.default_rng(2015)
    writer = None
    for start in range(0, count, CHUNK):
        table = rows(rng, min(CHUNK, count - start), meta["models_sha256"])
        if writer is None:
            writer = pq.ParquetWriter(out, table.schema, store_schema=False)
        writer.write_table(table)
    writer.add_key_value_metadata({"biglittle.trace": json.dumps(meta)})
    writer.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seed_trace")
    parser.add_argument("out")
    parser.add_argument("--rows", type=int, default=10_000_000)
    args = parser.parse_args()
    write(args.seed_trace, args.out, args.rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
