// Rows of all lengths around a vector's: nothing is read or written beside them.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <tapedeck/ops/kernels/pixel_tiles.h>

namespace {

using tapedeck::kernels::ImageRows;
using tapedeck::kernels::pixel_tiles;

constexpr std::int64_t kMostLanes = 16;
constexpr double kUntouched = -1;

// An allocation of exactly this size, which a sanitizer guards.
template <typename T>
std::unique_ptr<T[]> counted(std::int64_t n, std::int64_t first) {
  std::unique_ptr<T[]> elements(new T[static_cast<std::size_t>(n)]);
  for (std::int64_t i = 0; i < n; ++i) elements[i] = static_cast<T>(first + i);
  return elements;
}

template <typename T>
class PixelTiles : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(PixelTiles, Types);

TYPED_TEST(PixelTiles, RowsAreGathered) {
  using T = TypeParam;
  for (std::int64_t step = 1; step <= 5; ++step)
    for (std::int64_t n = 1; n <= 2 * kMostLanes + 3; ++n)
      for (const std::int64_t gap : {0, 2}) {
        constexpr std::int64_t kRows = 9;
        const std::int64_t from_step = step * n + 1, to_step = n + gap;
        const auto from = counted<T>((kRows - 1) * from_step + (n - 1) * step + 1, 0);
        std::vector<T> to(static_cast<std::size_t>((kRows + 1) * to_step),
                          static_cast<T>(kUntouched));
        pixel_tiles<T>().gather_rows(from.get(), from_step, step, kRows, n, to.data(), to_step);
        for (std::int64_t r = 0; r <= kRows; ++r)
          for (std::int64_t i = 0; i < to_step; ++i)
            ASSERT_EQ(to[static_cast<std::size_t>(r * to_step + i)],
                      i < n && r < kRows ? static_cast<T>(r * from_step + i * step)
                                         : static_cast<T>(kUntouched))
                << "step " << step << ", " << n << " elements, gap " << gap << ", row " << r
                << ", element " << i;
      }
}

TYPED_TEST(PixelTiles, RowsAreSplitByResidues) {
  using T = TypeParam;
  const auto split = pixel_tiles<T>().split_rows;
  if (split == nullptr) GTEST_SKIP() << "vectors have no masks";
  for (std::int64_t step = 2; step <= 4; ++step)
    for (std::int64_t width = 1; width <= 2 * kMostLanes * step + 3; width += 1 + width / 9)
      for (const std::int64_t first : {-7, -1, 0, 2}) {
        constexpr std::int64_t kRows = 3, kGap = 2;
        const std::int64_t n = (width - first + step) / step + 1, from_step = width + 1;
        const std::int64_t to_step = n + kGap, residue_step = kRows * to_step;
        const auto from = counted<T>((kRows - 1) * from_step + width, 0);
        std::vector<T> to(static_cast<std::size_t>(step * residue_step),
                          static_cast<T>(kUntouched));
        split(from.get(), from_step, first, width, step, kRows, n, to.data(), to_step,
              residue_step);
        for (std::int64_t q = 0; q < step; ++q)
          for (std::int64_t r = 0; r < kRows; ++r)
            for (std::int64_t i = 0; i < to_step; ++i) {
              const std::int64_t place = first + i * step + q;
              const bool exists = place >= 0 && place < width;
              const T expected = i >= n   ? static_cast<T>(kUntouched)
                                 : exists ? static_cast<T>(r * from_step + place)
                                          : T{0};
              ASSERT_EQ(to[static_cast<std::size_t>(q * residue_step + r * to_step + i)], expected)
                  << "step " << step << ", width " << width << ", first " << first << ", residue "
                  << q << ", row " << r << ", element " << i;
            }
      }
}

TYPED_TEST(PixelTiles, ImagesAreGatheredSideBySide) {
  using T = TypeParam;
  for (std::int64_t step = 1; step <= 5; ++step)
    for (std::int64_t n = 1; n <= kMostLanes + 1; ++n)
      for (std::int64_t places = 1; places <= 5; ++places)
        for (const std::int64_t images : {places, places - 1}) {
          constexpr std::int64_t kRows = 3;
          const std::int64_t from_step = step * n + 1, image_step = kRows * from_step + 2;
          const std::int64_t to_step = n * places + 1;
          // Nothing lies behind the last element of the last image.
          const std::int64_t size =
              (places - 1) * image_step + (kRows - 1) * from_step + (n - 1) * step + 1;
          const auto from = counted<T>(size, 0);
          std::vector<T> to(static_cast<std::size_t>(kRows * to_step), static_cast<T>(kUntouched));
          pixel_tiles<T>().gather_images(from.get(), image_step, images, from_step, step, kRows, n,
                                         to.data(), to_step, places);
          for (std::int64_t r = 0; r < kRows; ++r)
            for (std::int64_t at = 0; at < to_step; ++at) {
              const std::int64_t i = at / places, m = at % places;
              if (i < n && m >= images) continue;  // anything
              ASSERT_EQ(to[static_cast<std::size_t>(r * to_step + at)],
                        i < n ? static_cast<T>(m * image_step + r * from_step + i * step)
                              : static_cast<T>(kUntouched))
                  << "step " << step << ", " << n << " elements, row " << r << ", place " << at
                  << " of " << places << " images";
            }
        }
}

TYPED_TEST(PixelTiles, RowsOfImagesAreJoined) {
  using T = TypeParam;
  const auto join = pixel_tiles<T>().join_rows;
  if (join == nullptr) GTEST_SKIP() << "vectors have no masks";
  constexpr char kResidues[] = {true, false, true, true, true};  // of a step of five
  for (std::int64_t step = 1; step <= 5; ++step)
    for (std::int64_t width = 1; width <= pixel_tiles<T>().lanes; ++width)
      for (const std::int64_t first : {-7, -1, 0, 2})
        for (const std::int64_t places : {1, 2, 5, 8})
          for (const std::int64_t images : {places, places - 1}) {
            constexpr std::int64_t kRows = 2, kPlanes = 3, kGap = 1;
            ImageRows<T> run{};
            run.images = images, run.planes = kPlanes, run.rows = kRows, run.width = width;
            run.from_row_step = width + 1;
            run.from_plane_step = kRows * run.from_row_step;
            run.image_step = kPlanes * run.from_plane_step + 2;
            run.first = first, run.step = step, run.residues = kResidues;
            run.n = (width - first + step) / step + 1, run.places = places;
            run.to_row_step = run.n * places + kGap;
            run.to_residue_step = kRows * run.to_row_step;
            run.to_plane_step = step * run.to_residue_step;
            // Nothing lies behind the last element of the last image.
            const auto from =
                counted<T>((places - 1) * run.image_step + run.from_plane_step * kPlanes - 1, 1);
            std::vector<T> to(static_cast<std::size_t>(kPlanes * run.to_plane_step),
                              static_cast<T>(kUntouched));
            run.from = from.get(), run.to = to.data();
            join(run);
            for (std::int64_t at = 0; at < kPlanes * run.to_plane_step; ++at) {
              const std::int64_t p = at / run.to_plane_step, q = at / run.to_residue_step % step;
              const std::int64_t r = at / run.to_row_step % kRows, lane = at % run.to_row_step;
              const std::int64_t m = lane % places, place = first + lane / places * step + q;
              const bool exists =
                  kResidues[q] && lane < run.n * places && place >= 0 && place < width;
              const T expected = !exists       ? static_cast<T>(kUntouched)
                                 : m >= images ? T{0}
                                               : from[m * run.image_step + p * run.from_plane_step +
                                                      r * run.from_row_step + place];
              ASSERT_EQ(to[static_cast<std::size_t>(at)], expected)
                  << "step " << step << ", width " << width << ", first " << first << ", " << images
                  << " of " << places << " images, plane " << p << ", residue " << q << ", row "
                  << r << ", lane " << lane;
            }
          }
}

TYPED_TEST(PixelTiles, RowsAreAdded) {
  using T = TypeParam;
  for (std::int64_t step = 1; step <= 3; ++step)
    for (std::int64_t n = 1; n <= 2 * kMostLanes + 3; ++n)
      for (const std::int64_t gap : {0, 2}) {  // without one, rows of step 1 are a single long one
        constexpr std::int64_t kRows = 3, kBefore = 1000;
        const std::int64_t from_step = n + gap, width = (n - 1) * step + 1, to_step = width + gap;
        const auto from = counted<T>((kRows - 1) * from_step + n, 0);
        const std::int64_t size = (kRows - 1) * to_step + width;
        const auto to = counted<T>(size, kBefore);
        pixel_tiles<T>().add_rows(from.get(), from_step, kRows, n, to.get(), to_step, step);
        for (std::int64_t place = 0; place < size; ++place) {
          const std::int64_t r = place / to_step, at = place % to_step;
          const bool is_added = at < width && at % step == 0;
          ASSERT_EQ(to[static_cast<std::size_t>(place)],
                    static_cast<T>(kBefore + place + (is_added ? r * from_step + at / step : 0)))
              << "step " << step << ", " << n << " elements, gap " << gap << ", row " << r
              << ", place " << at;
        }
      }
}

TYPED_TEST(PixelTiles, RowsAreInterleaved) {
  using T = TypeParam;
  for (std::int64_t n = 1; n <= 2 * kMostLanes + 3; ++n) {
    const auto even = counted<T>(n, 0), odd = counted<T>(n, 100);
    std::vector<T> to(static_cast<std::size_t>(2 * n + 1), static_cast<T>(kUntouched));
    pixel_tiles<T>().interleave(even.get(), odd.get(), n, to.data());
    for (std::int64_t i = 0; i < 2 * n; ++i)
      ASSERT_EQ(to[static_cast<std::size_t>(i)], static_cast<T>(i / 2 + i % 2 * 100))
          << n << " pairs, element " << i;
    ASSERT_EQ(to.back(), static_cast<T>(kUntouched)) << n << " pairs";
  }
}

}  // namespace
