#include "engine/core/errors.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace prospero {
namespace {

TEST(InvalidField, NamesThePathAndSaysWhatIsWrong) {
  const absl::Status status = InvalidField("populations[1].tau_m_ms", "must be > 0, got -1");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "populations[1].tau_m_ms: must be > 0, got -1");
  EXPECT_EQ(FieldPath(status), "populations[1].tau_m_ms");
  EXPECT_EQ(Reason(status), "INVALID_FIELD");
}

TEST(UnderField, PutsAPrefixBeforeThePath) {
  const absl::Status status = UnderField(InvalidField("size", "must be >= 1, got 0"), "spec.gle");
  EXPECT_EQ(FieldPath(status), "spec.gle.size");
  EXPECT_EQ(status.message(), "spec.gle.size: must be >= 1, got 0");
  EXPECT_EQ(Reason(status), "INVALID_FIELD");
}

TEST(UnderField, JoinsAnIndexWithoutADot) {
  EXPECT_EQ(FieldPath(UnderField(InvalidField("[3]", "is wrong"), "values")), "values[3]");
}

TEST(UnderField, LeavesOtherErrorsAlone) {
  const absl::Status status = Error(absl::StatusCode::kNotFound, "NETWORK_NOT_FOUND", "none");
  EXPECT_EQ(UnderField(status, "spec"), status);
  EXPECT_TRUE(UnderField(absl::OkStatus(), "spec").ok());
}

TEST(UnderField, KeepsTheMetadata) {
  const absl::Status status =
      UnderField(WithMetadata(InvalidField("size", "is wrong"), "limit", "3"), "spec");
  std::vector<std::pair<std::string, std::string>> seen;
  VisitMetadata(status, [&seen](absl::string_view key, absl::string_view value) {
    seen.emplace_back(key, value);
  });
  EXPECT_EQ(seen, (std::vector<std::pair<std::string, std::string>>{{"limit", "3"}}));
}

TEST(Error, HasAReasonAndNoField) {
  const absl::Status status = Error(absl::StatusCode::kAborted, "DIVERGED", "left the range");
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status.message(), "left the range");
  EXPECT_EQ(Reason(status), "DIVERGED");
  EXPECT_EQ(FieldPath(status), "");
}

TEST(VisitMetadata, GoesInTheOrderOfTheKeys) {
  absl::Status status = Error(absl::StatusCode::kAborted, "DIVERGED", "left the range");
  status = WithMetadata(status, "variable", "hidden.u");
  status = WithMetadata(status, "step", "17");
  std::string seen;
  VisitMetadata(status, [&seen](absl::string_view key, absl::string_view value) {
    seen.append(key.data(), key.size()).append("=").append(value.data(), value.size()).append(";");
  });
  EXPECT_EQ(seen, "step=17;variable=hidden.u;");
}

}  // namespace
}  // namespace prospero
