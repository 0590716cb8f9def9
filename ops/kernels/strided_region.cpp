#include <tapedeck/ops/kernels/strided_region.h>

#include <tapedeck/array/dispatch.h>

namespace tapedeck::kernels {

namespace {

template <typename T>
void accumulate(const T* source, const Array& from, T* destination, const Array& to,
                std::int64_t dim) {
  if (dim == to.dim()) {
    *destination += *source;
    return;
  }
  for (std::int64_t i = 0; i < to.sizes()[dim]; ++i)
    accumulate(source + i * from.strides()[dim], from, destination + i * to.strides()[dim], to,
               dim + 1);
}

}  // namespace

void accumulate_strided(const Array& source, Array& destination) {
  TAPEDECK_CHECK(source.sizes() == destination.sizes(), "accumulate_strided: shapes ",
                 source.sizes().ref(), " and ", destination.sizes().ref(), " differ");
  dispatch_floating(source.dtype(), "accumulate_strided", [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (source.numel() > 0)
      accumulate(source.data<T>(), source, destination.data<T>(), destination, 0);
  });
}

}  // namespace tapedeck::kernels
