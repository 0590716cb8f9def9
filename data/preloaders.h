#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

// Threads and what they wait for, without <thread> and <condition_variable>, which every program
// that includes <torch/torch.h> would have to compile.
namespace tapedeck::data::datasets::detail {

/// As std::condition_variable.
class Condition {
 public:
  Condition();
  ~Condition();
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  template <typename Predicate>
  void wait(std::unique_lock<std::mutex>& lock, const Predicate& holds) {
    while (!holds()) wait(lock);
  }
  void notify_all() noexcept;

 private:
  struct State;

  void wait(std::unique_lock<std::mutex>& lock);

  std::unique_ptr<State> state_;
};

/// Threads that run one function. They must have been joined before this is destroyed.
class Preloaders {
 public:
  Preloaders();
  ~Preloaders();
  Preloaders(const Preloaders&) = delete;
  Preloaders& operator=(const Preloaders&) = delete;

  void start(std::size_t count, const std::function<void()>& body);
  /// Waits for all of them to end.
  void join();

 private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace tapedeck::data::datasets::detail
