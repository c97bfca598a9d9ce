#!/usr/bin/env bash
# Takes today's protos as the API that must not break: writes tests/proto/api.binpb.
# Run it when a change has added to the API. After anything else, compatibility_test is right.
set -euo pipefail
cd "$(dirname "$0")/../../proto"
find prospero -name '*.proto' | sort |
  xargs protoc -I . --include_imports --descriptor_set_out=../tests/proto/api.binpb
