#include "server/version.h"

#include "absl/strings/str_cat.h"

namespace prospero::server {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "gcc " __VERSION__;
#endif

#if defined(__OPTIMIZE__)
constexpr const char* kOptimised = "optimised";
#else
constexpr const char* kOptimised = "not optimised";
#endif

#if defined(NDEBUG)
constexpr const char* kAsserts = "";
#else
constexpr const char* kAsserts = ", with assertions";
#endif

}  // namespace

std::string Version() { return PROSPERO_VERSION; }

std::string BuildDescription() { return absl::StrCat(kCompiler, ", ", kOptimised, kAsserts); }

}  // namespace prospero::server
