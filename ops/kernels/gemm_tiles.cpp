#include <tapedeck/ops/kernels/gemm_tiles.h>

#include <algorithm>

#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/gemm_tiles.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/operands-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Two vectors of b, one broadcast element of a, and two sums for each row fill the registers.
// So many steps of the depth at a time hide what the loop itself costs, and so many pass from a row
// that is asked for ahead to the next; with AVX-512, as many as the caller likes.
#if HWY_TARGET == HWY_AVX3
constexpr int kMaxRows = 14, kRowPanel = 16, kSteps = 1, kAheadSteps = 0;
#else
constexpr int kMaxRows = 6, kRowPanel = 8, kSteps = 4, kAheadSteps = 16;
#endif
constexpr std::int64_t kLineBytes = 64;
constexpr std::int64_t kFewElements = 16;  // of a panel, for which no vectors are put together

template <typename T>
HWY_INLINE constexpr int Lanes() {
  return static_cast<int>(hn::MaxLanes(hn::ScalableTag<T>()));
}

// How b is read where it has one vector: as it is, or no more than its columns.
enum class Columns { kWhole, kPart };

// kAdjacent: the rows of a are, as in a packed panel.
template <int kRows, int kVectors, bool kAdjacent, Columns kColumns, typename T>
void Tile(const GemmTile<T>& tile) {
  const hn::ScalableTag<T> d;
  constexpr int kLanes = Lanes<T>();
  // Where the columns do not fill a second vector, it overlaps the first.
  const std::int64_t second = kVectors == 2 ? tile.columns - kLanes : 0;
  hn::Vec<decltype(d)> sum[kRows][kVectors];
  HWY_UNROLL(kMaxRows)
  for (int i = 0; i < kRows; ++i)
    for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Zero(d);

  for (int i = 0; i < kRows; ++i)
    for (int v = 0; v < kVectors; ++v) hwy::Prefetch(tile.c + i * tile.c_row_stride + v * second);

  // A third of the scalars, whose addresses are pointers, is broadcast by the products themselves.
  // Not of adjacent doubles: two lines at each step, of which both products would wait for each.
  constexpr bool kFolds = kVectors == 2 && (sizeof(T) == 4 || !kAdjacent);
  // Three rows share a pointer, from which the other two are one stride and two away.
  constexpr int kPointers = kAdjacent ? 1 : (kRows + 2) / 3;
  const T *a[kPointers], *b = tile.b;
  const std::int64_t a_step = tile.a_step, b_step = tile.b_step, a_row_stride = tile.a_row_stride;
  for (int i = 0; i < kPointers; ++i) a[i] = tile.a + 3 * i * a_row_stride;
  const auto multiply = [&]() HWY_ATTR {
    hn::Vec<decltype(d)> column[kVectors];
    for (int v = 0; v < kVectors; ++v)
      column[v] =
          kColumns == Columns::kPart ? LoadPart(d, b, tile.columns) : hn::LoadU(d, b + v * second);
    HWY_UNROLL(kMaxRows)
    for (int i = 0; i < kRows; ++i) {
      const T* const scalar = kAdjacent ? a[0] + i : a[i / 3] + i % 3 * a_row_stride;
      MulAddRow<kFolds>(d, i, scalar, column, sum[i]);
    }
    for (int i = 0; i < kPointers; ++i) a[i] += a_step;
    b += b_step;
  };
  // Of a row ahead, the lines in which as many elements end as its vectors have: where the first
  // one begins was the end of the panel before.
  constexpr std::int64_t kLine = kLineBytes / sizeof(T), kLines = (2 * kLanes + kLine - 1) / kLine;
  const T* ahead = tile.ahead ? tile.ahead + (2 * kLanes - (kLines - 1) * kLine - 1) : tile.b;
  const auto ask = [&]() HWY_ATTR {  // into the L2 cache: the panel in the L1 cache is in use
    for (std::int64_t i = 0; i < kLines; ++i) __builtin_prefetch(ahead + i * kLine, 0, 2);
  };
  std::int64_t k = 0;
  if constexpr (kAheadSteps > 0) {
    for (; k + kAheadSteps <= tile.depth; k += kAheadSteps, ahead += tile.ahead_step) {
      ask();
      HWY_UNROLL(kSteps)
      for (int i = 0; i < kAheadSteps; ++i) multiply();
    }
    HWY_UNROLL(kSteps)
    for (; k < tile.depth; ++k) multiply();
  } else {
    for (std::int64_t until = tile.ahead_every; k < tile.depth; ++k) {
      if (--until == 0) {
        ask();
        ahead += tile.ahead_step;
        until = tile.ahead_every;
      }
      multiply();
    }
  }

  // What the tile says is read before the first store, which might change it.
  const auto alpha = hn::Set(d, tile.alpha), beta = hn::Set(d, tile.beta);
  const std::int64_t columns = tile.columns, c_row_stride = tile.c_row_stride;
  const T* const c_end = tile.c_end;
  const bool whole = kVectors == 2 || columns == kLanes, adds = tile.beta != T{0};
  HWY_UNROLL(kMaxRows)
  for (int i = 0; i < kRows; ++i)
    for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Mul(sum[i][v], alpha);
  if (const T* const addends = tile.row_addends) {
    HWY_UNROLL(kMaxRows)
    for (int i = 0; i < kRows; ++i)
      for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Add(sum[i][v], hn::Set(d, addends[i]));
  }
  T* c = tile.c;
  HWY_UNROLL(kMaxRows)
  for (int i = 0; i < kRows; ++i, c += c_row_stride) {
    if (whole && !adds) {
      for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[i][v], d, c + v * second);
    } else if (whole) {
      hn::Vec<decltype(d)> old[kVectors];  // all of it, before the first is stored
      for (int v = 0; v < kVectors; ++v) old[v] = hn::LoadU(d, c + v * second);
      for (int v = 0; v < kVectors; ++v)
        hn::StoreU(hn::MulAdd(beta, old[v], sum[i][v]), d, c + v * second);
    } else {
      auto value = sum[i][0];
      if (adds) value = hn::MulAdd(beta, LoadPart(d, c, columns), value);
      if (c + kLanes <= c_end)
        hn::StoreU(value, d, c);
      else
        StorePart(d, value, c, columns);
    }
  }
}

template <int kRows, int kVectors, Columns kColumns, typename T>
HWY_INLINE void TileOf(int rows, const GemmTile<T>& tile) {
  if (rows == kRows)
    return tile.a_row_stride == 1 ? Tile<kRows, kVectors, true, kColumns>(tile)
                                  : Tile<kRows, kVectors, false, kColumns>(tile);
  if constexpr (kRows > 1) TileOf<kRows - 1, kVectors, kColumns>(rows, tile);
}

template <int kVectors, typename T>
void AnyTile(int rows, const GemmTile<T>& tile) {
  TileOf<kMaxRows, kVectors, Columns::kWhole>(rows, tile);
}

#if HWY_TARGET == HWY_AVX3

// Within the blocks of four vectors, element e of v[i] becomes element i of v[e].
template <class D>
HWY_INLINE void TransposeInBlocks(D d, hn::Vec<D>* v) {
  const auto low02 = hn::InterleaveLower(d, v[0], v[2]), low13 = hn::InterleaveLower(d, v[1], v[3]);
  const auto high02 = hn::InterleaveUpper(d, v[0], v[2]),
             high13 = hn::InterleaveUpper(d, v[1], v[3]);
  v[0] = hn::InterleaveLower(d, low02, low13);
  v[1] = hn::InterleaveUpper(d, low02, low13);
  v[2] = hn::InterleaveLower(d, high02, high13);
  v[3] = hn::InterleaveUpper(d, high02, high13);
}

// Block b of `v[step * i]` becomes block i of v[step * b].
template <int kStep, class D>
HWY_INLINE void TransposeTheBlocks(D d, hn::Vec<D>* v) {
  const auto even = [&](hn::Vec<D> x, hn::Vec<D> y)
                        HWY_ATTR { return hn::OddEvenBlocks(hn::SwapAdjacentBlocks(y), x); };
  const auto odd = [&](hn::Vec<D> x, hn::Vec<D> y)
                       HWY_ATTR { return hn::OddEvenBlocks(y, hn::SwapAdjacentBlocks(x)); };
  const auto even01 = even(v[0], v[kStep]), even23 = even(v[2 * kStep], v[3 * kStep]);
  const auto odd01 = odd(v[0], v[kStep]), odd23 = odd(v[2 * kStep], v[3 * kStep]);
  v[0] = hn::ConcatLowerLower(d, even23, even01);
  v[kStep] = hn::ConcatLowerLower(d, odd23, odd01);
  v[2 * kStep] = hn::ConcatUpperUpper(d, even23, even01);
  v[3 * kStep] = hn::ConcatUpperUpper(d, odd23, odd01);
}

// Sixteen rows by sixteen steps of the depth at a time. The same lines of what lies `next` elements
// behind each row are asked for: the rows that are packed after these. Returns how far it came.
template <class Row>
HWY_INLINE std::int64_t PackSquares(Row row, std::int64_t next, std::int64_t depth,
                                    std::int64_t panel, float* to) {
  constexpr int kSide = 16;
  const hn::ScalableTag<float> d;
  std::int64_t k = 0;
  for (; k + kSide <= depth; k += kSide) {
    hn::Vec<decltype(d)> v[kSide];
    HWY_UNROLL(16)
    for (int i = 0; i < kSide; ++i) {
      const float* const at = row(i) + k;
      hwy::Prefetch(at + next);
      v[i] = hn::LoadU(d, at);
    }
    HWY_UNROLL(4)
    for (int i = 0; i < 4; ++i) TransposeInBlocks(d, v + 4 * i);
    HWY_UNROLL(4)
    for (int i = 0; i < 4; ++i) TransposeTheBlocks<4>(d, v + i);
    HWY_UNROLL(16)
    for (int i = 0; i < kSide; ++i) hn::StoreU(v[i], d, to + (k + i) * panel);
  }
  return k;
}

#endif

// `lanes` rows from `row(i)` on, each a run of `depth` elements, become columns of a panel. Blocks
// of 16 bytes of every row are transposed within the blocks of vectors.
template <typename T, class Row>
HWY_INLINE void PackLanes(Row row, [[maybe_unused]] std::int64_t next, std::int64_t depth,
                          std::int64_t panel, T* to) {
  [[maybe_unused]] const hn::ScalableTag<T> d;
  constexpr int kLanes = Lanes<T>();
  std::int64_t k = 0;
#if HWY_TARGET == HWY_AVX3
  if constexpr (sizeof(T) == 4) k = PackSquares(row, next, depth, panel, to);
#endif
#if HWY_TARGET != HWY_SCALAR
  constexpr int kBlock = 16 / sizeof(T);
  const hn::CappedTag<T, kBlock> block;
  // Block b of vector i is row b * kBlock + i.
  const auto gather = [&](int i) HWY_ATTR {
    const auto at = [&](int b) HWY_ATTR { return hn::LoadU(block, row(b * kBlock + i) + k); };
#if HWY_TARGET == HWY_AVX3
    const hn::Half<decltype(d)> half;
    return hn::Combine(d, hn::Combine(half, at(3), at(2)), hn::Combine(half, at(1), at(0)));
#elif HWY_TARGET == HWY_AVX2
    return hn::Combine(d, at(1), at(0));
#else
    return at(0);
#endif
  };
  // The last block overlaps the one before it.
  for (; k < depth && kBlock <= depth; k += kBlock) {
    if (k + kBlock > depth) k = depth - kBlock;
    const auto v0 = gather(0), v1 = gather(1);
    if constexpr (kBlock == 2) {
      hn::StoreU(hn::InterleaveLower(d, v0, v1), d, to + k * panel);
      hn::StoreU(hn::InterleaveUpper(d, v0, v1), d, to + (k + 1) * panel);
    } else {
      const auto v2 = gather(2), v3 = gather(3);
      const auto low02 = hn::InterleaveLower(d, v0, v2), low13 = hn::InterleaveLower(d, v1, v3);
      const auto high02 = hn::InterleaveUpper(d, v0, v2), high13 = hn::InterleaveUpper(d, v1, v3);
      hn::StoreU(hn::InterleaveLower(d, low02, low13), d, to + k * panel);
      hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, to + (k + 1) * panel);
      hn::StoreU(hn::InterleaveLower(d, high02, high13), d, to + (k + 2) * panel);
      hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, to + (k + 3) * panel);
    }
  }
#endif
  for (; k < depth; ++k)
    for (int i = 0; i < kLanes; ++i) to[k * panel + i] = row(i)[k];
}

// Of a row, ahead of what is read: the next panels', which are packed soon.
constexpr std::int64_t kPrefetchBytes = 512;

// Rows of a panel that are contiguous: kVectors whole vectors, then `left` elements of a last one
// if that has any.
template <int kVectors, typename T>
HWY_INLINE void PackRows(const T* from, std::int64_t depth_stride, std::int64_t left,
                         std::int64_t depth, std::int64_t panel, T* to) {
  const hn::ScalableTag<T> d;
  constexpr int kLanes = Lanes<T>();
  for (std::int64_t k = 0; k < depth; ++k, from += depth_stride, to += panel) {
    for (int v = 0; v < kVectors; ++v) {
      if (v * kLanes * sizeof(T) % kLineBytes == 0)
        hwy::Prefetch(from + v * kLanes + kPrefetchBytes / sizeof(T));
      hn::StoreU(hn::LoadU(d, from + v * kLanes), d, to + v * kLanes);
    }
    if (left > 0)
      hn::StoreU(LoadPart(d, from + kVectors * kLanes, left), d, to + kVectors * kLanes);
  }
}

template <typename T>
void Pack(const T* from, std::int64_t stride, std::int64_t depth_stride, std::int64_t width,
          std::int64_t extent, std::int64_t depth, std::int64_t panel, T* to) {
  constexpr int kLanes = Lanes<T>();
  if (stride == 1) {
    // A whole vector takes less time than a part of one.
    if (extent >= round_up(width, kLanes)) width = round_up(width, kLanes);
    std::int64_t i = 0;
    for (; width - i >= 2 * kLanes; i += 2 * kLanes)
      PackRows<2>(from + i, depth_stride, 0, depth, panel, to + i);
    if (width - i >= kLanes)
      PackRows<1>(from + i, depth_stride, width - i - kLanes, depth, panel, to + i);
    else if (width > i)
      PackRows<0>(from + i, depth_stride, width - i, depth, panel, to + i);
  } else if (depth_stride == 1) {
    // What is beyond the width repeats the last row.
    for (std::int64_t i = 0; i < panel; i += kLanes)
      PackLanes([=](std::int64_t lane)
                    HWY_ATTR { return from + (i + lane < width ? i + lane : width - 1) * stride; },
                std::min<std::int64_t>(kLanes, width - i) * stride, depth, panel, to + i);
  } else {
    for (std::int64_t i = 0; i < panel; ++i)
      for (std::int64_t k = 0; k < depth; ++k)
        to[k * panel + i] = i < width ? from[i * stride + k * depth_stride] : T{0};
  }
}

// All rows of one product, in tiles of nearly equal heights.
template <int kVectors, Columns kColumns, typename T>
HWY_INLINE void Strip(std::int64_t rows, GemmTile<T>& tile) {
  for (std::int64_t tiles = (rows + kMaxRows - 1) / kMaxRows; tiles > 0; --tiles) {
    const std::int64_t n = tiles == 1 ? rows : (rows + tiles - 1) / tiles;
    TileOf<kMaxRows, kVectors, kColumns>(static_cast<int>(n), tile);
    tile.a += n * tile.a_row_stride;
    tile.c += n * tile.c_row_stride;
    rows -= n;
  }
}

template <int kVectors, Columns kColumns, typename T>
void Strips(const NarrowProducts<T>& p) {
  T packed[kNarrowPanel];
  const std::int64_t panel = kVectors * Lanes<T>();
  const T* b = p.first.b;
  // A few elements are packed one by one, beside zeros.
  const bool few = kColumns == Columns::kWhole && p.b_column_stride != 1 &&
                   p.first.columns * p.first.depth <= kFewElements;
  if (few) std::fill_n(packed, p.first.depth * panel, T{0});
  for (std::int64_t i = 0; i < p.count; ++i, b += p.b_step) {
    GemmTile<T> tile = p.first;
    tile.a += i * p.a_step;
    tile.b = b;
    tile.c += i * p.c_step;
    if (kColumns == Columns::kWhole && (p.b_column_stride != 1 || tile.columns < Lanes<T>())) {
      if (few) {
        for (std::int64_t k = 0; k < tile.depth; ++k)
          for (std::int64_t j = 0; j < tile.columns; ++j)
            packed[k * panel + j] = b[k * p.first.b_step + j * p.b_column_stride];
      } else {
        Pack(b, p.b_column_stride, tile.b_step, tile.columns, tile.columns, tile.depth, panel,
             packed);
      }
      tile.b = packed;
      tile.b_step = panel;
    }
    Strip<kVectors, kColumns>(p.rows, tile);
  }
}

template <typename T>
void Narrow(const NarrowProducts<T>& p) {
  if (p.first.columns > Lanes<T>()) return Strips<2, Columns::kWhole>(p);
#if HWY_TARGET <= HWY_AVX2
  if (p.first.columns < Lanes<T>() && p.b_column_stride == 1) return Strips<1, Columns::kPart>(p);
#endif
  Strips<1, Columns::kWhole>(p);
}

// Whether a packed panel of rows is one vector.
template <typename T>
HWY_INLINE constexpr bool RowsFillVector() {
  return (HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2) && Lanes<T>() == kRowPanel;
}
// With 16 registers, a tile of one vector has few sums for what it reads, and takes hardly less
// time than one of two.
#if HWY_TARGET == HWY_AVX3
constexpr int kMostFewColumns = 8, kMostFewBehind = 4, kTilesByFour = 6;
#else
constexpr int kMostFewColumns = 4, kMostFewBehind = 0, kTilesByFour = 3;
#endif

// kTiles tiles by kColumns columns, or fewer: what is beyond repeats the last one.
template <int kTiles, int kColumns, typename T>
void RowTiles(const FewColumns<T>& p) {
  const hn::ScalableTag<T> d;
  hn::Vec<decltype(d)> sum[kTiles][kColumns];
  for (int t = 0; t < kTiles; ++t)
    for (int j = 0; j < kColumns; ++j) sum[t][j] = hn::Zero(d);
  std::int64_t column[kColumns];
  for (int j = 0; j < kColumns; ++j) column[j] = j < p.columns ? j : p.columns - 1;
  const T *a[2] = {p.a, p.a + 3 * p.a_tile}, *b = p.b;  // three tiles share a pointer
  const std::int64_t a_tile = p.a_tile, b_step = p.b_step;
  for (std::int64_t k = 0; k < p.depth; ++k) {
    hn::Vec<decltype(d)> rows[kTiles];
    for (int t = 0; t < kTiles; ++t) rows[t] = hn::LoadU(d, a[t / 3] + t % 3 * a_tile);
    HWY_UNROLL(kMostFewColumns)
    for (int j = 0; j < kColumns; ++j) {
      const auto x = hn::Set(d, b[column[j]]);
      for (int t = 0; t < kTiles; ++t) sum[t][j] = hn::MulAdd(x, rows[t], sum[t][j]);
    }
    a[0] += kRowPanel;
    a[1] += kRowPanel;
    b += b_step;
  }
  for (int t = 0; t < kTiles; ++t)
    for (int j = 0; j < kColumns && j < p.columns; ++j)
      hn::StoreU(sum[t][j], d, p.sums + (t * p.columns + j) * kRowPanel);
}

// All tiles, as many at a time as sums fill the registers.
template <int kTiles, int kColumns, typename T>
HWY_INLINE void RowTilesOf(FewColumns<T> p) {
  for (; p.tiles >= kTiles; p.tiles -= kTiles) {
    RowTiles<kTiles, kColumns>(p);
    p.a += kTiles * p.a_tile;
    p.sums += kTiles * p.columns * kRowPanel;
  }
  if constexpr (kTiles > 1)
    if (p.tiles > 0) RowTilesOf<kTiles - 1, kColumns>(p);
}

template <typename T>
void FewColumnsOf(const FewColumns<T>& p) {
  if constexpr (RowsFillVector<T>()) {
    if (kMostFewColumns == 4 || p.columns <= 4)
      RowTilesOf<kTilesByFour, 4>(p);
    else
      RowTilesOf<3, kMostFewColumns>(p);
  }
}

template <typename T>
T Dot(const T* x, const T* y, std::int64_t y_stride, std::int64_t n) {
  const hn::ScalableTag<T> d;
  constexpr int kLanes = Lanes<T>();
  std::int64_t i = 0;
  T total = 0;
  if (y_stride == 1) {
    auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
    for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
      const T *at = x + i, *with = y + i;
      s0 = hn::MulAdd(hn::LoadU(d, at), hn::LoadU(d, with), s0);
      s1 = hn::MulAdd(hn::LoadU(d, at + kLanes), hn::LoadU(d, with + kLanes), s1);
      s2 = hn::MulAdd(hn::LoadU(d, at + 2 * kLanes), hn::LoadU(d, with + 2 * kLanes), s2);
      s3 = hn::MulAdd(hn::LoadU(d, at + 3 * kLanes), hn::LoadU(d, with + 3 * kLanes), s3);
    }
    for (; i + kLanes <= n; i += kLanes)
      s0 = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), s0);
    total = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  }
  for (; i < n; ++i) total += x[i] * y[i * y_stride];
  return total;
}

template <typename T>
GemmTiles<T> Tiles() {
  constexpr bool kFast = HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128;
  constexpr int kFew = RowsFillVector<T>() ? kMostFewColumns : 0;
  constexpr int kFewBehind = RowsFillVector<T>() ? kMostFewBehind : 0;
  return {kFast,     Lanes<T>(), kMaxRows,   kRowPanel,       {AnyTile<1, T>, AnyTile<2, T>},
          Narrow<T>, kFew,       kFewBehind, FewColumnsOf<T>, Pack<T>,
          Dot<T>};
}

GemmTiles<float> TilesF32() { return Tiles<float>(); }
GemmTiles<double> TilesF64() { return Tiles<double>(); }

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(GemmTiles, gemm_tiles, Tiles);

}  // namespace tapedeck::kernels
#endif
