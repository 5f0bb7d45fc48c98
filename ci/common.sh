# shellcheck shell=bash
# What the scripts of ci/ share: where things are, how a step ends, how its
# outcome is kept. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

# The caller's build settings must not decide what is tested.
unset RUSTFLAGS RUSTDOCFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_ENCODED_RUSTDOCFLAGS
unset CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
if [[ -z ${HOME:-} ]]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  export HOME=${HOME:-/tmp}
fi
export CARGO_TARGET_DIR="$root/target" CARGO_TERM_PROGRESS_WHEN=never LC_ALL=C.UTF-8
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
cargo_bin=${CARGO_HOME:-$HOME/.cargo}/bin
case ":$PATH:" in
  *":$cargo_bin:"*) ;;
  *) [[ ! -d $cargo_bin ]] || export PATH="$cargo_bin:$PATH" ;;
esac

readonly SKIPPED=77 # the exit code of a step that could not be run here

note() { printf '    %s\n' "$*"; }

# Ends the step without a verdict: loud, and never counted as passed.
skip() {
  printf '!!! SKIPPED: %s\n' "$*"
  exit "$SKIPPED"
}

die() {
  printf '!!! %s\n' "$*"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command that may hang (emulators do) for at most $1 seconds.
limited() {
  local seconds=$1 options=(-k 30)
  shift
  if ! have timeout; then
    "$@"
    return
  fi
  [[ ! -t 0 ]] || options+=(--foreground)
  local code=0
  timeout "${options[@]}" "$seconds" "$@" || code=$?
  ((code != 124 && code != 137)) || printf '!!! stopped after %s s: %s\n' "$seconds" "$*"
  return "$code"
}

# A clean clone tests the versions of Cargo.lock; a work tree may move them.
locked() { [[ -z ${CI:-} ]] || printf -- '--locked'; }

# Everything for this machine, as `cargo test --workspace` builds it: for a package
# that is named alone Cargo chooses other features, and builds tract once more.
build_workspace() {
  # shellcheck disable=SC2046
  limited 2400 cargo build $(locked) --workspace --lib --bins --examples --tests
}

is_debian() { [[ -r /etc/debian_version ]] && have apt-get; }

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif have sudo; then
    if [[ -t 0 ]]; then sudo "$@"; else sudo -n "$@"; fi
  else
    return 1
  fi
}

apt_install() {
  note "apt-get install $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
      --no-install-recommends "$@" </dev/null >/dev/null
}

# version_at_least HAVE WANT
version_at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1) == "$2" ]]; }

msrv() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n1; }

# The version of rustc and cargo, the lower of the two; nothing if one is absent.
rust_version() {
  have cargo && have rustc || return 0
  { cargo --version 2>/dev/null && rustc --version 2>/dev/null; } | awk '{ print $2 }' | sort -V | head -n1
}

rust_is_new_enough() {
  local version
  version=$(rust_version)
  [[ -n $version ]] && version_at_least "$version" "$(msrv)"
}

# Whether rustup has a nightly toolchain. None is installed.
has_nightly() { have rustup && cargo +nightly --version >/dev/null 2>&1; }

# has_crate NAME: whether the workspace has this member now.
has_crate() { cargo pkgid --offline -q "$1" >/dev/null 2>&1 || cargo pkgid -q "$1" >/dev/null 2>&1; }

# note_ignored STEP COMMAND...: runs `cargo test`, and keeps for the summary
# which tests it ignored, with their reasons; not the parts of other tests nor
# what the step goldens runs.
note_ignored() {
  local step=$1 code=0
  shift
  mkdir -p target/ci
  "$@" | tee target/ci/tests.log || code=$?
  sed -n 's/^test \(.*\) \.\.\. ignored\(, \(.*\)\)\{0,1\}$/\1: \3/p' target/ci/tests.log |
    grep -v -e ': run by the test above' -e ': needs the .* of models/zoo' >"target/ci/ignored-$step" || true
  return "$code"
}

# --- steps and their outcome --------------------------------------------------

outcomes=() # "status<TAB>name<TAB>seconds"

# step NAME TITLE COMMAND...: runs it, prints how it went, keeps the outcome.
step() {
  local name=$1 title=$2 began=$SECONDS code=0 status
  shift 2
  printf '\n=== %s: %s\n' "$name" "$title"
  "$@" </dev/null || code=$?
  case $code in
    0) status=passed ;;
    "$SKIPPED") status=skipped ;;
    *) status=failed ;;
  esac
  printf '=== %s: %s (%s s)\n' "$name" "$status" "$((SECONDS - began))"
  outcomes+=("$status"$'\t'"$name"$'\t'"$((SECONDS - began))")
}

# Prints the table and the closing line; fails if a step failed.
summary() {
  local outcome status name seconds file ignored passed=0 failed=0 skipped=0
  printf '\n%-12s %-8s %7s\n' step result seconds
  for outcome in "${outcomes[@]}"; do
    IFS=$'\t' read -r status name seconds <<<"$outcome"
    printf '%-12s %-8s %7s\n' "$name" "$status" "$seconds"
    case $status in
      passed) passed=$((passed + 1)) ;;
      skipped) skipped=$((skipped + 1)) ;;
      *) failed=$((failed + 1)) ;;
    esac
  done
  for file in target/ci/ignored-*; do
    [[ ! -e $file ]] || while IFS= read -r ignored; do
      printf '!!! NOT RUN in %s: %s\n' "${file#target/ci/ignored-}" "$ignored"
    done <"$file"
  done
  printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
  ((failed == 0))
}
