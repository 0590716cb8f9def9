#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <type_traits>
#include <vector>

#include <tapedeck/array/array.h>
#include <tapedeck/array/scalar.h>
#include <tapedeck/array/tensor_options.h>

namespace tapedeck::detail {

/// The argument of tensor(): a number, a braced list of any depth, or a list of numbers that is a
/// vector or an ArrayRef. It lives no longer than the call.
class TensorDataContainer {
 public:
  /// An innermost `{}`: no elements, of the default dtype.
  TensorDataContainer() : dtype_(get_default_dtype()) { sizes_.push_back(0); }

  template <typename T>
  requires std::is_arithmetic_v<T> TensorDataContainer(T value)
      : kind_(Kind::Number), dtype_(element_dtype<T>), number_(value) {}

  /// \throws Error unless all elements have one shape and one dtype.
  TensorDataContainer(std::initializer_list<TensorDataContainer> list);

  template <typename T>
  requires std::is_arithmetic_v<T> TensorDataContainer(ArrayRef<T> values)
      : kind_(Kind::Flat), dtype_(element_dtype<T>), flat_(flat_array(values)) {
    sizes_.push_back(static_cast<std::int64_t>(values.size()));
  }
  template <typename T>
  requires std::is_arithmetic_v<T> TensorDataContainer(const std::vector<T>& values)
      : kind_(Kind::Flat), dtype_(element_dtype<T>), flat_(flat_array(values)) {
    sizes_.push_back(static_cast<std::int64_t>(values.size()));
  }

  const DimVector& sizes() const { return sizes_; }
  ScalarType scalar_type() const { return dtype_; }

  bool is_scalar() const { return kind_ == Kind::Number; }
  bool is_init_list() const { return kind_ == Kind::List; }
  bool is_tensor() const { return kind_ == Kind::Flat; }
  /// \throws Error unless it is what is asked for.
  const Scalar& scalar() const;
  const std::initializer_list<TensorDataContainer>& init_list() const;
  const Array& tensor() const;
  /// A fresh array. Without a dtype among the options integers become int64 and floating-point
  /// numbers the default dtype.
  Array to_array(const TensorOptions& options) const;

 private:
  enum class Kind : std::uint8_t { List, Number, Flat };

  // The dtype of a C++ type; integers that have none are kept as int64.
  template <typename T>
  static constexpr ScalarType element_dtype = dtype_of<T> != ScalarType::Undefined ? dtype_of<T>
                                              : std::is_integral_v<T> ? ScalarType::Long
                                                                      : ScalarType::Double;

  template <typename Values>
  static Array flat_array(const Values& values) {
    using T = typename Values::value_type;
    constexpr ScalarType dtype = element_dtype<T>;
    Array out = Array::empty({static_cast<std::int64_t>(values.size())}, dtype);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if constexpr (dtype == dtype_of<T>)
        out.data<T>()[i] = values[i];
      else if constexpr (std::is_integral_v<T>)
        out.data<std::int64_t>()[i] = static_cast<std::int64_t>(values[i]);
      else
        out.data<double>()[i] = static_cast<double>(values[i]);
    }
    return out;
  }

  void write_to(Array target) const;

  Kind kind_ = Kind::List;
  ScalarType dtype_;
  DimVector sizes_;
  Scalar number_;
  std::initializer_list<TensorDataContainer> list_;
  Array flat_;
};

/// The list as it was written: `{{1, 2}, {3, 4}}`.
std::ostream& operator<<(std::ostream& out, const TensorDataContainer& container);

}  // namespace tapedeck::detail
