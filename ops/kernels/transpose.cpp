#include <tapedeck/ops/kernels/transpose.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/transpose.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/transpose-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

void TransposeU32(const std::uint32_t* from, std::int64_t from_step, std::int64_t rows,
                  std::int64_t columns, std::uint32_t* to, std::int64_t to_step) {
  Transpose<std::uint32_t>(from, from_step, rows, columns, nullptr, to, to_step);
}
void TransposeU64(const std::uint64_t* from, std::int64_t from_step, std::int64_t rows,
                  std::int64_t columns, std::uint64_t* to, std::int64_t to_step) {
  Transpose<std::uint64_t>(from, from_step, rows, columns, nullptr, to, to_step);
}

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(TransposeU32);
HWY_EXPORT(TransposeU64);

template <>
void transpose(const std::uint32_t* from, std::int64_t from_step, std::int64_t rows,
               std::int64_t columns, std::uint32_t* to, std::int64_t to_step) {
  HWY_DYNAMIC_DISPATCH(TransposeU32)(from, from_step, rows, columns, to, to_step);
}
template <>
void transpose(const std::uint64_t* from, std::int64_t from_step, std::int64_t rows,
               std::int64_t columns, std::uint64_t* to, std::int64_t to_step) {
  HWY_DYNAMIC_DISPATCH(TransposeU64)(from, from_step, rows, columns, to, to_step);
}

}  // namespace tapedeck::kernels

#endif
