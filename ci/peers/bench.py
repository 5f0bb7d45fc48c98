#!/usr/bin/env python3
"""Measures biglittle, stock tract, ONNX Runtime, LiteRT and ncnn on one core.

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
from contestants import NAMES, OURS, PEERS, Contestant, Failed, command, start

# Of a network that gives logits of several units.
LARGEST_DIFFERENCE = 1e-3


def opened(options: argparse.Namespace, network: str, failed: dict[str, str]) -> list[Contestant]:
    """The runtimes that can run the network; why the others cannot."""
    contestants = []
    for key in NAMES:
        if key in failed:
            continue
        if key == "avx2" and contestants[-1].loaded["instruction_set"] != "avx512":
            failed[key] = f"biglittle runs it on {contestants[-1].loaded['runtime']}"
            continue
        try:
            words = command(key, options.zoo, network, options.biglittle)
            contestant = start(words, key, options.cpu)
        except Failed as why:
            if key == "ours":
                sys.exit(f"{network}: {why}")
            failed[key] = str(why)
            continue
        difference = contestant.loaded.get("difference", 0.0)
        if difference <= LARGEST_DIFFERENCE:
            contestants.append(contestant)
        else:
            contestant.close()
            failed[key] = f"its outputs differ by {difference:.2g} from ONNX Runtime's"
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
    medians = {c.key: statistics.median(c.medians_ns) for c in contestants}
    peers = {key: ns for key, ns in medians.items() if key in PEERS}
    rounds = {c.key: c.medians_ns for c in contestants}
    figures = {
        "macs": next(c.loaded["macs"] for c in contestants if c.key == "ours"),
        "runtime": next(c.loaded["runtime"] for c in contestants if c.key == "ours"),
        "median_ns": medians,
        "rounds_ns": rounds,
        "missing": failed,
    }
    if peers:
        best = min(peers, key=peers.__getitem__)
        figures["best_peer"] = best
        figures["to_best_peer"] = {
            key: spread([a / b for a, b in zip(rounds[key], rounds[best])])
            for key in OURS
            if key in rounds
        }
    return figures


def spread(ratios: list[float]) -> dict[str, float]:
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("zoo", type=Path, help="the folder of models/zoo/build.py, converted")
    parser.add_argument("--biglittle", type=Path, required=True, help="the program to measure")
    parser.add_argument("--networks", nargs="+", metavar="NAME", help="all, if not given")
    parser.add_argument("--cpu", type=int, default=1, help="the core to run on (%(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="(%(default)s)")
    parser.add_argument("--turn", type=float, default=0.08, help="seconds a turn (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--date", help="of the measurement, for the page")
    parser.add_argument("--page", type=Path, help="replace the table in this page")
    options = parser.parse_args()
    if options.page and not options.date:
        parser.error("--page needs --date")
    listed = [row.split("\t")[0] for row in (options.zoo / "zoo.tsv").read_text().splitlines()]
    networks = options.networks or listed
    if unknown := set(networks) - set(listed):
        parser.error(f"{', '.join(sorted(unknown))} not in {options.zoo}")
    conversions = json.loads((options.zoo / "conversions.json").read_text())
    results: dict[str, dict] = {}
    for network in networks:
        results[network] = measure(options, network, conversions.get(network, {}))
        print(report.line(network, results[network]), flush=True)
    document = report.document(results, options.rounds, options.date)
    if options.json:
        options.json.write_text(json.dumps(document, indent=1))
    if options.page:
        report.write(options.page, document)


if __name__ == "__main__":
    main()
