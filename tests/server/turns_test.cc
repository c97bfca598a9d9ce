#include "server/turns.h"

#include <future>
#include <memory>
#include <vector>

#include "engine/core/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace prospero::server {
namespace {

TEST(Turns, LetOneInAfterTheOtherInTheirOrder) {
  Executor executor(2);
  const auto turns = std::make_shared<Turns>(&executor);
  Turns::Turn first;
  ASSERT_TRUE(turns->Enter([&first](Turns::Turn turn) { first = std::move(turn); }).ok());
  ASSERT_NE(first, nullptr) << "nobody else was there";
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(turns
                    ->Enter([&, i](const Turns::Turn&) {
                      order.push_back(i);
                      if (i == 4) done.set_value();
                    })
                    .ok());
  }
  EXPECT_TRUE(order.empty());
  first.reset();
  done.get_future().wait();
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST(Turns, RefuseWhenTooManyWait) {
  Executor executor(1);
  const auto turns = std::make_shared<Turns>(&executor);
  Turns::Turn first;
  ASSERT_TRUE(turns->Enter([&first](Turns::Turn turn) { first = std::move(turn); }).ok());
  absl::Status status;
  int waiting = 0;
  while (status.ok() && waiting < 100'000) {
    status = turns->Enter([](const Turns::Turn&) {});
    ++waiting;
  }
  EXPECT_EQ(Reason(status), "MAILBOX_FULL");
  first.reset();
}

}  // namespace
}  // namespace prospero::server
