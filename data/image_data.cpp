#include <tapedeck/data/image_data.h>

#include <algorithm>
#include <mutex>

#include <tapedeck/array/error.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/pixels.h>

namespace tapedeck::data {

struct ImageData::Converted {
  std::once_flag once;
  Variable images;
};

ImageData::ImageData(const Variable& pixels, const Variable& labels, std::int64_t classes,
                     std::string name)
    : name_(std::move(name)), converted_(std::make_shared<Converted>()) {
  TAPEDECK_CHECK(pixels.dim() == 4 && pixels.dtype() == kUInt8, name_,
                 ": expected images of shape [N, C, H, W] and dtype Byte, got ", pixels.sizes(),
                 " and ", pixels.dtype());
  TAPEDECK_CHECK(labels.dim() == 1 && is_integral(labels.dtype(), /*include_bool=*/false), name_,
                 ": expected labels of shape [N] and an integer dtype, got ", labels.sizes(),
                 " and ", labels.dtype());
  TAPEDECK_CHECK(pixels.size(0) == labels.size(0), name_, ": ", pixels.size(0), " images but ",
                 labels.size(0), " labels");
  pixels_ = Variable(kernels::contiguous(pixels.array()));
  targets_ = Variable(kernels::contiguous(kernels::cast(labels.array(), kInt64)));
  const std::int64_t* label = targets_.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < targets_.numel(); ++i)
    TAPEDECK_CHECK(label[i] >= 0 && label[i] < classes, name_, ": label ", i, " is ", label[i],
                   ", expected 0 to ", classes - 1);
}

void ImageData::check_index(std::size_t index) const {
  TAPEDECK_CHECK_AS(IndexError, index < size(), name_, ": index ", index, " of ", size(),
                    " images");
}

Example<> ImageData::get(std::size_t index) const {
  Example<> batch = get_stacked(index);
  return {batch.data.select(0, 0), batch.target.select(0, 0)};
}

Example<> ImageData::get_stacked(ArrayRef<std::size_t> indices) const {
  for (const std::size_t i : indices) check_index(i);
  const Array& pixels = pixels_.array();
  const std::int64_t count = static_cast<std::int64_t>(indices.size());
  const std::int64_t length = pixels.numel() / std::max<std::int64_t>(pixels.size(0), 1);
  DimVector shape = pixels.sizes();
  shape[0] = count;
  Array images = Array::empty(shape, kFloat32), labels = Array::empty({count}, kInt64);
  const auto* from = pixels.data<std::uint8_t>();
  auto* to = images.data<float>();
  const auto* label = targets_.array().data<std::int64_t>();
  auto* labels_out = labels.data<std::int64_t>();
  const std::int64_t grain =
      std::max<std::int64_t>((1 << 16) / std::max<std::int64_t>(length, 1), 1);
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto k = static_cast<std::int64_t>(indices[static_cast<std::size_t>(i)]);
      kernels::pixels_to_float(from + k * length, to + i * length, length);
      labels_out[i] = label[k];
    }
  });
  return {Variable(std::move(images)), Variable(std::move(labels))};
}

const Variable& ImageData::images() const {
  std::call_once(converted_->once, [this] {
    const Array& pixels = pixels_.array();
    Array images = Array::empty(pixels.sizes(), kFloat32);
    const auto* from = pixels.data<std::uint8_t>();
    auto* to = images.data<float>();
    parallel_for(pixels.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
      kernels::pixels_to_float(from + begin, to + begin, end - begin);
    });
    converted_->images = Variable(std::move(images));
  });
  return converted_->images;
}

ImageData ImageData::first(std::size_t count) const {
  const auto n = static_cast<std::int64_t>(std::min(count, size()));
  ImageData part = *this;
  part.pixels_ = Variable(pixels_.array().slice(0, 0, n, 1));
  part.targets_ = Variable(targets_.array().slice(0, 0, n, 1));
  part.converted_ = std::make_shared<Converted>();
  return part;
}

}  // namespace tapedeck::data
