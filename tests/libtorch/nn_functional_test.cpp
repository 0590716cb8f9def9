// Losses, normalisations, dropout, embeddings, padding and resampling beside libtorch's.
#include <tests/libtorch/beside.h>

namespace {

#define F t::nn::functional

// The sum of a function of `x`, random of this shape, and its gradient.
#define SAME_FIRST_GRADIENT(shape, ...)                                 \
  SAME_TEXT([&] {                                                       \
    t::manual_seed(5);                                                  \
    auto x = t::randn(BESIDE_STRIP shape, t::kDouble).requires_grad_(); \
    auto y = __VA_ARGS__;                                               \
    y.sum().backward();                                                 \
    return std::tuple(y, x.grad());                                     \
  }())

TEST(BesideLibtorch, ClassLosses) {
  SAME_GRADIENTS(({{4, 5}}), F::cross_entropy(x[0], t::tensor({0, 4, 2, 1}, t::kLong)));
  SAME_GRADIENTS(({{4, 5}}), F::cross_entropy(x[0], t::tensor({0, -100, 2, 1}, t::kLong),
                                              F::CrossEntropyFuncOptions()
                                                  .weight(t::linspace(0.5, 2, 5, t::kDouble))
                                                  .label_smoothing(0.2)));
  SAME_GRADIENTS(({{2, 5, 3}}), F::cross_entropy(x[0], t::tensor({{0, 4, 2}, {1, 1, 3}}, t::kLong),
                                                 F::CrossEntropyFuncOptions().reduction(t::kNone)));
  SAME_GRADIENTS(
      ({{2, 5, 3}}),
      F::cross_entropy(x[0], t::tensor({{0, 4, 2}, {1, 1, 3}}, t::kLong),
                       F::CrossEntropyFuncOptions().ignore_index(1).label_smoothing(0.1)));
  SAME_GRADIENTS(({{2, 5, 3}}), F::cross_entropy(x[0], t::tensor({{0, 4, 2}, {1, 1, 3}}, t::kLong),
                                                 F::CrossEntropyFuncOptions()
                                                     .weight(t::linspace(0.5, 2, 5, t::kDouble))
                                                     .reduction(t::kSum)
                                                     .label_smoothing(0.1)));
  SAME_GRADIENTS(({{3, 4}, {3, 4}}),
                 F::cross_entropy(x[0], x[1].softmax(1),
                                  F::CrossEntropyFuncOptions()
                                      .weight(t::linspace(0.5, 2, 4, t::kDouble))
                                      .label_smoothing(0.1)));
  SAME_GRADIENTS(({{2, 3, 4}, {2, 3, 4}}), F::cross_entropy(x[0], x[1].softmax(1)));
  SAME_GRADIENTS(({{5}}), F::cross_entropy(x[0], t::tensor(3, t::kLong)));
  SAME_GRADIENTS(({{4, 5}}),
                 F::nll_loss(x[0], t::tensor({0, 4, -100, 1}, t::kLong),
                             F::NLLLossFuncOptions().weight(t::linspace(0.5, 2, 5, t::kDouble))));
  SAME_GRADIENTS(({{2, 5, 3}}), F::nll_loss(x[0], t::tensor({{0, 4, 2}, {1, 1, 3}}, t::kLong),
                                            F::NLLLossFuncOptions().reduction(t::kNone)));
  // libtorch has no second derivatives of these.
  SAME_FIRST_GRADIENT(({3, 4}), F::multi_margin_loss(x, t::tensor({0, 3, 1}, t::kLong)));
  SAME_FIRST_GRADIENT(({3, 4}),
                      F::multi_margin_loss(x, t::tensor({0, 3, 1}, t::kLong),
                                           F::MultiMarginLossFuncOptions().p(2).margin(0.7).weight(
                                               t::linspace(0.5, 2, 4, t::kDouble))));
  SAME_FIRST_GRADIENT(
      ({2, 4}), F::multilabel_margin_loss(x, t::tensor({{3, 0, -1, 1}, {1, -1, 2, 0}}, t::kLong)));
  SAME_FIRST_GRADIENT(({4}),
                      F::multilabel_margin_loss(x, t::tensor({3, 0, -1, 1}, t::kLong), t::kSum));
  for (const bool zero_infinity : {false, true})
    SAME_FIRST_GRADIENT(
        ({6, 2, 5}),
        F::ctc_loss(x.log_softmax(2), t::tensor({{1, 2, 2}, {4, 3, 0}}, t::kInt), t::tensor({6, 4}),
                    t::tensor({3, 2}), F::CTCLossFuncOptions().zero_infinity(zero_infinity)));
  SAME_FIRST_GRADIENT(
      ({6, 2, 5}),
      F::ctc_loss(x.log_softmax(2), t::tensor({1, 1, 1, 0}), t::tensor({6, 2}), t::tensor({2, 2}),
                  F::CTCLossFuncOptions().zero_infinity(true).blank(2).reduction(t::kSum)));
  SAME_FIRST_GRADIENT(({6, 5}), t::ctc_loss(x.log_softmax(1), t::tensor({1, 3, 3}), {6}, {3}));
  BOTH_THROW(F::ctc_loss(t::ones({4, 1, 3}), t::tensor({1, 2}), t::tensor({5}), t::tensor({2})));
  BOTH_THROW(F::ctc_loss(t::ones({4, 1, 3}), t::tensor({1, 2}), t::tensor({4}), t::tensor({1})));
  BOTH_THROW(F::ctc_loss(t::ones({4, 1, 3}), t::tensor({1, 2}), t::ones({1}), t::tensor({2})));
  BOTH_THROW(F::cross_entropy(t::ones({2, 3}), t::tensor({0, 3}, t::kLong)));
  BOTH_THROW(F::cross_entropy(t::ones({2, 3}), t::tensor({0}, t::kLong)));
  BOTH_THROW(F::nll_loss(t::ones({2, 3}), t::tensor({0, -1}, t::kLong)));
}

TEST(BesideLibtorch, ElementwiseLosses) {
  SAME_GRADIENTS(({{3, 4}, {3, 4}}), F::mse_loss(x[0], x[1]));
  SAME_GRADIENTS(({{3, 4}, {3, 4}}), F::mse_loss(x[0], x[1], t::kSum));
  SAME_GRADIENTS(({{3, 4}, {3, 4}}), F::mse_loss(x[0], x[1], t::kNone));
  SAME_GRADIENTS(({{3, 4}, {3, 4}}), F::l1_loss(x[0], x[1]));
  SAME_GRADIENTS(({{3, 4}, {3, 4}}), F::smooth_l1_loss(x[0], x[1], t::kSum));
  SAME_GRADIENTS(({{3, 4}, {3, 4}}),
                 F::huber_loss(x[0], x[1], F::HuberLossFuncOptions(t::kNone).delta(0.7)));
  SAME_GRADIENTS(({{3, 4}}),
                 F::binary_cross_entropy(x[0].sigmoid(), t::full({3, 4}, 0.3, t::kDouble)));
  SAME_GRADIENTS(({{3, 4}}), F::binary_cross_entropy_with_logits(
                                 x[0], t::full({3, 4}, 0.3, t::kDouble),
                                 F::BinaryCrossEntropyWithLogitsFuncOptions()
                                     .weight(t::linspace(0.5, 2, 4, t::kDouble))
                                     .pos_weight(t::linspace(1, 3, 4, t::kDouble))));
  SAME_GRADIENTS(({{3, 4}, {3, 4}}), F::kl_div(x[0], x[1].softmax(1), t::kBatchMean));
  SAME_GRADIENTS(({{3, 4}, {3, 4}}),
                 F::kl_div(x[0], x[1], F::KLDivFuncOptions(t::kSum).log_target(true)));
  SAME_GRADIENTS(({{4}}), F::hinge_embedding_loss(x[0], t::tensor({1., -1., 1., -1.}, t::kDouble)));
  SAME_GRADIENTS(({{4}, {4}}),
                 F::margin_ranking_loss(x[0], x[1], t::tensor({1., -1., 1., -1.}, t::kDouble),
                                        F::MarginRankingLossFuncOptions().margin(0.3)));
  SAME_GRADIENTS(({{4, 3}, {4, 3}}),
                 F::cosine_embedding_loss(x[0], x[1], t::tensor({1., -1., 1., -1.}, t::kDouble),
                                          F::CosineEmbeddingLossFuncOptions().margin(-0.5)));
  SAME_GRADIENTS(({{4, 3}, {4, 3}, {4, 3}}),
                 F::triplet_margin_loss(x[0], x[1], x[2],
                                        F::TripletMarginLossFuncOptions().swap(true).margin(3)));
  SAME_GRADIENTS(({{4, 3}}), F::soft_margin_loss(x[0], t::ones({4, 3}, t::kDouble)));
  SAME_GRADIENTS(({{4, 3}}),
                 F::multilabel_soft_margin_loss(x[0], t::full({4, 3}, 0.3, t::kDouble),
                                                F::MultilabelSoftMarginLossFuncOptions().weight(
                                                    t::linspace(0.5, 2, 3, t::kDouble))));
  SAME_GRADIENTS(({{4, 3}}), F::poisson_nll_loss(x[0], t::full({4, 3}, 2.5, t::kDouble),
                                                 F::PoissonNLLLossFuncOptions().full(true)));
  SAME_GRADIENTS(({{4, 3}}), F::poisson_nll_loss(x[0].exp(), t::full({4, 3}, 2.5, t::kDouble),
                                                 F::PoissonNLLLossFuncOptions().log_input(false)));
  SAME_GRADIENTS(({{4, 3}, {4, 3}}), F::cosine_similarity(x[0], x[1]));
  SAME_GRADIENTS(
      ({{4, 3}, {4, 3}}),
      F::pairwise_distance(x[0], x[1], F::PairwiseDistanceFuncOptions().p(3).keepdim(true)));
}

TEST(BesideLibtorch, Normalisations) {
  SAME_GRADIENTS(({{3, 2, 4, 5}, {2}, {2}}),
                 F::batch_norm(x[0], {}, {},
                               F::BatchNormFuncOptions().weight(x[1]).bias(x[2]).training(true)));
  SAME_GRADIENTS(({{5, 3}, {3}, {3}}),
                 F::batch_norm(x[0], {}, {},
                               F::BatchNormFuncOptions().weight(x[1]).bias(x[2]).training(true)));
  SAME_GRADIENTS(
      ({{3, 2, 4}, {2}, {2}}),
      F::batch_norm(x[0], t::linspace(-1, 1, 2, t::kDouble), t::linspace(0.5, 2, 2, t::kDouble),
                    F::BatchNormFuncOptions().weight(x[1]).bias(x[2])));
  SAME_GRADIENTS(({{3, 2, 5}, {5}, {5}}),
                 F::layer_norm(x[0], F::LayerNormFuncOptions({5}).weight(x[1]).bias(x[2])));
  SAME_GRADIENTS(({{3, 2, 5}}), F::layer_norm(x[0], F::LayerNormFuncOptions({2, 5})));
  SAME_GRADIENTS(({{3, 4, 5}, {4}, {4}}),
                 F::group_norm(x[0], F::GroupNormFuncOptions(2).weight(x[1]).bias(x[2])));
  SAME_GRADIENTS(({{3, 4, 5}, {4}, {4}}),
                 F::instance_norm(x[0], F::InstanceNormFuncOptions().weight(x[1]).bias(x[2])));
  SAME_GRADIENTS(({{2, 5, 3}}),
                 F::local_response_norm(x[0], F::LocalResponseNormFuncOptions(3).alpha(0.3).k(2)));
  SAME_GRADIENTS(({{2, 5, 3}}), F::local_response_norm(x[0], F::LocalResponseNormFuncOptions(4)));
  SAME_GRADIENTS(({{2, 5}}), F::normalize(x[0], F::NormalizeFuncOptions().p(3)));
}

TEST(BesideLibtorch, RunningStatistics) {
  SAME_TEXT([&] {
    t::manual_seed(1);
    t::nn::BatchNorm2d m(t::nn::BatchNorm2dOptions(3).momentum(0.3));
    for (int i = 0; i < 3; ++i) m->forward(t::randn({4, 3, 2, 5}) * 3 + 1);
    return std::tuple(m->running_mean, m->running_var, m->num_batches_tracked);
  }());
  SAME_TEXT([&] {
    t::manual_seed(1);
    t::nn::BatchNorm1d m(t::nn::BatchNorm1dOptions(3).momentum(t::nullopt));
    for (int i = 0; i < 3; ++i) m->forward(t::randn({4, 3}) * 3 + 1);
    m->eval();
    return m->forward(t::randn({4, 3}));
  }());
  SAME_TEXT([&] {
    t::manual_seed(1);
    t::nn::InstanceNorm1d m(t::nn::InstanceNorm1dOptions(3).affine(true).track_running_stats(true));
    for (int i = 0; i < 3; ++i) m->forward(t::randn({4, 3, 7}) * 3 + 1);
    m->eval();
    return std::tuple(m->running_mean, m->running_var, m->forward(t::randn({4, 3, 7})));
  }());
}

TEST(BesideLibtorch, DropoutDrawsTheSameMasks) {
  SAME_TEXT((t::manual_seed(3), F::dropout(t::ones({4, 5}), F::DropoutFuncOptions().p(0.3))));
  SAME_TEXT(
      (t::manual_seed(3), F::dropout2d(t::ones({2, 5, 2, 2}), F::Dropout2dFuncOptions().p(0.3))));
  SAME_TEXT(
      (t::manual_seed(3),
       F::alpha_dropout(t::ones({4, 5}), F::AlphaDropoutFuncOptions().p(0.3).training(true))));
  SAME_TEXT((t::manual_seed(3),
             F::feature_alpha_dropout(t::ones({4, 5, 2}),
                                      F::FeatureAlphaDropoutFuncOptions().p(0.3).training(true))));
  SAME_TEXT((t::manual_seed(3), F::rrelu(-t::ones({4, 5}), F::RReLUFuncOptions().training(true))));
  SAME_TEXT((t::manual_seed(3), F::gumbel_softmax(t::ones({4, 5}))));
  SAME_GRADIENTS(({{4, 5}}), (t::manual_seed(3), F::dropout(x[0])));
  SAME_TEXT(F::dropout(t::ones({2, 3}), F::DropoutFuncOptions().p(1.0)));
}

TEST(BesideLibtorch, Embeddings) {
  SAME_GRADIENTS(({{6, 3}}), F::embedding(t::tensor({{0, 5, 2}, {2, 2, 1}}, t::kLong), x[0],
                                          F::EmbeddingFuncOptions().padding_idx(2)));
  // libtorch's second derivative forgets the frequencies, and it has none of bags.
  SAME_FIRST_GRADIENT(({6, 3}), F::embedding(t::tensor({0, 5, 2, 2}, t::kLong), x,
                                             F::EmbeddingFuncOptions().scale_grad_by_freq(true)));
  for (const int mode : {0, 1, 2})
    SAME_FIRST_GRADIENT(({6, 3}),
                        F::embedding_bag(t::tensor({0, 5, 2, 2, 1}, t::kLong), x,
                                         F::EmbeddingBagFuncOptions()
                                             .mode(mode == 0   ? t::nn::EmbeddingBagMode(t::kSum)
                                                   : mode == 1 ? t::nn::EmbeddingBagMode(t::kMean)
                                                               : t::nn::EmbeddingBagMode(t::kMax))
                                             .offsets(t::tensor({0, 2, 2}, t::kLong))));
  SAME_FIRST_GRADIENT(
      ({6, 3}), F::embedding_bag(t::tensor({{0, 5}, {2, 2}}, t::kLong), x,
                                 F::EmbeddingBagFuncOptions().mode(t::kSum).per_sample_weights(
                                     t::linspace(1, 2, 4, t::kDouble).view({2, 2}))));
  BOTH_THROW(F::embedding(t::tensor({6}, t::kLong), t::ones({6, 3})));
}

TEST(BesideLibtorch, Padding) {
  SAME_GRADIENTS(({{2, 3, 4, 5}}), F::pad(x[0], F::PadFuncOptions({1, 2, 3, 0}).value(1.5)));
  SAME_GRADIENTS(({{2, 3, 4, 5}}), F::pad(x[0], F::PadFuncOptions({-1, 2, 1, -2})));
  SAME_GRADIENTS(({{2, 3, 4, 5}}), F::pad(x[0], F::PadFuncOptions({1, 2, 3, 0}).mode(t::kReflect)));
  SAME_GRADIENTS(({{2, 3, 4, 5}}),
                 F::pad(x[0], F::PadFuncOptions({4, 2, 5, 0}).mode(t::kReplicate)));
  SAME_GRADIENTS(({{2, 3, 4, 5}}),
                 F::pad(x[0], F::PadFuncOptions({1, 5, 3, 0}).mode(t::kCircular)));
  SAME_GRADIENTS(({{2, 3, 5}}), F::pad(x[0], F::PadFuncOptions({1, 2}).mode(t::kCircular)));
  BOTH_THROW(F::pad(t::ones({1, 1, 3}), F::PadFuncOptions({3, 0}).mode(t::kReflect)));
  BOTH_THROW(F::pad(t::ones({1, 1, 3}), F::PadFuncOptions({1})));
}

TEST(BesideLibtorch, Resampling) {
  const std::vector<std::int64_t> larger{7, 9}, smaller{2, 3};
  for (const auto& size : {larger, smaller}) {
    SAME_GRADIENTS(({{2, 3, 4, 5}}), F::interpolate(x[0], F::InterpolateFuncOptions().size(size)));
    SAME_GRADIENTS(
        ({{2, 3, 4, 5}}),
        F::interpolate(x[0], F::InterpolateFuncOptions().size(size).mode(t::kNearestExact)));
    SAME_GRADIENTS(({{2, 3, 4, 5}}),
                   F::interpolate(x[0], F::InterpolateFuncOptions().size(size).mode(t::kArea)));
    for (const bool align : {false, true}) {
      SAME_GRADIENTS(
          ({{2, 3, 4, 5}}),
          F::interpolate(
              x[0],
              F::InterpolateFuncOptions().size(size).mode(t::kBilinear).align_corners(align)));
      SAME_GRADIENTS(
          ({{2, 3, 4, 5}}),
          F::interpolate(
              x[0], F::InterpolateFuncOptions().size(size).mode(t::kBicubic).align_corners(align)));
    }
  }
  const std::vector<double> factors{1.5, 2.3}, factor{1.7};
  SAME_GRADIENTS(({{2, 3, 4, 5}}),
                 F::interpolate(x[0], F::InterpolateFuncOptions().scale_factor(factors)));
  SAME_GRADIENTS(({{2, 3, 4, 5}}), F::interpolate(x[0], F::InterpolateFuncOptions()
                                                            .scale_factor(factors)
                                                            .mode(t::kBilinear)
                                                            .align_corners(false)));
  SAME_GRADIENTS(({{2, 3, 7}}), F::interpolate(x[0], F::InterpolateFuncOptions()
                                                         .scale_factor(factor)
                                                         .mode(t::kLinear)
                                                         .align_corners(false)
                                                         .recompute_scale_factor(true)));
  for (const auto& size : {larger, smaller})
    for (const bool align : {false, true}) {
      SAME_FIRST_GRADIENT(
          ({2, 3, 4, 8}),
          F::interpolate(
              x, F::InterpolateFuncOptions().size(size).align_corners(align).antialias(true).mode(
                     t::kBilinear)));
      SAME_FIRST_GRADIENT(
          ({2, 3, 4, 8}),
          F::interpolate(
              x, F::InterpolateFuncOptions().size(size).align_corners(align).antialias(true).mode(
                     t::kBicubic)));
    }
  BOTH_THROW(F::interpolate(t::ones({1, 1, 3})));
  BOTH_THROW(F::interpolate(t::ones({1, 3})));
}

TEST(BesideLibtorch, ResamplingVolumes) {
  const std::vector<std::int64_t> larger{4, 7, 9}, smaller{2, 2, 3};
  const std::vector<double> factors{1.4, 2.3, 0.7};
  for (const auto& size : {larger, smaller}) {
    SAME_GRADIENTS(({{2, 3, 3, 4, 5}}),
                   F::interpolate(x[0], F::InterpolateFuncOptions().size(size)));
    SAME_GRADIENTS(
        ({{2, 3, 3, 4, 5}}),
        F::interpolate(x[0], F::InterpolateFuncOptions().size(size).mode(t::kNearestExact)));
    SAME_GRADIENTS(({{2, 3, 3, 4, 5}}),
                   F::interpolate(x[0], F::InterpolateFuncOptions().size(size).mode(t::kArea)));
    for (const bool align : {false, true})
      SAME_GRADIENTS(
          ({{2, 3, 3, 4, 5}}),
          F::interpolate(
              x[0],
              F::InterpolateFuncOptions().size(size).mode(t::kTrilinear).align_corners(align)));
  }
  SAME_GRADIENTS(({{2, 3, 3, 4, 5}}),
                 F::interpolate(x[0], F::InterpolateFuncOptions().scale_factor(factors)));
  SAME_GRADIENTS(({{2, 3, 3, 4, 5}}), F::interpolate(x[0], F::InterpolateFuncOptions()
                                                               .scale_factor(factors)
                                                               .mode(t::kTrilinear)
                                                               .align_corners(false)));
  BOTH_THROW(F::interpolate(t::ones({1, 1, 3, 2, 2}),
                            F::InterpolateFuncOptions().size(larger).mode(t::kBilinear)));
}

TEST(BesideLibtorch, Pooling) {
  SAME_FIRST_GRADIENT(
      ({2, 3, 7, 8}),
      F::fractional_max_pool2d(
          x, F::FractionalMaxPool2dFuncOptions({2, 3}).output_size(t::ExpandingArray<2>({4, 3}))));
  SAME_FIRST_GRADIENT(({3, 7, 8}), F::fractional_max_pool2d(
                                       x, F::FractionalMaxPool2dFuncOptions(2).output_ratio(0.5)));
  SAME_FIRST_GRADIENT(
      ({2, 3, 4, 7, 8}),
      F::fractional_max_pool3d(x, F::FractionalMaxPool3dFuncOptions(2).output_ratio(0.5)));
  SAME_GRADIENTS(({{2, 3, 6, 7}}),
                 F::lp_pool2d(x[0].abs(), F::LPPool2dFuncOptions(3, {2, 3}).stride(2)));
  SAME_GRADIENTS(({{2, 3, 7}}), F::lp_pool1d(x[0].abs(), F::LPPool1dFuncOptions(2, 3)));
  SAME_GRADIENTS(({{2, 3, 6, 8}}), [&] {
    auto [y, at] = F::max_pool2d_with_indices(x[0], F::MaxPool2dFuncOptions(2));
    return F::max_unpool2d(y, at, F::MaxUnpool2dFuncOptions(2));
  }());
  SAME_GRADIENTS(({{2, 3, 7}}), [&] {
    auto [y, at] = F::max_pool1d_with_indices(x[0], F::MaxPool1dFuncOptions(3).stride(2));
    return F::max_unpool1d(y, at, F::MaxUnpool1dFuncOptions(3).stride(2));
  }());
  SAME_GRADIENTS(({{2, 3, 6, 7}}),
                 F::adaptive_avg_pool2d(x[0], F::AdaptiveAvgPool2dFuncOptions({3, t::nullopt})));
  SAME_GRADIENTS(({{2, 3, 6, 7}}),
                 F::adaptive_max_pool2d(x[0], F::AdaptiveMaxPool2dFuncOptions(4)));
}

}  // namespace
