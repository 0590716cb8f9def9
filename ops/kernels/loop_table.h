#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include <tapedeck/array/dtype.h>
#include <tapedeck/ops/kernels/row_loop.h>

namespace tapedeck::kernels {

// The loops of operations up to `last` that were found before: looking one up anew, through the
// choice of an instruction set, takes as long as a short row.
template <typename Op, Op last>
class LoopTable {
 public:
  // find(op, dtype), which gives the same whenever it is called, and never null.
  template <typename Find>
  RowLoop get(Op op, ScalarType dtype, const Find& find) {
    const auto column = static_cast<std::size_t>(dtype);
    if (op > last || column >= kDtypes) return find(op, dtype);
    std::atomic<RowLoop>& entry = found_[static_cast<std::size_t>(op) * kDtypes + column];
    if (const RowLoop loop = entry.load(std::memory_order_relaxed)) return loop;
    const RowLoop loop = find(op, dtype);
    entry.store(loop, std::memory_order_relaxed);
    return loop;
  }

 private:
  static constexpr std::size_t kDtypes = static_cast<std::size_t>(ScalarType::Bool) + 1;
  std::array<std::atomic<RowLoop>, (static_cast<std::size_t>(last) + 1) * kDtypes> found_{};
};

}  // namespace tapedeck::kernels
