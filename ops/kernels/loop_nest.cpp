#include <tapedeck/ops/kernels/loop_nest.h>

#include <algorithm>
#include <utility>

namespace tapedeck::kernels {

LoopNest::LoopNest(IntArrayRef shape) : dims(static_cast<int>(shape.size())) {
  for (int d = 0; d < dims; ++d) {
    sizes[d] = shape[d];
    numel *= shape[d];
  }
}

void LoopNest::add(const Array& array) {
  const int k = operands++;
  item_size[k] = element_size(array.dtype());
  data[k] = static_cast<char*>(array.raw());
  const int lead = dims - static_cast<int>(array.dim());
  for (int d = 0; d < dims; ++d) {
    const bool walks = d >= lead && array.sizes()[d - lead] != 1;
    strides[k][d] = walks ? array.strides()[d - lead] * item_size[k] : 0;
  }
}

void LoopNest::add_scalar(const void* element, std::int64_t size) {
  const int k = operands++;
  item_size[k] = size;
  data[k] = static_cast<char*>(const_cast<void*>(element));
  for (int d = 0; d < dims; ++d) strides[k][d] = 0;
}

LoopNest LoopNest::only(int operand) const {
  LoopNest one(IntArrayRef(sizes, static_cast<std::size_t>(dims)));
  one.operands = 1;
  one.item_size[0] = item_size[operand];
  one.data[0] = data[operand];
  for (int d = 0; d < dims; ++d) one.strides[0][d] = strides[operand][d];
  return one;
}

int LoopNest::first_input_like(int operand) const {
  const auto alike = [&](int k) {
    return data[k] == data[operand] && item_size[k] == item_size[operand] &&
           std::equal(strides[k], strides[k] + dims, strides[operand]);
  };
  int k = 1;
  while (k < operand && !alike(k)) ++k;
  return k;
}

void LoopNest::collapse() {
  int kept = 0;
  for (int d = 0; d < dims; ++d) {
    if (sizes[d] == 1) continue;
    sizes[kept] = sizes[d];
    for (int k = 0; k < operands; ++k) strides[k][kept] = strides[k][d];
    ++kept;
  }
  dims = kept;

  for (int i = 1; i < dims; ++i)  // insertion sort: stable, and the axes are few
    for (int d = i; d > 0 && strides[0][d - 1] < strides[0][d]; --d) {
      std::swap(sizes[d - 1], sizes[d]);
      for (int k = 0; k < operands; ++k) std::swap(strides[k][d - 1], strides[k][d]);
    }

  int last = 0;
  for (int d = 1; d < dims; ++d) {
    bool merges = true;
    for (int k = 0; k < operands && merges; ++k)
      merges = strides[k][last] == strides[k][d] * sizes[d];
    if (!merges) {
      ++last;
      sizes[last] = sizes[d];
    } else {
      sizes[last] *= sizes[d];
    }
    for (int k = 0; k < operands; ++k) strides[k][last] = strides[k][d];
  }
  if (dims > 0) dims = last + 1;
}

}  // namespace tapedeck::kernels
