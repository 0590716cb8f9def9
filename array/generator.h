#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include <tapedeck/array/intrusive_ptr.h>
#include <tapedeck/array/tensor_options.h>

namespace tapedeck {

/// The seed of a generator that was given none.
inline constexpr std::uint64_t default_rng_seed_val = 67280421310721;

/// The 32-bit Mersenne Twister (Matsumoto and Nishimura, 1998), seeded as PyTorch seeds it.
class mt19937 {
 public:
  static constexpr int kStateSize = 624;
  /// All there is to an engine; what PyTorch's saved states hold.
  struct State {
    std::uint64_t seed = 0;
    int left = 1;            ///< numbers until the words are made anew, plus one
    std::uint32_t next = 0;  ///< the word that the next number is made from
    std::array<std::uint32_t, kStateSize> words{};
  };

  explicit mt19937(std::uint64_t seed = 5489);

  /// The next number, uniform over all of 32 bits.
  std::uint32_t operator()() {
    if (--state_.left == 0) refill();
    return temper(state_.words[state_.next++]);
  }
  /// The next `count` numbers, as that many calls would give them.
  void fill(std::uint32_t* out, std::int64_t count);

  std::uint64_t seed() const { return state_.seed; }
  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  static std::uint32_t temper(std::uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }
  void refill();

  State state_;
};

/// What Generators share: the engine, and the second half of a normal pair that was not used yet.
/// Everything but `mutex_` is to be used under `mutex_`.
class CPUGeneratorImpl final : public RefCounted {
 public:
  explicit CPUGeneratorImpl(std::uint64_t seed = default_rng_seed_val) : engine_(seed) {}

  std::uint32_t random() { return engine_(); }
  /// Two numbers of the engine, the first in the upper half.
  std::uint64_t random64() {
    const std::uint64_t high = engine_();
    return high << 32 | engine_();
  }

  std::uint64_t current_seed() const { return engine_.seed(); }
  /// Starts the sequence of `seed` and forgets the cached normal samples.
  void set_current_seed(std::uint64_t seed);
  /// Seeds from the system's entropy. \return that seed
  std::uint64_t seed();

  std::vector<std::uint8_t> get_state() const;
  void set_state(const std::vector<std::uint8_t>& bytes);

  mt19937& engine() { return engine_; }
  std::optional<float> next_float_normal_sample() const { return next_float_normal_sample_; }
  std::optional<double> next_double_normal_sample() const { return next_double_normal_sample_; }
  void set_next_float_normal_sample(std::optional<float> v) { next_float_normal_sample_ = v; }
  void set_next_double_normal_sample(std::optional<double> v) { next_double_normal_sample_ = v; }

  std::mutex mutex_;

 private:
  friend class Generator;

  mt19937 engine_;
  std::optional<float> next_float_normal_sample_;
  std::optional<double> next_double_normal_sample_;
};

/// A source of random numbers that gives, seed for seed, those of PyTorch's CPU generator. A
/// handle: copies draw from the same sequence. Default-constructed it is none at all.
class Generator {
 public:
  Generator() = default;
  explicit Generator(intrusive_ptr<CPUGeneratorImpl> impl) : impl_(std::move(impl)) {}

  bool defined() const { return static_cast<bool>(impl_); }
  bool operator==(const Generator& other) const { return impl_ == other.impl_; }

  std::uint64_t current_seed() const { return impl_->current_seed(); }
  /// Starts the sequence of `seed`.
  void set_current_seed(std::uint64_t seed) { impl_->set_current_seed(seed); }
  /// Seeds from the system's entropy. \return that seed
  std::uint64_t seed() { return impl_->seed(); }
  /// Everything that decides the numbers to come, in the 5056 bytes of torch.get_rng_state().
  std::vector<std::uint8_t> get_state() const { return impl_->get_state(); }
  /// \throws Error unless `bytes` came from get_state() or torch.get_rng_state().
  void set_state(const std::vector<std::uint8_t>& bytes) { impl_->set_state(bytes); }
  /// A generator of its own that continues where this one is.
  Generator clone() const;

  /// To be held while drawing; the seed and state functions above leave that to the caller too.
  std::mutex& mutex() const { return impl_->mutex_; }
  Device device() const { return Device(kCPU); }
  template <typename Impl = CPUGeneratorImpl>
  Impl* get() const {
    return static_cast<Impl*>(impl_.get());
  }

 private:
  intrusive_ptr<CPUGeneratorImpl> impl_;
};

/// A generator with a sequence of its own: `make_generator<CPUGeneratorImpl>(seed)`.
template <typename Impl, typename... Args>
Generator make_generator(Args&&... args) {
  return Generator(make_intrusive<Impl>(std::forward<Args>(args)...));
}

/// Starts the default generator's sequence of `seed`: every random function that is given no
/// generator of its own then repeats itself.
void manual_seed(std::uint64_t seed);

namespace detail {

/// The generator of whoever brings none; seeded from the system's entropy until manual_seed().
const Generator& getDefaultCPUGenerator();
Generator createCPUGenerator(std::uint64_t seed = default_rng_seed_val);

}  // namespace detail
}  // namespace tapedeck
