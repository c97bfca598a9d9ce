#!/usr/bin/env bash
# Lints the protos by buf's STANDARD rules (proto/buf.yaml). Needs npm; installs buf beside itself
# the first time.
set -euo pipefail
cd "$(dirname "$0")"
buf=node_modules/@bufbuild/buf-linux-x64/bin/buf
if [[ ! -x $buf || package-lock.json -nt node_modules/.package-lock.json ]]; then
  npm ci --silent --no-audit --no-fund
fi
"$buf" lint ../../proto
echo "proto: clean by buf's STANDARD rules"
