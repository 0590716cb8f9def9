#include <cstdint>
#include <numeric>
#include <type_traits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/promotion.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/special.h>

// Divisors and multiples of integers. Nothing here has a derivative.

namespace tapedeck {

namespace {

constexpr std::int64_t kGrain = 4096;  // a division takes tens of cycles, a divisor several of them

// |x| in an unsigned type: the least integer has a size there, too.
template <typename T>
std::make_unsigned_t<T> magnitude(T x) {
  using U = std::make_unsigned_t<T>;
  return x < 0 ? static_cast<U>(U{0} - static_cast<U>(x)) : static_cast<U>(x);
}

template <typename Combine>
Variable of_magnitudes(const char* op, const Variable& self, const Variable& other,
                       Combine combine) {
  TAPEDECK_CHECK_DEFINED(op, self, other);
  const ScalarType dtype = result_type(self, other);
  TAPEDECK_CHECK_AS(TypeError, is_integral(dtype, false), op, ": expected integers, got ",
                    self.dtype(), " and ", other.dtype());
  const DimVector shape = broadcast_shapes(self.sizes(), other.sizes(), op);
  const Variable a = self.detach().to(dtype).expand(shape).contiguous();
  const Variable b = other.detach().to(dtype).expand(shape).contiguous();
  const Array out = Array::empty(shape, dtype);
  dispatch_integral(dtype, op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T *x = a.array().template data<T>(), *y = b.array().template data<T>();
    T* const z = out.template data<T>();
    parallel_for(out.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        z[i] = static_cast<T>(combine(magnitude(x[i]), magnitude(y[i])));
    });
  });
  return Variable(out);
}

}  // namespace

Variable gcd(const Variable& self, const Variable& other) {
  return of_magnitudes("gcd", self, other, [](auto a, auto b) { return std::gcd(a, b); });
}

Variable lcm(const Variable& self, const Variable& other) {
  return of_magnitudes("lcm", self, other, [](auto a, auto b) {
    const auto divisor = std::gcd(a, b);
    return divisor == 0 ? divisor : static_cast<decltype(divisor)>(a / divisor * b);
  });
}

}  // namespace tapedeck
