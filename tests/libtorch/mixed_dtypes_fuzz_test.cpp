// Calls with operands of different dtypes, with and without axes, numbers among them, beside
// libtorch's.
#include <tests/libtorch/beside.h>

namespace {

using beside::List;

constexpr int kTypes[] = {0, 3, 4, 6, 7, 11};  // uint8, int32, int64, float, double, bool

class MixedDtypes : public beside::Fuzz {
 protected:
  int type() { return kTypes[pick(0, 5)]; }
  /// A vector, or a tensor without axes.
  List axes() { return coin() ? List{3} : List{}; }
};

// Small whole numbers, the same for either library. libtorch computes what does not fit in ways of
// its own.
#define OPERAND(seed, sizes, type) \
  (t::manual_seed(seed), t::randint(0, 4, sizes, t::kLong).to(static_cast<t::ScalarType>(type)))

TEST_F(MixedDtypes, OfThreeOperands) {
  for (int i = 0; i < 300; ++i) {
    round(i);
    const List s = axes(), u = axes(), v = axes();
    const int a_type = type(), b_type = type(), c_type = type();
    const std::int64_t factor = pick(0, 3);
    const bool booleans = a_type == 11 && b_type == 11 && c_type == 11;
#define SAME_OF_THREE(...)                                                                        \
  SAME_VALUES_OR_ERROR([&] {                                                                      \
    auto a = OPERAND(i, s, a_type), b = OPERAND(i + 1, u, b_type), c = OPERAND(i + 2, v, c_type); \
    return __VA_ARGS__;                                                                           \
  }())
    if (!booleans) {  // libtorch has no kernels for these
      SAME_OF_THREE(a.clamp(b, c));
      SAME_OF_THREE(a.addcmul(b, c, factor));
    }
    const bool floating =
        a_type == 6 || a_type == 7 || b_type == 6 || b_type == 7 || c_type == 6 || c_type == 7;
    SAME_OF_THREE(a.addcdiv(b + 1, c + 1, factor));
    SAME_OF_THREE(t::where(c > 1, a, b));
    SAME_OF_THREE(a.add(b, factor));
    SAME_OF_THREE(a.clone().add_(b, factor));
    if (a_type != 0 && b_type != 0) {
      SAME_OF_THREE(a.sub(b, factor));
      SAME_OF_THREE(a.clone().sub_(b, factor));
    }
    SAME_OF_THREE(a.prod(static_cast<t::ScalarType>(b_type)));
    SAME_OF_THREE(a.clone().fill_(b.sum().to(b.scalar_type())));
    SAME_OF_THREE(a.clone().masked_fill_(c > 1, b.max()));
    if (a_type != 11) SAME_OF_THREE(a.clone().cumsum_(0));
    SAME_OF_THREE(a.clone().index_put_({c > 1}, b.max()));
    if (floating) SAME_OF_THREE(t::logaddexp2(a, b));
  }
}

TEST_F(MixedDtypes, ScattersByName) {
  for (int i = 0; i < 120; ++i) {
    round(i);
    const List s = {pick(1, 3), pick(1, 4)}, at = {pick(1, s[0]), pick(1, s[1])};
    const std::int64_t dim = pick(-2, 1), length = s[static_cast<std::size_t>((dim + 2) % 2)];
    const int of = type();
    const bool include_self = coin(), add = coin();
    const char* const reduce = std::vector<const char*>{
        "sum", "prod", "mean", "amax", "amin"}[static_cast<std::size_t>(pick(0, 4))];
    const std::string name = add ? "add" : "multiply";
#define SAME_SCATTERED(...)                                \
  SAME_VALUES_OR_ERROR([&] {                               \
    auto a = OPERAND(i, s, of), b = OPERAND(i + 1, s, of); \
    auto index = t::randint(0, length, at, t::kLong);      \
    return __VA_ARGS__;                                    \
  }())
    if (of != 11) {
      SAME_SCATTERED(a.scatter(dim, index, b, name));
      SAME_SCATTERED(a.clone().scatter_(dim, index, 2, name));
      SAME_SCATTERED(a.scatter_reduce(dim, index, b, reduce, include_self));
    }
    SAME_SCATTERED(a.put(t::tensor(List{0}), b.flatten().slice(0, 0, 1), add));
    const std::int64_t place = pick(0, s[0] * s[1] - 1);
    SAME_GRADIENTS_OR_ERROR(({s, at}), [&] {
      t::manual_seed(i);
      const auto index = t::randint(0, length, at, t::kLong);
      return x[0].scatter_reduce(dim, index, x[1], reduce, include_self);
    }());
    SAME_GRADIENTS_OR_ERROR(({s, {1}}), x[0].put(t::tensor(List{place}), x[1], add));
  }
}

TEST_F(MixedDtypes, ViewsUnderAnotherDtype) {
  for (int i = 0; i < 150; ++i) {
    round(i);
    // No axis of one element, whose stride means nothing.
    List s = picks(static_cast<std::size_t>(pick(0, 3)), 2, 4);
    for (auto& length : s) length *= 2;
    const auto n = static_cast<std::int64_t>(s.size());
    const std::int64_t d = pick(0, n - 1), start = pick(0, 1), step = pick(1, 2);
    const int of = type(), as = type();
    const bool sliced = n > 0 && coin(), turned = n > 1 && coin();
    SAME_VALUES_OR_ERROR([&] {
      auto a = OPERAND(i, s, of);
      if (turned) a = a.transpose(0, n - 1);
      if (sliced) a = a.slice(d, start, 9, step);
      return a.view(static_cast<t::ScalarType>(as)).clone();
    }());
  }
}

}  // namespace
