#pragma once

#include <cstdint>

#include <tapedeck/array/dtype.h>
#include <tapedeck/autograd/variable.h>
#include <tapedeck/data/sampler.h>

namespace tapedeck::data::samplers {

/// Hands out a list of indices from the front; what draws the list is for the derived class to say.
class IndexListSampler : public Sampler<> {
 public:
  std::optional<std::vector<std::size_t>> next(std::size_t batch_size) override;
  void save(serialize::OutputArchive& archive) const override;
  void load(serialize::InputArchive& archive) override;
  /// How many have been handed out.
  std::size_t index() const noexcept { return static_cast<std::size_t>(index_); }

 protected:
  /// Begins with this list.
  void start(Variable indices);
  const Variable& indices() const { return indices_; }

 private:
  Variable indices_;
  std::int64_t index_ = 0;
};

/// Every index once, in the order of randperm: the same as libtorch's for the same seed. Making the
/// sampler draws a permutation already, and so does each reset.
class RandomSampler : public IndexListSampler {
 public:
  explicit RandomSampler(std::int64_t size, Dtype index_dtype = kInt64);

  void reset(std::optional<std::size_t> new_size = std::nullopt) override;
};

/// Indices drawn with given weights, `num_samples` in an epoch, with or without replacement.
/// \throws Error for weights that are negative, infinite, NaN or all zero.
class WeightedRandomSampler : public IndexListSampler {
 public:
  WeightedRandomSampler(std::vector<double> weights, std::size_t num_samples,
                        bool replacement = true);

  /// A new size is the number of samples.
  void reset(std::optional<std::size_t> new_size = std::nullopt) override;

 private:
  Variable weights_;
  bool replacement_;
};

}  // namespace tapedeck::data::samplers
