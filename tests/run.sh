#!/usr/bin/env bash
# Installs what is needed, builds Prospero, and runs every test of every language. The last line
# tells the totals; the exit status is 0 only when nothing failed.
#
#   tests/run.sh [--fast] [--sanitize asan|tsan]
#
#   --fast              leaves out the quick start, the sanitizers and the tests labelled slow
#   --sanitize KIND     only the C++ tests, under one sanitizer: asan (address and undefined
#                       behaviour) or tsan (threads)
#
# Builds go to build/, results to build/results/. A second run builds only what changed.
set -euo pipefail
cd "$(dirname "$0")/.."
# Lets ccache find what another folder or build has compiled already.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

fast=false
only=
while (($# > 0)); do
  case $1 in
    --fast) fast=true ;;
    --sanitize)
      only=${2-}
      [[ $only == asan || $only == tsan ]] || { echo '--sanitize asan|tsan' >&2; exit 2; }
      shift
      ;;
    -h | --help)
      sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
      exit
      ;;
    *)
      echo "unknown option $1; see --help" >&2
      exit 2
      ;;
  esac
  shift
done

results=$PWD/build/results
rm -rf "$results"
mkdir -p "$results"

say() { printf '\n== %s\n' "$*"; }

failed() { echo failed >"$results/$1.check"; }

# check NAME COMMAND...: one test that is a command.
check() {
  say "$1"
  if "${@:2}"; then echo passed >"$results/$1.check"; else failed "$1"; fi
}

build() {
  say "build: $1"
  cmake --preset "$1" "${@:2}" >"$results/configure-$1.log" || {
    cat "$results/configure-$1.log"
    return 1
  }
  cmake --build "build/$1"
}

# cpp PRESET [cmake options]: builds with a preset and runs ctest. What does not build has failed.
cpp() {
  local preset=$1
  build "$@" || { failed "build-$preset"; return; }
  say "C++ tests: $preset"
  mkdir -p "$results/$preset"
  # Each program writes its own cases beside what ctest says of the programs.
  local report=$results/$preset.ctest.xml
  GTEST_OUTPUT="xml:$results/$preset/" ctest --test-dir "build/$preset" --output-on-failure \
    --parallel "$(nproc)" --output-junit "$report" "${leave_out[@]}" || echo 'some have failed'
  [[ -s $report ]] || failed "ctest-$preset"
}

# The sanitizers stay on the engine: all that is ours in threads and memory is there, and
# generated and packaged wire code costs minutes and tells nothing.
cpp_sanitized() {
  leave_out=(--label-exclude slow)
  cpp "$1" -DPROSPERO_BUILD_{SERVER,CLIENT,BENCH}=OFF
}

python() {
  say 'Python tests'
  local venv report=$results/python.pytest.xml
  venv=$(deploy/python-env.sh examples,robots,test) || { failed python-env; return; }
  # As ctest does: who uses memory that was given back is found out.
  GLIBC_TUNABLES=glibc.malloc.perturb=170 PROSPEROD=$PWD/build/release/server/prosperod \
    "$venv/bin/python" -m pytest -q clients/python tests/fault --junitxml="$report" ||
    echo 'some have failed'
  [[ -s $report ]] || failed pytest
}

formatted() {
  git ls-files -z '*.h' '*.cc' | xargs -0 clang-format-14 --dry-run --Werror
}

scripts() {
  git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck
}

say 'packages'
deploy/install-packages.sh --tests

leave_out=()
if [[ -n $only ]]; then
  cpp_sanitized "$only"
else
  check format formatted
  check scripts scripts
  check lint-proto tests/proto/lint.sh
  if $fast; then leave_out=(--label-exclude slow); fi
  cpp release
  python
  if ! $fast; then
    check quickstart deploy/quickstart.sh --plain --seconds 20
    cpp_sanitized asan
    cpp_sanitized tsan
  fi
fi

say 'totals'
exec /usr/bin/python3 tests/count.py "$results"
