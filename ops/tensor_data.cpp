#include <tapedeck/ops/tensor_data.h>

#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::detail {

TensorDataContainer::TensorDataContainer(std::initializer_list<TensorDataContainer> list)
    : dtype_(list.size() > 0 ? list.begin()->dtype_ : get_default_dtype()), list_(list) {
  sizes_.push_back(static_cast<std::int64_t>(list.size()));
  if (list.size() == 0) return;
  const TensorDataContainer& first = *list.begin();
  for (const TensorDataContainer& element : list) {
    TAPEDECK_CHECK(element.sizes_ == first.sizes_,
                   "tensor: expected all sub-lists to have sizes: ", first.sizes_.ref(),
                   ", but got a sub-list with sizes: ", element.sizes_.ref());
    TAPEDECK_CHECK(element.dtype_ == first.dtype_,
                   "tensor: expected all elements of the tensor to have the same scalar type: ",
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
