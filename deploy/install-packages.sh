#!/usr/bin/env bash
# Installs the Debian 12 packages that Prospero is built from. Does nothing, at once, when they
# are there.
#
#   install-packages.sh [--tests]
#
#   --tests   also what tests/run.sh needs
set -euo pipefail

packages=(
  ca-certificates g++ cmake ninja-build ccache pkg-config
  protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libgrpc++-dev
  libabsl-dev libeigen3-dev libhwy-dev
  libspdlog-dev libcli11-dev nlohmann-json3-dev libsqlite3-dev libxxhash-dev
  python3 python3-venv
)
case "${1-}" in
  '') ;;
  --tests)
    packages+=(git clang libclang-rt-14-dev clang-format-14 shellcheck iproute2
      libgtest-dev libgmock-dev libbenchmark-dev libprotoc-dev mosquitto)
    # npm comes with Node.js when that is not Debian's own.
    command -v npm >/dev/null || packages+=(nodejs npm)
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

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  exit
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "needs root, or sudo, to install: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

echo "installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    echo "apt-get $1 failed" >&2
    exit 1
  }
}
apt update
apt install -y --no-install-recommends "${missing[@]}"
