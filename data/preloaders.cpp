#include <tapedeck/data/preloaders.h>

#include <condition_variable>
#include <thread>
#include <vector>

namespace tapedeck::data::datasets::detail {

struct Condition::State {
  std::condition_variable condition;
};

Condition::Condition() : state_(std::make_unique<State>()) {}
Condition::~Condition() = default;
void Condition::wait(std::unique_lock<std::mutex>& lock) { state_->condition.wait(lock); }
void Condition::notify_all() noexcept { state_->condition.notify_all(); }

struct Preloaders::State {
  std::vector<std::thread> threads;
};

Preloaders::Preloaders() : state_(std::make_unique<State>()) {}
Preloaders::~Preloaders() = default;
void Preloaders::start(std::size_t count, const std::function<void()>& body) {
  state_->threads.reserve(state_->threads.size() + count);
  for (std::size_t i = 0; i < count; ++i) state_->threads.emplace_back(body);
}
void Preloaders::join() {
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

}  // namespace tapedeck::data::datasets::detail
