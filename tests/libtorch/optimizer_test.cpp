// Trajectories of every optimiser that libtorch has, with random options, beside libtorch's.
#include <tests/libtorch/beside.h>

namespace {

class Optimizers : public beside::Fuzz {};

// Parameters after some steps down a curved valley; one of three gets no gradient in some steps.
// Not the namespace but its types differ: the optimiser is made by `make`.
#define TRAJECTORY(steps, ...)                                                                 \
  SAME_VALUES([&] {                                                                            \
    const auto o = t::dtype(t::kDouble);                                                       \
    std::vector<t::Tensor> p = {t::linspace(-1, 2, 6, o).view({2, 3}).clone(),                 \
                                t::linspace(0.5, 1.5, 4, o), t::ones({}, o) * 0.3};            \
    for (auto& q : p) q.requires_grad_();                                                      \
    __VA_ARGS__;                                                                               \
    std::vector<double> losses;                                                                \
    for (int step = 0; step < steps; ++step) {                                                 \
      const auto closure = [&] {                                                               \
        optimizer.zero_grad();                                                                 \
        auto loss =                                                                            \
            (p[0].square() * p[1][0]).sum() + (p[1] - 0.3).pow(4).sum() + p[0][1].sin().sum(); \
        if (step % 3 != 1) loss = loss + (p[2] * p[1].sum()).square();                         \
        loss.backward();                                                                       \
        return loss;                                                                           \
      };                                                                                       \
      losses.push_back(optimizer.step(closure).template item<double>());                       \
    }                                                                                          \
    return std::tuple(p, losses);                                                              \
  }())

TEST_F(Optimizers, StochasticGradientDescent) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const bool nesterov = coin();
    const double lr = real(0, 0.1), momentum = nesterov || coin() ? real(0.1, 0.95) : 0;
    const double dampening = !nesterov && coin() ? real(0, 1) : 0,
                 decay = coin() ? real(0, 0.1) : 0;
    TRAJECTORY(7, t::optim::SGD optimizer(p, t::optim::SGDOptions(lr)
                                                 .momentum(momentum)
                                                 .dampening(dampening)
                                                 .weight_decay(decay)
                                                 .nesterov(nesterov)));
  }
}

TEST_F(Optimizers, AdamAndAdamW) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const double lr = real(0, 0.3), eps = coin() ? 1e-8 : real(0, 0.1);
    const double beta1 = real(0, 1), beta2 = real(0, 1), decay = coin() ? real(0, 0.1) : 0;
    const bool amsgrad = coin();
    TRAJECTORY(7, t::optim::Adam optimizer(p, t::optim::AdamOptions(lr)
                                                  .betas(std::make_tuple(beta1, beta2))
                                                  .eps(eps)
                                                  .weight_decay(decay)
                                                  .amsgrad(amsgrad)));
    TRAJECTORY(7, t::optim::AdamW optimizer(p, t::optim::AdamWOptions(lr)
                                                   .betas(std::make_tuple(beta1, beta2))
                                                   .eps(eps)
                                                   .weight_decay(decay)
                                                   .amsgrad(amsgrad)));
  }
}

TEST_F(Optimizers, RmspropAndAdagrad) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const double lr = real(0, 0.1), eps = real(1e-6, 0.1), alpha = real(0.1, 1);
    const double momentum = coin() ? real(0, 1) : 0, decay = coin() ? real(0, 0.1) : 0;
    const double lr_decay = coin() ? real(0, 0.5) : 0, initial = coin() ? real(0, 0.5) : 0;
    const bool centered = coin();
    TRAJECTORY(7, t::optim::RMSprop optimizer(p, t::optim::RMSpropOptions(lr)
                                                     .alpha(alpha)
                                                     .eps(eps)
                                                     .weight_decay(decay)
                                                     .momentum(momentum)
                                                     .centered(centered)));
    TRAJECTORY(7, t::optim::Adagrad optimizer(p, t::optim::AdagradOptions(lr)
                                                     .lr_decay(lr_decay)
                                                     .eps(eps)
                                                     .weight_decay(decay)
                                                     .initial_accumulator_value(initial)));
  }
}

TEST_F(Optimizers, Lbfgs) {
  for (int i = 0; i < 20; ++i) {
    round(i);
    const double lr = real(0.01, 0.3);
    const std::int64_t iterations = pick(1, 6), history = pick(1, 5);
    const bool search = coin(), limited = coin();
    const std::int64_t evaluations = pick(1, 6);
    TRAJECTORY(
        3, auto options = t::optim::LBFGSOptions(lr).max_iter(iterations).history_size(history);
        if (limited) options.max_eval(evaluations);
        if (search) options.line_search_fn("strong_wolfe"); t::optim::LBFGS optimizer(p, options));
  }
}

TEST_F(Optimizers, GroupsAndSchedules) {
  for (int i = 0; i < 10; ++i) {
    round(i);
    const double lr = real(0.01, 0.1), other = real(0.01, 0.1), gamma = real(0.1, 1);
    const auto every = static_cast<unsigned>(pick(1, 3));
    SAME_VALUES([&] {
      auto a = t::linspace(-1, 2, 6, t::kDouble).clone().requires_grad_();
      auto b = t::linspace(1, 3, 2, t::kDouble).clone().requires_grad_();
      std::vector<t::optim::OptimizerParamGroup> groups;
      groups.emplace_back(std::vector<t::Tensor>{a});
      groups.emplace_back(std::vector<t::Tensor>{b}, std::make_unique<t::optim::SGDOptions>(other));
      t::optim::SGD optimizer(groups, t::optim::SGDOptions(lr).momentum(0.5));
      t::optim::StepLR scheduler(optimizer, every, gamma);
      for (int step = 0; step < 6; ++step) {
        optimizer.zero_grad();
        (a.pow(4).sum() + b.square().sum()).backward();
        optimizer.step();
        scheduler.step();
      }
      std::vector<double> rates;
      for (auto& group : optimizer.param_groups()) rates.push_back(group.options().get_lr());
      return std::tuple(a, b, rates);
    }());
  }
}

TEST_F(Optimizers, Clipping) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const double largest = real(0.01, 5), value = real(0.01, 2);
    const double type = i % 4 == 0 ? INFINITY : static_cast<double>(pick(1, 3));
    SAME_VALUES([&] {
      t::manual_seed(i);
      auto a = t::randn({3, 4}, t::kDouble).requires_grad_();
      auto b = t::randn({5}, t::kDouble).requires_grad_();
      auto unused = t::randn({2}, t::kDouble).requires_grad_();
      (a.square().sum() + b.exp().sum()).backward();
      const double norm = t::nn::utils::clip_grad_norm_({a, unused, b}, largest, type);
      const auto clipped = a.grad().clone();
      t::nn::utils::clip_grad_value_({a, unused, b}, value);
      return std::tuple(norm, clipped, a.grad(), b.grad());
    }());
  }
}

TEST_F(Optimizers, WhatTheyRefuse) {
#define REFUSED(Type, setting)                                      \
  BOTH_THROW([&] {                                                  \
    t::optim::Type optimizer({t::ones({2}).requires_grad_()},       \
                             t::optim::Type##Options(0.1).setting); \
    return 0;                                                       \
  }())
  REFUSED(SGD, lr(-1));
  REFUSED(SGD, momentum(-1));
  REFUSED(SGD, weight_decay(-1));
  REFUSED(SGD, nesterov(true));
  REFUSED(SGD, momentum(0.9).dampening(0.1).nesterov(true));
  REFUSED(Adam, lr(-1));
  REFUSED(Adam, eps(-1));
  REFUSED(Adam, betas(std::make_tuple(1.0, 0.9)));
  REFUSED(Adam, betas(std::make_tuple(0.9, -0.1)));
  REFUSED(Adam, weight_decay(-1));
  REFUSED(AdamW, betas(std::make_tuple(1.0, 0.9)));
  REFUSED(RMSprop, alpha(-1));
  REFUSED(RMSprop, momentum(-1));
  REFUSED(RMSprop, eps(-1));
  REFUSED(Adagrad, lr_decay(-1));
  REFUSED(Adagrad, initial_accumulator_value(-1));
}

}  // namespace
