# shellcheck shell=bash
# The parts of ci/ios. Sourced after common.sh, never run.

# shellcheck disable=SC2154
ios=$root/target/ios
readonly deployment_target=16.0
readonly largest_library=20000000 # bytes, linked; to be raised knowingly

# swift_package COMMAND [ARGUMENT...]: `swift build`, `test` or `package` on the
# folder $package, with the host's static library. Warnings are errors.
swift_package() {
  # Swift 6.0's Observation library on Linux names a function that it does not have
  # and calls only to die with a message.
  local linking=(-Xlinker "-L$ios/host" -Xlinker --allow-shlib-undefined)
  [[ $(uname -s) == Linux ]] || linking=()
  limited 1200 bash ci/swift swift "$1" --package-path "$package" \
    --scratch-path "$ios/build/${package//\//-}${sanitizer:+-$sanitizer}" -Xswiftc -warnings-as-errors ${linking[@]+"${linking[@]}"} "${@:2}"
}

# refresh FROM TO: a copy, and no new time where nothing changed.
refresh() {
  cmp -s "$1" "$2" || { mkdir -p "$(dirname "$2")" && cp "$1" "$2"; }
}

# faster_reads FILE: the bindings read each number of an answer by `Data.copyBytes`,
# which is not specialised; read in place, a frame takes 3 us at the border and not 8.
# The line above it checks the bounds.
faster_reads() {
  local slow='reader\.data\.copyBytes(to: \$0, from: range)'
  local fast='reader.data.withUnsafeBytes { value = $0.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self) }'
  [[ $(grep -c "$slow" "$1") == 1 ]] ||
    die "$1 reads numbers in another way than UniFFI 0.32 did: see faster_reads in ci/ios.sh"
  sed "/$slow/s/.*/    $fast/" "$1" >"$1.new"
  mv "$1.new" "$1"
}

# The generated sources go where SwiftPM finds them: a target must lie inside its
# package. Files that did not change keep their time, or everything is built again.
part_package() {
  local generated=$ios/generated library=$root/target/debug/libbiglittle_ffi.a
  build_workspace
  rm -rf "$generated"
  mkdir -p "$generated/BigLittleBindings" "$generated/BigLittleFFI" "$ios/host"
  local generate=("$root/target/debug/uniffi-bindgen-swift" "$library")
  "${generate[@]}" "$generated/BigLittleBindings" --swift-sources
  faster_reads "$generated/BigLittleBindings/BigLittleBindings.swift"
  "${generate[@]}" "$generated/BigLittleFFI" --headers --modulemap \
    --module-name BigLittleFFI --modulemap-filename module.modulemap
  (cd "$generated" && find . -type f) | while IFS= read -r file; do
    refresh "$generated/$file" "ios/Generated/$file"
  done
  # Alone in its folder: beside a shared library the linker would take that.
  refresh "$library" "$ios/host/libbiglittle_ffi.a"
}

part_format() {
  bash ci/swift swift-format lint --strict --parallel --recursive \
    ios/Package.swift ios/{Sources,Tests,StandIns,Benchmarks} \
    sample-apps/ios-camera/Model/Package.swift sample-apps/ios-camera/{Model/Sources,Model/Tests,App}
}

# What the tests compare themselves with: the core's answer to each digit, and what
# the command line makes of all.
test_data() {
  build_workspace
  limited 1200 target/debug/examples/digits models/mnist "$ios/data"
  BIGLITTLE_EVALUATED=$(limited 1200 target/debug/biglittle \
    evaluate --bundle models/mnist/bundle --data models/mnist --json)
  export BIGLITTLE_EVALUATED
}

part_sdk() {
  part_package
  test_data
  package=ios swift_package test
}

dump_graphs() {
  part_package
  package=ios swift_package package dump-symbol-graph --minimum-access-level public \
    --skip-synthesized-members >/dev/null
  graphs=$(find "$ios/build/ios" -type d -name symbolgraph | head -n1)
}

part_api() {
  local graphs
  dump_graphs
  python3 ci/swift_api.py "$graphs" >"$ios/api.txt"
  [[ -z ${BIGLITTLE_BLESS:-} ]] || cp "$ios/api.txt" ios/api.txt
  diff -u ios/api.txt "$ios/api.txt" ||
    die "the public interface changed: if that is meant, BIGLITTLE_BLESS=1 ci/ios api, and a line in CHANGELOG.md"
  note "$(wc -l <ios/api.txt) declarations"
}

part_docs() {
  local graphs
  dump_graphs
  rm -rf "$ios/docs" "$ios/graph"
  mkdir -p "$ios/graph"
  cp "$graphs"/BigLittle.symbols.json "$ios/graph/"
  bash ci/swift docc convert ios/Sources/BigLittle/BigLittle.docc --warnings-as-errors \
    --fallback-display-name BigLittle --fallback-bundle-identifier dev.biglittle \
    --additional-symbol-graph-dir "$ios/graph" --output-path "$ios/docs"
  note "$(find "$ios/docs/data" -name '*.json' | wc -l) pages"
}

part_app() {
  part_package
  local view
  test_data_exists || test_data
  package=sample-apps/ios-camera/Model swift_package test
  # Apple's frameworks are not here: only whether it is Swift.
  for view in sample-apps/ios-camera/App/*.swift sample-apps/ios-camera/App/*/*.swift; do
    bash ci/swift swiftc -frontend -parse -swift-version 6 "$view"
  done
  python3 ci/ios_app.py sample-apps/ios-camera
}

test_data_exists() { [[ -s $ios/data/answers.txt ]]; }

part_targets() { bash ci/ios-targets; }

# The library itself takes a quarter of an hour; a small one that includes the
# generated header shows the same layout, and that the header is C for that target.
part_layout() {
  part_package
  local slice target library clang ar
  clang=$(compgen -c clang | grep -E '^clang(-[0-9]+)?$' | sort -V | tail -n1) || true
  ar=$(compgen -c llvm-ar | sort -V | tail -n1) || true
  [[ -n $clang && -n $ar ]] || skip "clang and llvm-ar are missing (Debian: clang-19 llvm-19); run ci/setup ios"
  rm -rf "$ios/slices"
  mkdir -p "$ios/slices"
  printf '#include "BigLittleFFI.h"\nint biglittle_layout_check;\n' >"$ios/slices/layout.c"
  for slice in ios-arm64 ios-arm64_x86_64-simulator; do
    target=arm64-apple-ios$deployment_target
    [[ $slice == ios-arm64 ]] || target+=-simulator
    "$clang" -target "$target" -ffreestanding -Wall -Werror -I ios/Generated/BigLittleFFI \
      -c "$ios/slices/layout.c" -o "$ios/slices/$slice.o"
    library=$ios/slices/lib$slice.a
    "$ar" --format=darwin rcs "$library" "$ios/slices/$slice.o"
    [[ -z ${BIGLITTLE_LONG_TESTS:-} || $slice != ios-arm64 ]] || real_library "$library"
    python3 ci/ios_layout.py framework "$slice" "$library" ios/Generated/BigLittleFFI \
      "$(version)" "$ios/slices"
  done
  python3 ci/ios_layout.py assemble "$ios/slices/BigLittleFFI.xcframework" \
    "$ios"/slices/ios-*/BigLittleFFI.framework
  python3 ci/ios_layout.py check "$ios/slices/BigLittleFFI.xcframework"
  note "assembled here: a check of the layout, not a library to ship"
  release_package "$ios/slices/BigLittleFFI.xcframework"
  [[ -n ${BIGLITTLE_LONG_TESTS:-} ]] ||
    note "the library for devices was NOT built and NOT linked: BIGLITTLE_LONG_TESTS=1 ci/ios layout"
}

# release_package XCFRAMEWORK: what users get by URL, and whether SwiftPM understands
# it. Its manifest has the part for Apple's platforms alone.
release_package() {
  local out=$ios/slices/release url=https://example.com/BigLittleFFI.xcframework.zip checksum
  checksum=$(python3 ci/ios_release.py "$1" "$url" "$out")
  [[ $(bash ci/swift swift package --package-path "$out/package" \
    compute-checksum "$out/BigLittleFFI.xcframework.zip") == "$checksum" ]] ||
    die "SwiftPM computes another checksum of the zip file than ci/ios_release.py"
  bash ci/swift swift package --package-path "$out/package" dump-package >"$out/manifest.json"
  python3 - "$out/manifest.json" "$url" "$checksum" <<'END'
import json, sys
manifest = json.load(open(sys.argv[1]))
targets = {target["name"]: target for target in manifest["targets"]}
core = targets["BigLittleFFI"]
assert sorted(targets) == ["BigLittle", "BigLittleBindings", "BigLittleFFI"], sorted(targets)
assert (core["type"], core["url"], core["checksum"]) == ("binary", *sys.argv[2:]), core
assert manifest["platforms"][0]["platformName"] == "ios", manifest["platforms"]
END
}

version() { sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n1; }

# The library as it ships, linked as an app links it, but without Apple's SDK: only
# what the header declares is kept. All of that has to be there, and what stays open
# has to be the system's.
real_library() {
  local library=$1 target=aarch64-apple-ios linked=$ios/slices/ios-arm64.dylib nm linker
  bash ci/ios-targets --only "$target" rustc --release -p biglittle-ffi --crate-type staticlib
  cp "$ios/rust/$target/release/libbiglittle_ffi.a" "$library"
  linker=$(compgen -c ld64.lld | sort -V | tail -n1)
  nm=$(compgen -c llvm-nm | sort -V | tail -n1)
  [[ -n $linker && -n $nm ]] || die "ld64.lld or llvm-nm is missing (Debian: lld-19 llvm-19)"
  grep -oE '(uniffi|ffi)_biglittle_ffi_[a-z0-9_]+\(' ios/Generated/BigLittleFFI/BigLittleFFI.h |
    sed 's/^/_/; s/($//' | sort -u >"$ios/slices/declared"
  "$linker" -arch arm64 -platform_version ios "$deployment_target" "$deployment_target" \
    -dylib -undefined dynamic_lookup -dead_strip -S -x \
    -exported_symbols_list "$ios/slices/declared" "$library" -o "$linked"
  "$nm" --defined-only --extern-only "$linked" | awk '{ print $NF }' | sort -u >"$linked.defined"
  "$nm" --undefined-only "$linked" | awk '{ print $NF }' | sort -u >"$linked.undefined"
  [[ -z $(comm -23 "$ios/slices/declared" "$linked.defined") ]] ||
    die "the library lacks $(comm -23 "$ios/slices/declared" "$linked.defined" | tr '\n' ' ')of its header"
  # Rust's own names are mangled; C's that are ours say so.
  ! grep -E '^(__ZN|__R)|biglittle|uniffi|tract' "$linked.undefined" ||
    die "the library is linked without these"
  library_size "$linked" "$library"
}

# library_size LINKED STATIC: what an app grows by, before the App Store compresses it.
library_size() {
  local bytes
  bytes=$(wc -c <"$1")
  note "$(wc -l <"$ios/slices/declared") functions; $(wc -l <"$1.undefined") names left to the system"
  note "$bytes bytes linked, $(gzip -9 <"$1" | wc -c) of them compressed; $(wc -c <"$2") in the static library"
  ((bytes <= largest_library)) ||
    die "the linked library has $bytes bytes, and at most $largest_library are allowed: see docs/swift.md"
}

# On a Mac. Three libraries, the two of the simulator joined in one.
part_xcframework() {
  [[ $(uname -s) == Darwin ]] || skip "xcodebuild is on a Mac only: nothing of this part was run here"
  have xcodebuild || skip "xcodebuild is missing: install Xcode 26"
  part_package
  local target libraries=$ios/apple out=ios/Generated/BigLittleFFI.xcframework
  for target in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios; do
    rustup target add "$target"
    # shellcheck disable=SC2046
    IPHONEOS_DEPLOYMENT_TARGET=$deployment_target \
      cargo rustc $(locked) --release -p biglittle-ffi --crate-type staticlib --target "$target"
  done
  mkdir -p "$libraries"
  lipo -create -output "$libraries/simulator.a" \
    target/{aarch64-apple-ios-sim,x86_64-apple-ios}/release/libbiglittle_ffi.a
  python3 ci/ios_layout.py framework ios-arm64 target/aarch64-apple-ios/release/libbiglittle_ffi.a \
    ios/Generated/BigLittleFFI "$(version)" "$libraries"
  python3 ci/ios_layout.py framework ios-arm64_x86_64-simulator "$libraries/simulator.a" \
    ios/Generated/BigLittleFFI "$(version)" "$libraries"
  rm -rf "$out"
  xcodebuild -create-xcframework -output "$out" \
    -framework "$libraries/ios-arm64/BigLittleFFI.framework" \
    -framework "$libraries/ios-arm64_x86_64-simulator/BigLittleFFI.framework"
  python3 ci/ios_layout.py check "$out"
  (cd ios && xcodebuild build -scheme BigLittle -destination 'generic/platform=iOS' -derivedDataPath "$ios/xcode")
}

# Not in CI: some minutes. The Rust library is as it is; what is watched is Swift, and
# the memory that both hand to each other.
part_sanitize() {
  part_package
  test_data
  local sanitizer
  for sanitizer in thread address; do
    # XCTest and Foundation leak some hundred bytes of their own on Linux.
    ASAN_OPTIONS=detect_leaks=0 package=ios swift_package test --sanitize="$sanitizer"
  done
}

# Not in CI: a busy machine must not turn a test red. The library as it ships, on one
# core, before others where that is allowed.
part_bench() {
  part_package
  local pinned=(nice -n -15)
  ! have taskset || pinned+=(taskset -c "$(taskset -pc $$ | sed 's/.*[ ,-]//')")
  mkdir -p "$ios/release"
  # shellcheck disable=SC2046
  limited 2400 cargo rustc $(locked) --release -p biglittle-ffi --crate-type staticlib
  refresh "$root/target/release/libbiglittle_ffi.a" "$ios/release/libbiglittle_ffi.a"
  bash ci/swift swift build -c release --product BoundaryBenchmark --package-path ios \
    --scratch-path "$ios/bench" -Xlinker "-L$ios/release"
  "${pinned[@]}" bash ci/swift "$ios/bench/release/BoundaryBenchmark" "$root/models/mnist/bundle"
}
