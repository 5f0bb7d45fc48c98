# shellcheck shell=bash
# Building for arm64 Linux and running it under emulation. Sourced after
# common.sh, never run.

target=aarch64-unknown-linux-gnu

needs_emulator() {
  [[ $(uname -s) == Linux ]] || skip "emulating a program needs Linux"
  have qemu-aarch64 || skip "qemu-aarch64 is missing (Debian: qemu-user); run ci/setup arm64"
  have aarch64-linux-gnu-gcc || skip "aarch64-linux-gnu-gcc is missing (Debian: gcc-aarch64-linux-gnu)"
}

# has_std RUSTC: whether this compiler has the standard library for arm64.
has_std() {
  local folder
  folder=$("$1" --print target-libdir --target "$target" 2>/dev/null) &&
    compgen -G "$folder/libstd-*.rlib" >/dev/null
}

# Sets what cargo needs for $target. The usual way first, then Debian's compiler
# with its own arm64 library: both from one run of apt, as they must be of one
# version.
choose_compiler() {
  if has_std rustc; then
    note "standard library for $target: already there, with $(rustc --version)"
  elif have rustup && limited 300 rustup target add "$target" && has_std rustc; then
    note "standard library for $target: from rustup"
  elif is_debian && debian_compiler; then
    export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
    note "standard library for $target: from Debian, with $("$RUSTC" --version)"
  else
    skip "no standard library for $target, neither from rustup nor from Debian"
  fi
  # Programs are linked statically: the emulator then needs no arm64 system around
  # them, and so no `-L`, with which creating a thread was seen to hang.
  # shellcheck disable=SC2154
  export CARGO_TARGET_DIR="$root/target/arm64"
  export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static"
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTDOCFLAGS="-C target-feature=+crt-static"
}

debian_compiler() {
  if ! has_std /usr/bin/rustc; then
    as_root dpkg --add-architecture arm64 &&
      apt_install rustc-web cargo-web libstd-rust-web-dev libstd-rust-web-dev:arm64 || return 1
  fi
  has_std /usr/bin/rustc
}

