# shellcheck shell=bash
# The parts of ci/ios. Sourced after common.sh, never run.

# shellcheck disable=SC2154
ios=$root/target/ios
readonly deployment_target=16.0

# swift_package COMMAND [ARGUMENT...]: `swift build`, `test` or `package` on the
# folder $package, with the host's static library. Warnings are errors.
swift_package() {
  local library=(-Xlinker "-L$ios/host")
  [[ $(uname -s) == Linux ]] || library=()
  limited 1200 bash ci/swift swift "$1" --package-path "$package" \
    --scratch-path "$ios/$(basename "$package")" -Xswiftc -warnings-as-errors "${library[@]}" "${@:2}"
}

# The generated sources go where SwiftPM finds them: a target must lie inside its
# package. Files that did not change keep their time, or everything is built again.
part_package() {
  local generated=$ios/generated library=$root/target/debug/libbiglittle_ffi.a
  # shellcheck disable=SC2046
  limited 2400 cargo build $(locked) -p biglittle-ffi
  # Apart: built together, the library would carry the generator's features.
  # shellcheck disable=SC2046
  limited 1200 cargo build $(locked) -p biglittle-bindgen
  rm -rf "$generated"
  mkdir -p "$generated/BigLittleBindings" "$generated/BigLittleFFI" "$ios/host"
  local generate=("$root/target/debug/uniffi-bindgen-swift" "$library")
  "${generate[@]}" "$generated/BigLittleBindings" --swift-sources
  "${generate[@]}" "$generated/BigLittleFFI" --headers --modulemap \
    --module-name BigLittleFFI --modulemap-filename module.modulemap
  # -a with checksums would need rsync.
  (cd "$generated" && find . -type f) | while IFS= read -r file; do
    cmp -s "$generated/$file" "ios/Generated/$file" || {
      mkdir -p "$(dirname "ios/Generated/$file")"
      cp "$generated/$file" "ios/Generated/$file"
    }
  done
  # Alone in its folder: beside a shared library the linker would take that.
  cp --update "$library" "$ios/host/"
}

part_format() {
  bash ci/swift swift-format --version
  bash ci/swift swift-format lint --strict --parallel --recursive --configuration ios/.swift-format \
    ios/Package.swift ios/Sources ios/Tests ios/StandIns sample-apps/ios-camera
}

part_sdk() {
  needs_package
  package=ios swift_package test
}

part_targets() { bash ci/ios-targets; }

needs_package() {
  [[ -e ios/Generated/BigLittleFFI/module.modulemap ]] || part_package
}
