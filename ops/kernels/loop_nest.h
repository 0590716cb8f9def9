#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// Nested loops over several strided operands of one (broadcast) shape. Private to the kernels.
struct LoopNest {
  static constexpr int kMaxOperands = 5;

  int dims = 0;
  int operands = 0;
  std::int64_t numel = 1;
  std::int64_t sizes[kMaxDims];
  std::int64_t strides[kMaxOperands][kMaxDims];  // in bytes
  std::int64_t item_size[kMaxOperands];
  char* data[kMaxOperands];

  explicit LoopNest(IntArrayRef shape);

  /// An array whose shape broadcasts to the nest's; the caller has checked that.
  void add(const Array& array);
  /// One element that stands for the whole shape.
  void add_scalar(const void* element, std::int64_t size);
  /// Drops unit axes, orders the rest by operand 0's strides (the smallest innermost) and merges
  /// neighbours that all operands walk as one.
  void collapse();

  /// The same axes with one of the operands.
  LoopNest only(int operand) const;

  std::int64_t inner_size() const { return dims == 0 ? 1 : sizes[dims - 1]; }
  std::int64_t inner_stride(int operand) const {
    return dims == 0 ? item_size[operand] : strides[operand][dims - 1];
  }
  /// The operand is one gapless run in the order of the axes.
  bool is_linear(int operand) const {
    std::int64_t stride = item_size[operand];
    for (int d = dims - 1; d >= 0; --d) {
      if (strides[operand][d] != stride) return false;
      stride *= sizes[d];
    }
    return true;
  }
  /// After collapse(): the operand is one element.
  bool is_scalar(int operand) const {
    for (int d = 0; d < dims; ++d)
      if (strides[operand][d] != 0) return false;
    return true;
  }

  /// The first operand from 1 on that walks the same elements as this one does: itself, mostly.
  int first_input_like(int operand) const;

  /// Calls body(pointers, count) for each run of the innermost axis within the elements
  /// [begin, end) of the row-major order of the collapsed axes. The pointers are char* or void*.
  template <typename Pointer = char*, typename Body>
  void for_each_run(std::int64_t begin, std::int64_t end, Body&& body) const;
};

template <typename Pointer, typename Body>
void LoopNest::for_each_run(std::int64_t begin, std::int64_t end, Body&& body) const {
  if (begin >= end) return;
  Pointer at[kMaxOperands];
  const auto move = [](Pointer& p, std::int64_t bytes) { p = static_cast<char*>(p) + bytes; };
  for (int k = 0; k < operands; ++k) at[k] = data[k];
  if (dims == 0) {
    body(at, std::int64_t{1});
    return;
  }
  std::int64_t index[kMaxDims];
  std::int64_t rest = begin;
  for (int d = dims - 1; d >= 0; --d) {
    index[d] = rest % sizes[d];
    rest /= sizes[d];
    for (int k = 0; k < operands; ++k) move(at[k], index[d] * strides[k][d]);
  }
  const int inner = dims - 1;
  for (;;) {
    // Whole runs, one behind the other along the axis around them.
    const std::int64_t run = sizes[inner];
    if (inner > 0 && index[inner] == 0 && end - begin >= run) {
      const std::int64_t left = sizes[inner - 1] - index[inner - 1];
      const std::int64_t whole = left * run <= end - begin ? left : (end - begin) / run;
      // Side by side: what the compiler gathers anew for each row, in pairs, takes longer than a
      // row.
      std::int64_t step[kMaxOperands];
      for (int k = 0; k < operands; ++k) step[k] = strides[k][inner - 1];
      for (std::int64_t r = 0; r < whole; ++r) {
        body(at, run);
        for (int k = 0; k < operands; ++k) move(at[k], step[k]);
      }
      begin += whole * run;
      index[inner - 1] += whole;
    } else {
      const std::int64_t left = run - index[inner];
      const std::int64_t count = left < end - begin ? left : end - begin;
      body(at, count);
      begin += count;
      if (begin >= end) return;
      for (int k = 0; k < operands; ++k)
        move(at[k], (inner > 0 ? strides[k][inner - 1] : 0) - index[inner] * strides[k][inner]);
      index[inner] = 0;
      if (inner > 0) ++index[inner - 1];
    }
    if (begin >= end) return;
    for (int d = inner - 1; d >= 0 && index[d] == sizes[d]; --d) {
      for (int k = 0; k < operands; ++k)
        move(at[k], (d > 0 ? strides[k][d - 1] : 0) - sizes[d] * strides[k][d]);
      index[d] = 0;
      if (d > 0) ++index[d - 1];
    }
  }
}

}  // namespace tapedeck::kernels
