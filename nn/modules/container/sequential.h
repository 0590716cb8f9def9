#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/cloneable.h>

namespace tapedeck::nn {

class Sequential;

/// Modules one after the other: what each returns goes into the next. They may have any signatures
/// that fit together, and may be Sequentials themselves.
class SequentialImpl : public Cloneable<SequentialImpl> {
 public:
  using Iterator = std::vector<AnyModule>::iterator;
  using ConstIterator = std::vector<AnyModule>::const_iterator;

  SequentialImpl() = default;
  /// Modules, holders or shared pointers, named by their positions.
  template <typename... Modules>
  explicit SequentialImpl(Modules&&... modules) {
    modules_.reserve(sizeof...(Modules));
    (push_back(std::forward<Modules>(modules)), ...);
  }
  explicit SequentialImpl(OrderedDict<std::string, AnyModule>&& modules);
  explicit SequentialImpl(std::initializer_list<NamedAnyModule> modules);

  std::shared_ptr<Module> clone(const std::optional<Device>& device = std::nullopt) const override;
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;

  /// \throws Error where there are no modules, where one does not fit the one before, or where the
  /// last does not return a ReturnType.
  template <typename ReturnType = Tensor, typename... Inputs>
  ReturnType forward(Inputs&&... inputs) {
    if constexpr (std::is_same_v<ReturnType, Tensor> && sizeof...(Inputs) == 1 &&
                  (std::is_same_v<std::decay_t<Inputs>, Tensor> && ...)) {
      return forward_tensor(std::forward<Inputs>(inputs)...);
    } else {
      std::vector<AnyValue> values;
      values.reserve(sizeof...(Inputs));
      (values.push_back(AnyValue(std::forward<Inputs>(inputs))), ...);
      AnyValue result = any_forward(std::move(values));
      if (const ReturnType* value = result.try_get<ReturnType>()) return *value;
      detail::wrong_return_type(typeid(ReturnType), result.type_info());
    }
  }
  AnyValue any_forward(std::vector<AnyValue>&& inputs);

  template <typename M>
  void push_back(std::shared_ptr<M> module) {
    push_back(AnyModule(std::move(module)));
  }
  template <typename M>
  void push_back(std::string name, std::shared_ptr<M> module) {
    push_back(std::move(name), AnyModule(std::move(module)));
  }
  template <typename M>
  requires detail::is_module<M>
  void push_back(M&& module) { push_back(AnyModule(std::forward<M>(module))); }
  template <typename M>
  requires detail::is_module<M>
  void push_back(std::string name, M&& module) {
    push_back(std::move(name), AnyModule(std::forward<M>(module)));
  }
  template <typename M>
  void push_back(const ModuleHolder<M>& holder) {
    push_back(AnyModule(holder.ptr()));
  }
  template <typename M>
  void push_back(std::string name, const ModuleHolder<M>& holder) {
    push_back(std::move(name), AnyModule(holder.ptr()));
  }
  void push_back(AnyModule module);
  void push_back(std::string name, AnyModule module);
  /// Appends all modules of another container.
  template <typename Container>
  void extend(const Container& container) {
    for (const auto& module : container) push_back(module);
  }

  /// The modules `begin`, ..., `end` - 1 as a Sequential that shares them, under their names.
  /// \throws IndexError unless begin <= end <= size().
  Sequential slice(std::size_t begin, std::size_t end) const;
  /// The first `count` modules: the network up to a layer.
  Sequential first(std::size_t count) const;

  Iterator begin() { return modules_.begin(); }
  ConstIterator begin() const { return modules_.begin(); }
  Iterator end() { return modules_.end(); }
  ConstIterator end() const { return modules_.end(); }
  /// \throws IndexError outside the range, Error where it is not a T.
  template <typename T>
  T& at(std::size_t index) const {
    check_index(index);
    return modules_[index].get<T>();
  }
  std::shared_ptr<Module> ptr(std::size_t index) const;
  template <typename T>
  std::shared_ptr<T> ptr(std::size_t index) const {
    check_index(index);
    return modules_[index].ptr<T>();
  }
  std::shared_ptr<Module> operator[](std::size_t index) const { return ptr(index); }
  std::size_t size() const noexcept { return modules_.size(); }
  bool is_empty() const noexcept { return modules_.empty(); }

 private:
  Tensor forward_tensor(Tensor value);
  void check_index(std::size_t index) const;

  std::vector<AnyModule> modules_;
};

extern template class Cloneable<SequentialImpl>;

class Sequential : public ModuleHolder<SequentialImpl> {
 public:
  using ModuleHolder<SequentialImpl>::ModuleHolder;
  using Impl = SequentialImpl;
  Sequential();
  /// `Sequential net({{"fc1", Linear(3, 4)}, {"relu", ReLU()}});`
  Sequential(std::initializer_list<NamedAnyModule> modules);
};

}  // namespace tapedeck::nn
