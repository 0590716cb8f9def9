#include <tapedeck/ops/kernels/gemm_blocked.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/gemm_plan.h>
#include <tapedeck/ops/kernels/gemm_skinny.h>
#include <tapedeck/ops/kernels/gemm_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/transpose.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kStaysInL1 = 1 << 14;  // bytes of a panel beside which tiles go through
constexpr std::int64_t kPackedInPiece = 1 << 15;

// Rows of a panel, `step` elements apart, that are asked for ahead of their products, one for every
// `every` steps of the depth; or null.
template <typename T>
struct Ahead {
  const T* rows;
  std::int64_t step, every = kNeverAsk;
};

// Panels [first, first + n) of an operand, packed one behind the other or in place.
template <typename T>
struct Reach {
  const GemmPanels<T>& panels;
  const Part& k;
  std::int64_t first;
  const T* packed;  // null: in place
  const T* last;    // in place: a packed copy of a last panel of less than a vector, or null
  std::int64_t own_panels = 0;  // of each piece, which packs its own

  bool in_place(std::int64_t i) const { return !packed && !(last && i + 1 == panels.count); }
  const T* at(std::int64_t i) const {
    if (packed) return packed + panels.packed(i - first, k);
    return in_place(i) ? panels.at(i, k.begin) : last;
  }
  std::int64_t stride(std::int64_t i) const { return in_place(i) ? panels.stride : 1; }
  std::int64_t step(std::int64_t i) const {
    return in_place(i) ? panels.depth_stride : panels.width;
  }
  // What follows panel i: the next one or, where that was packed just now, what the next piece
  // packs in place of panel i.
  Ahead<T> after(std::int64_t i) const {
    const std::int64_t next = i + std::max<std::int64_t>(1, own_panels);
    if (next >= panels.count || (own_panels > 0 && panels.stride != 1)) return {nullptr, 0};
    if (own_panels > 0) return {panels.at(next, k.begin), panels.depth_stride};
    return {at(next), step(next)};
  }
};

// Packs all panels, on all threads.
template <typename T>
void pack_all(const GemmPanels<T>& panels, const Part& k, T* to) {
  const auto grain = [&](std::int64_t elements) {
    return ceil_div(kPackedInPiece, std::max<std::int64_t>(1, elements));
  };
  if (panels.stride == 1) {  // by rows, which are contiguous
    parallel_for(k.size, round_up(grain(panels.packed(panels.count, Part(0, 1, 1))), 16),
                 [&](std::int64_t begin, std::int64_t end) {
                   panels.pack(0, panels.count, k, begin, end, to);
                 });
  } else {
    parallel_for(panels.count, grain(panels.packed(1, k)),
                 [&](std::int64_t begin, std::int64_t end) {
                   panels.pack(begin, end - begin, k, 0, k.size, to + panels.packed(begin, k));
                 });
  }
}

// How c is written.
template <typename T>
struct Result {
  T alpha, beta;
  Matrix<T> c;
  const T* row_addends;  // or null
};

template <typename T>
inline void one_tile(const GemmTiles<T>& simd, const Reach<T>& a, std::int64_t t, const Reach<T>& b,
                     std::int64_t p, std::int64_t columns, const Result<T>& result,
                     const Ahead<T>& ahead = {nullptr, 0}) {
  const GemmTile<T> tile{a.at(t),
                         a.stride(t),
                         a.step(t),
                         b.at(p),
                         b.step(p),
                         a.k.size,
                         result.alpha,
                         result.beta,
                         &result.c.at(a.panels.begin(t), b.panels.begin(p)),
                         result.c.row_stride,
                         columns,
                         result.row_addends ? result.row_addends + a.panels.begin(t) : nullptr,
                         nullptr,
                         ahead.rows,
                         ahead.step,
                         ahead.every};
  simd.tile[columns > simd.lanes ? 1 : 0](static_cast<int>(a.panels.size(t)), tile);
}

// Tiles [t_begin, t_end), which are packed, by the last few columns of panel p.
template <typename T>
void few_columns(const Reach<T>& a, std::int64_t t_begin, std::int64_t t_end, const Reach<T>& b,
                 std::int64_t p, std::int64_t columns, const Result<T>& result) {
  const GemmTiles<T>& simd = gemm_tiles<T>();
  constexpr std::int64_t kMost = 2048;  // sums
  const std::int64_t skipped = b.panels.size(p) - columns, first = b.panels.begin(p) + skipped;
  const std::int64_t row_panel = simd.row_panel, tiles = kMost / (columns * row_panel);
  const Matrix<T>& c = result.c;
  T sums[kMost];
  for (std::int64_t t = t_begin; t < t_end; t += tiles) {
    const std::int64_t n = std::min(tiles, t_end - t);
    simd.few_columns({n, a.at(t), a.panels.packed(1, a.k), b.at(p) + skipped, b.step(p), columns,
                      a.k.size, sums});
    for (std::int64_t i = 0; i < n; ++i) {
      const T* const sum = sums + i * columns * row_panel;
      for (std::int64_t row = 0; row < a.panels.size(t + i); ++row)
        for (std::int64_t j = 0; j < columns; ++j) {
          const std::int64_t c_row = a.panels.begin(t + i) + row;
          T& to = c.at(c_row, first + j);
          T value = result.alpha * sum[j * row_panel + row];
          if (result.row_addends) value += result.row_addends[c_row];
          to = result.beta == T{0} ? value : value + result.beta * to;
        }
    }
  }
}

// Tiles [t, t_end) by panels [p, p_end), which are in the L2 cache, or on their way there; of the
// last panel, a few columns by vectors along the rows.
template <typename T>
void block(const Reach<T>& a, std::int64_t t_begin, std::int64_t t_end, const Reach<T>& b,
           std::int64_t p_begin, std::int64_t p_end, std::int64_t few, const Result<T>& result) {
  const GemmTiles<T>& simd = gemm_tiles<T>();
  const std::int64_t bytes = b.panels.packed(1, b.k) * static_cast<std::int64_t>(sizeof(T));
  const auto columns = [&](std::int64_t p) {
    return b.panels.size(p) - (p + 1 == p_end ? few : 0);
  };
  if (bytes <= kStaysInL1 || !b.packed) {
    // Each tile asks for a part of what follows the panel.
    const std::int64_t part = ceil_div(b.k.size, t_end - t_begin);
    for (std::int64_t p = p_begin; p < p_end; ++p) {
      const std::int64_t n = columns(p);
      if (n == 0) break;
      Ahead<T> ahead = b.after(p);
      if (ahead.rows) ahead.every = t_end - t_begin;
      for (std::int64_t t = t_begin; t < t_end; ++t) {
        one_tile(simd, a, t, b, p, n, result, ahead);
        if (ahead.rows) ahead.rows += part * ahead.step;
      }
    }
  } else {
    for (std::int64_t t = t_begin; t < t_end; ++t)
      for (std::int64_t p = p_begin; p < p_end && columns(p) > 0; ++p)
        one_tile(simd, a, t, b, p, columns(p), result);
  }
  if (few > 0) few_columns(a, t_begin, t_end, b, p_end - 1, few, result);
}

// One part of the depth.
template <typename T>
void multiply_part(const TilePlan<T>& plan, const Part& k, const T* rows_copy, T* columns_copy,
                   const Result<T>& result) {
  using Source = typename TilePlan<T>::Source;
  const GemmPanels<T>&rows = plan.rows, &columns = plan.columns;
  const std::int64_t last = columns.size(columns.count - 1);
  const bool pack_last = plan.columns_from == Source::kInPlace && plan.few_columns == 0 &&
                         last < gemm_tiles<T>().lanes;
  if (plan.columns_from == Source::kShared) pack_all(columns, k, columns_copy);
  if (pack_last) columns.pack(columns.count - 1, 1, k, 0, k.size, columns_copy);

  const std::int64_t across = ceil_div(columns.count, plan.piece_columns);
  const std::int64_t down = ceil_div(rows.count, plan.piece_rows);
  parallel_for(across * down, 1, [&](std::int64_t begin, std::int64_t end) {
    Scratch<T> own;
    if (plan.rows_from == Source::kOwn)
      own = Scratch<T>(rows.packed(plan.piece_rows, k));
    else if (plan.columns_from == Source::kOwn)
      own = Scratch<T>(columns.packed(plan.piece_columns, k));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t p = i % across * plan.piece_columns, t = i / across * plan.piece_rows;
      const std::int64_t p_end = std::min(columns.count, p + plan.piece_columns);
      const std::int64_t t_end = std::min(rows.count, t + plan.piece_rows);
      Reach<T> a{rows, k, 0, plan.rows_from == Source::kShared ? rows_copy : nullptr, nullptr};
      Reach<T> b{columns, k, 0, plan.columns_from == Source::kShared ? columns_copy : nullptr,
                 pack_last ? columns_copy : nullptr};
      if (plan.rows_from == Source::kOwn) {
        rows.pack(t, t_end - t, k, 0, k.size, own.data());
        a.first = t;
        a.packed = own.data();
      } else if (plan.columns_from == Source::kOwn) {
        columns.pack(p, p_end - p, k, 0, k.size, own.data());
        b.first = p;
        b.packed = own.data();
        b.own_panels = plan.piece_columns;
      }
      for (std::int64_t row = t; row < t_end; row += kBlockTiles)
        block(a, row, std::min(t_end, row + kBlockTiles), b, p, p_end,
              p_end == columns.count ? plan.few_columns : 0, result);
    }
  });
}

// c = sums^T + beta c, where the columns of c are adjacent
template <typename T>
void add_transposed(Matrix<const T> sums, T beta, Matrix<T> c) {
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr std::int64_t kRows = 64, kColumns = 16;  // a block of both stays in the L1 cache
  const auto transposed = [&](std::int64_t i, std::int64_t j, std::int64_t rows,
                              std::int64_t columns, T* to, std::int64_t to_step) {
    transpose(reinterpret_cast<const Word*>(&sums.at(j, i)), sums.row_stride, columns, rows,
              reinterpret_cast<Word*>(to), to_step);
  };
  parallel_for(ceil_div(c.rows, kRows), ceil_div(kPackedInPiece, kRows * c.columns),
               [&](std::int64_t begin, std::int64_t end) {
                 T block[kRows * kColumns];
                 for (std::int64_t row = begin * kRows; row < std::min(c.rows, end * kRows);
                      row += kRows)
                   for (std::int64_t column = 0; column < c.columns; column += kColumns) {
                     const std::int64_t rows = std::min(kRows, c.rows - row);
                     const std::int64_t columns = std::min(kColumns, c.columns - column);
                     if (beta == T{0}) {
                       transposed(row, column, rows, columns, &c.at(row, column), c.row_stride);
                       continue;
                     }
                     transposed(row, column, rows, columns, block, columns);
                     for (std::int64_t i = 0; i < rows; ++i) {
                       T* const to = &c.at(row + i, column);
                       const T* const from = block + i * columns;
                       for (std::int64_t j = 0; j < columns; ++j) to[j] = from[j] + beta * to[j];
                     }
                   }
               });
}

// Where the rows of a part of the depth that begins at `depth` are, behind those before it.
template <typename T>
std::int64_t packed_before(const GemmPanels<T>& rows, std::int64_t depth) {
  return rows.packed(rows.count, Part(0, 1, depth));
}

// c has unit column stride, and vectors lie along its columns. packed_rows: all parts of a, or
// null.
template <typename T>
void multiply_along_columns(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c,
                            const T* row_addends, const T* packed_rows = nullptr) {
  using Source = typename TilePlan<T>::Source;
  const TilePlan<T> plan(a, b, packed_rows != nullptr);
  const Part longest = plan.longest_part();
  Scratch<T> rows, columns;
  const bool packs_rows = plan.rows_from == Source::kShared && !packed_rows;
  if (packs_rows) rows = Scratch<T>(plan.rows.packed(plan.rows.count, longest));
  if (plan.columns_from != Source::kOwn) {  // in place: of the last one, if that is not whole
    const bool shared = plan.columns_from == Source::kShared;
    columns = Scratch<T>(plan.columns.packed(shared ? plan.columns.count : 1, longest));
  }
  for (std::int64_t i = 0; i < plan.parts; ++i) {
    const Part k = plan.part(i);
    if (packs_rows) pack_all(plan.rows, k, rows.data());
    const T* const rows_copy =
        packed_rows ? packed_rows + packed_before(plan.rows, k.begin) : rows.data();
    const Result<T> result{alpha, i == 0 ? beta : T{1}, c, i == 0 ? row_addends : nullptr};
    multiply_part(plan, k, rows_copy, columns.data(), result);
  }
}

// The last few columns of c alone, where those go apart: as their rows if c^T can be transposed in.
// Returns how many they are; 0, with nothing done, where register tiles take less time.
template <typename T>
std::int64_t few_columns_apart(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  const std::int64_t few = columns_apart<T>(a, c);
  if (few == 0) return 0;
  b = b.block(0, c.columns - few, b.rows, few);
  c = c.block(0, c.columns - few, c.rows, few);
  if (a.row_stride != 1) {
    const auto plan = plan_skinny<T>(a, b, c);
    if (plan) gemm_skinny(*plan, alpha, a, b, beta, c);
    return plan ? few : 0;
  }
  const Scratch<T> sums(few * c.rows);
  const Matrix<T> sums_of_c = row_major(sums.data(), few, c.rows);
  const auto plan = plan_skinny<T>(b.transposed(), a.transposed(), sums_of_c);
  if (!plan) return 0;
  gemm_skinny<T>(*plan, alpha, b.transposed(), a.transposed(), 0, sums_of_c);
  add_transposed<T>(sums_of_c, beta, c);
  return few;
}

// The same with vectors along the columns or the rows of c.
template <typename T>
void multiply(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c,
              const T* row_addends) {
  if (c.rows == 0 || c.columns == 0) return;
  const bool is_column = c.columns == 1 && c.rows > 1 && c.row_stride == 1;
  if (is_column || (c.column_stride != 1 && c.columns > 1)) {  // c^T = b^T a^T
    multiply<T>(alpha, b.transposed(), a.transposed(), beta, c.transposed(), nullptr);
    if (row_addends) add_to_rows(row_addends, c);
  } else if (tiles_along_rows<T>(a, c)) {
    const Scratch<T> sums(c.rows * c.columns);
    const Matrix<T> sums_of_c = row_major(sums.data(), c.columns, c.rows);
    multiply_along_columns<T>(alpha, b.transposed(), a.transposed(), 0, sums_of_c, nullptr);
    add_transposed<T>(sums_of_c, beta, c);
    if (row_addends) add_to_rows(row_addends, c);
  } else {
    const std::int64_t few = row_addends ? 0 : few_columns_apart(alpha, a, b, beta, c);
    const std::int64_t whole = c.columns - few;
    multiply_along_columns(alpha, a, b.block(0, 0, b.rows, whole), beta,
                           c.block(0, 0, c.rows, whole), row_addends);
  }
}

}  // namespace

template <typename T>
void add_to_rows(const T* addends, Matrix<T> c) {
  parallel_for(c.rows, ceil_div(kPackedInPiece, c.columns),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i)
                   for (std::int64_t j = 0; j < c.columns; ++j) c.at(i, j) += addends[i];
               });
}

template <typename T>
void gemm_blocked(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  multiply<T>(alpha, a, b, beta, c, nullptr);
}

template <typename T>
void gemm_blocked_add_to_rows(Matrix<const T> a, Matrix<const T> b, const T* row_addends,
                              Matrix<T> c) {
  multiply<T>(1, a, b, 0, c, row_addends);
}

template <typename T>
PackedRows<T>::PackedRows(Matrix<const T> a)
    : a_(a), packed_(packed_before(GemmPanels<T>::rows_of(a), a.columns)) {
  const TilePlan<T> plan(a, a.transposed(), true);  // whatever the other operand is
  for (std::int64_t i = 0; i < plan.parts; ++i) {
    const Part k = plan.part(i);
    pack_all(plan.rows, k, packed_.data() + packed_before(plan.rows, k.begin));
  }
}

template <typename T>
void PackedRows<T>::multiply(Matrix<const T> b, Matrix<T> c, const T* row_addends) const {
  if (c.rows == 0 || c.columns == 0) return;
  multiply_along_columns<T>(1, a_, b, 0, c, row_addends, packed_.data());
}

#define TAPEDECK_INSTANTIATE(T)                                                                  \
  template void gemm_blocked(T, Matrix<const T>, Matrix<const T>, T, Matrix<T>);                 \
  template void gemm_blocked_add_to_rows(Matrix<const T>, Matrix<const T>, const T*, Matrix<T>); \
  template void add_to_rows(const T*, Matrix<T>);                                                \
  template class PackedRows<T>;
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
