#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/io/progress.h>

namespace tapedeck::io {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string contents(std::FILE* file) {
  std::rewind(file);
  std::string text;
  for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
  return text;
}

// What a terminal was sent, up to the end of its line. A terminal passes on what it is sent in
// pieces, and when it likes.
std::string line_of_terminal(int leader) {
  std::string text;
  while (text.empty() || text.back() != '\n') {
    pollfd ready{leader, POLLIN, 0};
    char piece[512];
    if (::poll(&ready, 1, /*timeout=*/10000) != 1) break;
    const ssize_t count = ::read(leader, piece, sizeof piece);
    if (count <= 0) break;
    text.append(piece, static_cast<std::size_t>(count));
  }
  return text;
}

// Behaviour A14: per batch, with the loss; quiet when not on a terminal.
TEST(BehaviourA14, QuietWhenNotOnATerminal) {
  std::FILE* file = std::tmpfile();
  {
    ProgressBar bar(10, ProgressOptions().stream(file));
    for (int i = 0; i < 10; ++i) bar.add(1, 0.5);
    bar.finish();
  }
  EXPECT_EQ(contents(file), "");
  {
    ProgressBar bar(10, ProgressOptions().stream(file).summary(true).label("epoch 1"));
    bar.add(10, 0.5);
    bar.finish();
  }
  EXPECT_THAT(contents(file), MatchesRegex("epoch 1 .=+. 10/10  loss 0.5000  .*images/s.*\n"));
  std::fclose(file);
}

TEST(BehaviourA14, RedrawsItsLineOnATerminal) {
  const int leader = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(leader, 0);
  ASSERT_EQ(::grantpt(leader), 0);
  ASSERT_EQ(::unlockpt(leader), 0);
  std::FILE* terminal = std::fopen(::ptsname(leader), "w");
  ASSERT_NE(terminal, nullptr);
  {
    ProgressBar bar(200, ProgressOptions().stream(terminal).interval(std::chrono::milliseconds(0)));
    bar.add(100, 2.0);
    bar.add(100, 1.0);
    bar.finish();
  }
  const std::string text = line_of_terminal(leader);
  EXPECT_THAT(text, HasSubstr("\r[============>           ] 100/200  loss 2.0000"));
  EXPECT_THAT(text, HasSubstr("\r[========================] 200/200  loss 1.5000"));
  EXPECT_THAT(text, EndsWith("\n"));
  std::fclose(terminal);
  ::close(leader);
}

TEST(Progress, WeighsTheLossByTheCount) {
  std::FILE* file = std::tmpfile();
  ProgressBar bar(100, ProgressOptions().stream(file));
  EXPECT_TRUE(std::isnan(bar.mean_loss()));
  bar.add(30, 1);
  bar.add(10, 3);
  bar.add(5);
  EXPECT_DOUBLE_EQ(bar.mean_loss(), 1.5);
  EXPECT_EQ(bar.done(), 45);
  EXPECT_THAT(bar.line(), HasSubstr(" 45/100  loss 1.5000"));
  std::fclose(file);
}

TEST(Progress, Durations) {
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(65.4), "1:05");
  EXPECT_EQ(format_duration(3723), "1:02:03");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(1e300), "?");
}

}  // namespace
}  // namespace tapedeck::io
