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
  // find(op, dtype), which gives the same whenever it is called, and never a null `row`.
  template <typename Find>
  RowLoops get(Op op, ScalarType dtype, const Find& find) {
    const auto column = static_cast<std::size_t>(dtype);
    if (op > last || column >= kDtypes) return find(op, dtype);
    Entry& entry = found_[static_cast<std::size_t>(op) * kDtypes + column];
    if (const RowLoop row = entry.row.load(std::memory_order_acquire))
      return {row, entry.cost.load(std::memory_order_relaxed),
              entry.rows.load(std::memory_order_relaxed)};
    const RowLoops loops = find(op, dtype);
    entry.cost.store(loops.cost, std::memory_order_relaxed);
    entry.rows.store(loops.rows, std::memory_order_relaxed);
    entry.row.store(loops.row, std::memory_order_release);
    return loops;
  }

 private:
  struct Entry {
    std::atomic<RowLoop> row = nullptr;
    std::atomic<RowsLoop> rows = nullptr;
    std::atomic<RowCost> cost = RowCost::Arithmetic;
  };
  static constexpr std::size_t kDtypes = static_cast<std::size_t>(ScalarType::Bool) + 1;
  std::array<Entry, (static_cast<std::size_t>(last) + 1) * kDtypes> found_{};
};

}  // namespace tapedeck::kernels
