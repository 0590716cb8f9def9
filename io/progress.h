#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include <tapedeck/array/arg.h>
#include <tapedeck/array/milliseconds.h>

namespace tapedeck::io {

struct ProgressOptions {
  using Stream = std::FILE*;

  /// What stands in front: "epoch 1/5".
  TAPEDECK_ARG(std::string, label);
  /// What is counted: "images".
  TAPEDECK_ARG(std::string, unit) = "images";
  /// Where to; default: stderr.
  TAPEDECK_ARG(Stream, stream) = nullptr;
  /// Characters of the bar itself.
  TAPEDECK_ARG(int, width) = 24;
  /// Whether finish() writes the last line where the stream is no terminal.
  TAPEDECK_ARG(bool, summary) = false;
  /// The least time between two pictures.
  TAPEDECK_ARG(Milliseconds, interval) = Milliseconds(100);
};

/// A line that shows how far a loop has come: bar, count, loss, rate and time left.
///
///     epoch 1/5 [=========>              ]  24300/60000  loss 0.1532  9213 images/s  0:04
///
/// Where the stream is no terminal nothing is written, but the last line if options.summary().
class ProgressBar {
 public:
  explicit ProgressBar(std::int64_t total, ProgressOptions options = {});
  /// Ends the line, if finish() did not.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `count` more are done.
  void add(std::int64_t count);
  /// The same, with their mean loss: what is shown is the mean of all so far.
  void add(std::int64_t count, double loss);
  /// Shows the final state and ends the line.
  void finish();

  std::int64_t done() const { return done_; }
  /// Mean loss of all so far; NaN before the first.
  double mean_loss() const;
  double seconds() const;
  /// The line for the present state, without its end.
  std::string line() const;

 private:
  void show();
  std::size_t columns() const;

  ProgressOptions options_;
  std::int64_t total_, done_ = 0, weighted_ = 0;
  double loss_sum_ = 0;
  bool terminal_, finished_ = false;
  std::size_t shown_width_ = 0;
  double start_, last_shown_;  // seconds of a steady clock
};

/// "4:05" or "1:02:03".
std::string format_duration(double seconds);

}  // namespace tapedeck::io
