#include <tapedeck/io/image.h>

#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/error.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/serialize/internal/file.h>

namespace tapedeck::io {

namespace {

constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 28;

// [N, C, H, W], row-major.
Array as_batch(const Variable& images, const char* op) {
  TAPEDECK_CHECK(images.defined(), op, ": the tensor is undefined");
  TAPEDECK_CHECK(images.dim() >= 2 && images.dim() <= 4, op,
                 ": expected [N, C, H, W], [C, H, W] or [H, W], got ", images.sizes());
  TAPEDECK_CHECK(is_floating_point(images.dtype()) || images.dtype() == kUInt8, op,
                 ": expected floating point or Byte elements, got ", images.dtype());
  Array batch = kernels::contiguous(images.array());
  while (batch.dim() < 4) batch = batch.unsqueeze(0);
  TAPEDECK_CHECK(batch.numel() > 0, op, ": there is nothing in a tensor of shape ", images.sizes());
  return batch;
}

Array as_batch(const std::vector<Variable>& images, const char* op) {
  TAPEDECK_CHECK(!images.empty(), op, ": the list of images is empty");
  std::vector<Array> parts;
  for (const Variable& image : images) {
    parts.push_back(as_batch(image, op));
    TAPEDECK_CHECK(parts.back().size(0) == 1 && parts.back().sizes() == parts[0].sizes() &&
                       parts.back().dtype() == parts[0].dtype(),
                   op, ": the images differ: ", images[0].sizes(), " of ", images[0].dtype(),
                   " and ", image.sizes(), " of ", image.dtype());
  }
  DimVector shape = parts[0].sizes();
  shape[0] = static_cast<std::int64_t>(parts.size());
  Array batch = Array::empty(shape, parts[0].dtype());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    Array slot = batch.slice(0, n, n + 1, 1);
    kernels::copy(parts[i], slot);
  }
  return batch;
}

// Maps [low, high] to [0, 1] as torchvision does: clamped, and divided by at least 1e-5.
template <typename T>
void normalize(T* data, std::int64_t n, const std::optional<std::pair<double, double>>& range) {
  T low, high;
  if (range) {
    low = static_cast<T>(range->first);
    high = static_cast<T>(range->second);
  } else {
    low = *std::min_element(data, data + n);
    high = *std::max_element(data, data + n);
  }
  const T width = std::max(high - low, static_cast<T>(1e-5));
  for (std::int64_t i = 0; i < n; ++i)
    data[i] = (std::min(std::max(data[i], low), high) - low) / width;
}

Array grid_of(Array batch, const GridOptions& options, const char* op) {
  TAPEDECK_CHECK_AS(ValueError, options.nrow() > 0 && options.padding() >= 0, op,
                    ": expected a positive nrow and no negative padding, got ", options.nrow(),
                    " and ", options.padding());
  if (options.normalize()) {
    TAPEDECK_CHECK_AS(
        ValueError,
        !options.value_range() || options.value_range()->first < options.value_range()->second, op,
        ": expected a value_range whose second value is the larger");
    TAPEDECK_CHECK_AS(TypeError, is_floating_point(batch.dtype()), op,
                      ": normalize expects floating point, got ", batch.dtype());
    batch = kernels::clone(batch);
    dispatch_floating(batch.dtype(), op, [&](auto tag) {
      using T = typename decltype(tag)::type;
      const std::int64_t parts = options.scale_each() ? batch.size(0) : 1;
      const std::int64_t length = batch.numel() / parts;
      for (std::int64_t i = 0; i < parts; ++i)
        normalize(batch.data<T>() + i * length, length, options.value_range());
    });
  }
  const std::int64_t n = batch.size(0), h = batch.size(2), w = batch.size(3);
  if (batch.size(1) == 1) batch = batch.expand({n, 3, h, w});
  if (n == 1) return batch.squeeze(0);

  const std::int64_t columns = std::min(options.nrow(), n), rows = (n + columns - 1) / columns;
  const std::int64_t padding = options.padding(), cell_h = h + padding, cell_w = w + padding;
  Array grid = kernels::full({batch.size(1), rows * cell_h + padding, columns * cell_w + padding},
                             options.pad_value(), batch.dtype());
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t top = i / columns * cell_h + padding, left = i % columns * cell_w + padding;
    Array cell = grid.slice(1, top, top + h, 1).slice(2, left, left + w, 1);
    kernels::copy(batch.select(0, i), cell);
  }
  return grid;
}

// [C, H, W] to bytes [H, W, C].
std::vector<std::uint8_t> to_bytes(const Array& image) {
  const Array rows = kernels::contiguous(image.permute({1, 2, 0}));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(rows.numel()));
  if (rows.dtype() == kUInt8) {
    std::memcpy(bytes.data(), rows.raw(), bytes.size());
    return bytes;
  }
  dispatch_floating(rows.dtype(), "save_image", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* values = rows.data<T>();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const T v = values[i] * 255 + static_cast<T>(0.5);
      // Written so that NaN becomes 0.
      bytes[i] = static_cast<std::uint8_t>(v > 0 ? std::min(v, T{255}) : T{0});
    }
  });
  return bytes;
}

constexpr png_uint_32 kFormats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB,
                                    PNG_FORMAT_RGBA};

void write_png(const Array& image, const std::string& path) {
  const std::int64_t channels = image.size(0), h = image.size(1), w = image.size(2);
  TAPEDECK_CHECK(channels >= 1 && channels <= 4, "save_image: expected 1 to 4 channels, got ",
                 channels);
  TAPEDECK_CHECK(static_cast<std::uint64_t>(h) <= kMaxPixels / static_cast<std::uint64_t>(w),
                 "save_image: ", h, " x ", w, " pixels are more than ", kMaxPixels);
  const std::vector<std::uint8_t> bytes = to_bytes(image);
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(w);
  png.height = static_cast<png_uint_32>(h);
  png.format = kFormats[channels - 1];
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::vector<char> file(size);
  const int written =
      png_image_write_to_memory(&png, file.data(), &size, 0, bytes.data(), 0, nullptr);
  const std::string message = png.message;
  png_image_free(&png);
  TAPEDECK_CHECK(written, "save_image: cannot encode '", path, "': ", message);
  serialize::write_file(path, "save_image",
                        [&](const serialize::ByteSink& sink) { sink(file.data(), size); });
}

// [C, H, W] for a file: several images in a grid, one as it is.
Array picture_of(Array batch, const GridOptions& options) {
  if (batch.size(0) == 1 && !options.normalize()) return batch.squeeze(0);
  return grid_of(std::move(batch), options, "save_image");
}

}  // namespace

Variable make_grid(const Variable& images, const GridOptions& options) {
  return Variable(kernels::clone(grid_of(as_batch(images, "make_grid"), options, "make_grid")));
}
Variable make_grid(const std::vector<Variable>& images, const GridOptions& options) {
  return Variable(kernels::clone(grid_of(as_batch(images, "make_grid"), options, "make_grid")));
}

void save_image(const Variable& images, const std::string& path, const GridOptions& options) {
  write_png(picture_of(as_batch(images, "save_image"), options), path);
}
void save_image(const std::vector<Variable>& images, const std::string& path,
                const GridOptions& options) {
  write_png(picture_of(as_batch(images, "save_image"), options), path);
}

Variable read_image(const std::string& path) {
  const serialize::Bytes file = serialize::read_file(path, "read_image");
  TAPEDECK_CHECK(file.size > 0, "read_image: '", path, "' is empty");
  TAPEDECK_CHECK(file.size >= 8 && std::memcmp(file.data.get(), "\x89PNG\r\n\x1a\n", 8) == 0,
                 "read_image: '", path, "' is not a PNG file");
  // The library's own structure is released on every way out.
  struct Png : png_image {
    Png() : png_image() { version = PNG_IMAGE_VERSION; }
    ~Png() { png_image_free(this); }
  } png;
  TAPEDECK_CHECK(png_image_begin_read_from_memory(&png, file.data.get(), file.size),
                 "read_image: '", path, "' is damaged: ", png.message);
  TAPEDECK_CHECK(std::uint64_t{png.width} * png.height <= kMaxPixels, "read_image: '", path,
                 "' has ", png.height, " x ", png.width, " pixels, more than ", kMaxPixels);
  const bool color = png.format & PNG_FORMAT_FLAG_COLOR, alpha = png.format & PNG_FORMAT_FLAG_ALPHA;
  const std::int64_t channels = (color ? 3 : 1) + (alpha ? 1 : 0);
  png.format = kFormats[channels - 1];
  const Array rows = Array::empty({png.height, png.width, channels}, kUInt8);
  const int read = png_image_finish_read(&png, nullptr, rows.raw(), 0, nullptr);
  TAPEDECK_CHECK(read, "read_image: '", path, "' is damaged: ", png.message);
  return Variable(kernels::contiguous(rows.permute({2, 0, 1})));
}

}  // namespace tapedeck::io
