#pragma once

#include <utility>
#include <vector>

#include <tapedeck/data/dataset.h>

namespace tapedeck::data::datasets {

/// The parts of a tensor along its first dimension.
struct TensorDataset : public Dataset<TensorDataset, TensorExample> {
  /// Stacks the tensors.
  explicit TensorDataset(const std::vector<Variable>& tensors);
  explicit TensorDataset(Variable t) : tensor(std::move(t)) {}

  /// A view. \throws IndexError beyond the last.
  TensorExample get(std::size_t index) override;
  TensorExample get_stacked(ArrayRef<std::size_t> indices);
  std::optional<std::size_t> size() const override;

  Variable tensor;
};
extern template class Dataset<TensorDataset, TensorExample>;

/// Data and targets that go together, along the first dimension of both.
class TensorPairDataset : public Dataset<TensorPairDataset> {
 public:
  /// \throws Error where the first sizes differ.
  TensorPairDataset(Variable data, Variable target);

  Example<> get(std::size_t index) override;
  Example<> get_stacked(ArrayRef<std::size_t> indices);
  std::optional<std::size_t> size() const override;
  const Variable& data() const { return data_; }
  const Variable& target() const { return target_; }

 private:
  Variable data_, target_;
};
extern template class Dataset<TensorPairDataset>;

}  // namespace tapedeck::data::datasets
