#include <tapedeck/data/random_sampler.h>

#include <algorithm>
#include <utility>

#include <tapedeck/array/error.h>
#include <tapedeck/data/internal/sampler_archive.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/random.h>

namespace tapedeck::data::samplers {

std::optional<std::vector<std::size_t>> IndexListSampler::next(std::size_t batch_size) {
  const std::int64_t left = indices_.numel() - index_;
  if (left <= 0) return std::nullopt;
  const auto count =
      static_cast<std::int64_t>(std::min(batch_size, static_cast<std::size_t>(left)));
  const Variable part = indices_.slice(0, index_, index_ + count).to(kInt64);
  const std::int64_t* values = part.data_ptr<std::int64_t>();
  index_ += count;
  return std::vector<std::size_t>(values, values + count);
}

void IndexListSampler::start(Variable indices) {
  indices_ = std::move(indices);
  index_ = 0;
}

void IndexListSampler::save(serialize::OutputArchive& archive) const {
  write_position(archive, "index", index_);
  archive.write("indices", indices_, /*is_buffer=*/true);
}

void IndexListSampler::load(serialize::InputArchive& archive) {
  Variable indices;
  archive.read("indices", indices, /*is_buffer=*/true);
  check_indices(indices);
  const std::int64_t index = read_position(archive, "index", indices.numel());
  archive.defer([this, indices, index] {
    indices_ = indices;
    index_ = index;
  });
}

RandomSampler::RandomSampler(std::int64_t size, Dtype index_dtype) {
  start(randperm(size, TensorOptions(index_dtype)));
}

void RandomSampler::reset(std::optional<std::size_t> new_size) {
  const std::int64_t size = new_size ? static_cast<std::int64_t>(*new_size) : indices().numel();
  start(randperm(size, indices().options()));
}

WeightedRandomSampler::WeightedRandomSampler(std::vector<double> weights, std::size_t num_samples,
                                             bool replacement)
    : weights_(Array::empty({static_cast<std::int64_t>(weights.size())}, kFloat64)),
      replacement_(replacement) {
  std::copy(weights.begin(), weights.end(), weights_.data_ptr<double>());
  WeightedRandomSampler::reset(num_samples);
}

void WeightedRandomSampler::reset(std::optional<std::size_t> new_size) {
  const std::int64_t size = new_size ? static_cast<std::int64_t>(*new_size) : indices().numel();
  start(multinomial(weights_, size, replacement_));
}

}  // namespace tapedeck::data::samplers
