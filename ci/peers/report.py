"""What was measured, as lines, as a document and as the table of a page."""

import importlib.metadata
import platform
import re
import tomllib
from pathlib import Path

from contestants import NAMES, PEERS

BEGIN, END = "<!-- bench-peers: begin -->", "<!-- bench-peers: end -->"
PACKAGES = {"ort": "onnxruntime", "litert": "ai-edge-litert", "ncnn": "ncnn"}
COLUMNS = ["tract", *PEERS, "ours", "avx2"]


def line(network: str, figures: dict) -> str:
    """For the one who waits."""
    times = (f"{NAMES[key]} {milliseconds(ns)}" for key, ns in figures["median_ns"].items())
    ratios = (
        f"{NAMES[key]} / {NAMES[figures['best_peer']]} {ratio(value)}"
        for key, value in figures.get("to_best_peer", {}).items()
    )
    return f"{network}: {', '.join(times)} ms; {'; '.join(ratios)}"


def document(results: dict[str, dict], rounds: int, date: str | None) -> dict:
    """All that is needed to judge or repeat the measurement."""
    return {
        "date": date,
        "machine": f"{processor()}, {platform.system()} {platform.machine()}",
        "versions": {"tract": tract_version()}
        | {NAMES[key]: importlib.metadata.version(name) for key, name in PACKAGES.items()},
        "rounds": rounds,
        "networks": results,
    }


def tract_version() -> str:
    """The version that the workspace is built with."""
    lock = tomllib.loads((Path(__file__).parents[2] / "Cargo.lock").read_text())
    return next(it["version"] for it in lock["package"] if it["name"] == "tract-onnx")


def processor() -> str:
    """The processor's name, as the system has it."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.processor() or "unknown processor"


def table(document: dict) -> str:
    """The part of the page between the marks."""
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    head = ["network", "MMACs", *(NAMES[key] for key in COLUMNS), "biglittle / best other"]
    rows, notes = [head, ["---"] + ["---:"] * (len(head) - 1)], []
    for network, figures in document["networks"].items():
        times = [milliseconds(figures["median_ns"].get(key)) for key in COLUMNS]
        best = figures.get("to_best_peer", {}).get("ours")
        rows.append([f"`{network}`", millions(figures["macs"]), *times, ratio(best)])
        if not figures["runtime"].startswith("kernels"):
            notes.append(f"`{network}`: biglittle runs it on {figures['runtime']}.")
        for key, why in figures["missing"].items():
            if key in PEERS:
                notes.append(f"`{network}` has no time of {NAMES[key]}: {why}.")
    lines = [
        f"{document['date']}, {document['machine']}, one core. {versions}. Milliseconds, medians "
        f"of {document['rounds']} rounds; the ratio is the median of the ratios within a round, "
        "with the smallest and the largest of them.",
        "",
        *(f"| {' | '.join(cells)} |" for cells in rows),
        *(["", *notes] if notes else []),
    ]
    return "\n".join(lines)


def write(page: Path, document: dict) -> None:
    """Replaces what stands between the marks."""
    before, rest = page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{table(document)}\n{END}{after}")


def millions(count: int) -> str:
    return f"{count / 1e6:.0f}" if count >= 100e6 else f"{count / 1e6:.3g}"


def milliseconds(ns: float | None) -> str:
    if ns is None:
        return "-"
    digits = max(0, 2 - len(str(int(ns / 1e6))) + (1 if ns >= 1e6 else 2))
    return f"{ns / 1e6:.{digits}f}" if ns >= 1e5 else f"{ns / 1e6:.4f}"


def ratio(value: dict[str, float] | None) -> str:
    return (
        "-" if value is None else f"{value['median']:.2f} ({value['min']:.2f}-{value['max']:.2f})"
    )
