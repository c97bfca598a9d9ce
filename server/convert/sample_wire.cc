#include "server/convert/sample_wire.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <cassert>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/cursor.h"
#include "server/convert/variable.h"

namespace prospero::server {
namespace {

using Bytes = google::protobuf::io::CodedOutputStream;
using Wire = google::protobuf::internal::WireFormatLite;
using Event = v1::SubscriptionEvent;

/// Below this a message is copied: that is quicker than to share its parts.
constexpr size_t kCopiedBytes = 8192;

constexpr size_t kMaxVarint = 10;

void AddVarint(std::string* out, uint64_t value) {
  uint8_t bytes[kMaxVarint];
  const uint8_t* const end = Bytes::WriteVarint64ToArray(value, bytes);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

void AddTag(std::string* out, int field, Wire::WireType type) {
  AddVarint(out, Wire::MakeTag(field, type));
}

/// The beginning of a field that has `size` bytes.
void AddHeader(std::string* out, int field, size_t size) {
  AddTag(out, field, Wire::WIRETYPE_LENGTH_DELIMITED);
  AddVarint(out, size);
}

/// Numbers that are 0 are left out, as proto3 does.
void AddNumber(std::string* out, int field, uint64_t value) {
  if (value == 0) return;
  AddTag(out, field, Wire::WIRETYPE_VARINT);
  AddVarint(out, value);
}

size_t NumberSize(uint64_t value) { return value == 0 ? 0 : 1 + Bytes::VarintSize64(value); }

char* WriteNumber(char* out, int field, int64_t value) {
  if (value == 0) return out;
  auto* to = reinterpret_cast<uint8_t*>(out);
  to = Bytes::WriteTagToArray(Wire::MakeTag(field, Wire::WIRETYPE_VARINT), to);
  return reinterpret_cast<char*>(Bytes::WriteVarint64ToArray(static_cast<uint64_t>(value), to));
}

char* WriteHeader(char* out, int field, size_t size) {
  auto* to = reinterpret_cast<uint8_t*>(out);
  to = Bytes::WriteTagToArray(Wire::MakeTag(field, Wire::WIRETYPE_LENGTH_DELIMITED), to);
  return reinterpret_cast<char*>(Bytes::WriteVarint64ToArray(size, to));
}

char* Write(char* out, const std::string& bytes) {
  std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

/// All that changes from sample to sample is the cursor and the values.
class SampleWriter final : public SampleEncoder {
 public:
  explicit SampleWriter(const std::vector<SampleLayout>& layouts) {
    for (size_t i = 0; i < layouts.size(); ++i) {
      Form& form = forms_.emplace_back();
      AddNumber(&form.selection, Event::Sample::kSelectionFieldNumber, i);
      form.size = form.selection.size();
      for (const SampleLayout::Part& part : layouts[i].parts) {
        const auto bytes = static_cast<size_t>(part.bytes);
        std::string block;
        AddNumber(&block, v1::Block::kUidFieldNumber, UidOf(part.variable));
        if (bytes > 0) AddHeader(&block, v1::Block::kDataFieldNumber, bytes);
        std::string header;
        AddHeader(&header, Event::Sample::kValuesFieldNumber, block.size() + bytes);
        form.values.push_back({header + block, static_cast<size_t>(part.offset), bytes});
        form.size += header.size() + block.size() + bytes;
      }
    }
  }

  size_t Size(uint32_t selection, Cursor cursor) const override {
    const size_t size = BodySize(selection, cursor);
    return 1 + Bytes::VarintSize64(size) + size;
  }

  void Write(uint32_t selection, Cursor cursor, const char* values, char* out) const override {
    const Form& form = forms_[selection];
    out = WriteHeader(out, Event::Samples::kSamplesFieldNumber, BodySize(selection, cursor));
    out = server::Write(out, form.selection);
    out = WriteHeader(out, Event::Sample::kCursorFieldNumber, CursorSize(cursor));
    out = WriteNumber(out, v1::Cursor::kEpochFieldNumber, cursor.epoch);
    out = WriteNumber(out, v1::Cursor::kStepFieldNumber, cursor.step);
    for (const Values& one : form.values) {
      out = server::Write(out, one.header);
      std::memcpy(out, values + one.offset, one.bytes);
      out += one.bytes;
    }
  }

 private:
  struct Values {
    std::string header;  ///< of the field and of the block in it
    size_t offset;
    size_t bytes;
  };
  struct Form {
    std::string selection;
    std::vector<Values> values;
    size_t size = 0;  ///< but for the cursor
  };

  static size_t CursorSize(Cursor cursor) {
    return NumberSize(static_cast<uint64_t>(cursor.epoch)) +
           NumberSize(static_cast<uint64_t>(cursor.step));
  }
  size_t BodySize(uint32_t selection, Cursor cursor) const {
    const size_t size = CursorSize(cursor);
    return forms_[selection].size + 1 + Bytes::VarintSize64(size) + size;
  }

  std::vector<Form> forms_;
};

/// A slice of a chunk, which stays as long as gRPC needs it.
grpc::Slice Share(const SampleRun& run) {
  using Chunk = std::shared_ptr<const SampleChunk>;
  const absl::string_view bytes = run.bytes();
  return grpc::Slice(
      const_cast<char*>(bytes.data()), bytes.size(),
      [](void* chunk) { delete static_cast<Chunk*>(chunk); }, new Chunk(run.chunk));
}

}  // namespace

MakeSampleEncoder WireEncoder() {
  return [](const std::vector<SampleLayout>& layouts) {
    return std::make_unique<SampleWriter>(layouts);
  };
}

grpc::ByteBuffer ToWire(const Samples& samples, uint64_t sequence) {
  size_t size = 0;
  for (const SampleRun& run : samples.runs()) size += run.bytes().size();
  std::string head;
  AddHeader(&head, Event::kSamplesFieldNumber, size);
  std::string tail;
  AddNumber(&tail, Event::kSequenceFieldNumber, sequence);
  std::string start;
  AddHeader(&start, v1::SubscribeResponse::kEventFieldNumber, head.size() + size + tail.size());
  start += head;
  if (start.size() + size + tail.size() <= kCopiedBytes) {
    grpc::Slice all(start.size() + size + tail.size());
    char* out = reinterpret_cast<char*>(const_cast<uint8_t*>(all.begin()));
    out = Write(out, start);
    for (const SampleRun& run : samples.runs()) {
      std::memcpy(out, run.bytes().data(), run.bytes().size());
      out += run.bytes().size();
    }
    Write(out, tail);
    return grpc::ByteBuffer(&all, 1);
  }
  std::vector<grpc::Slice> slices;
  slices.reserve(samples.runs().size() + 2);
  slices.emplace_back(start);
  for (const SampleRun& run : samples.runs()) slices.push_back(Share(run));
  slices.emplace_back(tail);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

grpc::ByteBuffer ToWire(v1::SubscriptionEvent&& event, uint64_t sequence) {
  v1::SubscribeResponse response;
  *response.mutable_event() = std::move(event);
  response.mutable_event()->set_sequence(sequence);
  grpc::ByteBuffer bytes;
  bool own = false;
  const grpc::Status status =
      grpc::SerializationTraits<v1::SubscribeResponse>::Serialize(response, &bytes, &own);
  assert(status.ok());
  (void)status;
  return bytes;
}

}  // namespace prospero::server
