"""What was measured, as lines, as a document and as the table of a page."""

import importlib.metadata
import platform
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from contestants import INT8_NAMES, NAMES, PEERS

PACKAGES = {"ort": "onnxruntime", "litert": "ai-edge-litert", "ncnn": "ncnn"}
COLUMNS = ["tract", *PEERS, "ours", "avx2"]
# Whose times over those of our int8 are shown.
INT8_RATIOS = ["ort_int8", "litert_int8", "ours"]


def line(network: str, figures: dict) -> str:
    """For the one who waits."""
    names = INT8_NAMES if "errors" in figures else NAMES
    times = (f"{names[key]} {milliseconds(ns)}" for key, ns in figures["median_ns"].items())
    ratios = [
        f"{names[key]} / {names[figures['best_peer']]} {ratio(value)}"
        for key, value in figures.get("to_best_peer", {}).items()
    ]
    ratios += [
        f"{names[key]} / {names['ours_int8']} {ratio(value)}"
        for key, value in figures.get("to_ours", {}).items()
    ]
    return f"{network}: {', '.join(times)} ms; {'; '.join(ratios)}"


def document(results: dict[str, dict], rounds: int, date: str | None, int8: bool) -> dict:
    """All that is needed to judge or repeat the measurement."""
    versions = {} if int8 else {"tract": tract_version()}
    for key, package in PACKAGES.items():
        if not int8 or key in INT8_NAMES:
            versions[NAMES[key]] = importlib.metadata.version(package)
    return {
        "date": date,
        "machine": f"{processor()}, {platform.system()} {platform.machine()}",
        "versions": versions,
        "rounds": rounds,
        "int8": int8,
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
    shown = columns(document["int8"])
    rows, notes = [["network", "MMACs", *shown], ["---", "---:", *["---:"] * len(shown)]], []
    for network, figures in document["networks"].items():
        cells = (cell(figures) for cell in shown.values())
        rows.append([f"`{network}`", millions(figures["macs"]), *cells])
        notes += [f"- `{network}`: {note}." for note in remarks(figures, document["int8"])]
    lines = [
        f"{document['date']}, {document['machine']}, one core. {versions}. Milliseconds, medians "
        f"of {document['rounds']} rounds; a ratio is the median of the ratios within a round, "
        "with the smallest and the largest of them.",
        "",
        *(f"| {' | '.join(cells)} |" for cells in rows),
        *(["", *notes] if notes else []),
    ]
    return "\n".join(lines)


def columns(int8: bool) -> dict[str, Callable[[dict], str]]:
    """What is shown of a network's figures, by the head of its column."""

    def time(key: str) -> Callable[[dict], str]:
        return lambda figures: milliseconds(figures["median_ns"].get(key))

    def over(field: str, key: str) -> Callable[[dict], str]:
        return lambda figures: ratio(figures.get(field, {}).get(key))

    if not int8:
        times = {NAMES[key]: time(key) for key in COLUMNS}
        return times | {"biglittle / best other": over("to_best_peer", "ours")}
    times = {name: time(key) for key, name in INT8_NAMES.items()}
    ours = INT8_NAMES["ours_int8"]
    return times | {f"{INT8_NAMES[key]} / {ours}": over("to_ours", key) for key in INT8_RATIOS}


def remarks(figures: dict, int8: bool) -> list[str]:
    """What is not as elsewhere in the table."""
    found = []
    if not figures["runtime"].startswith("kernels"):
        found.append(f"biglittle runs it on {figures['runtime']}")
    names = INT8_NAMES if int8 else PEERS
    missing = {key: why for key, why in figures["missing"].items() if key in names}
    return found + [f"no time of {names[key]}: {why}" for key, why in missing.items()]


def write(page: Path, document: dict) -> None:
    """Replaces what stands between the marks."""
    name = "bench-peers-int8" if document["int8"] else "bench-peers"
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.read_text().split(begin)
    after = rest.split(end)[1]
    page.write_text(f"{before}{begin}\n{table(document)}\n{end}{after}")


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
