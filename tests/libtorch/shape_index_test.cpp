// Creation, shapes, joins, indexing and sorting beside libtorch's.
#include <tests/libtorch/beside.h>

namespace {

TEST(BesideLibtorch, Creation) {
  SAME_TEXT(t::tensor({{1, 2}, {3, 4}}));
  SAME_TEXT(t::tensor({1.5, 2.5}));
  SAME_TEXT(t::tensor({{{true}, {false}}}));
  SAME_TEXT(t::tensor(7));
  SAME_TEXT(t::tensor(std::vector<double>{1, 2}, t::kFloat64));
  SAME_TEXT(t::tensor({}));
  SAME_TEXT(t::tensor({{}, {}}));
  SAME_TEXT(t::zeros({2, 3}));
  SAME_TEXT(t::ones({2}, t::dtype(t::kInt32)));
  SAME_TEXT(t::full({2}, 3));
  SAME_TEXT(t::full({2}, 2.5));
  SAME_TEXT(t::full({2}, true));
  SAME_TEXT(t::scalar_tensor(3));
  SAME_TEXT(t::arange(5));
  SAME_TEXT(t::arange(5.0));
  SAME_TEXT(t::arange(1, 10, 3));
  SAME_TEXT(t::arange(10, 1, -3));
  SAME_TEXT(t::arange(0, 1, 0.1));
  SAME_TEXT(t::arange(0, 5, 2, t::kFloat64));
  SAME_TEXT(t::linspace(0, 1, 7));
  SAME_TEXT(t::linspace(-3, 11, 4, t::kInt64));
  SAME_TEXT(t::logspace(-2, 2, 5));
  SAME_TEXT(t::eye(3));
  SAME_TEXT(t::eye(2, 4, t::kLong));
  SAME_TEXT(t::tril_indices(3, 4, 1));
  SAME_TEXT(t::triu_indices(4, 3, -1));
  SAME_TEXT(t::zeros_like(t::ones({2, 2}, t::kDouble)));
  SAME_TEXT(t::full_like(t::ones({2}), 3, t::kLong));
  SAME_TEXT(t::ones({2}).new_zeros({1, 2}));
  SAME_TEXT(t::empty_like(t::zeros({2, 3, 5}).permute({2, 0, 1})).strides());
  SAME_TEXT(t::empty_like(t::zeros({4, 6}).t().slice(0, 0, 6, 2)).strides());
  SAME_TEXT(t::empty_like(t::zeros({3, 1}).expand({3, 4})).strides());
  BOTH_THROW(t::zeros({-1}));
  BOTH_THROW(t::arange(0, 3, -1));
  BOTH_THROW(t::tensor({{1, 2}, {3}}));
  BOTH_THROW(t::tensor({1, 2.5}));
}

TEST(BesideLibtorch, RandomTensors) {
  SAME_TEXT((t::manual_seed(3), t::rand({3, 4})));
  SAME_TEXT((t::manual_seed(3), t::randn({5, 7})));
  SAME_TEXT((t::manual_seed(3), t::randn({2, 2}, t::kDouble)));
  SAME_TEXT((t::manual_seed(3), t::randint(100, {4, 4})));
  SAME_TEXT((t::manual_seed(3), t::randint(-5, 5, {4}, t::kFloat)));
  SAME_TEXT((t::manual_seed(3), t::randperm(20)));
  SAME_TEXT((t::manual_seed(3), t::normal(1.0, 2.0, {3})));
  SAME_TEXT((t::manual_seed(3), t::bernoulli(t::full({10}, 0.4))));
  SAME_TEXT((t::manual_seed(3), t::rand_like(t::zeros({3, 4}).t())));
  SAME_TEXT((t::manual_seed(3), t::randn_like(t::zeros({6, 4}).t())));
  SAME_TEXT((t::manual_seed(3), t::zeros({3, 5}).select(1, 2).uniform_(-1, 1)));
  SAME_TEXT((t::manual_seed(3), t::rand({3, 6}).multinomial(4)));
  SAME_TEXT((t::manual_seed(3), t::zeros({2, 3}).exponential_(2).geometric_(0.5).random_(7)));
}

TEST(BesideLibtorch, Shapes) {
  SAME_GRADIENTS(({{2, 3, 4}}), x[0].view({4, -1}).t().reshape({-1}));
  SAME_GRADIENTS(({{2, 3, 4}}), x[0].flatten(1).unsqueeze(0).squeeze());
  SAME_GRADIENTS(({{2, 3, 4}}), x[0].permute({2, 0, 1}).transpose(-1, 0));
  SAME_GRADIENTS(({{2, 1, 4}}), x[0].expand({5, 2, 3, -1}));
  SAME_GRADIENTS(({{2, 3, 4}}), x[0].movedim(0, 2));
  SAME_GRADIENTS(({{2, 9, 4}}), x[0].slice(1, -8, 7, 3).narrow(2, 1, 2).select(0, -1));
  SAME_GRADIENTS(({{5, 4, 3}}), x[0].diagonal(-1, 2, 0));
  SAME_GRADIENTS(({{9, 2}}), x[0].unfold(0, 4, 2));
  SAME_GRADIENTS(({{3, 4}}), x[0].as_strided({2, 3}, {1, 2}, 2));
  SAME_GRADIENTS(({{3, 4}}), x[0].slice(0, 1).as_strided({2, 3}, {1, 2}));
  SAME_GRADIENTS(({{7, 2}}), x[0].split(3)[2] * x[0].chunk(2)[1][1]);
  SAME_GRADIENTS(({{7, 2}}), x[0].tensor_split(3)[0] + x[0].unbind(0)[4]);
  SAME_GRADIENTS(({{2, 3}, {2, 2}}), t::cat({x[0], x[1], x[0]}, 1));
  SAME_GRADIENTS(({{2, 3}, {2, 3}}), t::stack({x[0], x[1]}, -2));
  SAME_GRADIENTS(({{2, 3}, {3}}), t::vstack({x[0], x[1]}));
  SAME_GRADIENTS(({{2, 3}, {2, 1}}), t::hstack({x[0], x[1]}));
  SAME_GRADIENTS(({{2, 3}}), x[0].repeat({2, 2, 1}) + x[0].tile({2, 1}));
  SAME_GRADIENTS(({{2, 3}}), x[0].repeat_interleave(2, 1));
  SAME_GRADIENTS(({{2, 3}}), t::repeat_interleave(x[0], t::tensor({1, 0, 2}), 1));
  SAME_GRADIENTS(({{2, 3, 4}}), x[0].flip({0, 2}).roll({1, -1}, {1, 2}).roll(5));
  SAME_GRADIENTS(({{2, 3}}), t::rot90(x[0], 3));
  SAME_GRADIENTS(({{4, 3}}), x[0].tril(-1) + x[0].triu(1));
  SAME_GRADIENTS(({{4}}), x[0].diag(1));
  SAME_GRADIENTS(({{3, 4}}), x[0].diag(1));
  SAME_GRADIENTS(({{2, 3}}), t::diag_embed(x[0], 1, 0, 2));
  SAME_GRADIENTS(({{3}, {2}}), t::meshgrid({x[0], x[1]}, "xy")[1]);
  SAME_GRADIENTS(({{3, 4}}), x[0].trace());
  BOTH_THROW(t::zeros({2, 3}).view({4}));
  BOTH_THROW(t::zeros({2, 3}).t().view({6}));
  BOTH_THROW(t::zeros({2, 3}).select(0, 2));
  BOTH_THROW(t::zeros({2, 3}).narrow(1, 2, 2));
  BOTH_THROW(t::zeros({2, 3}).expand({2, 4}));
  BOTH_THROW(t::cat({t::zeros({2, 3}), t::zeros({3, 2})}));
}

TEST(BesideLibtorch, InPlaceThroughViews) {
  // A statement list as an expression.
  SAME_GRADIENTS(({{3, 4}, {4}}), [&] {
    auto y = x[0] * 2;
    y[1] = x[1];
    y.select(1, 2).mul_(3);
    y.slice(0, 0, 2).t().narrow(0, 1, 2).add_(x[1][0]);
    return y * y;
  }());
  SAME_GRADIENTS(({{3, 4}, {2}}), [&] {
    auto y = x[0].clone();
    y.index_put_({t::indexing::Slice(0, 2), 1}, x[1]);
    y.index_put_({t::tensor({0, 2}), t::tensor({3, 0})}, x[1] * x[1]);
    return y.view({-1}) * y.flatten();
  }());
}

TEST(BesideLibtorch, Indexing) {
  SAME_GRADIENTS(({{3, 4, 5}}), x[0].index({1, t::indexing::Slice(t::indexing::None, 3, 2)}));
  SAME_GRADIENTS(({{3, 4, 5}}),
                 x[0].index({t::indexing::Ellipsis, t::indexing::None, t::indexing::Slice(1, -1)}));
  SAME_GRADIENTS(({{3, 4, 5}}), x[0].index({"...", t::tensor({0, 4, 4})}));
  SAME_GRADIENTS(({{3, 4, 5}}), x[0].index({t::tensor({2, 0}), t::tensor({{1}, {3}})}));
  SAME_GRADIENTS(({{3, 4, 5}}),
                 x[0].index({t::tensor({2, 0}), t::indexing::Slice(), t::tensor({1, 3})}));
  SAME_GRADIENTS(({{3, 4}}), x[0].index({t::tensor({true, false, true}), 1}));
  SAME_GRADIENTS(({{2, 3}}), x[0].index({t::tensor({{true, false, true}, {false, true, true}})}));
  SAME_GRADIENTS(({{2, 3}}), x[0].index({true}));
  SAME_GRADIENTS(({{2, 3}}), x[0][1][2]);
  SAME_GRADIENTS(({{3, 4}, {2, 2}}), x[0].gather(1, t::tensor({{0, 0}, {3, 1}}))
                                         .scatter(0, t::tensor({{1, 0}, {0, 1}}), x[1])
                                         .scatter_add(1, t::tensor({{1, 1}, {0, 0}}), x[1]));
  SAME_GRADIENTS(({{3, 4}}), x[0].scatter(1, t::tensor({{0, 0}, {3, 1}}), 2.0));
  SAME_GRADIENTS(({{3, 4}, {3, 2}}), x[0].index_select(1, t::tensor({3, 3, 0, 1}))
                                         .index_add(1, t::tensor({2, 2}), x[1], 3)
                                         .index_copy(1, t::tensor({0, 3}), x[1])
                                         .index_fill(0, t::tensor({1}), 5));
  SAME_GRADIENTS(({{3, 4}}), x[0].take(t::tensor({{0, 11}, {5, 5}})));
  SAME_GRADIENTS(({{3, 4}}), x[0].take_along_dim(t::tensor({{1, 0}, {2, 2}, {3, 0}}), 1));
  SAME_GRADIENTS(({{2, 3}, {}}), x[0].masked_fill(t::tensor({true, false, true}), x[1]));
  SAME_GRADIENTS(({{2, 3}}), x[0].masked_select(t::tensor({true, false, true})));
  SAME_GRADIENTS(({{2, 3}, {4}}),
                 x[0].masked_scatter(t::tensor({{true, false, true}, {true, false, false}}), x[1]));
  SAME_TEXT(t::tensor({{1, 0, 2}, {0, 0, 3}}).nonzero());
  SAME_TEXT(t::where(t::tensor({{1, 0, 2}, {0, 0, 3}})));
  SAME_TEXT(t::one_hot(t::tensor({{1, 0}, {2, 2}}), 4));
  SAME_TEXT(t::zeros({2, 3}).index_put_({t::tensor({1, 1})}, t::ones({2, 1})));
  SAME_TEXT(t::zeros({3}).index_put({t::tensor({1, 1, 2})}, t::tensor({1., 2., 3.}), true));
  BOTH_THROW(t::zeros({3}).index({5}));
  BOTH_THROW(t::zeros({3}).index({t::tensor({3})}));
  BOTH_THROW(t::zeros({3}).index({0, 0}));
  BOTH_THROW(t::zeros({3}).index({t::tensor({true})}));
  BOTH_THROW(t::zeros({3}).gather(0, t::tensor({-1})));
  BOTH_THROW(t::zeros({3}).index_select(0, t::tensor({3})));
  BOTH_THROW(t::zeros({3}).index_put_({t::tensor({0, 1})}, t::zeros({3})));
  BOTH_THROW(t::zeros({3}).take(t::tensor({3})));
}

TEST(BesideLibtorch, Sorting) {
  SAME_GRADIENTS(({{3, 7}}), std::get<0>(x[0].sort(0)).narrow(1, 0, 3));
  SAME_GRADIENTS(({{3, 7}}), std::get<0>(x[0].sort(1, true)));
  SAME_GRADIENTS(({{3, 7}}), std::get<0>(x[0].topk(3)));
  SAME_GRADIENTS(({{3, 7}}), std::get<0>(x[0].topk(2, 0, false)));
  SAME_GRADIENTS(({{3, 7}}), std::get<0>(x[0].kthvalue(4)));
  const auto numbers = [](auto make) {
    return make(std::vector<double>{3, 1, 2, 3, NAN, 1, 0, 3, 2, 2});
  };
  const auto of_torch = numbers([](auto v) { return torch::tensor(v); });
  const auto of_tapedeck = numbers([](auto v) { return tapedeck::tensor(v); });
  const auto pick = [&](const auto& probe) -> const auto& {
    if constexpr (std::is_same_v<std::decay_t<decltype(probe)>, torch::Tensor>)
      return of_torch;
    else
      return of_tapedeck;
  };
  SAME_TEXT(pick(t::Tensor()).sort());
  SAME_TEXT(pick(t::Tensor()).sort(0, true));
  SAME_TEXT(pick(t::Tensor()).argsort());
  SAME_TEXT(pick(t::Tensor()).topk(4));
  SAME_TEXT(pick(t::Tensor()).topk(4, 0, false));
  SAME_TEXT(t::_unique2(t::tensor({{3, 1}, {2, 3}}), true, true, true));
  SAME_TEXT(t::unique_consecutive(t::tensor({3, 3, 1, 3}), true, true));
  SAME_TEXT(t::bincount(t::tensor({3, 1, 3})));
  SAME_TEXT(t::bincount(t::tensor({3, 1, 3}), t::tensor({0.5, 1.5, 2.}), 6));
  SAME_TEXT(t::searchsorted(t::tensor({1, 3, 3, 5}), t::tensor({{0, 3}, {5, 6}})));
  SAME_TEXT(t::searchsorted(t::tensor({1, 3, 3, 5}), t::tensor({{0, 3}, {5, 6}}), false, true));
  SAME_TEXT(t::bucketize(t::tensor({0.5, 1.0}), t::tensor({0.0, 1.0})));
}

}  // namespace
