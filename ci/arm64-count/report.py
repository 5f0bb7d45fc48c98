"""What was counted, as lines and as the tables of a page."""

from pathlib import Path

BEGIN, END = "<!-- arm64 begin -->", "<!-- arm64 end -->"
OURS = "ours"
NAMES = {OURS: "biglittle", "ort": "ONNX Runtime", "litert": "LiteRT", "ncnn": "ncnn"}
PEERS = [key for key in NAMES if key != OURS]


def millions(count: float | None) -> str:
    if count is None:
        return "-"
    return f"{count / 1e6:.{3 if count < 10e6 else 2 if count < 100e6 else 1}f}"


def line(network: str, figures: dict) -> str:
    """For the one who waits."""
    counted = figures["runtimes"]
    parts = [f"{NAMES[key]} {millions(f['instructions'])}" for key, f in counted.items()]
    return f"{network}: {', '.join(parts)} million instructions"


def head(first: list[str]) -> list[list[str]]:
    return [first, ["---", *["---:"] * (len(first) - 1)]]


def table(document: dict, value) -> list[list[str]]:
    """A row a network: `value` of each runtime, and ours by that of each peer."""
    rows = head(["network", *NAMES.values(), *(f"/ {NAMES[key]}" for key in PEERS)])
    for network, figures in document["networks"].items():
        values = {key: value(figures["runtimes"].get(key, {})) for key in NAMES}
        ratios = [f"{values[OURS] / values[key]:.2f}" if values[key] else "-" for key in PEERS]
        rows.append([f"`{network}`", *map(millions, values.values()), *ratios])
    return rows


def tables(document: dict) -> str:
    """The part of the page between the marks."""
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    lines = [f"{document['date'] or 'Not dated'}, one core, float32. {versions}."]
    parts = [("Executed instructions of one image, in millions.", lambda f: f.get("instructions"))]
    runtimes = [f for n in document["networks"].values() for f in n["runtimes"].values()]
    for core in next((f["cycles"] for f in runtimes if "cycles" in f), {}):
        parts.append(
            (
                f"Estimated cycles of a {core}, in millions.",
                lambda f, core=core: f.get("cycles", {}).get(core),
            )
        )
    for caption, value in parts:
        lines += ["", caption, ""]
        lines += [f"| {' | '.join(cells)} |" for cells in table(document, value)]
    notes = [
        f"`{network}` has no figures of {NAMES[key]}: {why}."
        for network, figures in document["networks"].items()
        for key, why in figures["missing"].items()
    ]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def write(page: Path, document: dict) -> None:
    """Replaces what stands between the marks."""
    before, rest = page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{tables(document)}\n{END}{after}")
