"""Static frameworks for iOS, and whether an xcframework of them is complete.

    python3 ci/ios_layout.py framework SLICE LIBRARY GENERATED VERSION OUT
    python3 ci/ios_layout.py assemble OUT FRAMEWORK...
    python3 ci/ios_layout.py check XCFRAMEWORK

`framework` puts LIBRARY, a static library, with the header and the module map of
GENERATED in OUT/SLICE/BigLittleFFI.framework. Two frameworks never collide, as two
static libraries with a bare `Headers/module.modulemap` do. `assemble` does what
`xcodebuild -create-xcframework` does, for a machine without Xcode: enough to look at,
not to ship. `check` fails with a sentence for what is missing.
"""

import pathlib
import plistlib
import shutil
import sys

NAME = "BigLittleFFI"
MINIMUM = "16.0"
ROOT = pathlib.Path(__file__).resolve().parent.parent
# The slices, with what their Info.plist calls the platform and its variant.
SLICES = {
    "ios-arm64": ("iPhoneOS", None, ["arm64"]),
    "ios-arm64_x86_64-simulator": ("iPhoneSimulator", "simulator", ["arm64", "x86_64"]),
}


def framework(slice_name, library, generated, version, out):
    platform, _, _ = SLICES[slice_name]
    folder = pathlib.Path(out) / slice_name / f"{NAME}.framework"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "Headers").mkdir(parents=True)
    (folder / "Modules").mkdir()
    shutil.copy(library, folder / NAME)
    shutil.copy(pathlib.Path(generated) / f"{NAME}.h", folder / "Headers")
    shutil.copy(ROOT / "ios/Sources/BigLittle/PrivacyInfo.xcprivacy", folder)
    (folder / "Modules/module.modulemap").write_text(
        f'framework module {NAME} {{\n    header "{NAME}.h"\n    export *\n}}\n'
    )
    info = {
        "CFBundleExecutable": NAME,
        "CFBundleIdentifier": "dev.biglittle.ffi",
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": NAME,
        "CFBundlePackageType": "FMWK",
        "CFBundleShortVersionString": version,
        "CFBundleVersion": version,
        "CFBundleSupportedPlatforms": [platform],
        "MinimumOSVersion": MINIMUM,
    }
    (folder / "Info.plist").write_bytes(plistlib.dumps(info))


def assemble(out, *frameworks):
    out = pathlib.Path(out)
    shutil.rmtree(out, ignore_errors=True)
    libraries = []
    for path in map(pathlib.Path, frameworks):
        slice_name = path.parent.name
        _, variant, architectures = SLICES[slice_name]
        shutil.copytree(path, out / slice_name / path.name)
        entry = {
            "BinaryPath": f"{path.name}/{NAME}",
            "LibraryIdentifier": slice_name,
            "LibraryPath": path.name,
            "SupportedArchitectures": architectures,
            "SupportedPlatform": "ios",
        }
        libraries.append(entry | ({"SupportedPlatformVariant": variant} if variant else {}))
    info = {
        "AvailableLibraries": libraries,
        "CFBundlePackageType": "XFWK",
        "XCFrameworkFormatVersion": "1.0",
    }
    (out / "Info.plist").write_bytes(plistlib.dumps(info))


def problems(out):
    """Sentences about what an Xcode would stumble over."""
    try:
        info = plistlib.loads((out / "Info.plist").read_bytes())
    except (OSError, plistlib.InvalidFileException) as error:
        yield f"{out}/Info.plist cannot be read: {error}"
        return
    if info.get("CFBundlePackageType") != "XFWK":
        yield f"{out}/Info.plist is not that of an xcframework"
    listed = {entry["LibraryIdentifier"]: entry for entry in info.get("AvailableLibraries", [])}
    if sorted(listed) != sorted(SLICES):
        yield f"the slices are {sorted(listed)}: they must be {sorted(SLICES)}"
    for slice_name, entry in listed.items():
        folder = out / slice_name / entry["LibraryPath"]
        wanted = [NAME, "Info.plist", f"Headers/{NAME}.h", "Modules/module.modulemap"]
        for name in [*wanted, "PrivacyInfo.xcprivacy"]:
            if not (folder / name).is_file() or not (folder / name).stat().st_size:
                yield f"{folder} has no {name}, or an empty one"
        if entry["SupportedArchitectures"] != SLICES.get(slice_name, ("", "", []))[2]:
            yield f"{slice_name} lists the architectures {entry['SupportedArchitectures']}"
        if (folder / "Headers/module.modulemap").exists():
            yield f"{folder} has a bare module map, which collides with others"
        if "framework module" not in (folder / "Modules/module.modulemap").read_text():
            yield f"the module map of {folder} is not that of a framework"
        if not (folder / NAME).read_bytes()[:8] == b"!<arch>\n":
            magic = (folder / NAME).read_bytes()[:4].hex()
            # 0xcafebabe: several architectures in one file, by lipo.
            if magic != "cafebabe":
                yield f"{folder}/{NAME} is no static library: it begins with {magic}"
        if plistlib.loads((folder / "Info.plist").read_bytes())["MinimumOSVersion"] != MINIMUM:
            yield f"{folder} is not for iOS {MINIMUM}"


def check(out):
    found = list(problems(pathlib.Path(out)))
    for sentence in found:
        print(f"!!! {sentence}")
    if found:
        sys.exit(1)


def main():
    commands = {"framework": framework, "assemble": assemble, "check": check}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])


main()
