#include <tapedeck/data/samplers.h>

#include <algorithm>
#include <limits>
#include <random>

#include <tapedeck/data/internal/sampler_archive.h>

namespace tapedeck::data::samplers {

// ---- in order ----

void SequentialSampler::reset(std::optional<std::size_t> new_size) {
  if (new_size) size_ = *new_size;
  index_ = 0;
}

std::optional<std::vector<std::size_t>> SequentialSampler::next(std::size_t batch_size) {
  if (index_ >= size_) return std::nullopt;
  std::vector<std::size_t> batch(std::min(batch_size, size_ - index_));
  std::iota(batch.begin(), batch.end(), index_);
  index_ += batch.size();
  return batch;
}

void SequentialSampler::save(serialize::OutputArchive& archive) const {
  write_position(archive, "index", static_cast<std::int64_t>(index_));
}
void SequentialSampler::load(serialize::InputArchive& archive) {
  // A sampler of size zero is one that has not been told its size yet: any index will do.
  const std::int64_t end =
      size_ > 0 ? static_cast<std::int64_t>(size_) : std::numeric_limits<std::int64_t>::max();
  const std::int64_t index = read_position(archive, "index", end);
  archive.defer([this, index] { index_ = static_cast<std::size_t>(index); });
}

// ---- of a stream ----

void StreamSampler::reset(std::optional<std::size_t> new_size) {
  if (new_size) epoch_size_ = *new_size;
  examples_retrieved_so_far_ = 0;
}

std::optional<BatchSize> StreamSampler::next(std::size_t batch_size) {
  if (examples_retrieved_so_far_ >= epoch_size_) return std::nullopt;
  const std::size_t size = std::min(batch_size, epoch_size_ - examples_retrieved_so_far_);
  examples_retrieved_so_far_ += size;
  return BatchSize(size);
}

void StreamSampler::save(serialize::OutputArchive& archive) const {
  write_position(archive, "examples_retrieved_so_far",
                 static_cast<std::int64_t>(examples_retrieved_so_far_));
}
void StreamSampler::load(serialize::InputArchive& archive) {
  const std::int64_t count =
      read_position(archive, "examples_retrieved_so_far", std::numeric_limits<std::int64_t>::max());
  archive.defer([this, count] { examples_retrieved_so_far_ = static_cast<std::size_t>(count); });
}

// ---- distributed ----

DistributedIndices::DistributedIndices(std::size_t size, std::size_t num_replicas, std::size_t rank,
                                       bool allow_duplicates)
    : DistributedSampler(size, num_replicas, rank, allow_duplicates) {
  TAPEDECK_CHECK_AS(ValueError, num_replicas > 0 && rank < num_replicas,
                    "DistributedSampler: expected a rank below num_replicas, got rank ", rank,
                    " of ", num_replicas);
}

void DistributedIndices::populate() {
  const std::size_t local = local_sample_count();
  all_indices_.resize(num_replicas_ == 1 ? size_ : local * num_replicas_);
  std::iota(all_indices_.begin(), all_indices_.end(), std::size_t{0});
  // What is missing for equal shares is repeated from the front.
  for (std::size_t i = size_; i < all_indices_.size(); ++i) all_indices_[i] = i - size_;
  begin_index_ = rank_ * local;
  end_index_ = begin_index_ + local;
  sample_index_ = begin_index_;
}

std::optional<std::vector<std::size_t>> DistributedIndices::next(std::size_t batch_size) {
  if (sample_index_ >= end_index_) return std::nullopt;
  const std::size_t end = std::min(end_index_, sample_index_ + batch_size);
  const auto first = all_indices_.begin();
  std::vector<std::size_t> batch(first + static_cast<std::ptrdiff_t>(sample_index_),
                                 first + static_cast<std::ptrdiff_t>(end));
  sample_index_ = end;
  return batch;
}

void DistributedIndices::save(serialize::OutputArchive& archive) const {
  write_position(archive, "sample_index", static_cast<std::int64_t>(sample_index_));
  write_position(archive, "epoch", static_cast<std::int64_t>(epoch_));
}

void DistributedIndices::load(serialize::InputArchive& archive) {
  const std::int64_t epoch =
      read_position(archive, "epoch", std::numeric_limits<std::int64_t>::max());
  const std::int64_t index =
      read_position(archive, "sample_index", static_cast<std::int64_t>(end_index_));
  archive.defer([this, epoch, index] {
    set_epoch(static_cast<std::size_t>(epoch));
    reset(size_);
    sample_index_ = static_cast<std::size_t>(index);
  });
}

DistributedRandomSampler::DistributedRandomSampler(std::size_t size, std::size_t num_replicas,
                                                   std::size_t rank, bool allow_duplicates)
    : DistributedIndices(size, num_replicas, rank, allow_duplicates) {
  reset(size);
}
void DistributedRandomSampler::reset(std::optional<std::size_t> new_size) {
  size_ = new_size.value_or(size_);
  populate();
  std::mt19937 random(static_cast<std::mt19937::result_type>(epoch_));
  std::shuffle(all_indices_.begin(), all_indices_.end(), random);
}

DistributedSequentialSampler::DistributedSequentialSampler(std::size_t size,
                                                           std::size_t num_replicas,
                                                           std::size_t rank, bool allow_duplicates)
    : DistributedIndices(size, num_replicas, rank, allow_duplicates) {
  reset(size);
}
void DistributedSequentialSampler::reset(std::optional<std::size_t> new_size) {
  size_ = new_size.value_or(size_);
  populate();
}

}  // namespace tapedeck::data::samplers
