#pragma once

#include <utility>
#include <vector>

#include <tapedeck/data/transform.h>

namespace tapedeck::data::transforms {

namespace detail {
/// [C] to [C, 1, 1], float32.
Variable channel_values(ArrayRef<double> values);
/// (input - mean) / stddev; in place where the batch belongs to nobody else.
Variable normalize_batch(Variable batch, const Variable& mean, const Variable& stddev);
/// Crops or flips each image of [N, C, H, W] by numbers drawn image after image.
Variable random_crops(const Variable& batch, std::int64_t height, std::int64_t width,
                      std::int64_t padding);
Variable random_flips(const Variable& batch, double p);
}  // namespace detail

/// Subtracts a mean and divides by a standard deviation, one for all channels or one for each.
template <typename Target = Variable>
struct Normalize : public TensorTransform<Target> {
  Normalize(ArrayRef<double> mean_values, ArrayRef<double> stddev_values)
      : mean(detail::channel_values(mean_values)), stddev(detail::channel_values(stddev_values)) {}

  Variable operator()(Variable input) override { return input.sub(mean).div(stddev); }
  Variable apply_stacked(Variable batch) {
    return detail::normalize_batch(std::move(batch), mean, stddev);
  }

  Variable mean, stddev;
};

/// A random window of each image, after zeros were put around it. Image [C, H, W].
template <typename Target = Variable>
class RandomCrop : public TensorTransform<Target> {
 public:
  explicit RandomCrop(std::int64_t size, std::int64_t padding = 0)
      : RandomCrop(size, size, padding) {}
  RandomCrop(std::int64_t height, std::int64_t width, std::int64_t padding)
      : height_(height), width_(width), padding_(padding) {}

  Variable operator()(Variable input) override {
    return apply_stacked(input.unsqueeze(0)).squeeze(0);
  }
  Variable apply_stacked(Variable batch) {
    return detail::random_crops(batch, height_, width_, padding_);
  }

 private:
  std::int64_t height_, width_, padding_;
};

/// Mirrors an image [C, H, W], left for right, with probability p.
template <typename Target = Variable>
class RandomHorizontalFlip : public TensorTransform<Target> {
 public:
  explicit RandomHorizontalFlip(double p = 0.5) : p_(p) {}

  Variable operator()(Variable input) override {
    return apply_stacked(input.unsqueeze(0)).squeeze(0);
  }
  Variable apply_stacked(Variable batch) { return detail::random_flips(batch, p_); }

 private:
  double p_;
};

}  // namespace tapedeck::data::transforms
