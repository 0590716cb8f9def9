#include <tapedeck/ops/kernels/join.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/move_bytes.h>
#include <tapedeck/ops/kernels/pool_geometry.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrainBytes = 1 << 18;
// Row by row the output is written in order: where a row is short or there are enough of them for
// several threads, but not where the parts of a row are a few elements.
constexpr std::int64_t kLongRow = 1 << 16, kShortPart = 16;  // bytes
constexpr std::int64_t kManyRows = 16;

struct Source {
  const char* data;
  std::int64_t row;  // bytes
};

}  // namespace

void join(ArrayRef<Array> parts, std::int64_t dim, Array& out) {
  std::int64_t outer = 1;
  for (std::int64_t d = 0; d < dim; ++d) outer *= out.sizes()[d];
  if (out.numel() == 0) return;
  const std::int64_t row = out.nbytes() / outer;
  const bool gapless = std::all_of(parts.begin(), parts.end(),
                                   [](const Array& part) { return part.is_contiguous(); });
  const bool by_rows = gapless && (row <= kLongRow || outer >= kManyRows) &&
                       row >= kShortPart * static_cast<std::int64_t>(parts.size());
  if (!by_rows) {
    std::int64_t at = 0;
    for (const Array& part : parts) {
      Array to = out.slice(dim, at, at + part.sizes()[dim], 1);
      copy(part, to);
      at += part.sizes()[dim];
    }
    return;
  }
  std::vector<Source> sources;
  for (const Array& part : parts)
    sources.push_back({static_cast<const char*>(part.raw()), part.nbytes() / outer});
  char* const data = static_cast<char*>(out.raw());
  parallel_for(outer, std::max<std::int64_t>(1, kGrainBytes / row),
               [&](std::int64_t begin, std::int64_t end) {
                 char* to = data + begin * row;
                 for (std::int64_t r = begin; r < end; ++r)
                   for (const Source& source : sources) {
                     move_bytes(to, source.data + r * source.row, source.row);
                     to += source.row;
                   }
               });
}

Array joined(ArrayRef<Array> parts, std::int64_t dim, IntArrayRef sizes, ScalarType dtype) {
  const bool inner_channels =
      sizes.size() == 4 && std::all_of(parts.begin(), parts.end(), has_inner_channels);
  if (!inner_channels) {
    Array out = Array::empty(sizes, dtype);
    join(parts, dim, out);
    return out;
  }
  const Array out = empty_with_inner_channels(sizes, dtype);
  const auto by_pixels = [](const Array& a) { return a.permute({0, 2, 3, 1}); };
  std::vector<Array> walked;
  for (const Array& part : parts) walked.push_back(by_pixels(part));
  Array to = by_pixels(out);
  constexpr std::int64_t kPlaces[] = {0, 3, 1, 2};
  join(walked, kPlaces[dim], to);
  return out;
}

}  // namespace tapedeck::kernels
