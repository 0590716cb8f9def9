#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <tapedeck/data/dataset.h>
#include <tapedeck/data/image_data.h>

namespace tapedeck::data::datasets {

/// Digits that are drawn here, in MNIST's form, for where MNIST is not at hand: images float32
/// [1, 28, 28] of [0, 1], labels int64. Each is a skeleton of strokes, moved, scaled, slanted and
/// turned at random, with a pen of random width and a little noise. The same seed gives the same
/// images; take different ones for training and testing.
class SyntheticDigits : public Dataset<SyntheticDigits> {
 public:
  explicit SyntheticDigits(std::size_t count, std::uint64_t seed = 0);

  Example<> get(std::size_t index) override;
  Example<> get_stacked(ArrayRef<std::size_t> indices) { return data_.get_stacked(indices); }
  std::optional<std::size_t> size() const override;
  const Variable& images() const { return data_.images(); }
  const Variable& targets() const { return data_.targets(); }

 private:
  ImageData data_;
};
extern template class Dataset<SyntheticDigits>;

}  // namespace tapedeck::data::datasets
