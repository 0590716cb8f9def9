// Reductions, views, indexing, sorting and dtypes with random arguments, legal or not, beside
// libtorch's.
#include <algorithm>
#include <numeric>

#include <tests/libtorch/beside.h>

namespace {

using beside::List;

class TensorFuzz : public beside::Fuzz {
 protected:
  static std::int64_t count_of(const List& s) {
    return std::accumulate(s.begin(), s.end(), std::int64_t{1}, std::multiplies<>());
  }
  List shape(std::int64_t axes_low = 0, std::int64_t axes_high = 4, std::int64_t low = 1) {
    return picks(static_cast<std::size_t>(pick(axes_low, axes_high)), low, 4);
  }
};

TEST_F(TensorFuzz, ReductionsOfAxes) {
  for (int i = 0; i < 60; ++i) {
    round(i);
    const List s = shape(0, 4, i % 5 == 0 ? 0 : 1);
    const auto n = static_cast<std::int64_t>(s.size());
    const List dims =
        picks(static_cast<std::size_t>(pick(0, 3)), -n - (i % 7 == 0), n - (i % 7 != 0));
    const std::int64_t dim = pick(-n - (i % 7 == 0), n), p = pick(-1, 4);
    const bool keep = coin(), unbiased = coin(), all = coin();
    const double power = p == 4 ? INFINITY : static_cast<double>(p);
#define SAME(...) SAME_GRADIENTS_OR_ERROR(({s}), __VA_ARGS__)
    SAME(x[0].sum(dims, keep));
    SAME(x[0].mean(dims, keep));
    SAME(x[0].prod(dim, keep));
    SAME(x[0].amax(dims, keep));
    SAME(x[0].amin(dims, keep));
    if (!dims.empty()) SAME(x[0].logsumexp(dims, keep));
    if (i % 5 != 0) {
      SAME(x[0].norm(power, dims, keep));
      SAME(x[0].norm(power));
      SAME(x[0].median());
    }
    // Of more than one element: libtorch's gradients differ from function to function otherwise,
    // and it takes no axes for one element.
    const bool several = std::all_of(s.begin(), s.end(), [](auto length) { return length > 1; });
    if (several && n > 0 && !dims.empty()) {
      SAME(x[0].var(dims, unbiased, keep));
      SAME(x[0].std(dims, unbiased, keep));
      SAME(x[0].var(unbiased));
    }
    SAME(std::get<0>(x[0].max(dim, keep)));
    SAME(std::get<0>(x[0].min(dim, keep)));
    SAME(std::get<0>(x[0].median(dim, keep)));
    SAME(x[0].max());
    SAME(x[0].cumsum(dim));
    SAME(x[0].cumprod(dim));
    SAME(x[0].softmax(dim));
    SAME(x[0].log_softmax(dim));
    SAME(std::get<0>(x[0].sort(dim, keep)));
    if (n > 0) SAME(std::get<0>(x[0].topk(p, dim, keep)));
    SAME(std::get<0>(x[0].kthvalue(p, dim, keep)));
    // Whole numbers: ties, and every dtype.
    for (const int type : {0, 3, 4, 6, 7, 11}) {
#define SAME_OF(...)                                                                             \
  SAME_VALUES_OR_ERROR([&] {                                                                     \
    t::manual_seed(i);                                                                           \
    const auto a = t::randint(type == 0 || type == 11 ? 0 : -2, type == 11 ? 2 : 3, s, t::kLong) \
                       .to(static_cast<t::ScalarType>(type));                                    \
    return __VA_ARGS__;                                                                          \
  }())
      SAME_OF(a.sum(dims, keep));
      SAME_OF(a.prod(dim, keep));
      SAME_OF(a.amax(dims, keep));
      SAME_OF(a.max(dim, keep));
      SAME_OF(a.min(dim, keep));
      SAME_OF(all ? a.any() : a.any(dim, keep));
      SAME_OF(all ? a.all() : a.all(dim, keep));
      SAME_OF(a.mean(dims, keep));
      if (type != 11) {  // libtorch has these for numbers only
        SAME_OF(all ? a.argmax() : a.argmax(dim, keep));
        SAME_OF(all ? a.argmin() : a.argmin(dim, keep));
        SAME_OF(std::get<0>(a.median(dim, keep)));
      }
      SAME_OF(a.cumsum(dim));
      SAME_OF(a.cumprod(dim));
      SAME_OF(std::get<0>(a.sort(dim, keep)));
      SAME_OF(t::_unique2(a, true, true, true));
      SAME_OF(t::unique_consecutive(a, true, true));
      SAME_OF(a.nonzero());
      SAME_OF(a.isnan().any());
      SAME_OF(a.logical_not());
    }
  }
}

TEST_F(TensorFuzz, Views) {
  for (int i = 0; i < 120; ++i) {
    round(i);
    const List s = shape(0, 4, i % 6 == 0 ? 0 : 1);
    const auto n = static_cast<std::int64_t>(s.size());
    const std::int64_t d = pick(-n - 1, n), e = pick(-n, n), at = pick(-4, 4), length = pick(0, 4);
    const std::int64_t step = pick(0, 3), end = pick(-5, 6);
    const List order = picks(s.size(), 0, std::max<std::int64_t>(n - 1, 0)), other = shape();
    const List repeats = picks(static_cast<std::size_t>(pick(0, 4)), 0, 2);
    List merged = s;
    if (!merged.empty()) {
      merged[static_cast<std::size_t>(pick(0, n - 1))] = -1;
      if (coin()) std::swap(merged.front(), merged.back());
    }
    SAME(x[0].view(merged));
    SAME(x[0].reshape(other));
    SAME(x[0].flatten(d, e));
    if (n > 0) SAME(x[0].unflatten(d, {length, -1}));
    SAME(x[0].squeeze());
    SAME(x[0].squeeze(d));
    SAME(x[0].unsqueeze(d));
    SAME(x[0].transpose(d, e));
    SAME(x[0].permute(order));
    SAME(x[0].expand(other));
    SAME(x[0].t());
    SAME(x[0].narrow(d, at, length));
    SAME(x[0].select(d, at));
    SAME(x[0].slice(d, at, end, step));
    SAME(x[0].movedim(d, e));
    SAME(x[0].repeat(repeats));
    SAME(x[0].tile(repeats));
    SAME(x[0].flip(List{d}));
    if (count_of(s) > 0) SAME(x[0].roll(at, d));
    SAME(x[0].roll(at));
    SAME(x[0].unfold(d, length, step));
    SAME(x[0].diagonal(at, d, e));
    SAME(x[0].tril(at));
    SAME(x[0].triu(at));
    if (at == 0) SAME(x[0].diag(at));
    SAME(t::rot90(x[0], at, {d, e}));
    SAME(t::cat(x[0].split(length, d), d));
    SAME(x[0].split(length, d)[0]);
    SAME(x[0].chunk(length, d).back());
    SAME(x[0].unbind(d).at(0));
    if (n > 0) SAME(x[0].repeat_interleave(length, d));
    SAME(t::stack({x[0], x[0] * 2}, d));
    SAME(x[0][at]);
    const List second = coin() ? s : other;
    SAME_GRADIENTS_OR_ERROR(({s, second}), t::cat({x[0], x[1]}, d));
    SAME_GRADIENTS_OR_ERROR(({s, second}), t::outer(x[0], x[1]));
    SAME_GRADIENTS_OR_ERROR(({s, second}), x[0] * x[1]);
    SAME_GRADIENTS_OR_ERROR(({s, second}), [&] {
      auto y = x[0] * 1;
      y.mul_(x[1]).add_(x[1], 2);
      return y;
    }());
    SAME_GRADIENTS_OR_ERROR(({s, second}), [&] {
      auto y = x[0] * 2;
      y.narrow(d, at, length).copy_(x[1]);
      return y * y;
    }());
    SAME_GRADIENTS_OR_ERROR(({s, second}), x[0].view_as(x[1]) + x[0].expand_as(x[1]));
  }
}

// The same list of indices for either library.
#define INDICES                                                                            \
  std::vector<t::indexing::TensorIndex> indices;                                           \
  for (const List& code : codes) {                                                         \
    if (code[0] == 0) indices.emplace_back(code[1]);                                       \
    if (code[0] == 1) indices.emplace_back(t::indexing::Slice(code[1], code[2], code[3])); \
    if (code[0] == 2) indices.emplace_back(t::indexing::None);                             \
    if (code[0] == 3) indices.emplace_back(t::indexing::Ellipsis);                         \
    if (code[0] == 4) indices.emplace_back(t::tensor(List{code[1], code[2]}, t::kLong));   \
    if (code[0] == 5)                                                                      \
      indices.emplace_back(t::tensor(List{code[1], code[2], 0}, t::kLong).view({3, 1}));   \
    if (code[0] == 6) {                                                                    \
      t::manual_seed(i);                                                                   \
      auto mask = t::randint(0, 2, {code[4]}, t::kLong).to(t::kBool);                      \
      mask[0] = true;                                                                      \
      indices.emplace_back(mask);                                                          \
    }                                                                                      \
    if (code[0] == 7) indices.emplace_back(true);                                          \
    if (code[0] == 8) indices.emplace_back(t::indexing::Slice());                          \
  }

// Elementwise results lie in the memory as their operands do. Strides of unit axes mean nothing.
TEST_F(TensorFuzz, StridesOfElementwiseResults) {
  for (int i = 0; i < 60; ++i) {
    round(i);
    const List s = shape(1, 4, 2), axes = [&] {
      List order(s.size());
      std::iota(order.begin(), order.end(), 0);
      for (std::size_t k = order.size(); k > 1; --k)
        std::swap(order[k - 1], order[static_cast<std::size_t>(pick(0, static_cast<int>(k) - 1))]);
      return order;
    }();
    const std::int64_t axis = pick(0, static_cast<int>(s.size()) - 1);
    SAME_TEXT((t::relu(t::zeros(s).permute(axes)).strides()));
    SAME_TEXT((t::exp(t::zeros(s).permute(axes).slice(axis, 0, 9, 2)).strides()));
    SAME_TEXT(((t::zeros(s).permute(axes) + t::zeros(s).permute(axes)).strides()));
    SAME_TEXT(((t::zeros(s).permute(axes) * t::zeros(s).permute(axes).sum(axis, true)).strides()));
    SAME_TEXT(((t::zeros(s).permute(axes).sum(axis, true) - t::zeros(s).permute(axes)).strides()));
    SAME_TEXT(((t::zeros(s).permute(axes) + t::zeros(s).permute(axes).contiguous()).strides()));
    SAME_TEXT(((t::zeros(s).permute(axes).contiguous() + t::zeros(s).permute(axes)).strides()));
    SAME_TEXT(((t::zeros(s).permute(axes) > 0).strides()));
    SAME_TEXT(((1 / t::ones(s).permute(axes)).strides()));
    SAME_TEXT((
        t::where(t::ones(s).permute(axes) > 0, t::zeros(s).permute(axes), t::zeros(s).permute(axes))
            .strides()));
  }
}

TEST_F(TensorFuzz, Indexing) {
  for (int i = 0; i < 250; ++i) {
    round(i);
    const List s = shape(1, 4), broadcast = shape(0, 2);
    std::vector<List> codes;
    const std::int64_t count = pick(1, static_cast<std::int64_t>(s.size()) + 1);
    for (std::int64_t k = 0; k < count; ++k) {
      List code = picks(4, -3, 4);
      code[0] = pick(0, 8);
      // One ellipsis at most; libtorch checks neither that nor the bounds of an empty result.
      if (code[0] == 3 && k > 0) code[0] = 2;
      code[3] = pick(1, 3);
      const std::size_t axis = std::min<std::size_t>(codes.size(), s.size() - 1);
      // Mostly within its axis.
      for (const std::size_t j : {1u, 2u})
        if (code[0] != 1 && pick(0, 9) > 0) code[j] = pick(-s[axis], s[axis] - 1);
      // libtorch does not check the other indices where a slice is empty.
      if (code[0] == 1) code[code[1] >= 0 ? 1 : 2] = code[1] >= 0 ? 0 : 9;
      if (code[0] == 1 && code[2] <= 0) code[2] = 9;
      code.push_back(s[axis]);
      codes.push_back(code);
    }
    SAME_GRADIENTS_OR_ERROR(({s}), [&] {
      INDICES
      return x[0].index(indices);
    }());
    const bool accumulate = coin();
    SAME_GRADIENTS_OR_ERROR(({s, broadcast}), [&] {
      INDICES
      auto y = x[0] * 1;
      y.index_put_(indices, x[1]);
      return y;
    }());
    SAME_GRADIENTS_OR_ERROR(({s}), [&] {
      INDICES
      auto y = x[0] * 1;
      y.index_put_(indices, 2.5);
      return y;
    }());
    SAME_GRADIENTS_OR_ERROR(({s, broadcast}), [&] {
      const auto rows = t::tensor(List{codes[0][1], codes[0][1]}, t::kLong);
      return x[0].index_put({rows}, x[1], accumulate && codes[0][1] != codes[0][2]);
    }());
  }
}

TEST_F(TensorFuzz, GatherAndScatter) {
  for (int i = 0; i < 150; ++i) {
    round(i);
    // libtorch writes outside of tensors without axes.
    const List s = shape(1, 3);
    const auto n = static_cast<std::int64_t>(s.size());
    const std::int64_t d = pick(-n - (i % 9 == 0), n - 1);
    const std::int64_t extent = s[static_cast<std::size_t>((d + 2 * n) % n)];
    List index_shape = s;
    for (auto& length : index_shape) length = pick(i % 8 == 0 ? 0 : 1, length + (i % 11 == 0));
    const std::int64_t bound = extent + (i % 10 == 0), many = pick(0, 4);
    // No index twice along the axis, where that would leave open who writes last.
#define INDEX(length) \
  (t::manual_seed(i), t::randint(0, std::max<std::int64_t>(bound, 1), length, t::kLong))
    SAME(x[0].gather(d, INDEX(index_shape)));
    SAME_GRADIENTS_OR_ERROR(({s, index_shape}), x[0].scatter_add(d, INDEX(index_shape), x[1]));
    SAME(x[0].scatter(d, INDEX(index_shape), 1.5));
    SAME(x[0].index_select(d, INDEX(List{many})));
    SAME(x[0].take(INDEX(List{many})));
    SAME(x[0].take_along_dim(INDEX(index_shape), d));
    SAME(x[0].index_fill(d, INDEX(List{many}), 0.5));
    List rows = s;
    rows[static_cast<std::size_t>((d + 2 * n) % n)] = many;
    SAME_GRADIENTS_OR_ERROR(({s, rows}), x[0].index_add(d, INDEX(List{many}), x[1], 2));
    SAME(x[0].masked_fill(INDEX(index_shape) == 0, -1));
    SAME(x[0].masked_select(INDEX(s) == 0));
    SAME_GRADIENTS_OR_ERROR(({s, {}}), x[0].masked_fill(INDEX(s) == 0, x[1]));
    SAME_GRADIENTS_OR_ERROR(({s, s}), t::where(INDEX(index_shape) == 0, x[0], x[1]));
    SAME_VALUES_OR_ERROR(t::one_hot(INDEX(s), many));
    SAME_VALUES_OR_ERROR(t::bincount(INDEX(s), {}, many));
  }
}

TEST_F(TensorFuzz, DtypesOfTwo) {
  for (const int first : {0, 3, 4, 6, 7, 11})
    for (const int second : {0, 3, 4, 6, 7, 11})
      for (const bool scalar : {false, true}) {
        beside::drawn() = " dtypes " + std::to_string(first) + " " + std::to_string(second) +
                          (scalar ? " scalar" : "");
#define SAME_PAIR(...)                                                                    \
  SAME_VALUES_OR_ERROR([&] {                                                              \
    auto a = t::tensor(List{3, 1, 0, 7}, t::kLong).to(static_cast<t::ScalarType>(first)); \
    auto b = (scalar ? t::tensor(2, t::kLong) : t::tensor(List{1, 2, 5, 3}, t::kLong))    \
                 .to(static_cast<t::ScalarType>(second));                                 \
    return __VA_ARGS__;                                                                   \
  }())
        SAME_PAIR(a + b);
        SAME_PAIR(a - b);
        SAME_PAIR(a * b);
        SAME_PAIR(a / b);
        SAME_PAIR(a % b);
        SAME_PAIR(a.pow(b));
        SAME_PAIR(a == b);
        SAME_PAIR(a < b);
        SAME_PAIR(a.fmod(b));
        SAME_PAIR(a.floor_divide(b));
        SAME_PAIR(a.div(b, "trunc"));
        SAME_PAIR(t::maximum(a, b));
        SAME_PAIR(t::minimum(a, b));
        SAME_PAIR(t::where(a > b, a, b));
        SAME_PAIR(a.atan2(b));
        SAME_PAIR(a.logical_and(b));
        SAME_PAIR(a & b);
        SAME_PAIR(a | b);
        SAME_PAIR(a ^ b);
        SAME_PAIR(t::lerp(a, b, 0.5));
        if (first != 11 || second != 11) SAME_PAIR(t::addcmul(a, a, b));
        SAME_PAIR(t::cat({a, b.expand({4})}));
        SAME_PAIR(t::stack({a, b.expand({4})}));
        SAME_PAIR(a.clamp(b));
        SAME_PAIR(b.clamp(a));
        if (first != 11 || second != 11) SAME_PAIR(t::clamp(b, a, a));
        SAME_PAIR(t::equal(a, b.expand({4})));
        if (first != 11 && second != 11) {
          SAME_PAIR(t::searchsorted(std::get<0>(a.sort()), b));
        }
        SAME_PAIR(t::matmul(a, b.expand({4})));
        SAME_PAIR(a.add_(b));
        SAME_PAIR(a.sub_(b));
        SAME_PAIR(a.mul_(b));
        SAME_PAIR(a.div_(b));
        SAME_PAIR(a.pow_(b));
        SAME_PAIR(a.copy_(b));
        SAME_PAIR(a.fill_(t::tensor(2.7).to(b.dtype())));
        SAME_PAIR(a.masked_fill_(a == 1, t::tensor(2.7).to(b.dtype())));
        SAME_PAIR(a.index_put_({t::tensor(List{1})}, t::tensor(2.7).to(b.dtype())));
        SAME_PAIR(a.scatter(0, t::tensor(List{1, 2}), b.expand({4})));
        SAME_PAIR(a.scatter_add(0, t::tensor(List{1, 2}), b.expand({4})));
        SAME_PAIR(a.index_add(0, t::tensor(List{1}), b.expand({1})));
        SAME_PAIR(a.gather(0, b.expand({4})));
        SAME_PAIR(a.index({b}));
        SAME_PAIR(a.sum(b.scalar_type()));
        SAME_PAIR(a.cumsum(0, b.scalar_type()));
        SAME_PAIR(a.softmax(0, b.scalar_type()));
        SAME_PAIR(a.bernoulli());
        SAME_PAIR(t::mse_loss(a, b.expand({4})));
        if (first != 11 && second != 11) SAME_PAIR(t::l1_loss(a, b.expand({4})));
        SAME_PAIR(t::smooth_l1_loss(a, b.expand({4})));
      }
}

TEST_F(TensorFuzz, DtypesOfOneAndANumber) {
  for (const int type : {0, 3, 4, 6, 7, 11}) {
    beside::drawn() = " dtype " + std::to_string(type);
#define SAME_ONE(...)                                                                    \
  SAME_VALUES_OR_ERROR([&] {                                                             \
    auto a = t::tensor(List{3, 1, 0, 7}, t::kLong).to(static_cast<t::ScalarType>(type)); \
    return __VA_ARGS__;                                                                  \
  }())
#define SAME_NUMBER(number)                  \
  SAME_ONE(a + number);                      \
  SAME_ONE(a - number);                      \
  SAME_ONE(a* number);                       \
  SAME_ONE(a / number);                      \
  SAME_ONE(a % number);                      \
  SAME_ONE(a.fmod(number));                  \
  SAME_ONE(a.floor_divide(number));          \
  if (!boolean) SAME_ONE(a.pow(number));     \
  SAME_ONE(t::pow(number, a));               \
  SAME_ONE(a == number);                     \
  SAME_ONE(a < number);                      \
  SAME_ONE(a.clamp(number));                 \
  SAME_ONE(a.clamp_max(number));             \
  SAME_ONE(a.add_(number));                  \
  SAME_ONE(a.mul_(number));                  \
  SAME_ONE(a.div_(number));                  \
  if (!boolean) SAME_ONE(a.pow_(number));    \
  SAME_ONE(a.fill_(number));                 \
  SAME_ONE(a.clamp_(number));                \
  SAME_ONE(a.masked_fill(a > 1, number));    \
  SAME_ONE(t::where(a > 1, a, number));      \
  SAME_ONE(t::full_like(a, number));         \
  SAME_ONE(t::full({2}, number));            \
  SAME_FLOATING(t::threshold(a, number, 2)); \
  SAME_ONE(t::leaky_relu(a, number))
    // libtorch computes 2.5 - a in the dtype of a here, unlike in Python; and it has integer
    // kernels for some functions of floating numbers.
    const bool floating = type == 6 || type == 7, boolean = type == 11;
#define SAME_FLOATING(...) \
  if (floating) SAME_ONE(__VA_ARGS__)
    SAME_NUMBER(2);
    SAME_NUMBER(-1);
    SAME_NUMBER(2.5);
    SAME_NUMBER(true);
#define SAME_EACH(name) SAME_ONE(t::name(a))
    SAME_EACH(exp);
    SAME_EACH(log);
    SAME_EACH(sqrt);
    SAME_EACH(rsqrt);
    SAME_EACH(sigmoid);
    SAME_EACH(tanh);
    SAME_EACH(sin);
    SAME_EACH(atan);
    SAME_EACH(erf);
    SAME_EACH(abs);
    SAME_EACH(sign);
    SAME_EACH(neg);
    if (!boolean) SAME_EACH(square);
    SAME_EACH(reciprocal);
    SAME_EACH(floor);
    SAME_EACH(ceil);
    SAME_EACH(round);
    SAME_EACH(trunc);
    SAME_EACH(frac);
    SAME_EACH(relu);
    SAME_EACH(gelu);
    SAME_EACH(silu);
    SAME_EACH(selu);
    SAME_EACH(elu);
    SAME_EACH(softplus);
    SAME_FLOATING(t::hardtanh(a));
    SAME_EACH(hardswish);
    SAME_EACH(hardsigmoid);
    SAME_FLOATING(t::relu6(a));
    SAME_EACH(log_sigmoid);
    SAME_EACH(logical_not);
    SAME_EACH(bitwise_not);
    SAME_EACH(isnan);
    SAME_EACH(isfinite);
    SAME_EACH(isinf);
    SAME_EACH(var);
    SAME_EACH(norm);
    SAME_EACH(sum);
    SAME_EACH(mean);
    SAME_EACH(prod);
    SAME_EACH(max);
    SAME_EACH(min);
    SAME_EACH(any);
    SAME_EACH(all);
    SAME_EACH(nonzero);
    SAME_EACH(zeros_like);
    SAME_EACH(diag);
    SAME_ONE(a.exp_());
    SAME_ONE(a.sqrt_());
    SAME_ONE(a.relu_());
    SAME_ONE(a.neg_());
    SAME_ONE(a.floor_());
    SAME_ONE(a.logical_not_());
    SAME_ONE((t::manual_seed(1), a.uniform_()));
    SAME_ONE((t::manual_seed(1), a.normal_()));
    SAME_ONE((t::manual_seed(1), a.random_(5)));
    SAME_ONE((t::manual_seed(1), a.bernoulli_(0.5)));
    SAME_ONE((t::manual_seed(1), a.exponential_()));
    SAME_ONE((t::manual_seed(1), a.geometric_(0.5)));
    SAME_ONE((t::manual_seed(1), t::rand_like(a)));
    SAME_ONE((t::manual_seed(1), t::randint_like(a, 3)));
    SAME_ONE((t::manual_seed(1), t::dropout(a, 0.5, true)));
    SAME_ONE(t::arange(a.numel(), a.options()));
    SAME_ONE(t::linspace(0, 5, 4, a.options()));
    SAME_ONE(t::eye(2, a.options()));
    SAME_ONE(a.to(t::kBool));
    SAME_ONE(a.to(t::kUInt8));
    SAME_ONE(a.item().to<double>());
    SAME_ONE(a[1].item<bool>());
    SAME_ONE(t::mm(a.view({2, 2}), a.view({2, 2})));
    SAME_FLOATING(t::conv1d(a.view({1, 1, 4}), a.view({1, 1, 4})));
    SAME_ONE(t::max_pool1d(a.view({1, 4}), 2));
    SAME_FLOATING(t::avg_pool1d(a.view({1, 4}), 2));
    SAME_ONE(t::softmax(a, 0));
    SAME_ONE(t::cdist(a.view({2, 2}), a.view({2, 2})));
    SAME_ONE(a.tril(0));
    SAME_ONE(a.view({2, 2}).tril());
    SAME_ONE(a.flip(0));
    SAME_ONE(a.roll(1));
    if (!boolean) SAME_ONE(t::topk(a, 2));
    SAME_ONE(a.unfold(0, 2, 1));
    SAME_ONE(t::nn::functional::pad(a.view({1, 4}), t::nn::functional::PadFuncOptions({1, 1})));
    SAME_ONE(t::nn::functional::layer_norm(a, t::nn::functional::LayerNormFuncOptions({4})));
  }
}

}  // namespace
