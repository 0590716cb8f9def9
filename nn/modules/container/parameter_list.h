#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>

namespace tapedeck::nn {

/// A list of tensors, registered as parameters under their positions.
class ParameterListImpl : public Cloneable<ParameterListImpl> {
 public:
  using Parameters = OrderedDict<std::string, Tensor>;
  using Iterator = Parameters::Iterator;
  using ConstIterator = Parameters::ConstIterator;

  ParameterListImpl() = default;
  template <typename... Tensors>
  explicit ParameterListImpl(const Tensors&... parameters) {
    (append(parameters), ...);
  }

  std::shared_ptr<Module> clone(const std::optional<Device>& device = std::nullopt) const override;
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;

  /// Appends a parameter that asks for gradients if the tensor does.
  void append(const Tensor& parameter);
  void append(const Parameters::Item& item) { append(item.value()); }
  template <typename Container>
  void extend(const Container& container) {
    for (const auto& parameter : container) append(parameter);
  }

  ParameterListImpl& operator+=(const ParameterListImpl& other);

  Iterator begin() { return parameters_.begin(); }
  ConstIterator begin() const { return parameters_.begin(); }
  Iterator end() { return parameters_.end(); }
  ConstIterator end() const { return parameters_.end(); }
  /// \throws IndexError outside the range.
  Tensor& at(std::size_t index);
  const Tensor& at(std::size_t index) const;
  Tensor& operator[](std::size_t index) { return at(index); }
  const Tensor& operator[](std::size_t index) const { return at(index); }
  std::size_t size() const noexcept { return parameters_.size(); }
  bool is_empty() const noexcept { return parameters_.is_empty(); }
};
TAPEDECK_LIBRARY_MODULE(ParameterList);

/// Tensors by name, registered as parameters.
class ParameterDictImpl : public Cloneable<ParameterDictImpl> {
 public:
  using Parameters = OrderedDict<std::string, Tensor>;
  using Iterator = Parameters::Iterator;
  using ConstIterator = Parameters::ConstIterator;

  ParameterDictImpl() = default;
  explicit ParameterDictImpl(const Parameters& parameters);

  std::shared_ptr<Module> clone(const std::optional<Device>& device = std::nullopt) const override;
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;

  /// Adds a parameter that asks for gradients if the tensor does. \throws Error for a taken key.
  Tensor& insert(std::string key, Tensor parameter);
  /// Takes a parameter out, and returns it. \throws Error where there is none.
  Tensor pop(const std::string& key);
  /// Puts others in the place of parameters that are there. \throws Error for a key that is not.
  template <typename Container>
  void update(const Container& container) {
    for (const auto& item : container) parameters_[item.key()] = item.value();
  }
  void clear();

  std::vector<std::string> keys() const;
  std::vector<Tensor> values() const;
  Iterator begin() { return parameters_.begin(); }
  ConstIterator begin() const { return parameters_.begin(); }
  Iterator end() { return parameters_.end(); }
  ConstIterator end() const { return parameters_.end(); }
  std::size_t size() const noexcept { return parameters_.size(); }
  bool empty() const noexcept { return parameters_.is_empty(); }
  bool contains(const std::string& key) const noexcept;
  /// \throws Error where there is no such key.
  Tensor& get(const std::string& key);
  const Tensor& get(const std::string& key) const;
  Tensor& operator[](const std::string& key) { return get(key); }
  const Tensor& operator[](const std::string& key) const { return get(key); }
};
TAPEDECK_LIBRARY_MODULE(ParameterDict);

}  // namespace tapedeck::nn
