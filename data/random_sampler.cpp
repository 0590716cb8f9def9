#include <tapedeck/data/random_sampler.h>

#include <algorithm>

#include <tapedeck/array/error.h>
#include <tapedeck/data/internal/sampler_archive.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/random.h>

namespace tapedeck::data::samplers {

namespace {

// The next elements of a list of indices, from `index` on, which moves.
std::optional<std::vector<std::size_t>> take(const Variable& indices, std::int64_t& index,
                                             std::size_t batch_size) {
  const std::int64_t left = indices.numel() - index;
  if (left <= 0) return std::nullopt;
  const std::int64_t count =
      static_cast<std::int64_t>(std::min(batch_size, static_cast<std::size_t>(left)));
  const Variable part = indices.slice(0, index, index + count).to(kInt64);
  const std::int64_t* values = part.data_ptr<std::int64_t>();
  index += count;
  return std::vector<std::size_t>(values, values + count);
}

}  // namespace

RandomSampler::RandomSampler(std::int64_t size, Dtype index_dtype)
    : indices_(randperm(size, TensorOptions(index_dtype))) {}

void RandomSampler::reset(std::optional<std::size_t> new_size) {
  const std::int64_t size = new_size ? static_cast<std::int64_t>(*new_size) : indices_.numel();
  indices_ = randperm(size, indices_.options());
  index_ = 0;
}

std::optional<std::vector<std::size_t>> RandomSampler::next(std::size_t batch_size) {
  return take(indices_, index_, batch_size);
}

void RandomSampler::save(serialize::OutputArchive& archive) const {
  write_position(archive, "index", index_);
  archive.write("indices", indices_, /*is_buffer=*/true);
}

void RandomSampler::load(serialize::InputArchive& archive) {
  Variable indices;
  archive.read("indices", indices, /*is_buffer=*/true);
  check_indices(indices);
  const std::int64_t index = read_position(archive, "index", indices.numel());
  archive.defer([this, indices, index] {
    indices_ = indices;
    index_ = index;
  });
}

WeightedRandomSampler::WeightedRandomSampler(std::vector<double> weights, std::size_t num_samples,
                                             bool replacement)
    : weights_(Array::empty({static_cast<std::int64_t>(weights.size())}, kFloat64)),
      num_samples_(static_cast<std::int64_t>(num_samples)),
      replacement_(replacement) {
  std::copy(weights.begin(), weights.end(), weights_.data_ptr<double>());
  reset();
}

void WeightedRandomSampler::reset(std::optional<std::size_t> new_size) {
  if (new_size) num_samples_ = static_cast<std::int64_t>(*new_size);
  indices_ = multinomial(weights_, num_samples_, replacement_);
  index_ = 0;
}

std::optional<std::vector<std::size_t>> WeightedRandomSampler::next(std::size_t batch_size) {
  return take(indices_, index_, batch_size);
}

void WeightedRandomSampler::save(serialize::OutputArchive& archive) const {
  write_position(archive, "index", index_);
  archive.write("indices", indices_, /*is_buffer=*/true);
}

void WeightedRandomSampler::load(serialize::InputArchive& archive) {
  Variable indices;
  archive.read("indices", indices, /*is_buffer=*/true);
  check_indices(indices);
  const std::int64_t index = read_position(archive, "index", indices.numel());
  archive.defer([this, indices, index] {
    indices_ = indices;
    index_ = index;
    num_samples_ = indices.numel();
  });
}

}  // namespace tapedeck::data::samplers
