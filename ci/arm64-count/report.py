"""What was counted, as lines and as the tables of a page."""

from pathlib import Path

from contestants import INT8_NAMES, OURS, PEERS


def names(int8: bool) -> dict[str, str]:
    """What is compared: the first with each of the others."""
    if not int8:
        return {"ours": OURS["ours"]} | PEERS
    return {key: INT8_NAMES[key] for key in ("ours_int8", "ort_int8", "litert_int8", "ours")}


def millions(count: float | None) -> str:
    if count is None:
        return "-"
    return f"{count / 1e6:.{3 if count < 10e6 else 2 if count < 100e6 else 1}f}"


def line(network: str, figures: dict) -> str:
    """For the one who waits."""
    counted = figures["runtimes"]
    called = names(True) | names(False)
    parts = [f"{called[key]} {millions(f['instructions'])}" for key, f in counted.items()]
    return f"{network}: {', '.join(parts)} million instructions"


def head(first: list[str]) -> list[list[str]]:
    return [first, ["---", *["---:"] * (len(first) - 1)]]


def table(document: dict, value) -> list[list[str]]:
    """A row a network: `value` of each runtime, and the first by each of the others."""
    called = names(document["int8"])
    first, *others = called
    rows = head(["network", *called.values(), *(f"/ {called[key]}" for key in others)])
    for network, figures in document["networks"].items():
        values = {key: value(figures["runtimes"].get(key, {})) for key in called}
        of = values[first]
        ratios = [f"{of / values[key]:.2f}" if of and values[key] else "-" for key in others]
        rows.append([f"`{network}`", *map(millions, values.values()), *ratios])
    return rows


def tables(document: dict) -> str:
    """The part of the page between the marks."""
    called = names(document["int8"])
    counted = " ".join(called.values())
    versions = [f"{name} {n}" for name, n in document["versions"].items() if name in counted]
    precision = "int8" if document["int8"] else "float32"
    lines = [f"{document['date'] or 'Not dated'}, one core, {precision}. {', '.join(versions)}."]
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
        f"`{network}` has no figures of {called[key]}: {why}."
        for network, figures in document["networks"].items()
        for key, why in figures["missing"].items()
        if key in called
    ]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def write(page: Path, document: dict) -> None:
    """Replaces what stands between the marks."""
    name = "arm64-int8" if document["int8"] else "arm64"
    begin, end = f"<!-- {name} begin -->", f"<!-- {name} end -->"
    before, rest = page.read_text().split(begin)
    after = rest.split(end)[1]
    page.write_text(f"{before}{begin}\n{tables(document)}\n{end}{after}")
