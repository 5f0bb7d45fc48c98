"""Writes the public interface of the Swift package, a declaration a line.

    python3 ci/swift_api.py FOLDER_OF_SYMBOL_GRAPHS > ios/api.txt

Reads what `swift package dump-symbol-graph` wrote. Of the bindings only those types
count that BigLittle gives a name: what else is there is no interface.
"""

import json
import pathlib
import sys

# Conformances that the compiler makes, and the interface of other modules.
SYNTHESIZED = ("!=(_:_:)", "==(_:_:)", "hash(into:)", "hashValue")


def symbols(path):
    return json.loads(path.read_text())["symbols"]


def declaration(symbol):
    text = "".join(part["spelling"] for part in symbol.get("declarationFragments", []))
    return " ".join(text.split())


def lines_of(symbol, head):
    path = symbol["pathComponents"]
    if path[-1] in SYNTHESIZED:
        return []
    return [f"{'.'.join([head, *path[1:]])}: {declaration(symbol)}"]


def main():
    folder = pathlib.Path(sys.argv[1])
    own = symbols(folder / "BigLittle.symbols.json")
    extended = folder / "BigLittle@BigLittleBindings.symbols.json"
    if extended.exists():
        own += symbols(extended)
    aliases = {}
    found = []
    for symbol in own:
        fragments = symbol.get("declarationFragments", [])
        if symbol["kind"]["identifier"] == "swift.typealias" and len(symbol["pathComponents"]) == 1:
            aliases[fragments[-1]["spelling"]] = symbol["pathComponents"][0]
    names = {name: alias for name, alias in aliases.items()}
    for symbol in own:
        head = symbol["pathComponents"][0]
        found += lines_of(symbol, names.get(head, head))
    for symbol in symbols(folder / "BigLittleBindings.symbols.json"):
        head = symbol["pathComponents"][0]
        if head in names and len(symbol["pathComponents"]) > 1:
            found += lines_of(symbol, names[head])
    if len(found) < 100:
        sys.exit(f"only {len(found)} declarations in {folder}: the symbol graphs are not whole")
    print("\n".join(sorted(set(found))))


main()
