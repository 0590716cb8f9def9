#include <tapedeck/array/generator.h>

#include <algorithm>
#include <cstring>
#include <random>

#include <tapedeck/array/error.h>

namespace tapedeck {

namespace {

constexpr int kN = mt19937::kStateSize;
constexpr int kM = 397;

std::uint32_t twist(std::uint32_t u, std::uint32_t v) {
  const std::uint32_t mixed = (u & 0x80000000u) | (v & 0x7fffffffu);
  return (mixed >> 1) ^ ((0u - (v & 1u)) & 0x9908b0dfu);
}

// The layout of torch.get_rng_state(), so that states can be exchanged.
struct SavedState {
  std::uint64_t seed;
  std::int32_t left;
  std::int32_t seeded;
  std::uint64_t next;
  std::uint64_t words[kN];
  double unused_x;
  double next_double_normal;
  double unused_rho;
  std::int32_t has_double_normal;
  std::int32_t padding;
  float next_float_normal;
  std::uint8_t has_float_normal;
  std::uint8_t tail_padding[3];
};
static_assert(sizeof(SavedState) == 5056);

}  // namespace

mt19937::mt19937(std::uint64_t seed) {
  state_.seed = seed;
  state_.words[0] = static_cast<std::uint32_t>(seed);
  for (std::uint32_t i = 1; i < kN; ++i) {
    const std::uint32_t previous = state_.words[i - 1];
    state_.words[i] = 1812433253u * (previous ^ (previous >> 30)) + i;
  }
}

void mt19937::refill() {
  std::uint32_t* w = state_.words.data();
  state_.left = kN;
  state_.next = 0;
  for (int i = 0; i < kN - kM; ++i) w[i] = w[i + kM] ^ twist(w[i], w[i + 1]);
  for (int i = kN - kM; i < kN - 1; ++i) w[i] = w[i + kM - kN] ^ twist(w[i], w[i + 1]);
  w[kN - 1] = w[kM - 1] ^ twist(w[kN - 1], w[0]);
}

void mt19937::fill(std::uint32_t* out, std::int64_t count) {
  while (count > 0) {
    if (state_.left == 1) {
      refill();
      state_.left = kN + 1;
    }
    const std::int64_t n = std::min<std::int64_t>(count, state_.left - 1);
    const std::uint32_t* words = state_.words.data() + state_.next;
    for (std::int64_t i = 0; i < n; ++i) out[i] = temper(words[i]);
    out += n;
    count -= n;
    state_.next += static_cast<std::uint32_t>(n);
    state_.left -= static_cast<int>(n);
  }
}

void CPUGeneratorImpl::set_current_seed(std::uint64_t seed) {
  next_float_normal_sample_.reset();
  next_double_normal_sample_.reset();
  engine_ = mt19937(seed);
}

std::uint64_t CPUGeneratorImpl::seed() {
  std::random_device entropy;
  // As in PyTorch, 53 bits: the seed survives being a double.
  const std::uint64_t value = (std::uint64_t{entropy()} << 32 | entropy()) & 0x1fffffffffffffu;
  set_current_seed(value);
  return value;
}

std::vector<std::uint8_t> CPUGeneratorImpl::get_state() const {
  SavedState saved{};
  const mt19937::State& state = engine_.state();
  saved.seed = state.seed;
  saved.left = state.left;
  saved.seeded = 1;
  saved.next = state.next;
  std::copy(state.words.begin(), state.words.end(), saved.words);
  saved.has_double_normal = next_double_normal_sample_.has_value();
  saved.next_double_normal = next_double_normal_sample_.value_or(0.0);
  saved.has_float_normal = next_float_normal_sample_.has_value();
  saved.next_float_normal = next_float_normal_sample_.value_or(0.0f);
  std::vector<std::uint8_t> bytes(sizeof saved);
  std::memcpy(bytes.data(), &saved, sizeof saved);
  return bytes;
}

void CPUGeneratorImpl::set_state(const std::vector<std::uint8_t>& bytes) {
  SavedState saved;
  TAPEDECK_CHECK(bytes.size() == sizeof saved, "set_state: expected a generator state of ",
                 sizeof saved, " bytes, got ", bytes.size());
  std::memcpy(&saved, bytes.data(), sizeof saved);
  mt19937::State state;
  state.seed = saved.seed;
  state.left = saved.left;
  state.next = static_cast<std::uint32_t>(saved.next);
  std::copy(std::begin(saved.words), std::end(saved.words), state.words.begin());
  // The remaining count and the position must agree: a number is never read past the last word.
  TAPEDECK_CHECK(saved.seeded && state.left > 0 && state.left <= kN && saved.next <= kN &&
                     saved.next + static_cast<std::uint64_t>(state.left) <= kN + 1u,
                 "set_state: invalid mt19937 state");
  engine_.set_state(state);
  next_double_normal_sample_.reset();
  next_float_normal_sample_.reset();
  if (saved.has_double_normal) next_double_normal_sample_ = saved.next_double_normal;
  if (saved.has_float_normal) next_float_normal_sample_ = saved.next_float_normal;
}

Generator Generator::clone() const {
  auto copy = make_intrusive<CPUGeneratorImpl>();
  copy->engine_ = impl_->engine_;
  copy->next_float_normal_sample_ = impl_->next_float_normal_sample_;
  copy->next_double_normal_sample_ = impl_->next_double_normal_sample_;
  return Generator(std::move(copy));
}

void manual_seed(std::uint64_t seed) {
  const Generator& generator = detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  generator.get()->set_current_seed(seed);
}

const Generator& detail::getDefaultCPUGenerator() {
  static const Generator generator = [] {
    Generator g = createCPUGenerator();
    g.seed();
    return g;
  }();
  return generator;
}

Generator detail::createCPUGenerator(std::uint64_t seed) {
  return make_generator<CPUGeneratorImpl>(seed);
}

}  // namespace tapedeck
