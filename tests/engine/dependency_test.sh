#!/usr/bin/env bash
# The engine knows no wire and no logger: nothing in engine/ includes gRPC, protobuf or spdlog,
# or names a wire type. Its models and its runtime stand on core and do not know each other.
#
#   dependency_test.sh [folder of the engine]
set -uo pipefail
engine=${1:-$(dirname "$0")/../../engine}
failed=0

# refuse PATTERN FOLDER SENTENCE: fails when a source file in FOLDER has a line like PATTERN.
refuse() {
  [[ -d $2 ]] || { echo "no folder $2" && failed=1; }
  if grep -rnE --include='*.h' --include='*.cc' --include='CMakeLists.txt' "$1" "$2"; then
    echo "^ $3"
    failed=1
  fi
}

refuse '#include *[<"](grpc|grpcpp|google/(protobuf|rpc)|prospero/v1|spdlog|fmt)/' "$engine" \
  'engine/ must not include gRPC, protobuf or spdlog'
refuse '\bv1::' "$engine" 'wire types must not appear in engine/'
refuse '(gRPC|protobuf|spdlog|fmt)::|prospero_proto' "$engine" \
  'targets of engine/ must not link gRPC, protobuf or spdlog'
refuse '#include *"(server|clients)/' "$engine" 'engine/ must not know server/ or clients/'
refuse '#include *"engine/(models|runtime)/' "$engine/core" 'core must not know models or runtime'
refuse '#include *"engine/runtime/' "$engine/models" 'models must not know runtime'
refuse '#include *"engine/models/' "$engine/runtime" 'runtime must not know models'
exit $failed
