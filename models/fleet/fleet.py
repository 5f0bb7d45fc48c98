"""The exact rule where the traces lie: one aggregate and one top-k query.

    python fleet.py duckdb 'traces/*.parquet' --loss disagree --eps 0.009
    spark-submit fleet.py spark 's3a://fleet/traces/' --loss disagree --eps 0.009

prints n, k and the threshold of a cascade of two levels as JSON. Both engines run the
same two queries, counts.sql and threshold.sql, over the columns that docs/traces.md
describes. With probability at least 1 - delta over the calibration samples, the share of
accepted answers that are bad is then at most eps of all samples.

Give one trace format and one pair of networks at a time: rows of several
`models_sha256` are refused. Rows count as independent samples; columns of groups are
not read, so draw one sample of a clip or a person before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

from scipy.stats import binom

HERE = Path(__file__).parent
BAD = {
    # Wrong where the last level is right; needs labels.
    "harm": "(levels.$little.answer IS DISTINCT FROM label AND levels.$big.answer = label)",
    # Not the last level's answer; needs none.
    "disagree": "(levels.$little.answer IS DISTINCT FROM levels.$big.answer)",
}
SCORES = ("margin", "max_probability", "negative_entropy", "max_logit_p_norm")

Query = Callable[[str], list[tuple]]


@dataclass(frozen=True)
class Found:
    """What the rule makes of the calibration rows of a trace."""

    n: int
    bad: int
    unusable: int  # rows that always escalate: no score, or none that is finite
    k: int  # bad samples that may be accepted
    threshold: float | str  # float32, or "always_escalate" or "never_escalate"


def allowed(n: int, eps: float, delta: float) -> int:
    """The largest k with BinomCDF(k; n, eps) <= delta, or -1 where n is too small."""
    low, high = -1, n  # cdf(low) <= delta < cdf(high), with cdf(-1) = 0
    while high - low > 1:
        middle = (low + high) // 2
        if binom.cdf(middle, n, eps) <= delta:
            low = middle
        else:
            high = middle
    return low


def calibrate(query: Query, loss: str, eps: float, delta: float, names: dict[str, str]) -> Found:
    """Runs the two queries over the view `trace`.

    `names` are the names of the levels (`little`, `big`) and of the score.
    """
    for name in names.values():
        if not name.replace("_", "").isalnum():
            raise SystemExit(f"{name!r} is no name of a column: use letters, digits and _")
    names = names | {"bad": Template(BAD[loss]).substitute(names)}
    models = query("SELECT COUNT(DISTINCT models_sha256) FROM trace")[0][0]
    if models > 1:
        raise SystemExit(f"the rows are of {models} different models: give one trace at a time")
    if loss == "harm":
        (missing,) = query("SELECT COUNT(*) FROM trace WHERE split = 'calibrate' AND label IS NULL")
        if missing[0]:
            raise SystemExit(
                f"{missing[0]} calibration rows have no label, which harm needs: use disagree"
            )
    sql = {name: Template((HERE / f"{name}.sql").read_text()) for name in ("counts", "threshold")}
    n, bad, unusable = query(sql["counts"].substitute(names))[0]
    k = allowed(n, eps, delta)
    if k < 0:
        return Found(n, bad, unusable, k, "always_escalate")
    rows = query(sql["threshold"].substitute(names, k=k))
    return Found(n, bad, unusable, k, rows[0][0] if rows else "never_escalate")


def duckdb(path: str) -> Query:
    """Queries of the traces at `path`, a file or a pattern of files, by DuckDB."""
    import duckdb as engine

    connection = engine.connect()
    source = connection.read_parquet(path)
    source.create_view("trace")
    return lambda sql: connection.sql(sql).fetchall()


def spark(path: str) -> Query:
    """Queries of the traces at `path`, whatever Spark can read, by Spark."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.appName("biglittle-fleet").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.read.parquet(path).createOrReplaceTempView("trace")
    return lambda sql: [tuple(row) for row in session.sql(sql).collect()]


ENGINES = {"duckdb": duckdb, "spark": spark}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("trace", help="a Parquet file, a pattern, or a folder for Spark")
    parser.add_argument("--loss", choices=BAD, default="disagree")
    parser.add_argument("--eps", type=float, required=True, help="largest share of bad answers")
    parser.add_argument("--delta", type=float, default=0.05, help="largest risk that it is more")
    parser.add_argument("--little", default="little", help="name of the first level")
    parser.add_argument("--big", default="big", help="name of the last level")
    parser.add_argument("--score", choices=SCORES, default="margin")
    args = parser.parse_args()
    for name in ("eps", "delta"):
        if not 0.0 < getattr(args, name) < 1.0:
            parser.error(f"--{name} is {getattr(args, name)}: it must be above 0 and below 1")
    names = {"little": args.little, "big": args.big, "score": args.score}
    query = ENGINES[args.engine](args.trace)
    print(json.dumps(asdict(calibrate(query, args.loss, args.eps, args.delta, names))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
