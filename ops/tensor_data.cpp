#include <tapedeck/ops/tensor_data.h>

#include <ostream>
#include <sstream>
#include <string>

#include <tapedeck/autograd/variable.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::detail {

namespace {

std::string joined(const DimVector& sizes) {
  std::ostringstream out;
  for (std::size_t i = 0; i < sizes.size(); ++i) out << (i > 0 ? " " : "") << sizes[i];
  return std::move(out).str();
}

void print_number(std::ostream& out, const Scalar& number) {
  if (number.isBoolean())
    out << (number.toBool() ? "true" : "false");
  else if (number.isIntegral(false))
    out << number.toLong();
  else
    out << number.toDouble();
}

}  // namespace

const Scalar& TensorDataContainer::scalar() const {
  TAPEDECK_CHECK(is_scalar(),
                 "tensor: Can only call `scalar()` on a TensorDataContainer that has "
                 "`is_scalar() == true`");
  return number_;
}
const std::initializer_list<TensorDataContainer>& TensorDataContainer::init_list() const {
  TAPEDECK_CHECK(is_init_list(),
                 "tensor: Can only call `init_list()` on a TensorDataContainer that has "
                 "`is_init_list() == true`");
  return list_;
}
const Array& TensorDataContainer::tensor() const {
  TAPEDECK_CHECK(is_tensor(),
                 "tensor: Can only call `tensor()` on a TensorDataContainer that has "
                 "`is_tensor() == true`");
  return flat_;
}

std::ostream& operator<<(std::ostream& out, const TensorDataContainer& container) {
  if (container.is_scalar()) {
    print_number(out, container.scalar());
    return out;
  }
  out << "{";
  const char* separator = "";
  if (container.is_init_list()) {
    for (const TensorDataContainer& element : container.init_list()) {
      out << separator << element;
      separator = ", ";
    }
  } else {
    Array flat = container.tensor();
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      out << separator;
      print_number(out, Variable(flat.select(0, i)).item());
      separator = ", ";
    }
  }
  return out << "}";
}

TensorDataContainer::TensorDataContainer(std::initializer_list<TensorDataContainer> list)
    : dtype_(list.size() > 0 ? list.begin()->dtype_ : get_default_dtype()), list_(list) {
  sizes_.push_back(static_cast<std::int64_t>(list.size()));
  if (list.size() == 0) return;
  const TensorDataContainer& first = *list.begin();
  for (const TensorDataContainer& element : list) {
    TAPEDECK_CHECK(element.sizes_ == first.sizes_,
                   "tensor: Expected all sub-lists to have sizes: ", joined(first.sizes_),
                   " (e.g. ", first, "), but got sub-list ", element,
                   " with sizes: ", joined(element.sizes_));
    TAPEDECK_CHECK(element.dtype_ == first.dtype_,
                   "tensor: Expected all elements of the tensor to have the same scalar type: ",
                   first.dtype_, ", but got element of scalar type: ", element.dtype_);
  }
  for (const std::int64_t size : first.sizes_) sizes_.push_back(size);
}

void TensorDataContainer::write_to(Array target) const {
  switch (kind_) {
    case Kind::Number:
      kernels::fill(target, number_);
      break;
    case Kind::Flat:
      kernels::copy(flat_, target);
      break;
    case Kind::List: {
      std::int64_t i = 0;
      for (const TensorDataContainer& element : list_) element.write_to(target.select(0, i++));
      break;
    }
  }
}

Array TensorDataContainer::to_array(const TensorOptions& options) const {
  const ScalarType natural = dtype_ == ScalarType::Int             ? ScalarType::Long
                             : tapedeck::is_floating_point(dtype_) ? get_default_dtype()
                                                                   : dtype_;
  Array out = Array::empty(sizes_, options.dtype_opt().value_or(natural));
  if (out.numel() > 0) write_to(out);
  return out;
}

}  // namespace tapedeck::detail
