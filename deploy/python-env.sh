#!/usr/bin/env bash
# Makes build/venv, a Python environment with the Prospero client, and prints its folder. Does
# nothing, at once, when it is up to date.
#
#   python-env.sh EXTRAS      such as: python-env.sh examples,test
set -euo pipefail
cd "$(dirname "$0")/.."
extras=${1:?"which extras of clients/python?"}
venv=$PWD/build/venv
stamp=$venv/prospero-$extras

# What the installed client follows from; its own sources are used where they are.
wanted=$({
  python=$(/usr/bin/python3 --version)
  echo "$python $PWD"
  cat clients/python/pyproject.toml clients/python/hatch_build.py
  find proto -name '*.proto' -print0 | sort -z | xargs -0 cat
} | sha256sum)

if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
  echo "installing the Python client with its extras: $extras" >&2
  [[ -x $venv/bin/pip ]] || /usr/bin/python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -e "clients/python[$extras]" >&2
  echo "$wanted" >"$stamp"
fi
echo "$venv"
