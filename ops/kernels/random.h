#pragma once

#include <cstdint>
#include <optional>

#include <tapedeck/array/array.h>
#include <tapedeck/array/generator.h>

/// Random fills that give, seed for seed, the numbers of PyTorch 1.13 on the CPU (built without
/// MKL). All overwrite `out` in the order of its memory, and draw from the default generator unless
/// given one. Where PyTorch's vectorised code rounds differently from its scalar code, the former
/// is followed.
namespace tapedeck::kernels {

using OptionalGenerator = std::optional<Generator>;

/// Uniform on [from, to), floating point. \throws Error unless from <= to.
void uniform(const Array& out, double from, double to, const OptionalGenerator& generator = {});

/// Normal, floating point. \throws Error for a negative std.
void normal(const Array& out, double mean, double std, const OptionalGenerator& generator = {});

/// exp of a normal, floating point. \throws Error unless std > 0.
void log_normal(const Array& out, double mean, double std, const OptionalGenerator& generator = {});

/// Exponential of rate `lambda`, floating point. \throws Error for a negative rate.
void exponential(const Array& out, double lambda, const OptionalGenerator& generator = {});

/// Cauchy, floating point.
void cauchy(const Array& out, double median, double sigma, const OptionalGenerator& generator = {});

/// The number of trials until the first success: 1, 2, ... \throws Error unless 0 < p < 1.
void geometric(const Array& out, double p, const OptionalGenerator& generator = {});

/// 1 with probability p, else 0; any dtype. \throws Error unless 0 <= p <= 1.
void bernoulli(const Array& out, double p, const OptionalGenerator& generator = {});
/// The same with a probability for each element; `p` is floating and broadcasts to out's sizes.
void bernoulli(const Array& out, const Array& p, const OptionalGenerator& generator = {});

/// Integers of the dtype's whole non-negative range; in floating dtypes those that are exact.
void random(const Array& out, const OptionalGenerator& generator = {});
/// Integers of [from, to), or from `from` up to the dtype's greatest where `to` is unset.
/// \throws Error unless from < to and the dtype holds both.
void random_from_to(const Array& out, std::int64_t from, std::optional<std::int64_t> to,
                    const OptionalGenerator& generator = {});

/// A permutation of 0 ... n-1; `out` is one-dimensional and contiguous.
void randperm(const Array& out, const OptionalGenerator& generator = {});

/// Draws category numbers from each row of weights. `weights` [C] or [N, C], floating, not
/// necessarily of sum 1; returns int64 [samples] or [N, samples]. Without replacement no category
/// comes twice, and the order is that of the draws.
/// \throws Error for weights that are negative, infinite, NaN or all zero.
Array multinomial(const Array& weights, std::int64_t samples, bool replacement,
                  const OptionalGenerator& generator = {});

}  // namespace tapedeck::kernels
