#include "server/listen_address.h"

#include "gtest/gtest.h"

namespace prospero::server {
namespace {

TEST(ListenAddress, KnowsWhatOthersCanReach) {
  for (const char* text :
       {"127.0.0.1:0", "127.1.2.3:80", "localhost:50551", "[::1]:1", "unix:/run/prospero.sock"}) {
    const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_TRUE(address->only_local) << text;
  }
  for (const char* text : {"0.0.0.0:0", "192.168.1.1:80", "[::]:1", "example.org:50551"}) {
    const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_FALSE(address->only_local) << text;
  }
}

TEST(ListenAddress, RefusesWhatIsNone) {
  for (const char* text : {"", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                           "::1:80", "unix:", "127.0.0.1:-1"}) {
    EXPECT_FALSE(ParseListenAddress(text).ok()) << text;
  }
}

}  // namespace
}  // namespace prospero::server
