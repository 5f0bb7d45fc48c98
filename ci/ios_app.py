"""What can be said about the sample app without Xcode.

    python3 ci/ios_app.py sample-apps/ios-camera

Every text of the views is in the catalogue in every language, nothing in there is
unused, placeholders agree, and what project.yml names is there.
"""

import json
import pathlib
import re
import sys

KEY = re.compile(r'"((?:[a-z]+)\.[a-zA-Z]+(?: (?:\\\([^"]*\)|%@))*)"')
KINDS = (
    r"(answer|battery|error|heat|margin|mode|permission|preview|rate|saved|simulate|source|tier|tile"
    r"|why)\."
)


def used_keys(app):
    for view in sorted(app.rglob("*.swift")):
        for key in KEY.findall(view.read_text()):
            if re.match(KINDS, key):
                # An interpolation is a placeholder in the catalogue.
                yield re.sub(r"\\\((?:[^()]|\([^()]*\))*\)", "%@", key), view


def placeholders(text):
    return sorted(re.findall(r"%(?:\d\$)?@", text.replace("1$", "").replace("2$", "")))


def problems(folder):
    app = folder / "App"
    catalogue = json.loads((app / "Resources/Localizable.xcstrings").read_text())["strings"]
    used = dict(used_keys(app))
    for key, view in used.items():
        if key not in catalogue:
            yield f"{view}: {key!r} is not in the catalogue"
    for key, entry in catalogue.items():
        if key not in used:
            yield f"{key!r} of the catalogue is used nowhere"
        texts = {name: text["stringUnit"]["value"] for name, text in entry["localizations"].items()}
        if sorted(texts) != ["de", "en"]:
            yield f"{key!r} is in {sorted(texts)}, but must be in de and en"
        for name, text in texts.items():
            if not text or placeholders(text) != placeholders(key):
                yield f"{key!r} in {name} is {text!r}: its placeholders are not the key's"
    project = (folder / "project.yml").read_text()
    if "NSCameraUsageDescription" not in project:
        yield "project.yml does not say what the camera is for"
    for path in re.findall(r"- path: (\S+)", project):
        if not (folder / path).exists():
            yield f"project.yml names {path}, which is not there"
    packages = dict(re.findall(r"^  (\w+):\n    path: (\S+)", project, re.M))
    for name in re.findall(r"- package: (\S+)", project):
        manifest = folder / packages.get(name, "not listed") / "Package.swift"
        # XcodeGen links the product of the package's own name.
        if not manifest.exists() or f'.library(name: "{name}"' not in manifest.read_text():
            yield f"project.yml wants the package {name}, and {manifest} has no such product"
    # Who cannot see has to know what each drawing says.
    for view in sorted(app.rglob("*.swift")):
        text = view.read_text()
        if re.search(r"Canvas \{|Capsule\(\)\.fill", text) and "accessibilityLabel" not in text:
            yield f"{view} draws, and says nothing to VoiceOver"
    if len(used) < 10:
        yield f"only {len(used)} texts were found in {app}"


def main():
    found = list(problems(pathlib.Path(sys.argv[1])))
    for sentence in found:
        print(f"!!! {sentence}")
    if found:
        sys.exit(1)


main()
