"""Kotlin and Swift side by side: docs/api-parity.md, from both ABI dumps.

    python3 ci/api_parity.py          # fails where a twin is missing or the page is old
    python3 ci/api_parity.py --write  # writes the page

Reads android/sdk/api/sdk.api, the aliases of CoreTypes.kt (aliases are in no ABI),
ios/api.txt, and docs/api-parity.toml, which names what is called differently and what
one side has alone. Of plain values only the alias counts: both languages generate them
from one definition.
"""

import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/api-parity.md"
# Written by the compiler for every data class.
BY_COMPILER = re.compile(r"component\d+|copy|equals|hashCode|toString|Companion|<clinit>")


def plain(name):
    """A property's name from that of its getter."""
    found = re.fullmatch(r"get([A-Z]\w*)", name)
    return found[1][0].lower() + found[1][1:] if found else name


def kotlin():
    members, owner = {}, None
    for line in (ROOT / "android/sdk/api/sdk.api").read_text().splitlines():
        found = re.match(r"public (?:\w+ )*(?:class|interface) (\S+)", line)
        if found:
            owner = found[1].split("/")[-1].replace("$Companion", "").removesuffix("Kt")
            # What an error is called is a class in Kotlin and a case in Swift.
            owner = owner.replace("BigLittleException$", "BigLittleException.")
            kind = owner.split(".")
            if len(kind) == 2:
                owner = f"{kind[0]}.{kind[1][0].lower()}{kind[1][1:]}"
            members.setdefault(owner, 0)
            continue
        found = re.search(r"\b(?:fun|field) (\S+)", line)
        if not found or "synthetic" in line or BY_COMPILER.fullmatch(found[1]):
            continue
        name = "init" if found[1] == "<init>" else plain(found[1])
        members[f"{owner}.{name}"] = members.get(f"{owner}.{name}", 0) + 1
    sources = ROOT / "android/sdk/src/main/kotlin/dev/biglittle"
    for alias in re.findall(r"public typealias (\w+)", (sources / "CoreTypes.kt").read_text()):
        members[alias] = 0
    return members


def swift():
    members, aliases, stored = {}, set(), set()
    for line in (ROOT / "ios/api.txt").read_text().splitlines():
        path, declaration = line.split(": ", 1)
        if declaration.startswith("typealias ") and "." not in path:
            aliases.add(path)
            members[path] = 0
            continue
        name = path.split("(")[0].replace("`", "")
        members[name] = members.get(name, 0) + 1
        # The fields and cases of a plain value; a computed property says `{ get }`.
        if declaration.startswith("case ") or ("var " in declaration and "{" not in declaration):
            stored.add(name)
    return members, aliases, stored


def compare():
    rules = tomllib.loads((ROOT / "docs/api-parity.toml").read_text())
    theirs = kotlin()
    ours, aliases, stored = swift()
    rows, problems, seen = [], [], set()

    def translated(name):
        if name in rules["same"]:
            return rules["same"][name]
        owner, dot, member = name.rpartition(".")
        return translated(owner) + dot + member if dot else name

    for name in sorted(ours):
        twin = translated(name)
        if twin in theirs:
            seen.add(twin)
            counts = (ours[name], theirs[twin])
            reason = rules["overloads"].get(name, "")
            if counts[1] and counts[0] != counts[1] and not name.endswith(".init") and not reason:
                problems.append(f"{name}: {counts[0]} in Swift, {counts[1]} in Kotlin")
            rows.append((name, twin, reason))
        elif name in rules["only_swift"]:
            rows.append((name, "", rules["only_swift"][name]))
        elif name.endswith(".init") or (name.rpartition(".")[0] in aliases and name in stored):
            continue  # a plain value, from one definition; a constructor says its name
        else:
            problems.append(f"Swift has {name}, Kotlin has no {twin}")
    for name in sorted(set(theirs) - seen):
        if name in rules["only_kotlin"]:
            rows.append(("", name, rules["only_kotlin"][name]))
        elif name.endswith(".init"):
            continue
        elif "." in name:
            problems.append(f"Kotlin has {name}, Swift has not")
        elif not any(other.startswith(name + ".") for other in theirs):
            problems.append(f"Kotlin has {name}, Swift has not")
    known = set(ours) | {name for name in rules["same"]}
    kinds = {"only_swift": ours, "only_kotlin": theirs, "same": known, "overloads": ours}
    for kind, names in kinds.items():
        for name in rules[kind]:
            if name not in names:
                problems.append(f"docs/api-parity.toml, {kind}: there is no {name}")
    return rows, problems


def page(rows):
    lines = [
        "# Kotlin and Swift side by side",
        "",
        "Written by `ci/api_parity.py --write` from both ABI dumps; a call without a twin, and",
        "without a reason in [api-parity.toml](api-parity.toml), fails the step `parity`. Plain",
        "values (readings, options, reports) are generated for both from one definition in",
        "`rust-core`: only their names stand here, not their fields.",
        "",
        "| Swift | Kotlin | where they differ, why |",
        "| --- | --- | --- |",
    ]
    code = lambda name: f"`{name}`" if name else ""
    lines += [f"| {code(swift)} | {code(kotlin)} | {why} |" for swift, kotlin, why in rows]
    return "\n".join(lines) + "\n"


def main():
    rows, problems = compare()
    for problem in problems:
        print(f"!!! {problem}")
    text = page(rows)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        problems.append("old")
        print("!!! docs/api-parity.md is not what the dumps say: python3 ci/api_parity.py --write")
    if problems:
        sys.exit(1)
    print(f"{len(rows)} names side by side")


main()
