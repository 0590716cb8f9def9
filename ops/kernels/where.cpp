#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/row_loop.h>

namespace tapedeck::kernels {

namespace {

// `condition`, `a`, `b`: whether each is one element for the whole row.
template <typename Word, bool condition, bool a, bool b>
void row(Word* out, const std::uint8_t* c, const Word* x, const Word* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    // Without a branch, which random conditions would make costly.
    const Word mask = static_cast<Word>(Word{0} - (c[condition ? 0 : i] != 0 ? Word{1} : Word{0}));
    out[i] = static_cast<Word>((x[a ? 0 : i] & mask) | (y[b ? 0 : i] & static_cast<Word>(~mask)));
  }
}

// Elements are chosen, not computed with: an integer of their size will do.
template <typename Word>
void where_row(void* out_row, const void* const* in, unsigned scalars, std::int64_t n,
               const double*) {
  Word* const out = static_cast<Word*>(out_row);
  const auto* const c = static_cast<const std::uint8_t*>(in[0]);
  const auto* const x = static_cast<const Word*>(in[1]);
  const auto* const y = static_cast<const Word*>(in[2]);
  switch (scalars) {
    case 0:
      return row<Word, false, false, false>(out, c, x, y, n);
    case 1:
      return row<Word, true, false, false>(out, c, x, y, n);
    case 2:
      return row<Word, false, true, false>(out, c, x, y, n);
    case 3:
      return row<Word, true, true, false>(out, c, x, y, n);
    case 4:
      return row<Word, false, false, true>(out, c, x, y, n);
    case 5:
      return row<Word, true, false, true>(out, c, x, y, n);
    default:
      return row<Word, false, true, true>(out, c, x, y, n);
  }
}

}  // namespace

Array where(const Array& condition, const Array& a, const Array& b) {
  TAPEDECK_CHECK_AS(TypeError,
                    condition.dtype() == ScalarType::Bool || condition.dtype() == ScalarType::Byte,
                    "where: expected a condition of dtype Bool, got ", condition.dtype());
  TAPEDECK_CHECK(a.dtype() == b.dtype(), "where: expected operands of one dtype, got ", a.dtype(),
                 " and ", b.dtype());
  const DimVector shape =
      broadcast_shapes(condition.sizes(), broadcast_shapes(a.sizes(), b.sizes(), "where"), "where");
  const RowInput in[] = {condition, a, b};
  Array out = empty_for_rows(shape, a.dtype(), in, 3);
  const RowLoop loop = element_size(a.dtype()) == 1   ? where_row<std::uint8_t>
                       : element_size(a.dtype()) == 4 ? where_row<std::uint32_t>
                                                      : where_row<std::uint64_t>;
  run_rows({loop, RowCost::Memory}, nullptr, out, in, 3);
  return out;
}

}  // namespace tapedeck::kernels
