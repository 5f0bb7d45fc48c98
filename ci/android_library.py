"""Whether the Rust library is one that Android loads, and no larger than it was.

    python3 ci/android_library.py LIBRARY [--android TRIPLE] SOURCE...

Fails with a sentence for each of these:

- It exports the interface and nothing else: every native function that the Kotlin
  SOURCEs (files or folders) declare, UniFFI's own, and JNI_OnLoad. What else a
  process loads cannot clash with tract or Rust then.
- With --android also: it is for that target; its segments lie on 16 KB pages, none
  both writable and executable; it has no text relocations and no executable stack;
  it needs bionic's libraries only; its size is at most that of
  ci/bionic/sizes.toml, where one is stored, and what that tolerates. Give the
  stripped library.

readelf, of binutils or LLVM, reads the library.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = ROOT / "ci/bionic/sizes.toml"
PAGE = 16384
MACHINES = {"aarch64-linux-android": "AArch64", "x86_64-linux-android": "X86-64"}
BIONIC = {"libc.so", "libm.so", "libdl.so", "liblog.so"}
# UniFFI's, which the bindings do not all name, and what uniffi-bindgen reads.
UNIFFI = re.compile(r"(ffi_biglittle_ffi_|uniffi_biglittle_ffi_|UNIFFI_META_)")


def readelf(library, *options):
    tool = shutil.which("llvm-readelf") or shutil.which("readelf")
    if tool is None:
        sys.exit("!!! readelf is missing (Debian: binutils or llvm)")
    return subprocess.run([tool, "-W", *options, library], check=True, capture_output=True, text=True).stdout


def kotlin_functions(sources):
    """The C names of all `external fun`s of Kotlin, as JNA and JNI look for them."""
    names = set()
    for source in sources:
        for file in sorted(source.rglob("*.kt")) if source.is_dir() else [source]:
            text = file.read_text()
            functions = re.findall(r"\bexternal fun (\w+)", text)
            if not functions:
                continue
            package = re.search(r"^package ([\w.]+)", text, re.M)[1].replace(".", "_")
            names.update(f if UNIFFI.match(f) else f"Java_{package}_{file.stem}_{f}" for f in functions)
    return names


def interface(library, sources):
    """What is wrong with what the library exports."""
    wanted = kotlin_functions(sources) | {"JNI_OnLoad"}
    rows = [line.split() for line in readelf(library, "--dyn-syms").splitlines()]
    exported = {
        row[7].split("@")[0]
        for row in rows
        if len(row) >= 8 and row[4] in ("GLOBAL", "WEAK") and row[6] != "UND" and row[0] != "Num:"
    }
    if missing := sorted(wanted - exported):
        yield f"it does not export {', '.join(missing)}, which the Kotlin sources call"
    if strangers := sorted(name for name in exported - wanted if not UNIFFI.match(name)):
        yield f"it exports more than its interface: {', '.join(strangers)}"


def loading(library, triple):
    """What Android would refuse, or should."""
    machine = re.search(r"Machine:\s*(.*)", readelf(library, "-h"))[1]
    if MACHINES[triple] not in machine:
        yield f"it is for {machine}, not for {triple}"
    for line in readelf(library, "-l").splitlines():
        row = line.split()
        if not row or row[0] not in ("LOAD", "GNU_STACK"):
            continue
        offset, address, flags, align = int(row[1], 16), int(row[2], 16), "".join(row[6:-1]), int(row[-1], 16)
        if row[0] == "GNU_STACK" and "E" in flags:
            yield "its stack is executable"
        elif row[0] == "LOAD" and (align % PAGE or (address - offset) % PAGE):
            yield f"the segment at {address:#x} is aligned to {align}, not to pages of {PAGE} (-z max-page-size)"
        if row[0] == "LOAD" and "W" in flags and "E" in flags:
            yield f"the segment at {address:#x} is writable and executable"
    dynamic = readelf(library, "-d")
    if re.search(r"TEXTREL", dynamic):
        yield "it has text relocations, which Android refuses"
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    if strangers := sorted(needed - BIONIC):
        yield f"it needs {', '.join(strangers)}, which Android does not have for apps"


def size(library, triple, sizes):
    stored = tomllib.loads(sizes.read_text())
    now, before, percent = library.stat().st_size, stored.get(triple), stored["tolerance_percent"]
    if before is None:
        return
    if now > before * (100 + percent) / 100:
        yield (
            f"it has {now} bytes, more than the stored {before} and {percent} %: see what grew "
            f"(`cargo bloat --release -p biglittle-ffi --crates`); if it is worth it, store {now} in "
            f"{sizes.name}, and say it in docs/android.md and CHANGELOG.md"
        )
    if now < before * (100 - percent) / 100:
        yield f"it has only {now} bytes: store that in {sizes.name} and docs/android.md, so that it stays so"


def problems(library, sources, triple=None, sizes=SIZES):
    yield from interface(library, sources)
    if triple:
        yield from loading(library, triple)
        yield from size(library, triple, sizes)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("--android", choices=MACHINES)
    parser.add_argument("sources", type=pathlib.Path, nargs="+")
    given = parser.parse_args()
    found = list(problems(given.library, given.sources, given.android))
    for sentence in found:
        print(f"!!! {given.library.name}: {sentence}")
    if found:
        sys.exit(1)


if __name__ == "__main__":
    main()
