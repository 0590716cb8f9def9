// Every loss with every option on random shapes beside libtorch's.
#include <algorithm>

#include <tests/libtorch/beside.h>

namespace {

using beside::List;

class LossFuzz : public beside::Fuzz {
 protected:
  // A shape of 1 to 4 axes whose second has `classes` entries.
  List scores() {
    List shape = picks(static_cast<std::size_t>(pick(2, 4)), 1, 4);
    shape[1] = pick(2, 5);
    return shape;
  }
  static List without_classes(List shape) {
    shape.erase(shape.begin() + 1);
    return shape;
  }
  static std::int64_t count(const List& shape) {
    std::int64_t n = 1;
    for (const std::int64_t s : shape) n *= s;
    return n;
  }
  // +1 or -1
  std::vector<double> signs(std::int64_t n) {
    std::vector<double> list;
    for (std::int64_t i = 0; i < n; ++i) list.push_back(coin() ? 1 : -1);
    return list;
  }
};

#define F t::nn::functional
#define NUMBERS(list, shape) t::tensor(list, t::kDouble).view(shape)
#define PROBABILITIES(index) x[index].sigmoid()

TEST_F(LossFuzz, CrossEntropyAndNegativeLogLikelihood) {
  for (int i = 0; i < 60; ++i) {
    round(i);
    const List shape = scores(), labels_shape = without_classes(shape);
    const std::int64_t classes = shape[1], reduction = pick(0, 2), ignore = pick(-1, classes - 1);
    const auto weights = reals(classes, 0.2, 2);
    const bool weighted = coin(), ignoring = coin();
    const double smoothing = coin() ? real(0, 1) : 0;
    List labels = picks(static_cast<std::size_t>(count(labels_shape)), 0, classes - 1);
    if (ignoring && ignore < 0) labels[0] = ignore;
    // Where every label is ignored, the mean is 0 / 0 and its gradient zero.
    const bool empty =
        ignoring && std::count(labels.begin(), labels.end(), ignore) == std::ssize(labels);
    SAME_GRADIENTS_ON(beside::normal_values({shape}), ({.second_order = !empty}), [&] {
      auto options = REDUCED(reduction, t::nn::CrossEntropyLossOptions());
      if (weighted) options.weight(NUMBERS(weights, classes));
      if (ignoring) options.ignore_index(ignore);
      t::nn::CrossEntropyLoss loss(options.label_smoothing(smoothing));
      return loss(x[0], t::tensor(labels, t::kLong).view(labels_shape));
    }());
    SAME_GRADIENTS(({shape, shape}), [&] {
      auto options = REDUCED(reduction, t::nn::CrossEntropyLossOptions());
      if (weighted) options.weight(NUMBERS(weights, classes));
      t::nn::CrossEntropyLoss loss(options.label_smoothing(smoothing));
      return loss(x[0], x[1].softmax(1));
    }());
    SAME_GRADIENTS_ON(beside::normal_values({shape}), ({.second_order = !empty}), [&] {
      auto options = REDUCED(reduction, t::nn::NLLLossOptions());
      if (weighted) options.weight(NUMBERS(weights, classes));
      if (ignoring) options.ignore_index(ignore);
      t::nn::NLLLoss loss(options);
      return loss(x[0], t::tensor(labels, t::kLong).view(labels_shape));
    }());
    // no batch
    SAME_GRADIENTS(({{classes}}), [&] {
      auto options = REDUCED(reduction, t::nn::CrossEntropyLossOptions());
      if (weighted) options.weight(NUMBERS(weights, classes));
      t::nn::CrossEntropyLoss loss(options.label_smoothing(smoothing));
      return loss(x[0], t::tensor(classes - 1, t::kLong));
    }());
  }
}

TEST_F(LossFuzz, MarginsOfClasses) {
  for (int i = 0; i < 30; ++i) {
    round(i);
    const List shape = {pick(1, 4), pick(2, 5)};
    const std::int64_t n = shape[0], classes = shape[1], reduction = pick(0, 2), p = pick(1, 2);
    const auto weights = reals(classes, 0.2, 2);
    const bool weighted = coin();
    const double margin = real(0.1, 2);
    const List labels = picks(static_cast<std::size_t>(n), 0, classes - 1);
    SAME_GRADIENTS(({shape}), [&] {
      auto options = REDUCED(reduction, t::nn::MultiMarginLossOptions()).p(p).margin(margin);
      if (weighted) options.weight(NUMBERS(weights, classes));
      return t::nn::MultiMarginLoss(options)(x[0], t::tensor(labels, t::kLong));
    }());
    // Distinct labels, then -1.
    List sets;
    for (std::int64_t r = 0; r < n; ++r) {
      const std::int64_t first = pick(0, classes - 1), length = pick(0, classes);
      for (std::int64_t c = 0; c < classes; ++c)
        sets.push_back(c < length ? (first + c) % classes : -1);
    }
    SAME_GRADIENTS(({shape}), [&] {
      t::nn::MultiLabelMarginLoss loss(REDUCED(reduction, t::nn::MultiLabelMarginLossOptions()));
      return loss(x[0], t::tensor(sets, t::kLong).view(shape));
    }());
    SAME_GRADIENTS(({shape, shape}), [&] {
      auto options = REDUCED(reduction, t::nn::MultiLabelSoftMarginLossOptions());
      if (weighted) options.weight(NUMBERS(weights, classes));
      return t::nn::MultiLabelSoftMarginLoss(options)(x[0], PROBABILITIES(1));
    }());
  }
}

TEST_F(LossFuzz, Elementwise) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const List shape = picks(static_cast<std::size_t>(pick(0, 3)), 1, 5);
    const std::int64_t reduction = pick(0, 2);
    const double parameter = real(0.1, 2), eps = real(0.01, 0.5);
    const bool flag = coin(), other = coin(), weighted = coin();
    const auto weights = reals(count(shape), 0.2, 2), targets = reals(count(shape), 0.1, 3);
    const auto s = signs(count(shape));
    const List last = shape.empty() ? List{} : List{shape.back()};
    const auto of_last = reals(count(last), 0.2, 2);
#define SAME_LOSS(Loss, input, target)                            \
  SAME_GRADIENTS(({shape, shape}), [&] {                          \
    t::nn::Loss loss(REDUCED(reduction, t::nn::Loss##Options())); \
    return loss(input, target);                                   \
  }())
#define SAME_LOSS_WITH(Loss, setting, input, target)                      \
  SAME_GRADIENTS(({shape, shape}), [&] {                                  \
    t::nn::Loss loss(REDUCED(reduction, t::nn::Loss##Options()).setting); \
    return loss(input, target);                                           \
  }())
    SAME_LOSS(MSELoss, x[0], x[1]);
    SAME_LOSS(L1Loss, x[0], x[1]);
    SAME_GRADIENTS(({shape, shape}), t::smooth_l1_loss(x[0], x[1], reduction, parameter));
    SAME_LOSS_WITH(HuberLoss, delta(parameter), x[0], x[1]);
    SAME_GRADIENTS(({shape, shape}), [&] {
      auto options = REDUCED(reduction, t::nn::BCELossOptions());
      if (weighted) options.weight(NUMBERS(weights, shape));
      return t::nn::BCELoss(options)(PROBABILITIES(0), PROBABILITIES(1));
    }());
    SAME_GRADIENTS(({shape, shape}), [&] {
      auto options = REDUCED(reduction, t::nn::BCEWithLogitsLossOptions());
      if (weighted) options.weight(NUMBERS(weights, shape));
      if (flag) options.pos_weight(NUMBERS(of_last, last));
      return t::nn::BCEWithLogitsLoss(options)(x[0], PROBABILITIES(1));
    }());
    SAME_LOSS_WITH(KLDivLoss, log_target(flag), x[0], flag ? x[1] : x[1].exp());
    SAME_LOSS_WITH(HingeEmbeddingLoss, margin(parameter), x[0], NUMBERS(s, shape));
    SAME_LOSS(SoftMarginLoss, x[0], NUMBERS(s, shape));
    SAME_LOSS_WITH(PoissonNLLLoss, log_input(flag).full(other).eps(eps), flag ? x[0] : x[0].exp(),
                   NUMBERS(targets, shape));
    SAME_GRADIENTS(({shape, shape}), [&] {
      t::nn::MarginRankingLoss loss(
          REDUCED(reduction, t::nn::MarginRankingLossOptions()).margin(parameter - 1));
      return loss(x[0], x[1], NUMBERS(s, shape));
    }());
    if (!shape.empty())
      SAME_GRADIENTS(({shape, shape}), [&] {
        t::nn::KLDivLoss loss(t::nn::KLDivLossOptions(t::kBatchMean).log_target(flag));
        return loss(x[0], flag ? x[1] : x[1].exp());
      }());
  }
}

TEST_F(LossFuzz, Embeddings) {
  for (int i = 0; i < 30; ++i) {
    round(i);
    const List shape = {pick(1, 4), pick(2, 5)};
    const std::int64_t reduction = pick(0, 2);
    // libtorch rounds p to float32.
    const double margin = real(0.1, 2), p = pick(2, 7) * 0.5, eps = real(0.001, 0.1);
    const bool swap = coin(), keepdim = coin();
    const auto s = signs(shape[0]);
    SAME_GRADIENTS(({shape, shape}), [&] {
      t::nn::CosineEmbeddingLoss loss(
          REDUCED(reduction, t::nn::CosineEmbeddingLossOptions()).margin(margin - 1));
      return loss(x[0], x[1], NUMBERS(s, shape[0]));
    }());
    SAME_GRADIENTS(({shape, shape, shape}), [&] {
      t::nn::TripletMarginLoss loss(REDUCED(reduction, t::nn::TripletMarginLossOptions())
                                        .margin(margin)
                                        .p(p)
                                        .eps(eps)
                                        .swap(swap));
      return loss(x[0], x[1], x[2]);
    }());
    SAME_GRADIENTS(({shape, shape, shape}), [&] {
      t::nn::TripletMarginWithDistanceLoss loss(
          REDUCED(reduction, t::nn::TripletMarginWithDistanceLossOptions())
              .margin(margin)
              .swap(swap));
      return loss(x[0], x[1], x[2]);
    }());
    SAME_GRADIENTS(({shape, shape}),
                   t::nn::PairwiseDistance(t::nn::PairwiseDistanceOptions().p(p).eps(eps).keepdim(
                       keepdim))(x[0], x[1]));
    SAME_GRADIENTS(
        ({shape, shape}),
        t::nn::CosineSimilarity(t::nn::CosineSimilarityOptions().dim(swap).eps(eps))(x[0], x[1]));
  }
}

TEST_F(LossFuzz, WhatLossesRefuse) {
  for (int i = 0; i < 60; ++i) {
    round(i);
    const List a = picks(static_cast<std::size_t>(pick(0, 3)), 0, 3);
    const List b = picks(static_cast<std::size_t>(pick(0, 3)), 0, 3);
    SAME_GRADIENTS_OR_ERROR(({a, b}), F::l1_loss(x[0], x[1]));
    SAME_GRADIENTS_OR_ERROR(({a, b}), F::mse_loss(x[0], x[1]));
    SAME_GRADIENTS_OR_ERROR(({a, b}), F::smooth_l1_loss(x[0], x[1]));
    SAME_GRADIENTS_OR_ERROR(({a, b}), F::huber_loss(x[0], x[1], t::kSum));
    const List scores = picks(static_cast<std::size_t>(pick(2, 3)), 0, 3);
    const List labels = picks(static_cast<std::size_t>(count(b)), -1, 3);
    SAME_GRADIENTS_OR_ERROR(({scores}),
                            t::nll_loss_nd(x[0], t::tensor(labels, t::kLong).view(b), {}, 0, -1));
    SAME_GRADIENTS_OR_ERROR(
        ({scores}), t::cross_entropy_loss(x[0], t::tensor(labels, t::kLong).view(b), {}, 2));
    // libtorch takes one label of any shape for one row.
    if (b.size() == 1)
      SAME_GRADIENTS_OR_ERROR(({scores}),
                              t::multi_margin_loss(x[0], t::tensor(labels, t::kLong).view(b)));
  }
}

}  // namespace
