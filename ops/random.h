#pragma once

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

// Random tensors. They draw from the default generator (see manual_seed) unless given one, and are
// the numbers that PyTorch gives on the CPU for the same seed. None of them is differentiable.

/// Uniform on [0, 1).
Variable rand(IntArrayRef size, TensorOptions options = {});
Variable rand(IntArrayRef size, std::optional<Generator> generator, TensorOptions options = {});
Variable rand_like(const Variable& self, TensorOptions options = {},
                   std::optional<MemoryFormat> memory_format = std::nullopt);
/// Normal, of mean 0 and standard deviation 1.
Variable randn(IntArrayRef size, TensorOptions options = {});
Variable randn(IntArrayRef size, std::optional<Generator> generator, TensorOptions options = {});
Variable randn_like(const Variable& self, TensorOptions options = {},
                    std::optional<MemoryFormat> memory_format = std::nullopt);
/// Integers of [low, high), low = 0 where not given; int64 unless the options say otherwise.
Variable randint(std::int64_t high, IntArrayRef size, TensorOptions options = kLong);
Variable randint(std::int64_t high, IntArrayRef size, std::optional<Generator> generator,
                 TensorOptions options = kLong);
Variable randint(std::int64_t low, std::int64_t high, IntArrayRef size,
                 TensorOptions options = kLong);
Variable randint(std::int64_t low, std::int64_t high, IntArrayRef size,
                 std::optional<Generator> generator, TensorOptions options = kLong);
Variable randint_like(const Variable& self, std::int64_t high, TensorOptions options = {},
                      std::optional<MemoryFormat> memory_format = std::nullopt);
Variable randint_like(const Variable& self, std::int64_t low, std::int64_t high,
                      TensorOptions options = {},
                      std::optional<MemoryFormat> memory_format = std::nullopt);
/// A permutation of 0 ... n-1; int64 unless the options say otherwise.
Variable randperm(std::int64_t n, TensorOptions options = kLong);
Variable randperm(std::int64_t n, std::optional<Generator> generator,
                  TensorOptions options = kLong);
/// Normal with a mean and standard deviation for all, or for each element. \throws Error for a
/// negative std.
Variable normal(double mean, double std, IntArrayRef size,
                std::optional<Generator> generator = std::nullopt, TensorOptions options = {});
Variable normal(const Variable& mean, double std = 1,
                std::optional<Generator> generator = std::nullopt);
Variable normal(double mean, const Variable& std,
                std::optional<Generator> generator = std::nullopt);
Variable normal(const Variable& mean, const Variable& std,
                std::optional<Generator> generator = std::nullopt);
/// 1 with the probability that self's element says, or with p; self's shape and dtype.
Variable bernoulli(const Variable& self, std::optional<Generator> generator = std::nullopt);
Variable bernoulli(const Variable& self, double p,
                   std::optional<Generator> generator = std::nullopt);
/// Category numbers (int64) drawn from each row of weights: [C] or [N, C] to [samples] or
/// [N, samples]. \throws Error for weights that are negative, infinite, NaN or all zero.
Variable multinomial(const Variable& self, std::int64_t num_samples, bool replacement = false,
                     std::optional<Generator> generator = std::nullopt);

}  // namespace tapedeck
