// Winograd's transforms of tiles: those of two axes, one after the other. Included by kernels after
// hwy/foreach_target.h and compiled once per instruction set.

#if defined(TAPEDECK_WINOGRAD_STAGES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_WINOGRAD_STAGES_INL_H
#undef TAPEDECK_WINOGRAD_STAGES_INL_H
#else
#define TAPEDECK_WINOGRAD_STAGES_INL_H
#endif

#include <cstdint>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/winograd_axes-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Results of an axis that are formed together.
template <class Axis, int kCount>
struct PartsOf {
  static constexpr int kParts = Axis::parts(kCount);
  static constexpr bool has(int part, int i) { return Axis::part(kCount, i) == part; }
};

// The stages of a tile in one dimension, and the extents that they have on either side.
#define TAPEDECK_STAGE(Name, In, Out)                        \
  struct Name##Stage {                                       \
    template <class Axis>                                    \
    static constexpr int kIn = Axis::In;                     \
    template <class Axis>                                    \
    static constexpr int kOut = Axis::Out;                   \
    template <class Axis>                                    \
    using Parts = PartsOf<Axis, Axis::Out>;                  \
    template <class Axis, class D, class V>                  \
    static HWY_INLINE void Apply(D d, const V* in, V* out) { \
      Axis::Name(d, in, out);                                \
    }                                                        \
  };
TAPEDECK_STAGE(Input, kReach, kSize)
TAPEDECK_STAGE(GradOutput, kOutputs, kSize)
TAPEDECK_STAGE(Output, kSize, kOutputs)
TAPEDECK_STAGE(Filter, kTaps, kSize)
TAPEDECK_STAGE(GradFilter, kSize, kTaps)
#undef TAPEDECK_STAGE

// Where the elements of a tile lie.
template <typename T>
struct Spaced {
  T* first;
  std::int64_t row_step, column_step;

  template <class D>
  HWY_INLINE hn::Vec<D> Load(D d, int row, int column) const {
    return hn::LoadU(d, first + row * row_step + column * column_step);
  }
  template <int kColumns, class D>
  HWY_INLINE void StoreRow(D d, int row, const hn::Vec<D>* columns) const {
    HWY_UNROLL(12)
    for (int j = 0; j < kColumns; ++j)
      hn::StoreU(columns[j], d, first + row * row_step + j * column_step);
  }
};

// A stage on the columns of a tile, by the transform of its rows' axis, then on its rows: those of
// one part of the results.
template <class Stage, class Rows, class Columns, int kPart, class D, class In, class Out>
HWY_INLINE void TransformPart(D d, const In& in, const Out& out) {
  using V = hn::Vec<D>;
  using Parts = typename Stage::template Parts<Rows>;
  constexpr int kRowsIn = Stage::template kIn<Rows>, kRowsOut = Stage::template kOut<Rows>;
  constexpr int kColumnsIn = Stage::template kIn<Columns>;
  constexpr int kColumnsOut = Stage::template kOut<Columns>;
  V half[kRowsOut][kColumnsIn];
  HWY_UNROLL(12)
  for (int j = 0; j < kColumnsIn; ++j) {
    V column[kRowsIn], result[kRowsOut];
    HWY_UNROLL(12)
    for (int i = 0; i < kRowsIn; ++i) column[i] = in.Load(d, i, j);
    Stage::template Apply<Rows>(d, column, result);
    HWY_UNROLL(12)
    for (int i = 0; i < kRowsOut; ++i)
      if (Parts::has(kPart, i)) half[i][j] = result[i];
  }
  HWY_UNROLL(12)
  for (int i = 0; i < kRowsOut; ++i) {
    if (!Parts::has(kPart, i)) continue;
    V result[kColumnsOut];
    Stage::template Apply<Columns>(d, half[i], result);
    out.template StoreRow<kColumnsOut>(d, i, result);
  }
}

// Part by part: what lies between the two steps then stays in registers, and to load a tile once
// more costs less than to store that.
template <class Stage, class Rows, class Columns, int kPart = 0, class D, class In, class Out>
HWY_INLINE void Transform(D d, const In& in, const Out& out) {
  TransformPart<Stage, Rows, Columns, kPart>(d, in, out);
  if constexpr (kPart + 1 < Stage::template Parts<Rows>::kParts)
    Transform<Stage, Rows, Columns, kPart + 1>(d, in, out);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
