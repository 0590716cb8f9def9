#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <tapedeck/data/sampler.h>

namespace tapedeck::data::samplers {

/// Gives each of `num_replicas` processes its share of the indices. Where they do not divide, some
/// come twice (allow_duplicates) or some not at all, so that the shares are equal.
template <typename BatchRequest = std::vector<std::size_t>>
class DistributedSampler : public Sampler<BatchRequest> {
 public:
  explicit DistributedSampler(std::size_t size, std::size_t num_replicas = 1, std::size_t rank = 0,
                              bool allow_duplicates = true)
      : size_(size),
        num_replicas_(num_replicas),
        rank_(rank),
        allow_duplicates_(allow_duplicates) {}

  /// The seed of the next reset, which must be the same in all processes.
  void set_epoch(std::size_t epoch) { epoch_ = epoch; }
  std::size_t epoch() const { return epoch_; }

 protected:
  std::size_t local_sample_count() {
    return (allow_duplicates_ ? size_ + num_replicas_ - 1 : size_) / num_replicas_;
  }

  std::size_t size_, num_replicas_, rank_, epoch_ = 0;
  bool allow_duplicates_;
};

/// What the two samplers below have in common.
class DistributedIndices : public DistributedSampler<> {
 public:
  std::optional<std::vector<std::size_t>> next(std::size_t batch_size) override;
  void save(serialize::OutputArchive& archive) const override;
  void load(serialize::InputArchive& archive) override;
  std::size_t index() const noexcept { return sample_index_; }

 protected:
  DistributedIndices(std::size_t size, std::size_t num_replicas, std::size_t rank,
                     bool allow_duplicates);
  void populate();

  std::size_t begin_index_ = 0, end_index_ = 0, sample_index_ = 0;
  std::vector<std::size_t> all_indices_;
};

/// Shuffled at each reset, by the epoch that was set: equal to libtorch's.
class DistributedRandomSampler : public DistributedIndices {
 public:
  explicit DistributedRandomSampler(std::size_t size, std::size_t num_replicas = 1,
                                    std::size_t rank = 0, bool allow_duplicates = true);
  void reset(std::optional<std::size_t> new_size = std::nullopt) override;
};

/// In order.
class DistributedSequentialSampler : public DistributedIndices {
 public:
  explicit DistributedSequentialSampler(std::size_t size, std::size_t num_replicas = 1,
                                        std::size_t rank = 0, bool allow_duplicates = true);
  void reset(std::optional<std::size_t> new_size = std::nullopt) override;
};

}  // namespace tapedeck::data::samplers
