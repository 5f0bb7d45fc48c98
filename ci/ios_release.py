"""The Swift package as others get it by its URL, with the built library as a download.

    python3 ci/ios_release.py XCFRAMEWORK URL OUT

writes OUT/BigLittleFFI.xcframework.zip, which is to be at URL, and OUT/package: the
sources, the generated bindings, and a manifest that names URL and the zip's checksum.
The contents of OUT/package are what a repository of releases tags.
"""

import hashlib
import pathlib
import re
import shutil
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOCAL = 'path: "Generated/BigLittleFFI.xcframework"'


def archive(xcframework, out):
    """The same bytes for the same files, whenever it is made."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(xcframework.rglob("*")):
            if path.is_symlink():
                sys.exit(f"{path} is a symbolic link: a framework for iOS has none")
            if path.is_dir():
                continue
            entry = zipfile.ZipInfo(str(path.relative_to(xcframework.parent)))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, file.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target)
    # What `swift package compute-checksum` prints.
    return hashlib.sha256(out.read_bytes()).hexdigest()


def manifest(text, url, checksum):
    """The manifest of the repository without what only its tests on Linux need."""
    text, found = re.subn(r"#if os\(Linux\)\n.*?#else\n(.*?)#endif\n", r"\1", text, flags=re.S)
    text, tests = re.subn(r"    \.testTarget\(\n.*?\),\n(?=  \])", "", text, flags=re.S)
    text, comment = re.subn(r"(?m)^// One manifest(.*\n//)+.*\n", "", text)
    if (found, tests, comment, text.count(LOCAL)) != (1, 1, 1, 1):
        sys.exit("ios/Package.swift is not as this script knows it: correct ci/ios_release.py")
    return text.replace(LOCAL, f'\n      url: "{url}",\n      checksum: "{checksum}"')


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    xcframework, url, out = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    if not url.startswith("https://") or not url.endswith(".zip"):
        sys.exit(f"{url} is no URL of a zip file: SwiftPM takes https://….zip")
    package = out / "package"
    shutil.rmtree(package, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    checksum = archive(xcframework, out / "BigLittleFFI.xcframework.zip")
    for folder in ["Sources/BigLittle", "Generated/BigLittleBindings"]:
        shutil.copytree(ROOT / "ios" / folder, package / folder)
    for licence in ROOT.glob("LICENSE*"):
        shutil.copy(licence, package)
    made = manifest((ROOT / "ios/Package.swift").read_text(), url, checksum)
    (package / "Package.swift").write_text(made)
    print(checksum)


main()
