#!/usr/bin/env bash
# Shows Prospero at work, from nothing: installs what is needed, builds the server, starts it on a
# free port of this machine, and lets a network learn an electrocardiogram live. It ends with a
# summary and a plot, build/quickstart/ecg.png, and stops the server.
#
#   deploy/quickstart.sh [options of clients/python/examples/ecg.py]
#
# Needs Debian 12 (bookworm) on x86-64 with AVX2 and FMA, its package mirrors, PyPI, and root or
# sudo. Everything it makes is in build/. Run it again as often as you like: only what changed is
# done again.
set -euo pipefail
cd "$(dirname "$0")/.."
# Lets ccache find what another folder or build has compiled already.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

if [[ ${1-} == -h || ${1-} == --help ]]; then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
  exit
fi

say() { printf '\n[%d/5] %s\n' "$((++stage))" "$*"; }
stage=0
run=$PWD/build/quickstart
mkdir -p "$run"

say 'packages: what the server is built from, and Python'
if ! grep -qw avx2 /proc/cpuinfo || ! grep -qw fma /proc/cpuinfo; then
  echo 'this processor has no AVX2 and FMA, which the kernels need' >&2
  exit 1
fi
deploy/install-packages.sh

say 'server: build/server/server/prosperod'
cmake -S . -B build/server -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DPROSPERO_BUILD_{TESTS,BENCH,CLIENT}=OFF >"$run/cmake.log" || {
  cat "$run/cmake.log" >&2
  exit 1
}
cmake --build build/server --target prosperod

say 'client: build/venv'
venv=$(deploy/python-env.sh examples)

say 'start: prosperod on its embedded defaults'
rm -f "$run/port"
(cd "$run" && exec ../server/server/prosperod --listen 127.0.0.1:0 --port-file port) \
  >"$run/server.log" 2>&1 &
server=$!
stop() {
  kill -TERM "$server" 2>/dev/null || return 0
  wait "$server" || true
}
trap stop EXIT
until [[ -s $run/port ]]; do
  kill -0 "$server" 2>/dev/null || {
    cat "$run/server.log" >&2
    echo 'the server did not start' >&2
    exit 1
  }
  sleep 0.05
done
address=127.0.0.1:$(<"$run/port")
echo "listening on $address; its log: build/quickstart/server.log"
echo 'what it keeps: build/quickstart/prospero-data'

say 'learn: an electrocardiogram, sample by sample, once, with no epochs'
"$venv/bin/python" clients/python/examples/ecg.py --target "$address" \
  --plot "$run/ecg.png" "$@"
