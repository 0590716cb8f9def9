#include <tapedeck/ops/kernels/gemm_skinny_tiles.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/gemm_skinny_tiles.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/fold_lanes-inl.h>
#include <tapedeck/ops/kernels/operands-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>
#include <tapedeck/ops/kernels/transpose-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The vectors of a block of `rows`, and a tile of dots: their sums fill the registers.
#if HWY_TARGET == HWY_AVX3
constexpr int kMaxRows = 8, kRowVectors[kMaxRows] = {8, 8, 8, 6, 5, 4, 3, 3};
constexpr int kDotRows = 4, kDotColumns = 6;
#else
constexpr int kMaxRows = 6, kRowVectors[kMaxRows] = {8, 6, 4, 2, 2, 2};
constexpr int kDotRows = 3, kDotColumns = 4;
#endif
constexpr int kMostVectors = 8;
constexpr int kMaxAdjacent = 4;  // rows of c whose columns are adjacent
// Rows of b that are wider than a block are gone through so many at a time, as streams side by
// side: the fewer, the more is left to the prefetcher, but the more often c is read and written.
// The prefetcher does not follow many streams through long rows: of these, so much is fetched
// ahead, or that of so many rows ahead, where so many rows of c take long enough for it.
#if HWY_TARGET == HWY_AVX3
constexpr std::int64_t kStreams[kMaxRows] = {8, 64, 64, 64, 64, 64, 64, 64}, kRowsAhead = 4;
constexpr int kPrefetchedRows = 3;
#else
constexpr std::int64_t kStreams[kMaxRows] = {8, 16, 32, 32, 32, 32}, kRowsAhead = 0;
constexpr int kPrefetchedRows = 2;
#endif
constexpr std::int64_t kPrefetchBytes = 512, kLongRowBytes = 1536;
constexpr std::int64_t kLineBytes = 64;
constexpr std::int64_t kBlockColumns = 512;  // of c, that are put together where they are adjacent
// Of columns that are transposed rather than summed, and of the rows that meet them.
constexpr int kShortDepth = 16, kShortRows = 4;

template <typename T>
HWY_INLINE constexpr int Lanes() {
  return static_cast<int>(hn::MaxLanes(hn::ScalableTag<T>()));
}

template <typename T>
struct Product {
  T alpha;
  const T* a;
  std::int64_t a_row_stride, a_step;
  const T* b;
  std::int64_t b_stride, depth;
  T beta;
  T* c;
  std::int64_t c_row_stride, c_column_stride;
  std::int64_t b_ahead = 0;  // of what is read, to what is prefetched
};

// Sums that few vectors are added to in turn, since one would wait for itself.
HWY_INLINE constexpr int Chains(int sums) { return sums < 3 ? 4 : sums < 5 ? 2 : 1; }

// kRows rows of c by kVectors vectors; the last vector has `last` columns. Behind others, it
// overlaps the one before it instead of ending early.
template <int kRows, int kVectors, typename T>
void RowsBlock(const Product<T>& p, std::int64_t last) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int kLanes = Lanes<T>(), kChains = Chains(kRows * kVectors);
  const auto load = [&](const T* row, int v) HWY_ATTR {
    if (kVectors == 1) return LoadPart(d, row, last);
    return hn::LoadU(d, row + (v + 1 < kVectors ? v * kLanes : (v - 1) * kLanes + last));
  };
  V sums[kChains][kRows][kVectors];
  HWY_UNROLL(4)
  for (int chain = 0; chain < kChains; ++chain) {
    HWY_UNROLL(kMaxRows)
    for (int i = 0; i < kRows; ++i) {
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors; ++v) sums[chain][i][v] = hn::Zero(d);
    }
  }
  const T *a = p.a, *b = p.b;
  const std::int64_t a_row_stride = p.a_row_stride, a_step = p.a_step, b_stride = p.b_stride;
  [[maybe_unused]] const std::int64_t b_ahead = p.b_ahead;
  const auto multiply = [&](int chain, const auto& load_from) HWY_ATTR {
    const auto column = [&](int v) HWY_ATTR {
      if (kRows >= kPrefetchedRows && v * kLanes * sizeof(T) % kLineBytes == 0)
        hwy::Prefetch(b + v * kLanes + b_ahead);
      return OperandOf<kRows>(load_from(b, v));
    };
    const auto factor = [&](int i) HWY_ATTR { return hn::Set(d, a[i * a_row_stride]); };
    // Of the two, those stay in registers that are fewer.
    if constexpr (kRows <= kVectors) {
      V factors[kRows];
      HWY_UNROLL(kMaxRows)
      for (int i = 0; i < kRows; ++i) factors[i] = factor(i);
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors; ++v) {
        const V x = column(v);
        HWY_UNROLL(kMaxRows)
        for (int i = 0; i < kRows; ++i)
          sums[chain][i][v] = hn::MulAdd(factors[i], x, sums[chain][i][v]);
      }
    } else {
      V columns[kVectors];
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors; ++v) columns[v] = column(v);
      HWY_UNROLL(kMaxRows)
      for (int i = 0; i < kRows; ++i) {
        const V x = factor(i);
        HWY_UNROLL(kMostVectors)
        for (int v = 0; v < kVectors; ++v)
          sums[chain][i][v] = hn::MulAdd(x, columns[v], sums[chain][i][v]);
      }
    }
    a += a_step;
    b += b_stride;
  };
  std::int64_t k = 0;
  const auto multiply_until = [&](std::int64_t end, const auto& load_from) HWY_ATTR {
    for (; k + kChains <= end; k += kChains) {
      HWY_UNROLL(4)
      for (int chain = 0; chain < kChains; ++chain) multiply(chain, load_from);
    }
    for (; k < end; ++k) multiply(0, load_from);
  };
  // Of short rows without gaps, a vector may end in those that follow.
  if (kVectors == 1 && b_stride == last)
    multiply_until(p.depth - (kLanes - 1) / last,
                   [&](const T* row, int) HWY_ATTR { return hn::LoadU(d, row); });
  multiply_until(p.depth, load);
  // What p says is read before the first store, which might change it, and so is what a vector
  // overlaps.
  const auto alpha = hn::Set(d, p.alpha), beta = hn::Set(d, p.beta);
  const bool adds = p.beta != T{0};
  T* const c = p.c;
  const std::int64_t c_row_stride = p.c_row_stride;
  HWY_UNROLL(kMaxRows)
  for (int i = 0; i < kRows; ++i) {
    T* const to = c + i * c_row_stride;
    V value[kVectors];
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors; ++v) {
      auto sum = sums[0][i][v];
      HWY_UNROLL(4)
      for (int chain = 1; chain < kChains; ++chain) sum = hn::Add(sum, sums[chain][i][v]);
      value[v] = hn::Mul(alpha, sum);
      if (adds) value[v] = hn::MulAdd(beta, load(to, v), value[v]);
    }
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors; ++v) {
      if (kVectors == 1)
        StoreUpTo(d, value[v], to, last);
      else
        hn::StoreU(value[v], d, to + (v + 1 < kVectors ? v * kLanes : (v - 1) * kLanes + last));
    }
  }
}

template <int kRows, int kVectors, typename T>
HWY_INLINE void RowsBlockOf(int vectors, const Product<T>& p, std::int64_t last) {
  if (vectors == kVectors) return RowsBlock<kRows, kVectors>(p, last);
  if constexpr (kVectors > 1) RowsBlockOf<kRows, kVectors - 1>(vectors, p, last);
}

template <int kRows, typename T>
void RowsOf(Product<T> p, std::int64_t columns) {
  constexpr int kLanes = Lanes<T>(), kVectors = kRowVectors[kRows - 1];
  const std::int64_t vectors = (columns + kLanes - 1) / kLanes;
  const std::int64_t blocks = (vectors + kVectors - 1) / kVectors;
  const std::int64_t depth = p.depth;
  const std::int64_t streams = blocks > 1 ? kStreams[kRows - 1] : depth;
  const T* const b = p.b;
  T* const c = p.c;
  for (std::int64_t k = 0; k == 0 || k < depth; k += streams) {
    p.depth = depth - k < streams ? depth - k : streams;
    for (std::int64_t i = 0; i < blocks; ++i) {  // of nearly equal width: narrow ones have few sums
      const std::int64_t begin = i * vectors / blocks, end = (i + 1) * vectors / blocks;
      const std::int64_t last = columns - (end - 1) * kLanes;
      p.b = b + k * p.b_stride + begin * kLanes;
      p.c = c + begin * kLanes;
      RowsBlockOf<kRows, kVectors>(static_cast<int>(end - begin), p, last < kLanes ? last : kLanes);
    }
    p.a += streams * p.a_step;
    p.beta = T{1};
  }
}

template <int kRows, typename T>
HWY_INLINE void RowsOfAny(std::int64_t rows, const Product<T>& p, std::int64_t columns) {
  if (rows == kRows) return RowsOf<kRows>(p, columns);
  if constexpr (kRows > 1) RowsOfAny<kRows - 1>(rows, p, columns);
}

template <typename T>
void Rows(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  constexpr std::int64_t kSize = sizeof(T);
  std::int64_t b_ahead = 0;
  if (b.row_stride * kSize >= kLongRowBytes)
    b_ahead = kRowsAhead > 0 && b.rows >= kStreams[c.rows - 1] ? kRowsAhead * b.row_stride
                                                               : kPrefetchBytes / kSize;
  const Product<T> p{alpha,     a.data, a.row_stride, a.column_stride, b.data, b.row_stride,
                     a.columns, beta,   c.data,       c.row_stride,    1,      b_ahead};
  RowsOfAny<kMaxRows>(c.rows, p, c.columns);
}

// c = rows^T + beta c, where the columns of c are adjacent, from rows of kBlockColumns.
template <int kRows, typename T>
void StoreBlock(const T* rows, std::int64_t columns, T beta, T* c) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = Lanes<T>();
  std::int64_t j = 0;
  for (; j + kLanes <= columns; j += kLanes) {
    hn::Vec<decltype(d)> value[kRows];
    for (int i = 0; i < kRows; ++i) value[i] = hn::LoadU(d, rows + i * kBlockColumns + j);
    if (beta != T{0}) {
      hn::Vec<decltype(d)> old[kRows];
      LoadAdjacent<kRows>(d, c + j * kRows, old);
      for (int i = 0; i < kRows; ++i) value[i] = hn::MulAdd(hn::Set(d, beta), old[i], value[i]);
    }
    StoreAdjacent<kRows>(d, value, c + j * kRows);
  }
  for (; j < columns; ++j)
    for (int i = 0; i < kRows; ++i) {
      T& to = c[j * kRows + i];
      to = rows[i * kBlockColumns + j] + (beta == T{0} ? T{0} : beta * to);
    }
}

template <int kRows, typename T>
HWY_INLINE void StoreBlockOf(std::int64_t rows_of, const T* rows, std::int64_t columns, T beta,
                             T* c) {
  if (rows_of == kRows) return StoreBlock<kRows>(rows, columns, beta, c);
  if constexpr (kRows > 1) StoreBlockOf<kRows - 1>(rows_of, rows, columns, beta, c);
}

// `Rows` of blocks from which columns of c that are adjacent are put together.
template <typename T>
void AdjacentColumns(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  T rows[kMaxAdjacent * kBlockColumns];
  for (std::int64_t j = 0; j < c.columns; j += kBlockColumns) {
    const std::int64_t n = HWY_MIN(kBlockColumns, c.columns - j);
    Rows(alpha, a, b.block(0, j, b.rows, n), T{0}, row_major(rows, c.rows, n, kBlockColumns));
    StoreBlockOf<kMaxAdjacent>(c.rows, rows, n, beta, &c.at(0, j));
  }
}

template <typename T>
void AnyRows(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  if (c.column_stride == 1)
    Rows(alpha, a, b, beta, c);
  else
    AdjacentColumns(alpha, a, b, beta, c);
}

template <int kRows, int kColumns, typename T>
void DotTile(const Product<T>& p) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int kLanes = Lanes<T>(), kBlock = kFolded<T>, kSums = kRows * kColumns;
  constexpr int kPadded = (kSums + kBlock - 1) / kBlock * kBlock;
  V sum[kPadded];
  for (int i = 0; i < kPadded; ++i) sum[i] = hn::Zero(d);
  const T *a = p.a, *b = p.b;
  const std::int64_t a_stride = p.a_row_stride, b_stride = p.b_stride;
  std::int64_t k = 0;
  for (; k + kLanes <= p.depth; k += kLanes) {
    V row[kRows];
    for (int i = 0; i < kRows; ++i)
      row[i] = OperandOf<kColumns>(hn::LoadU(d, a + i * a_stride + k));
    for (int j = 0; j < kColumns; ++j) {
      const V column = OperandOf<kRows>(hn::LoadU(d, b + j * b_stride + k));
      for (int i = 0; i < kRows; ++i)
        sum[i * kColumns + j] = hn::MulAdd(row[i], column, sum[i * kColumns + j]);
    }
  }
  if (const std::int64_t left = p.depth - k; left > 0) {
    V row[kRows];
    for (int i = 0; i < kRows; ++i) row[i] = LoadPart(d, a + i * a_stride + k, left);
    for (int j = 0; j < kColumns; ++j) {
      const V column = LoadPart(d, b + j * b_stride + k, left);
      for (int i = 0; i < kRows; ++i)
        sum[i * kColumns + j] = hn::MulAdd(row[i], column, sum[i * kColumns + j]);
    }
  }
  T total[kPadded];
  const auto add = [](auto x, auto y) HWY_ATTR { return hn::Add(x, y); };
  for (int i = 0; i < kPadded; i += kBlock) FoldLanes(d, sum + i, add, total + i);
  // What p says is read before the first store, which might change it.
  const T alpha = p.alpha, beta = p.beta;
  T* const c = p.c;
  const std::int64_t c_row_stride = p.c_row_stride, c_column_stride = p.c_column_stride;
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kColumns; ++j) {
      T& to = c[i * c_row_stride + j * c_column_stride];
      const T value = alpha * total[i * kColumns + j];
      to = beta == T{0} ? value : value + beta * to;
    }
}

template <int kRows, int kColumns, typename T>
HWY_INLINE void DotTileOf(std::int64_t rows, std::int64_t columns, const Product<T>& p) {
  if (rows < kRows) {
    if constexpr (kRows > 1) DotTileOf<kRows - 1, kColumns>(rows, columns, p);
  } else if (columns < kColumns) {
    if constexpr (kColumns > 1) DotTileOf<kRows, kColumns - 1>(rows, columns, p);
  } else {
    DotTile<kRows, kColumns>(p);
  }
}

#if HWY_TARGET != HWY_SCALAR

// A few rows times columns that are so short that vectors across them, whose elements are
// transposed, take less time than sums of lanes; the columns of c have no gaps. Returns how many
// columns this is for: whole vectors, as far as nothing behind the last column is read.
template <int kRows, typename T>
std::int64_t ShortDots(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = Lanes<T>(), kSide = 16 / sizeof(T);
  const std::int64_t depth = b.rows, stride = b.column_stride;
  const std::int64_t read = depth < kSide ? kSide : depth;
  const std::int64_t size = (b.columns - 1) * stride + depth;
  const bool adjacent = stride == depth && depth >= 2 && depth <= 4;
  const auto scale = hn::Set(d, alpha), keep = hn::Set(d, beta);
  std::int64_t j = 0;
  for (; j + kLanes <= b.columns && (j + kLanes - 1) * stride + read <= size; j += kLanes) {
    const T* const columns = b.data + j * stride;
    V sum[kRows], v[4];
    for (int i = 0; i < kRows; ++i) sum[i] = hn::Zero(d);
    const auto add = [&](std::int64_t k, V x) HWY_ATTR {
      for (int i = 0; i < kRows; ++i)
        sum[i] = hn::MulAdd(hn::Set(d, a.data[i * a.row_stride + k]), x, sum[i]);
    };
    if (adjacent) {
      if (depth == 2)
        LoadAdjacent<2>(d, columns, v);
      else if (depth == 3)
        LoadAdjacent<3>(d, columns, v);
      else
        LoadAdjacent<4>(d, columns, v);
      HWY_UNROLL(4)
      for (std::int64_t k = 0; k < 4; ++k)
        if (k < depth) add(k, v[k]);
    } else {
      for (std::int64_t k = 0; k < depth; k += kSide) {
        // The last block reaches back over elements that are in the sum already.
        const std::int64_t at = depth < kSide || k + kSide <= depth ? k : depth - kSide;
        LoadTransposed(
            d, [=](std::int64_t i) { return columns + i * stride + at; }, v);
        HWY_UNROLL(4)
        for (std::int64_t i = 0; i < kSide; ++i)
          if (at + i >= k && at + i < depth) add(at + i, v[i]);
      }
    }
    T* const to = c.data + j * kRows;
    for (int i = 0; i < kRows; ++i) sum[i] = hn::Mul(scale, sum[i]);
    if (beta != T{0}) {
      V old[kRows];
      LoadAdjacent<kRows>(d, to, old);
      for (int i = 0; i < kRows; ++i) sum[i] = hn::MulAdd(keep, old[i], sum[i]);
    }
    StoreAdjacent<kRows>(d, sum, to);
  }
  return j;
}

template <int kRows, typename T>
std::int64_t ShortDotsOf(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  if (c.rows == kRows) return ShortDots<kRows>(alpha, a, b, beta, c);
  if constexpr (kRows > 1) return ShortDotsOf<kRows - 1>(alpha, a, b, beta, c);
  return 0;
}

#endif

template <typename T>
void Dots(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  Product<T> p{alpha,  a.data,       a.row_stride,   1, b.data, b.column_stride, a.columns, beta,
               c.data, c.row_stride, c.column_stride};
  for (std::int64_t j = 0; j < c.columns; j += kDotColumns)
    for (std::int64_t i = 0; i < c.rows; i += kDotRows) {
      const std::int64_t rows = c.rows - i, columns = c.columns - j;
      p.a = a.data + i * a.row_stride;
      p.b = b.data + j * b.column_stride;
      p.c = c.data + i * c.row_stride + j * c.column_stride;
      DotTileOf<kDotRows, kDotColumns>(rows, columns, p);
    }
}

template <typename T>
void AnyShortDots(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  std::int64_t done = 0;
#if HWY_TARGET != HWY_SCALAR
  done = ShortDotsOf<kShortRows>(alpha, a, b, beta, c);
#endif
  const std::int64_t left = c.columns - done;
  Dots(alpha, a, b.block(0, done, b.rows, left), beta, c.block(0, done, c.rows, left));
}

template <typename T>
SkinnyTiles<T> Tiles() {
  return {Lanes<T>(),     kMaxRows,   kMaxAdjacent, Lanes<T>() * kRowVectors[0],
          kShortDepth,    kShortRows, AnyRows<T>,   Dots<T>,
          AnyShortDots<T>};
}

SkinnyTiles<float> TilesF32() { return Tiles<float>(); }
SkinnyTiles<double> TilesF64() { return Tiles<double>(); }

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(SkinnyTiles, skinny_tiles, Tiles);

}  // namespace tapedeck::kernels
#endif
