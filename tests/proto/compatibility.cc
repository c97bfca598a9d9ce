#include "compatibility.h"

#include <google/protobuf/descriptor.h>

#include "absl/strings/str_cat.h"

namespace prospero {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorSet;
using google::protobuf::MethodDescriptor;
using google::protobuf::OneofDescriptor;
using google::protobuf::ServiceDescriptor;

/// Walks `before` and looks everything up in `now`.
class Comparer {
 public:
  explicit Comparer(const DescriptorPool& now) : now_(now) {}

  void CompareFile(const FileDescriptor& before);
  std::vector<std::string> TakeBreaks() { return std::move(breaks_); }

 private:
  void CompareMessage(const Descriptor& before);
  void CompareField(const FieldDescriptor& before, const Descriptor& message);
  void CompareEnum(const EnumDescriptor& before);
  void CompareService(const ServiceDescriptor& before);
  void CompareMethod(const MethodDescriptor& before, const ServiceDescriptor& service);

  /// `Of` is a message or an enum: both reserve numbers, as ranges, and names. The ends of a
  /// message's ranges are exclusive, those of an enum's inclusive.
  template <class Of>
  void CompareReserved(const Of& before, const Of& now, int last_offset);

  template <class... Parts>
  void Break(const Parts&... parts) {
    breaks_.push_back(absl::StrCat(parts...));
  }
  void Same(const std::string& whose, const char* what, const std::string& before,
            const std::string& now) {
    if (before != now) Break(whose, ": ", what, " was ", before, ", is ", now);
  }

  const DescriptorPool& now_;
  std::vector<std::string> breaks_;
};

std::string TypeOf(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

std::string LabelOf(const FieldDescriptor& field) {
  if (field.is_repeated()) return field.is_packed() ? "repeated packed" : "repeated";
  return field.has_presence() ? "singular with presence" : "singular";
}

std::string OneofOf(const FieldDescriptor& field) {
  const OneofDescriptor* oneof = field.real_containing_oneof();
  return oneof == nullptr ? "none" : oneof->name();
}

std::string StreamingOf(const MethodDescriptor& method) {
  return absl::StrCat(method.client_streaming() ? "stream" : "one", " to ",
                      method.server_streaming() ? "stream" : "one");
}

void Comparer::CompareFile(const FileDescriptor& before) {
  const FileDescriptor* now = now_.FindFileByName(before.name());
  if (now == nullptr) return Break(before.name(), " is gone");
  Same(before.name(), "package", before.package(), now->package());
  for (int i = 0; i < before.message_type_count(); ++i) CompareMessage(*before.message_type(i));
  for (int i = 0; i < before.enum_type_count(); ++i) CompareEnum(*before.enum_type(i));
  for (int i = 0; i < before.service_count(); ++i) CompareService(*before.service(i));
}

void Comparer::CompareMessage(const Descriptor& before) {
  const Descriptor* now = now_.FindMessageTypeByName(before.full_name());
  if (now == nullptr) return Break(before.full_name(), " is gone");
  Same(before.full_name(), "file", before.file()->name(), now->file()->name());
  for (int i = 0; i < before.field_count(); ++i) CompareField(*before.field(i), *now);
  for (int i = 0; i < before.nested_type_count(); ++i) CompareMessage(*before.nested_type(i));
  for (int i = 0; i < before.enum_type_count(); ++i) CompareEnum(*before.enum_type(i));
  CompareReserved(before, *now, 1);
}

void Comparer::CompareField(const FieldDescriptor& before, const Descriptor& message) {
  const FieldDescriptor* now = message.FindFieldByNumber(before.number());
  const std::string whose = absl::StrCat(before.full_name(), " = ", before.number());
  if (now == nullptr) return Break(whose, " is gone");
  Same(whose, "name", before.name(), now->name());
  Same(whose, "JSON name", before.json_name(), now->json_name());
  Same(whose, "type", TypeOf(before), TypeOf(*now));
  Same(whose, "label", LabelOf(before), LabelOf(*now));
  Same(whose, "oneof", OneofOf(before), OneofOf(*now));
}

void Comparer::CompareEnum(const EnumDescriptor& before) {
  const EnumDescriptor* now = now_.FindEnumTypeByName(before.full_name());
  if (now == nullptr) return Break(before.full_name(), " is gone");
  for (int i = 0; i < before.value_count(); ++i) {
    const EnumValueDescriptor& value = *before.value(i);
    const EnumValueDescriptor* same_name = now->FindValueByName(value.name());
    const std::string whose = absl::StrCat(before.full_name(), ".", value.name());
    if (same_name == nullptr) {
      Break(whose, " is gone");
    } else {
      Same(whose, "number", absl::StrCat(value.number()), absl::StrCat(same_name->number()));
    }
  }
  CompareReserved(before, *now, 0);
}

void Comparer::CompareService(const ServiceDescriptor& before) {
  const ServiceDescriptor* now = now_.FindServiceByName(before.full_name());
  if (now == nullptr) return Break(before.full_name(), " is gone");
  for (int i = 0; i < before.method_count(); ++i) CompareMethod(*before.method(i), *now);
}

void Comparer::CompareMethod(const MethodDescriptor& before, const ServiceDescriptor& service) {
  const MethodDescriptor* now = service.FindMethodByName(before.name());
  const std::string& whose = before.full_name();
  if (now == nullptr) return Break(whose, " is gone");
  Same(whose, "request", before.input_type()->full_name(), now->input_type()->full_name());
  Same(whose, "response", before.output_type()->full_name(), now->output_type()->full_name());
  Same(whose, "streaming", StreamingOf(before), StreamingOf(*now));
}

template <class Of>
void Comparer::CompareReserved(const Of& before, const Of& now, int last_offset) {
  for (int i = 0; i < before.reserved_range_count(); ++i) {
    const int first = before.reserved_range(i)->start;
    const int last = before.reserved_range(i)->end - last_offset;
    bool kept = false;  // as part of one range, which is how a range grows
    for (int k = 0; k < now.reserved_range_count() && !kept; ++k) {
      kept =
          now.reserved_range(k)->start <= first && now.reserved_range(k)->end - last_offset >= last;
    }
    if (!kept) Break(before.full_name(), ": ", first, " to ", last, " is no longer reserved");
  }
  for (int i = 0; i < before.reserved_name_count(); ++i) {
    if (now.IsReservedName(before.reserved_name(i))) continue;
    Break(before.full_name(), ": '", before.reserved_name(i), "' is no longer reserved");
  }
}

/// Fills a pool with a set whose files stand after their imports, as protoc writes them.
void Build(const FileDescriptorSet& set, DescriptorPool& pool, std::vector<std::string>& breaks) {
  for (const auto& file : set.file()) {
    if (pool.BuildFile(file) == nullptr) breaks.push_back(absl::StrCat(file.name(), " is invalid"));
  }
}

}  // namespace

std::vector<std::string> Breaks(const FileDescriptorSet& before, const FileDescriptorSet& now) {
  DescriptorPool before_pool, now_pool;
  std::vector<std::string> breaks;
  Build(before, before_pool, breaks);
  Build(now, now_pool, breaks);
  if (!breaks.empty()) return breaks;
  Comparer comparer(now_pool);
  for (const auto& file : before.file())
    comparer.CompareFile(*before_pool.FindFileByName(file.name()));
  return comparer.TakeBreaks();
}

}  // namespace prospero
