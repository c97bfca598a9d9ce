#include "compatibility.h"

#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace prospero {
namespace {

using google::protobuf::FileDescriptorSet;
using testing::ElementsAre;
using testing::IsEmpty;

FileDescriptorSet Read(const std::string& path) {
  FileDescriptorSet set;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good() && set.ParseFromIstream(&file)) << path;
  return set;
}

/// One file of package p from its declarations.
FileDescriptorSet Parse(const std::string& declarations) {
  const std::string text = "syntax = \"proto3\"; package p; " + declarations;
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  google::protobuf::io::Tokenizer tokenizer(&stream, nullptr);
  google::protobuf::compiler::Parser parser;
  FileDescriptorSet set;
  set.add_file()->set_name("p.proto");
  EXPECT_TRUE(parser.Parse(&tokenizer, set.mutable_file(0))) << text;
  return set;
}

std::vector<std::string> BreaksOf(const std::string& before, const std::string& now) {
  return Breaks(Parse(before), Parse(now));
}

TEST(Api, HasEverythingThatWasEverCommitted) {
  EXPECT_THAT(Breaks(Read(PROSPERO_COMMITTED_API), Read(PROSPERO_PRESENT_API)), IsEmpty())
      << "v1 must not break: give the new thing a new name and number";
}

TEST(Api, IsWholeInTheCommittedSet) {
  std::vector<std::string> services;
  const FileDescriptorSet committed = Read(PROSPERO_COMMITTED_API);
  for (const auto& file : committed.file()) {
    for (const auto& service : file.service()) services.push_back(service.name());
  }
  EXPECT_THAT(services,
              testing::IsSupersetOf({"NetworkService", "SimulationService", "ServerService"}));
}

TEST(Breaks, AreNoneBetweenASetAndItself) {
  const auto set = Read(PROSPERO_COMMITTED_API);
  EXPECT_THAT(Breaks(set, set), IsEmpty());
}

TEST(Breaks, AreNotAdditions) {
  EXPECT_THAT(BreaksOf("message A { int32 x = 1; reserved 5; } enum E { E_0 = 0; } "
                       "service S { rpc M(A) returns (A); }",
                       "message A { int32 x = 1; A y = 2; oneof o { bool z = 3; } message N {} "
                       "reserved 5 to 7; reserved \"old\"; } message B {} "
                       "enum E { E_0 = 0; E_1 = 1; } "
                       "service S { rpc M(A) returns (A); rpc L(B) returns (stream B); } "
                       "service T {}"),
              IsEmpty());
}

TEST(Breaks, AreNotChangesOfOrder) {
  EXPECT_THAT(BreaksOf("message A { int32 x = 1; int32 y = 2; } message B {}",
                       "message B {} message A { int32 y = 2; int32 x = 1; }"),
              IsEmpty());
}

TEST(Breaks, NameMessagesAndFieldsThatAreGone) {
  EXPECT_THAT(BreaksOf("message A { message N {} } message B { int32 x = 1; }",
                       "message A {} message B { reserved 1; }"),
              ElementsAre("p.A.N is gone", "p.B.x = 1 is gone"));
}

TEST(Breaks, NameFieldsWithANewNumber) {
  EXPECT_THAT(BreaksOf("message A { int32 x = 1; }", "message A { int32 x = 2; }"),
              ElementsAre("p.A.x = 1 is gone"));
}

TEST(Breaks, NameFieldsWithANewName) {
  EXPECT_THAT(
      BreaksOf("message A { int32 x_y = 1; }", "message A { int32 z = 1; }"),
      ElementsAre("p.A.x_y = 1: name was x_y, is z", "p.A.x_y = 1: JSON name was xY, is z"));
}

TEST(Breaks, NameFieldsWithANewJsonName) {
  EXPECT_THAT(
      BreaksOf("message A { int32 x = 1; }", "message A { int32 x = 1 [json_name=\"X\"]; }"),
      ElementsAre("p.A.x = 1: JSON name was x, is X"));
}

TEST(Breaks, NameFieldsWithANewType) {
  EXPECT_THAT(BreaksOf("message A { int32 x = 1; A y = 2; E z = 3; } message B {} "
                       "enum E { E_0 = 0; } enum F { F_0 = 0; }",
                       "message A { int64 x = 1; B y = 2; F z = 3; } message B {} "
                       "enum E { E_0 = 0; } enum F { F_0 = 0; }"),
              ElementsAre("p.A.x = 1: type was int32, is int64", "p.A.y = 2: type was p.A, is p.B",
                          "p.A.z = 3: type was p.E, is p.F"));
}

TEST(Breaks, NameFieldsWithANewLabel) {
  EXPECT_THAT(BreaksOf("message A { int32 x = 1; int32 y = 2; repeated int32 z = 3; }",
                       "message A { repeated int32 x = 1; optional int32 y = 2; "
                       "repeated int32 z = 3 [packed = false]; }"),
              ElementsAre("p.A.x = 1: label was singular, is repeated packed",
                          "p.A.y = 2: label was singular, is singular with presence",
                          "p.A.z = 3: label was repeated packed, is repeated"));
}

TEST(Breaks, NameFieldsThatMoveIntoOrOutOfAOneof) {
  EXPECT_THAT(
      BreaksOf("message A { optional int32 x = 1; oneof o { int32 y = 2; int32 z = 3; } }",
               "message A { oneof o { int32 x = 1; int32 y = 2; } oneof q { int32 z = 3; } }"),
      ElementsAre("p.A.x = 1: oneof was none, is o", "p.A.z = 3: oneof was o, is q"));
}

TEST(Breaks, NameEnumsAndValuesThatAreGoneOrRenumbered) {
  EXPECT_THAT(BreaksOf("enum E { E_0 = 0; E_1 = 1; E_2 = 2; } enum F { F_0 = 0; }",
                       "enum E { E_0 = 0; E_1 = 3; }"),
              ElementsAre("p.E.E_1: number was 1, is 3", "p.E.E_2 is gone", "p.F is gone"));
}

TEST(Breaks, NameServicesAndMethodsThatAreGone) {
  EXPECT_THAT(BreaksOf("message A {} service S { rpc M(A) returns (A); } service T {}",
                       "message A {} service S {}"),
              ElementsAre("p.S.M is gone", "p.T is gone"));
}

TEST(Breaks, NameMethodsWithANewShape) {
  EXPECT_THAT(BreaksOf("message A {} message B {} service S { rpc M(A) returns (A); "
                       "rpc N(A) returns (A); rpc O(A) returns (stream A); }",
                       "message A {} message B {} service S { rpc M(B) returns (A); "
                       "rpc N(A) returns (B); rpc O(stream A) returns (A); }"),
              ElementsAre("p.S.M: request was p.A, is p.B", "p.S.N: response was p.A, is p.B",
                          "p.S.O: streaming was one to stream, is stream to one"));
}

TEST(Breaks, NameReservationsThatAreGiven) {
  EXPECT_THAT(BreaksOf("message A { reserved 2 to 4; reserved \"old\"; } "
                       "enum E { E_0 = 0; reserved 7; reserved \"E_7\"; }",
                       "message A { reserved 2, 4; int32 x = 3; } enum E { E_0 = 0; E_7 = 7; }"),
              ElementsAre("p.A: 2 to 4 is no longer reserved", "p.A: 'old' is no longer reserved",
                          "p.E: 7 to 7 is no longer reserved", "p.E: 'E_7' is no longer reserved"));
}

TEST(Breaks, NameFilesAndPackagesThatAreGone) {
  auto renamed = Parse("message A {}");
  renamed.mutable_file(0)->set_name("q.proto");
  EXPECT_THAT(Breaks(Parse("message A {}"), renamed), ElementsAre("p.proto is gone"));
  auto moved = Parse("message A {}");
  moved.mutable_file(0)->set_package("q");
  EXPECT_THAT(Breaks(Parse("message A {}"), moved),
              ElementsAre("p.proto: package was p, is q", "p.A is gone"));
}

TEST(Breaks, NameSetsThatAreNotWhole) {
  EXPECT_THAT(BreaksOf("message A {}", "message A { Missing x = 1; }"),
              ElementsAre("p.proto is invalid"));
}

}  // namespace
}  // namespace prospero
