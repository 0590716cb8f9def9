#include <tapedeck/data/image_transforms.h>

#include <algorithm>
#include <cstring>

#include <tapedeck/array/error.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/data/batch_random.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/pixels.h>

namespace tapedeck::data::transforms::detail {

Variable channel_values(ArrayRef<double> values) {
  TAPEDECK_CHECK_AS(ValueError, !values.empty(), "Normalize: expected at least one value");
  Array array = Array::empty({static_cast<std::int64_t>(values.size()), 1, 1}, kFloat32);
  for (std::size_t i = 0; i < values.size(); ++i)
    array.data<float>()[i] = static_cast<float>(values[i]);
  return Variable(std::move(array));
}

Variable normalize_batch(Variable batch, const Variable& mean, const Variable& stddev) {
  const auto plain = [](const Variable& v) {
    return v.dtype() == kFloat32 && v.is_contiguous() && v.dim() == 3 && v.size(1) == 1 &&
           v.size(2) == 1;
  };
  const bool fits = batch.dim() == 4 && batch.dtype() == kFloat32 && batch.is_contiguous() &&
                    plain(mean) && plain(stddev) && mean.size(0) == stddev.size(0) &&
                    (mean.size(0) == 1 || mean.size(0) == batch.size(1)) &&
                    batch.use_count() == 1 && !batch.requires_grad() &&
                    batch.array().storage()->use_count() == 1;
  if (!fits) return batch.sub(mean).div(stddev);
  Array images = batch.array();
  kernels::normalize_channels(images, mean.data_ptr<float>(), stddev.data_ptr<float>(),
                              mean.size(0));
  return batch;
}

namespace {

// Rows of bytes of a batch of images.
struct Planes {
  Planes(const Variable& batch, const char* op) {
    TAPEDECK_CHECK(batch.dim() == 4, op, ": expected images of shape [C, H, W], got ",
                   batch.sizes().slice(1));
    TAPEDECK_CHECK(!should_record(batch), op, ": the images may not require gradients");
    array = kernels::contiguous(batch.array());
    n = array.size(0), c = array.size(1), h = array.size(2), w = array.size(3);
    element = element_size(array.dtype());
  }
  const char* row(std::int64_t image, std::int64_t channel, std::int64_t y) const {
    return static_cast<const char*>(array.raw()) + ((image * c + channel) * h + y) * w * element;
  }

  Array array;
  std::int64_t n, c, h, w, element;
};

}  // namespace

Variable random_crops(const Variable& batch, std::int64_t height, std::int64_t width,
                      std::int64_t padding) {
  const Planes in(batch, "RandomCrop");
  const std::int64_t rows = in.h + 2 * padding - height, columns = in.w + 2 * padding - width;
  TAPEDECK_CHECK(height > 0 && width > 0 && padding >= 0 && rows >= 0 && columns >= 0,
                 "RandomCrop: a window of ", height, " x ", width, " does not fit into images of ",
                 in.h, " x ", in.w, " with padding ", padding);
  Array out = kernels::zeros({in.n, in.c, height, width}, in.array.dtype());
  char* to = static_cast<char*>(out.raw());
  for (std::int64_t i = 0; i < in.n; ++i) {
    const std::int64_t top = random_below(rows + 1) - padding;
    const std::int64_t left = random_below(columns + 1) - padding;
    const std::int64_t x0 = std::max(left, std::int64_t{0}), x1 = std::min(left + width, in.w);
    for (std::int64_t k = 0; k < in.c; ++k)
      for (std::int64_t y = 0; y < height; ++y, to += width * in.element) {
        if (top + y < 0 || top + y >= in.h || x0 >= x1) continue;
        std::memcpy(to + (x0 - left) * in.element, in.row(i, k, top + y) + x0 * in.element,
                    static_cast<std::size_t>((x1 - x0) * in.element));
      }
  }
  return Variable(std::move(out));
}

Variable random_flips(const Variable& batch, double p) {
  TAPEDECK_CHECK_AS(ValueError, p >= 0 && p <= 1,
                    "RandomHorizontalFlip: expected a probability, got ", p);
  const Planes in(batch, "RandomHorizontalFlip");
  Array out = Array::empty(in.array.sizes(), in.array.dtype());
  char* to = static_cast<char*>(out.raw());
  const auto element = static_cast<std::size_t>(in.element);
  for (std::int64_t i = 0; i < in.n; ++i) {
    const bool flip = random_uniform() < p;
    for (std::int64_t k = 0; k < in.c; ++k)
      for (std::int64_t y = 0; y < in.h; ++y, to += in.w * in.element) {
        const char* row = in.row(i, k, y);
        if (!flip) {
          std::memcpy(to, row, static_cast<std::size_t>(in.w) * element);
          continue;
        }
        for (std::int64_t x = 0; x < in.w; ++x)
          std::memcpy(to + x * in.element, row + (in.w - 1 - x) * in.element, element);
      }
  }
  return Variable(std::move(out));
}

}  // namespace tapedeck::data::transforms::detail
