# shellcheck shell=bash
# A Python environment of our own, for the scripts that need packages. Sourced
# after common.sh, never run.

# shellcheck disable=SC2154
python=$root/target/venv/bin/python # what python_environment makes

# python_environment FILE...: all packages of these requirement files, at their
# versions. Ends the step with 77 where they cannot be had.
python_environment() {
  local file options=() missing
  if ! { have python3 && python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; }; then
    skip "Python 3.11 or newer is missing"
  fi
  if [[ ! -x $python ]]; then
    python3 -m venv "$root/target/venv" ||
      skip "python3 -m venv does not work here (Debian: python3-venv)"
  fi
  missing=$(comm -23 <(sed '/^#/d' "$@" | sort) <("$python" -m pip freeze --all | sort))
  [[ -n $missing ]] || return 0
  note "installing in target/venv:" "$(tr '\n' ' ' <<<"$missing")"
  for file in "$@"; do options+=(-r "$file"); done
  # What their metadata asks for besides is not needed, and is gigabytes.
  limited 600 "$python" -m pip install --quiet --no-deps --only-binary :all: "${options[@]}" ||
    skip "the packages of $* cannot be had: no PyPI, or none for this Python or machine"
}
