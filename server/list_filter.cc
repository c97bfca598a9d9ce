#include "server/list_filter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/core/errors.h"

namespace prospero::server {
namespace {

constexpr size_t kMaxFilter = 4096;  // [bytes]

absl::Status Unreadable(absl::string_view wish, absl::string_view rest) {
  return InvalidField("filter",
                      absl::StrCat("must have ", wish, " at \"", rest.substr(0, 40), "\""));
}

void SkipSpace(absl::string_view* text) {
  const size_t start = text->find_first_not_of(" \t");
  text->remove_prefix(std::min(start, text->size()));
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

absl::string_view ReadWord(absl::string_view* text) {
  const auto end = std::find_if_not(text->begin(), text->end(), IsWordCharacter);
  const absl::string_view word = text->substr(0, static_cast<size_t>(end - text->begin()));
  text->remove_prefix(word.size());
  return word;
}

/// A word, or anything but a quote between quotes.
absl::StatusOr<std::string> ReadValue(absl::string_view* text) {
  SkipSpace(text);
  if (!absl::ConsumePrefix(text, "\"")) {
    const absl::string_view word = ReadWord(text);
    if (word.empty()) return Unreadable("a value", *text);
    return std::string(word);
  }
  const size_t end = text->find('"');
  if (end == text->npos) return Unreadable("a closing quote", *text);
  std::string value(text->substr(0, end));
  text->remove_prefix(end + 1);
  return value;
}

/// True for `!=`.
absl::StatusOr<bool> ReadOperator(absl::string_view* text) {
  SkipSpace(text);
  if (absl::ConsumePrefix(text, "!=")) return true;
  if (absl::ConsumePrefix(text, "=")) return false;
  return Unreadable("= or !=", *text);
}

}  // namespace

absl::StatusOr<ListFilter> ListFilter::Parse(absl::string_view text) {
  if (text.size() > kMaxFilter) {
    return InvalidField(
        "filter", absl::StrCat("must have at most ", kMaxFilter, " bytes, got ", text.size()));
  }
  ListFilter filter;
  SkipSpace(&text);
  while (!text.empty()) {
    absl::StatusOr<Condition> condition = ReadCondition(&text);
    if (!condition.ok()) return condition.status();
    filter.conditions_.push_back(*std::move(condition));
    SkipSpace(&text);
    if (text.empty()) break;
    if (ReadWord(&text) != "AND") return Unreadable("AND", text);
    SkipSpace(&text);
    if (text.empty()) return Unreadable("a condition", text);
  }
  return filter;
}

absl::StatusOr<ListFilter::Condition> ListFilter::ReadCondition(absl::string_view* text) {
  Condition condition;
  const absl::string_view all = *text;
  const absl::string_view subject = ReadWord(text);
  if (subject == "labels" && absl::ConsumePrefix(text, ":")) {
    condition.kind = Condition::Kind::kHasLabel;
    condition.key = std::string(ReadWord(text));
    if (condition.key.empty()) return Unreadable("a label", *text);
    return condition;
  }
  if (subject == "labels" && absl::ConsumePrefix(text, ".")) {
    condition.kind = Condition::Kind::kLabelIs;
    condition.key = std::string(ReadWord(text));
    if (condition.key.empty()) return Unreadable("a label", *text);
  } else if (subject != "state") {
    return Unreadable("state, labels.<key> or labels:<key>", all);
  }
  const absl::StatusOr<bool> negated = ReadOperator(text);
  if (!negated.ok()) return negated.status();
  condition.negated = *negated;
  absl::StatusOr<std::string> value = ReadValue(text);
  if (!value.ok()) return value.status();
  condition.value = *std::move(value);
  if (condition.kind == Condition::Kind::kState &&
      (!v1::Network::State_Parse(absl::StrCat("STATE_", condition.value), &condition.state) ||
       condition.state == v1::Network::STATE_UNSPECIFIED)) {
    return Unreadable("RUNNING, PAUSED, FAILED, RECOVERING or DAMAGED as a state", all);
  }
  return condition;
}

bool ListFilter::Holds(const Condition& condition, const v1::Network& network) {
  const auto label = network.labels().find(condition.key);
  switch (condition.kind) {
    case Condition::Kind::kState:
      return (network.state() == condition.state) != condition.negated;
    case Condition::Kind::kLabelIs:
      return (label != network.labels().end() && label->second == condition.value) !=
             condition.negated;
    case Condition::Kind::kHasLabel:
      return label != network.labels().end();
  }
  return false;
}

bool ListFilter::Accepts(const v1::Network& network) const {
  return std::all_of(conditions_.begin(), conditions_.end(),
                     [&network](const Condition& condition) { return Holds(condition, network); });
}

}  // namespace prospero::server
