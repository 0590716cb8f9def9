#include <tapedeck/data/tensor_dataset.h>

#include <cstring>

#include <tapedeck/array/error.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::data::datasets {

namespace {

void check_index(const Variable& tensor, std::size_t index) {
  TAPEDECK_CHECK_AS(IndexError, index < static_cast<std::size_t>(tensor.size(0)),
                    "TensorDataset: index ", index, " of ", tensor.size(0), " examples");
}

Variable part(const Variable& tensor, std::size_t index) {
  check_index(tensor, index);
  return tensor.select(0, static_cast<std::int64_t>(index));
}

// The parts at these indices, stacked.
Variable stacked_parts(const Variable& tensor, ArrayRef<std::size_t> indices) {
  for (const std::size_t i : indices) check_index(tensor, i);
  // What is on the tape, or has no rows to copy, is stacked part by part.
  if (should_record(tensor) || !tensor.is_contiguous() || indices.empty()) {
    std::vector<Variable> parts;
    for (const std::size_t i : indices) parts.push_back(part(tensor, i));
    return stack(parts);
  }
  DimVector shape = tensor.array().sizes();
  const auto count = static_cast<std::int64_t>(indices.size());
  const auto bytes = static_cast<std::size_t>(tensor.array().nbytes() / shape[0]);
  shape[0] = count;
  Array out = Array::empty(shape, tensor.dtype());
  const char* from = static_cast<const char*>(tensor.data_ptr());
  char* to = static_cast<char*>(out.raw());
  for (std::size_t i = 0; i < indices.size(); ++i)
    if (bytes > 0) std::memcpy(to + i * bytes, from + indices[i] * bytes, bytes);
  return Variable(std::move(out));
}

}  // namespace

TensorDataset::TensorDataset(const std::vector<Variable>& tensors)
    : TensorDataset(stack(tensors)) {}

TensorExample TensorDataset::get(std::size_t index) { return part(tensor, index); }

TensorExample TensorDataset::get_stacked(ArrayRef<std::size_t> indices) {
  return stacked_parts(tensor, indices);
}

TensorPairDataset::TensorPairDataset(Variable data, Variable target)
    : data_(std::move(data)), target_(std::move(target)) {
  TAPEDECK_CHECK(data_.dim() > 0 && target_.dim() > 0 && data_.size(0) == target_.size(0),
                 "TensorPairDataset: expected data and target of equal first size, got ",
                 data_.sizes(), " and ", target_.sizes());
}

Example<> TensorPairDataset::get(std::size_t index) {
  return {part(data_, index), part(target_, index)};
}

Example<> TensorPairDataset::get_stacked(ArrayRef<std::size_t> indices) {
  return {stacked_parts(data_, indices), stacked_parts(target_, indices)};
}

std::optional<std::size_t> TensorDataset::size() const {
  return static_cast<std::size_t>(tensor.size(0));
}
template class Dataset<TensorDataset, TensorExample>;

std::optional<std::size_t> TensorPairDataset::size() const {
  return static_cast<std::size_t>(data_.size(0));
}
template class Dataset<TensorPairDataset>;

}  // namespace tapedeck::data::datasets
