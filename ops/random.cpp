#include <tapedeck/ops/random.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/random.h>

namespace tapedeck {

namespace {

// self = random;  dself = 0: the old value has no part in the new one.
template <typename Fill>
Variable& fill_inplace(const Variable& self, const char* op, Fill fill) {
  check_inplace(self, op);
  fill(self.array());
  finish_inplace(self);
  if (should_record(self)) return assign_inplace(self, Variable(kernels::clone(self.array())), op);
  return const_cast<Variable&>(self);
}

template <typename Fill>
Variable filled(Variable result, const TensorOptions& options, Fill fill) {
  fill(result.array());
  if (options.requires_grad()) result.requires_grad_(true);
  return result;
}

Variable blank(IntArrayRef size, const TensorOptions& options) {
  return empty(size, options.requires_grad(std::nullopt));
}
Variable blank_like(const Variable& self, const TensorOptions& options,
                    std::optional<MemoryFormat> format) {
  return empty_like(self, options.requires_grad(std::nullopt), format);
}

}  // namespace

Variable& Variable::uniform_(double from, double to, std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("uniform_", *this);
  return fill_inplace(*this, "uniform_",
                      [&](const Array& a) { kernels::uniform(a, from, to, generator); });
}
Variable& Variable::normal_(double mean, double std, std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("normal_", *this);
  return fill_inplace(*this, "normal_",
                      [&](const Array& a) { kernels::normal(a, mean, std, generator); });
}
Variable& Variable::log_normal_(double mean, double std, std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("log_normal_", *this);
  return fill_inplace(*this, "log_normal_",
                      [&](const Array& a) { kernels::log_normal(a, mean, std, generator); });
}
Variable& Variable::cauchy_(double median, double sigma, std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("cauchy_", *this);
  return fill_inplace(*this, "cauchy_",
                      [&](const Array& a) { kernels::cauchy(a, median, sigma, generator); });
}
Variable& Variable::bernoulli_(double p, std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("bernoulli_", *this);
  const detail::OpScope scope("bernoulli_");
  return fill_inplace(*this, "bernoulli_",
                      [&](const Array& a) { kernels::bernoulli(a, p, generator); });
}
Variable& Variable::bernoulli_(const Variable& p, std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("bernoulli_", *this, p);
  const detail::OpScope scope("bernoulli_");
  return fill_inplace(*this, "bernoulli_",
                      [&](const Array& a) { kernels::bernoulli(a, p.array(), generator); });
}
Variable& Variable::exponential_(double lambd, std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("exponential_", *this);
  return fill_inplace(*this, "exponential_",
                      [&](const Array& a) { kernels::exponential(a, lambd, generator); });
}
Variable& Variable::geometric_(double p, std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("geometric_", *this);
  return fill_inplace(*this, "geometric_",
                      [&](const Array& a) { kernels::geometric(a, p, generator); });
}
Variable& Variable::random_(std::int64_t from, std::optional<std::int64_t> to,
                            std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("random_", *this);
  return fill_inplace(*this, "random_",
                      [&](const Array& a) { kernels::random_from_to(a, from, to, generator); });
}
Variable& Variable::random_(std::int64_t to, std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("random_", *this);
  return random_(0, std::optional<std::int64_t>(to), std::move(generator));
}
Variable& Variable::random_(std::optional<Generator> generator) const {
  TAPEDECK_CHECK_DEFINED("random_", *this);
  return fill_inplace(*this, "random_", [&](const Array& a) { kernels::random(a, generator); });
}

Variable rand(IntArrayRef size, TensorOptions options) {
  const detail::OpScope scope("rand");
  return rand(size, std::nullopt, options);
}
Variable rand(IntArrayRef size, std::optional<Generator> generator, TensorOptions options) {
  const detail::OpScope scope("rand");
  return filled(blank(size, options), options,
                [&](const Array& a) { kernels::uniform(a, 0, 1, generator); });
}
Variable rand_like(const Variable& self, TensorOptions options,
                   std::optional<MemoryFormat> memory_format) {
  TAPEDECK_CHECK_DEFINED("rand_like", self);
  const detail::OpScope scope("rand_like");
  return filled(blank_like(self, options, memory_format), options,
                [](const Array& a) { kernels::uniform(a, 0, 1); });
}

Variable randn(IntArrayRef size, TensorOptions options) {
  const detail::OpScope scope("randn");
  return randn(size, std::nullopt, options);
}
Variable randn(IntArrayRef size, std::optional<Generator> generator, TensorOptions options) {
  const detail::OpScope scope("randn");
  return normal(0, 1, size, std::move(generator), options);
}
Variable randn_like(const Variable& self, TensorOptions options,
                    std::optional<MemoryFormat> memory_format) {
  TAPEDECK_CHECK_DEFINED("randn_like", self);
  const detail::OpScope scope("randn_like");
  return filled(blank_like(self, options, memory_format), options,
                [](const Array& a) { kernels::normal(a, 0, 1); });
}

Variable randint(std::int64_t high, IntArrayRef size, TensorOptions options) {
  const detail::OpScope scope("randint");
  return randint(0, high, size, std::nullopt, options);
}
Variable randint(std::int64_t high, IntArrayRef size, std::optional<Generator> generator,
                 TensorOptions options) {
  const detail::OpScope scope("randint");
  return randint(0, high, size, std::move(generator), options);
}
Variable randint(std::int64_t low, std::int64_t high, IntArrayRef size, TensorOptions options) {
  const detail::OpScope scope("randint");
  return randint(low, high, size, std::nullopt, options);
}
Variable randint(std::int64_t low, std::int64_t high, IntArrayRef size,
                 std::optional<Generator> generator, TensorOptions options) {
  const detail::OpScope scope("randint");
  return filled(blank(size, options), options,
                [&](const Array& a) { kernels::random_from_to(a, low, high, generator); });
}
Variable randint_like(const Variable& self, std::int64_t high, TensorOptions options,
                      std::optional<MemoryFormat> memory_format) {
  TAPEDECK_CHECK_DEFINED("randint_like", self);
  const detail::OpScope scope("randint_like");
  return randint_like(self, 0, high, options, memory_format);
}
Variable randint_like(const Variable& self, std::int64_t low, std::int64_t high,
                      TensorOptions options, std::optional<MemoryFormat> memory_format) {
  TAPEDECK_CHECK_DEFINED("randint_like", self);
  const detail::OpScope scope("randint_like");
  return filled(blank_like(self, options, memory_format), options,
                [&](const Array& a) { kernels::random_from_to(a, low, high); });
}

Variable randperm(std::int64_t n, TensorOptions options) {
  const detail::OpScope scope("randperm");
  return randperm(n, std::nullopt, options);
}
Variable randperm(std::int64_t n, std::optional<Generator> generator, TensorOptions options) {
  const detail::OpScope scope("randperm");
  TAPEDECK_CHECK(n >= 0, "randperm: n must be non-negative, got ", n);
  return filled(blank({n}, options), options,
                [&](const Array& a) { kernels::randperm(a, generator); });
}

Variable normal(double mean, double std, IntArrayRef size, std::optional<Generator> generator,
                TensorOptions options) {
  const detail::OpScope scope("normal");
  return filled(blank(size, options), options,
                [&](const Array& a) { kernels::normal(a, mean, std, generator); });
}

namespace {

void check_deviations(const Variable& std) {
  const Array negative =
      kernels::cast(kernels::binary(kernels::BinaryOp::Lt, std.array(), 0), ScalarType::Byte);
  const auto* flags = negative.data<std::uint8_t>();
  for (std::int64_t i = 0; i < negative.numel(); ++i)
    TAPEDECK_CHECK(!flags[i], "normal expects all elements of std >= 0.0");
}

}  // namespace

Variable normal(const Variable& mean, double std, std::optional<Generator> generator) {
  TAPEDECK_CHECK_DEFINED("normal", mean);
  const detail::OpScope scope("normal");
  Array out = Array::empty(mean.sizes(), mean.dtype());
  kernels::normal(out, 0, std, generator);
  kernels::add_out(out, out, mean.array());
  return Variable(std::move(out));
}
Variable normal(double mean, const Variable& std, std::optional<Generator> generator) {
  TAPEDECK_CHECK_DEFINED("normal", std);
  const detail::OpScope scope("normal");
  check_deviations(std);
  Array out = Array::empty(std.sizes(), std.dtype());
  kernels::normal(out, 0, 1, generator);
  kernels::mul_out(out, out, std.array());
  kernels::binary_out(kernels::BinaryOp::Add, out, out, mean);
  return Variable(std::move(out));
}
Variable normal(const Variable& mean, const Variable& std, std::optional<Generator> generator) {
  TAPEDECK_CHECK_DEFINED("normal", mean, std);
  const detail::OpScope scope("normal");
  check_deviations(std);
  Array out = Array::empty(broadcast_shapes(mean.sizes(), std.sizes(), "normal"), mean.dtype());
  kernels::normal(out, 0, 1, generator);
  kernels::mul_out(out, out, kernels::cast(std.array(), out.dtype()));
  kernels::add_out(out, out, mean.array());
  return Variable(std::move(out));
}

// y = bernoulli(x);  dx = 0, which is what PyTorch gives
Variable bernoulli(const Variable& self, std::optional<Generator> generator) {
  TAPEDECK_CHECK_DEFINED("bernoulli", self);
  const detail::OpScope scope("bernoulli");
  Variable y = empty_like(self, {}, MemoryFormat::Contiguous);
  kernels::bernoulli(y.array(), self.array(), generator);
  if (should_record(self))
    record(y, "BernoulliBackward0", edges(self), [](const Variable& g) { return zeros_like(g); });
  return y;
}
Variable bernoulli(const Variable& self, double p, std::optional<Generator> generator) {
  TAPEDECK_CHECK_DEFINED("bernoulli", self);
  const detail::OpScope scope("bernoulli");
  Variable y = empty_like(self, {}, MemoryFormat::Contiguous);
  kernels::bernoulli(y.array(), p, generator);
  if (should_record(self))
    record(y, "BernoulliBackward1", edges(self), [](const Variable& g) { return zeros_like(g); });
  return y;
}
Variable Variable::bernoulli(std::optional<Generator> generator) const {
  return tapedeck::bernoulli(*this, std::move(generator));
}
Variable Variable::bernoulli(double p, std::optional<Generator> generator) const {
  return tapedeck::bernoulli(*this, p, std::move(generator));
}

Variable multinomial(const Variable& self, std::int64_t num_samples, bool replacement,
                     std::optional<Generator> generator) {
  TAPEDECK_CHECK_DEFINED("multinomial", self);
  return Variable(kernels::multinomial(self.array(), num_samples, replacement, generator));
}
Variable Variable::multinomial(std::int64_t num_samples, bool replacement,
                               std::optional<Generator> generator) const {
  return tapedeck::multinomial(*this, num_samples, replacement, std::move(generator));
}

}  // namespace tapedeck
