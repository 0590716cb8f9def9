#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

#include <tapedeck/tapedeck.h>

// libtorch's macros for the options, the states and the save and load of optimisers that programs
// write themselves. They stand in functions that have an `archive`, and a `self`.

#define _TORCH_OPTIM_SERIALIZE_TORCH_ARG(name) \
  ::tapedeck::compat::write_field(archive, #name, this->name())
#define _TORCH_OPTIM_SERIALIZE_TORCH_ARG_DEQUE(name) _TORCH_OPTIM_SERIALIZE_TORCH_ARG(name)
#define _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(T, name)                                       \
  do {                                                                                    \
    if (auto read = ::tapedeck::compat::read_field<T>(archive, #name)) this->name(*read); \
  } while (false)
#define _TORCH_OPTIM_DESERIALIZE_TORCH_ARG_OPTIONAL(T, name) \
  _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(std::optional<T>, name)
#define _TORCH_OPTIM_DESERIALIZE_TORCH_ARG_DEQUE(T, name) \
  _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(T, name)

// Of an optimiser Name with NameOptions and NameParamState.
#define _TORCH_OPTIM_SERIALIZE_WITH_TEMPLATE_ARG(Name)                                \
  do {                                                                                \
    if constexpr (std::is_same_v<std::decay_t<decltype(archive)>,                     \
                                 ::tapedeck::serialize::OutputArchive>)               \
      self.Optimizer::save(archive);                                                  \
    else                                                                              \
      self.load_states(archive, [] { return std::make_unique<Name##ParamState>(); }); \
  } while (false)

namespace tapedeck::compat {

/// Writes a member unless it is an undefined tensor.
template <typename T>
void write_field(serialize::OutputArchive& archive, const char* name, const T& value) {
  archive.write(name, IValue(value));
}
inline void write_field(serialize::OutputArchive& archive, const char* name, const Tensor& value) {
  if (value.defined()) archive.write(name, value, /*is_buffer=*/true);
}
inline void write_field(serialize::OutputArchive& archive, const char* name,
                        const std::tuple<double, double>& value) {
  archive.write(name, IValue(std::vector<double>{std::get<0>(value), std::get<1>(value)}));
}
template <typename T>
void write_field(serialize::OutputArchive& archive, const char* name,
                 const std::optional<T>& value) {
  archive.write(name, value ? IValue(*value) : IValue());
}
inline void write_field(serialize::OutputArchive& archive, const char* name,
                        const std::deque<Tensor>& value) {
  archive.write(name, IValue(std::vector<Tensor>(value.begin(), value.end())));
}

template <typename T>
struct FieldOf {
  static T of(const IValue& value) { return value.to<T>(); }
};
template <>
struct FieldOf<std::tuple<double, double>> {
  static std::tuple<double, double> of(const IValue& value) {
    const std::vector<double>& pair = value.toDoubleVector();
    TAPEDECK_CHECK(pair.size() == 2, "load: expected 2 values, got ", pair.size());
    return {pair[0], pair[1]};
  }
};
template <typename T>
struct FieldOf<std::optional<T>> {
  static std::optional<T> of(const IValue& value) { return value.toOptional<T>(); }
};
template <>
struct FieldOf<std::deque<Tensor>> {
  static std::deque<Tensor> of(const IValue& value) {
    const std::vector<Tensor>& list = value.toTensorVector();
    return {list.begin(), list.end()};
  }
};

/// A member that was written; nothing where a tensor was not. \throws Error where it has to be
/// there.
template <typename T>
std::optional<T> read_field(serialize::InputArchive& archive, const char* name) {
  if constexpr (std::is_same_v<T, Tensor>) {
    Tensor tensor;
    if (!archive.try_read(name, tensor, /*is_buffer=*/true)) return std::nullopt;
    return tensor;
  } else {
    IValue value;
    archive.read(name, value);
    return FieldOf<T>::of(value);
  }
}

}  // namespace tapedeck::compat
