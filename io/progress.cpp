#include <tapedeck/io/progress.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <tapedeck/array/error.h>

namespace tapedeck::io {

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double seconds_of(Milliseconds time) { return static_cast<double>(time.count()) / 1000; }

}  // namespace

std::string format_duration(double seconds) {
  if (!(seconds >= 0 && seconds < 1e9)) return "?";
  const auto total = static_cast<std::int64_t>(std::llround(seconds));
  const std::int64_t hours = total / 3600, minutes = total / 60 % 60, rest = total % 60;
  char text[48];
  if (hours > 0)
    std::snprintf(text, sizeof text, "%lld:%02d:%02d", static_cast<long long>(hours),
                  static_cast<int>(minutes), static_cast<int>(rest));
  else
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(minutes), static_cast<int>(rest));
  return text;
}

ProgressBar::ProgressBar(std::int64_t total, ProgressOptions options)
    : options_(std::move(options)), total_(total), start_(now()) {
  TAPEDECK_CHECK_AS(ValueError, total >= 0, "ProgressBar: expected no negative total, got ", total);
  if (!options_.stream()) options_.stream(stderr);
  terminal_ = ::isatty(::fileno(options_.stream())) == 1;
  last_shown_ = start_ - seconds_of(options_.interval());
}

ProgressBar::~ProgressBar() {
  if (finished_ || !terminal_ || shown_width_ == 0) return;
  std::fputc('\n', options_.stream());
  std::fflush(options_.stream());
}

void ProgressBar::add(std::int64_t count) {
  done_ += count;
  const double time = now();
  if (!terminal_ || time - last_shown_ < seconds_of(options_.interval())) return;
  last_shown_ = time;
  show();
}

void ProgressBar::add(std::int64_t count, double loss) {
  loss_sum_ += loss * static_cast<double>(count);
  weighted_ += count;
  add(count);
}

double ProgressBar::mean_loss() const {
  return weighted_ > 0 ? loss_sum_ / static_cast<double>(weighted_)
                       : std::numeric_limits<double>::quiet_NaN();
}

double ProgressBar::seconds() const { return now() - start_; }

std::string ProgressBar::line() const {
  const double part =
      total_ > 0 ? std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_)) : 1;
  const int width = std::max(options_.width(), 1);
  const int filled = static_cast<int>(part * width);
  std::string bar(static_cast<std::size_t>(filled), '=');
  if (filled < width) bar += '>';
  bar.resize(static_cast<std::size_t>(width), ' ');

  const std::string total = std::to_string(total_), done = std::to_string(done_);
  std::string text = options_.label();
  if (!text.empty()) text += ' ';
  text += '[' + bar + "] " +
          std::string(total.size() > done.size() ? total.size() - done.size() : 0, ' ') + done +
          '/' + total;
  char number[64];
  if (weighted_ > 0) {
    std::snprintf(number, sizeof number, "  loss %.4f", mean_loss());
    text += number;
  }
  const double elapsed = seconds();
  if (done_ > 0 && elapsed > 0) {
    const double rate = static_cast<double>(done_) / elapsed;
    std::snprintf(number, sizeof number, rate < 10 ? "  %.2f " : "  %.0f ", rate);
    text += number + options_.unit() + "/s  ";
    text += format_duration(done_ < total_ ? static_cast<double>(total_ - done_) / rate : elapsed);
  }
  return text;
}

// A line that is longer than the terminal is wide could not be overwritten.
std::size_t ProgressBar::columns() const {
  winsize size = {};
  const bool known = ::ioctl(::fileno(options_.stream()), TIOCGWINSZ, &size) == 0;
  return known && size.ws_col > 1 ? size.ws_col - 1u : 79u;
}

void ProgressBar::show() {
  std::string text = line().substr(0, columns());
  const std::size_t width = text.size();
  // Covers what is left of a longer line.
  if (width < shown_width_) text.append(shown_width_ - width, ' ');
  shown_width_ = width;
  std::fputc('\r', options_.stream());
  std::fputs(text.c_str(), options_.stream());
  std::fflush(options_.stream());
}

void ProgressBar::finish() {
  if (finished_) return;
  finished_ = true;
  if (terminal_)
    show();
  else if (options_.summary())
    std::fputs(line().c_str(), options_.stream());
  else
    return;
  std::fputc('\n', options_.stream());
  std::fflush(options_.stream());
}

}  // namespace tapedeck::io
