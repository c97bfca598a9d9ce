// The bytes of samples are those of the messages that they stand for.

#include "server/convert/sample_wire.h"

#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/convert/variable.h"

namespace prospero::server {
namespace {

using Event = v1::SubscriptionEvent;

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

/// Two selections: variable 3 with `size` bytes; variables 0 and 200 with 4 and 8.
std::vector<SampleLayout> Layouts(int64_t size) {
  return {{{{3, size, 0}}, size}, {{{0, 4, 0}, {200, 8, 8}}, 16}};
}

/// As the recorder makes them; the values are counted up.
SampleRun Encode(const std::vector<Place>& places, int64_t size) {
  const auto encoder = WireEncoder()(Layouts(size));
  const auto chunk = std::make_shared<SampleChunk>();
  size_t end = 0;
  for (const Place& place : places) {
    end += encoder->Size(place.selection, place.cursor);
    chunk->entries.push_back({place, end});
  }
  chunk->data = std::make_unique<char[]>(end);
  std::vector<char> values(static_cast<size_t>(std::max<int64_t>(size, 16)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<char>(i);
  for (size_t i = 0; i < places.size(); ++i) {
    encoder->Write(places[i].selection, places[i].cursor, values.data(),
                   chunk->data.get() + chunk->begin_of(i));
  }
  return {chunk, 0, places.size()};
}

Event::Sample Expected(const Place& place, int64_t size) {
  Event::Sample sample;
  sample.set_selection(place.selection);
  sample.mutable_cursor()->set_epoch(place.cursor.epoch);
  sample.mutable_cursor()->set_step(place.cursor.step);
  const std::vector<SampleLayout> layouts = Layouts(size);
  for (const auto& part : layouts[place.selection].parts) {
    v1::Block* const block = sample.add_values();
    block->set_uid(UidOf(part.variable));
    for (int64_t i = 0; i < part.bytes; ++i) {
      block->mutable_data()->push_back(static_cast<char>(part.offset + i));
    }
  }
  return sample;
}

TEST(SampleOnTheWire, IsTheMessageItStandsFor) {
  const std::vector<Place> places = {{{0, 0}, 0},
                                     {{0, 1}, 1},
                                     {{3, 127}, 0},
                                     {{3, 128}, 1},
                                     {{300, int64_t{1} << 40}, 1},
                                     {{int64_t{1} << 62, 5}, 0}};
  for (const int64_t size : {8, 100, 127, 128, 20'000}) {
    const SampleRun run = Encode(places, size);
    v1::SubscribeResponse expected;
    expected.mutable_event()->set_sequence(77);
    for (const Place& place : places) {
      *expected.mutable_event()->mutable_samples()->add_samples() = Expected(place, size);
    }
    Samples all;
    all.Add(run);
    EXPECT_EQ(BytesOf(ToWire(all, 77)), expected.SerializeAsString()) << size;
    // In two pieces, without the first and the last one.
    auto* const samples = expected.mutable_event()->mutable_samples()->mutable_samples();
    samples->DeleteSubrange(0, 1);
    samples->RemoveLast();
    Samples some;
    some.Add({run.chunk, 1, 3});
    some.Add({run.chunk, 3, 5});
    EXPECT_EQ(BytesOf(ToWire(some, 77)), expected.SerializeAsString()) << size;
  }
}

TEST(SampleOnTheWire, KeepsItsChunkAsLongAsTheMessage) {
  SampleRun run = Encode({{{0, 1}, 0}}, 20'000);
  const std::weak_ptr<const SampleChunk> chunk = run.chunk;
  {
    Samples samples;
    samples.Add(std::move(run));
    const grpc::ByteBuffer message = ToWire(samples, 1);
    samples.Clear();
    EXPECT_FALSE(chunk.expired());
    EXPECT_NE(BytesOf(message).find(std::string({1, 2, 3, 4})), std::string::npos);
  }
  EXPECT_TRUE(chunk.expired());
}

TEST(EventOnTheWire, CarriesItsSequence) {
  Event event;
  event.mutable_heartbeat()->mutable_cursor()->set_step(5);
  v1::WatchResponse response;
  ASSERT_TRUE(response.ParseFromString(BytesOf(ToWire(std::move(event), 9))));
  EXPECT_EQ(response.event().sequence(), 9U);
  EXPECT_EQ(response.event().heartbeat().cursor().step(), 5);
}

}  // namespace
}  // namespace prospero::server
