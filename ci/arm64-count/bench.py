#!/usr/bin/env python3
"""Counts the instructions that biglittle, ONNX Runtime, LiteRT and ncnn execute
for one inference on arm64, under emulation, and estimates the cycles they take;
with --int8 the int8 of those that have it.

Called by ci/bench-arm64, with the modules of ci/peers.
"""

import argparse
import json
import sys
from pathlib import Path

import estimate
import report
from contestants import PEERS, command
from executed import CPU, Emulator, Failed, dot_products, total
from judge import fault

# Inferences that are counted: a start is not quite the same each time, which
# must not show in a small network.
FEW, MANY, SMALL_SIDE = 2, 20, 64


def count(options: argparse.Namespace, key: str, network: str, runs: int) -> dict:
    """The figures of one runtime with one network."""
    words = command(key, options.zoo, network, options.biglittle)
    emulator, env = Emulator(options.plugin), {}
    if is_peer(key):
        words[0] = next((options.system / "usr/bin").glob("python3.*"))
        emulator = Emulator(options.plugin, options.system)
        env = {"PYTHONHOME": f"{options.system}/usr", "PYTHONPATH": str(options.site)}
        env |= {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    one, line = emulator.inference(words, runs, env)
    loaded = json.loads(line)
    if why := fault(key, loaded, options.zoo, network):
        raise Failed(why)
    figures = {"instructions": total(one), "loaded": loaded}
    if key.endswith("_int8"):
        figures["dot_products"] = dot_products(one)
        if not figures["dot_products"]:
            raise Failed("it does not use the processor's dot product of bytes")
    if llvm := estimate.tools():
        cores = estimate.CORES.items()
        figures["cycles"] = {name: estimate.cycles(one, core, llvm) for name, core in cores}
    return figures


def is_peer(key: str) -> bool:
    return key.removesuffix("_int8") in PEERS


def versions(site: Path | None) -> dict[str, str]:
    """Of the peers, from their packages' folders."""
    packages = {"onnxruntime": "ONNX Runtime", "ai_edge_litert": "LiteRT", "ncnn": "ncnn"}
    folders = sorted(site.glob("*.dist-info")) if site else []
    names = [folder.name.removesuffix(".dist-info").split("-") for folder in folders]
    return {packages[name]: version for name, version in names if name in packages}


def measure(options: argparse.Namespace, network: str, side: int, known: dict) -> dict:
    """The figures of one network; why the others have none. What is known is not
    counted again."""
    runs = MANY if side <= SMALL_SIDE else FEW
    result: dict = {"runs": runs, "runtimes": {}, "missing": dict(known["missing"])}
    for key in report.names(options.int8):
        if key in result["missing"] or (is_peer(key) and not options.system):
            continue
        if key in known["runtimes"]:
            result["runtimes"][key] = known["runtimes"][key]
            continue
        try:
            result["runtimes"][key] = count(options, key, network, runs)
        except Failed as why:
            if key in ("ours", "ours_int8"):
                sys.exit(f"{network}: {why}")
            result["missing"][key] = str(why)
    return result


def known(options: argparse.Namespace, document: dict, network: str, failed: dict) -> dict:
    """The peers' figures of an earlier run with the same packages."""
    nothing = {"runtimes": {}, "missing": failed}
    if not options.peers_from or not options.peers_from.exists():
        return nothing
    earlier = json.loads(options.peers_from.read_text())
    if any(earlier.get(field) != document[field] for field in ("cpu", "versions", "int8")):
        return nothing
    figures = earlier["networks"].get(network, nothing)
    return {of: {k: v for k, v in figures[of].items() if is_peer(k)} for of in nothing}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("zoo", type=Path, help="the folder of models/zoo/build.py, converted")
    parser.add_argument("--biglittle", type=Path, required=True, help="the arm64 program")
    parser.add_argument("--plugin", type=Path, required=True, help="blocks.c, built")
    parser.add_argument("--int8", action="store_true", help="count int8")
    parser.add_argument("--system", type=Path, help="an arm64 system with Python; none: no peers")
    parser.add_argument("--site", type=Path, help="the peers' arm64 packages")
    parser.add_argument("--peers-from", type=Path, metavar="JSON", help="do not count peers anew")
    parser.add_argument("--networks", nargs="+", metavar="NAME", help="all, if not given")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--date", help="of the measurement, for the page")
    parser.add_argument("--page", type=Path, help="replace the arm64 part of this page")
    options = parser.parse_args()
    if options.page and not options.date:
        parser.error("--page needs --date")
    if not estimate.tools():
        print(f"!!! SKIPPED: no cycles: llvm-mca {estimate.OLDEST} or newer is missing")
    rows = [row.split("\t") for row in (options.zoo / "zoo.tsv").read_text().splitlines()]
    sides = {row[0]: int(row[2]) for row in rows}
    networks = options.networks or list(sides)
    if unknown := set(networks) - set(sides):
        parser.error(f"{', '.join(sorted(unknown))} not in {options.zoo}")
    conversions = json.loads((options.zoo / "conversions.json").read_text())
    results: dict[str, dict] = {}
    document = {"date": options.date, "cpu": CPU, "versions": versions(options.site)}
    document["int8"] = options.int8
    document["networks"] = results
    for network in networks:
        before = known(options, document, network, conversions.get(network, {}))
        results[network] = measure(options, network, sides[network], before)
        print(report.line(network, results[network]), flush=True)
        if options.json:
            options.json.write_text(json.dumps(document, indent=1))
    print(report.tables(document))
    if options.page:
        report.write(options.page, document)


if __name__ == "__main__":
    main()
