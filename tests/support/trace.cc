#include "tests/support/trace.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace prospero {
namespace {

[[noreturn]] void Fail(const std::string& path) {
  std::fprintf(stderr, "cannot read %s\n", path.c_str());
  std::abort();
}

std::string PathOf(const std::string& name) {
  const char* folder = std::getenv("PROSPERO_GOLDEN");
  return std::string(folder != nullptr ? folder : "tests/golden") + "/" + name + ".golden";
}

bool ReadArray(std::ifstream& file, Trace::Array& array) {
  size_t count = 1;
  for (const int64_t extent : array.shape) count *= static_cast<size_t>(extent);
  array.values.resize(count);
  file.read(reinterpret_cast<char*>(array.values.data()),
            static_cast<std::streamsize>(count * sizeof(double)));
  return static_cast<bool>(file);
}

}  // namespace

std::vector<Trace> ReadTraces(const std::string& name) {
  const std::string path = PathOf(name);
  std::ifstream file(path, std::ios::binary);
  std::vector<Trace> traces;
  std::string line;
  while (std::getline(file, line)) {
    Trace trace;
    trace.header = nlohmann::json::parse(line);
    for (const nlohmann::json& entry : trace.header["arrays"]) {
      Trace::Array array;
      array.shape = entry["shape"].get<std::vector<int64_t>>();
      if (!ReadArray(file, array)) Fail(path);
      trace.arrays[entry["name"].get<std::string>()] = std::move(array);
    }
    traces.push_back(std::move(trace));
  }
  if (traces.empty()) Fail(path);
  return traces;
}

Trace ReadTrace(const std::string& name) {
  std::vector<Trace> traces = ReadTraces(name);
  if (traces.size() != 1) Fail(PathOf(name));
  return std::move(traces.front());
}

}  // namespace prospero
