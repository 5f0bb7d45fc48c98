#!/usr/bin/env python3
"""Measures biglittle, stock tract, ONNX Runtime, LiteRT and ncnn on one core, or
with --int8 the int8 of those that have it.

One process a runtime, all with the same network open at once, take turns in the
order A B C, C B A, ...: whatever else the machine does hits all of them, so that
the ratio of two within one round is meaningful where times are not. Called by
ci/bench-peers.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

import report
from contestants import INT8_NAMES, NAMES, OURS, PEERS, Contestant, Failed, command, start
from judge import fault


def opened(options: argparse.Namespace, network: str, failed: dict[str, str]) -> list[Contestant]:
    """The runtimes that can run the network; why the others cannot."""
    contestants = []
    for key in INT8_NAMES if options.int8 else NAMES:
        if key in failed:
            continue
        if key == "avx2" and contestants[-1].loaded["instruction_set"] != "avx512":
            failed[key] = f"biglittle runs it on {contestants[-1].loaded['runtime']}"
            continue
        try:
            words = command(key, options.zoo, network, options.biglittle)
            contestant = start(words, key, options.cpu)
        except Failed as why:
            if key in ("ours", "ours_int8"):
                sys.exit(f"{network}: {why}")
            failed[key] = str(why)
            continue
        if why := fault(key, contestant.loaded, options.zoo, network):
            contestant.close()
            failed[key] = why
        else:
            contestants.append(contestant)
    return contestants


def measure(options: argparse.Namespace, network: str, failed: dict[str, str]) -> dict:
    """The figures of one network; times in nanoseconds."""
    contestants = opened(options, network, failed)
    for contestant in contestants:
        fastest = max(1, min(contestant.run(5)))
        contestant.runs_a_turn = min(max(3, int(options.turn * 1e9 / fastest)), 100_000)
    for index in range(options.rounds):
        for contestant in contestants[:: -1 if index % 2 else 1]:
            contestant.turn()
    for contestant in contestants:
        contestant.close()
    by_key = {c.key: c for c in contestants}
    medians = {key: statistics.median(c.medians_ns) for key, c in by_key.items()}
    peers = {key: ns for key, ns in medians.items() if key in PEERS}
    figures = {
        "macs": by_key["ours"].loaded["macs"],
        "runtime": by_key["ours"].loaded["runtime"],
        "median_ns": medians,
        "rounds_ns": {key: c.medians_ns for key, c in by_key.items()},
        "missing": failed,
    }
    if options.int8:
        figures["errors"] = {
            key: c.loaded["error"] for key, c in by_key.items() if "error" in c.loaded
        }
        if ours := by_key.get("ours_int8"):
            others = [c for c in contestants if c is not ours]
            figures["to_ours"] = {c.key: spread(c, ours) for c in others}
    elif peers:
        best = min(peers, key=peers.__getitem__)
        figures["best_peer"] = best
        figures["to_best_peer"] = {
            key: spread(c, by_key[best]) for key, c in by_key.items() if key in OURS
        }
    return figures


def spread(one: Contestant, other: Contestant) -> dict[str, float]:
    """The ratios of their times within a round."""
    ratios = [a / b for a, b in zip(one.medians_ns, other.medians_ns)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("zoo", type=Path, help="the folder of models/zoo/build.py, converted")
    parser.add_argument("--biglittle", type=Path, required=True, help="the program to measure")
    parser.add_argument("--int8", action="store_true", help="compare int8")
    parser.add_argument("--cpu", type=int, default=1, help="the core to run on (%(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="(%(default)s)")
    parser.add_argument("--turn", type=float, default=0.08, help="seconds a turn (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--date", help="of the measurement, for the page")
    parser.add_argument("--page", type=Path, help="replace the table in this page")
    options = parser.parse_args()
    if options.page and not options.date:
        parser.error("--page needs --date")
    rows = (options.zoo / "zoo.tsv").read_text().splitlines()
    networks = [row.split("\t")[0] for row in rows]
    conversions = json.loads((options.zoo / "conversions.json").read_text())
    results: dict[str, dict] = {}
    for network in networks:
        results[network] = measure(options, network, conversions.get(network, {}))
        print(report.line(network, results[network]), flush=True)
    document = report.document(results, options.rounds, options.date, options.int8)
    if options.json:
        options.json.write_text(json.dumps(document, indent=1))
    if options.page:
        report.write(options.page, document)


if __name__ == "__main__":
    main()
