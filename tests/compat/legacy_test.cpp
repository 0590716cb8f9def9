// What older programs and those of libtorch's own tests spell: storages, types, results written
// into arguments, optimisers of their own.

#include <ATen/ATen.h>
#include <c10/util/accumulate.h>
#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

namespace program {

// A function of the program's own, which takes a tensor as libtorch's c10::str would.
std::string str(const torch::Tensor& x, const std::string& name) {
  return name + " of " + std::to_string(x.numel());
}

struct OwnOptions : torch::optim::OptimizerCloneableOptions<OwnOptions> {
  OwnOptions(double lr) : lr_(lr) {}
  TORCH_ARG(double, lr);
  TORCH_ARG(bool, nesterov) = false;
  using betas_t = std::tuple<double, double>;
  TORCH_ARG(betas_t, betas) = std::make_tuple(0.5, 0.25);
  TORCH_ARG(c10::optional<int64_t>, max_eval) = c10::nullopt;

 public:
  void serialize(torch::serialize::InputArchive& archive) override {
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(double, lr);
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(bool, nesterov);
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(betas_t, betas);
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG_OPTIONAL(int64_t, max_eval);
  }
  void serialize(torch::serialize::OutputArchive& archive) const override {
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(lr);
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(nesterov);
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(betas);
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(max_eval);
  }
};

struct OwnParamState : torch::optim::OptimizerCloneableParamState<OwnParamState> {
  TORCH_ARG(int64_t, step) = 0;
  TORCH_ARG(torch::Tensor, average);
  TORCH_ARG(torch::Tensor, unused);

 public:
  void serialize(torch::serialize::InputArchive& archive) override {
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(int64_t, step);
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(torch::Tensor, average);
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(torch::Tensor, unused);
  }
  void serialize(torch::serialize::OutputArchive& archive) const override {
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(step);
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(average);
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(unused);
  }
};

class Own : public torch::optim::Optimizer {
 public:
  Own(std::vector<torch::Tensor> params, OwnOptions defaults)
      : Optimizer({torch::optim::OptimizerParamGroup(std::move(params))},
                  std::make_unique<OwnOptions>(defaults)) {}

  torch::Tensor step(LossClosure = nullptr) override {
    torch::NoGradGuard no_grad;
    for (auto& group : param_groups_)
      for (auto& p : group.params()) {
        const auto key = c10::guts::to_string(p.unsafeGetTensorImpl());
        if (state_.find(key) == state_.end()) {
          auto fresh = std::make_unique<OwnParamState>();
          fresh->average(torch::zeros_like(p));
          state_[key] = std::move(fresh);
        }
        auto& state = static_cast<OwnParamState&>(*state_[key]);
        state.step(state.step() + 1);
        state.average().mul_(0.5).add_(p.grad());
        p.add_(state.average(), -static_cast<OwnOptions&>(group.options()).lr());
      }
    return {};
  }
  void save(torch::serialize::OutputArchive& archive) const override { serialize(*this, archive); }
  void load(torch::serialize::InputArchive& archive) override { serialize(*this, archive); }

 private:
  template <typename Self, typename Archive>
  static void serialize(Self& self, Archive& archive) {
    _TORCH_OPTIM_SERIALIZE_WITH_TEMPLATE_ARG(Own);
  }
};

}  // namespace program

namespace {

torch::Tensor floats(std::vector<double> numbers) { return torch::tensor(numbers, torch::kFloat); }

TEST(CompatLegacy, AProgramsOwnStrWins) {
  EXPECT_EQ(program::str(torch::ones({3}), "x"), "x of 3");
  using program::str;
  EXPECT_EQ(str(torch::ones({3}), "x"), "x of 3");
  EXPECT_EQ(c10::str("a", 1, torch::kFloat), "a1Float");
}

TEST(CompatLegacy, OptimizersOfOnesOwnAreSavedAndResumed) {
  const auto trained = [](int steps, program::Own& optimizer, torch::Tensor& x) {
    for (int i = 0; i < steps; ++i) {
      optimizer.zero_grad();
      (x * x).sum().backward();
      optimizer.step();
    }
  };
  torch::Tensor x = torch::ones({2}, torch::requires_grad());
  program::Own whole({x}, program::OwnOptions(0.25).nesterov(true).max_eval(3));
  trained(2, whole, x);
  std::stringstream file;
  torch::save(whole, file);

  torch::Tensor y = x.detach().clone().requires_grad_();
  program::Own resumed({y}, program::OwnOptions(1));
  torch::load(resumed, file);
  const auto& options = static_cast<program::OwnOptions&>(resumed.param_groups()[0].options());
  EXPECT_EQ(options.lr(), 0.25);
  EXPECT_TRUE(options.nesterov());
  EXPECT_EQ(options.betas(), std::make_tuple(0.5, 0.25));
  EXPECT_EQ(options.max_eval(), 3);
  trained(3, whole, x);
  trained(3, resumed, y);
  EXPECT_TRUE(torch::equal(x, y));
  const auto& state = static_cast<const program::OwnParamState&>(*resumed.state().begin()->second);
  EXPECT_EQ(state.step(), 5);
  EXPECT_FALSE(state.unused().defined());
}

TEST(CompatLegacy, TypesMakeTensors) {
  at::DeprecatedTypeProperties& type = at::CPU(at::kDouble);
  EXPECT_EQ(at::ones({2}, type).scalar_type(), at::kDouble);
  EXPECT_EQ(at::zeros({2}, torch::ones({1}, at::kLong).type()).scalar_type(), at::kLong);
  EXPECT_EQ(torch::TensorOptions({torch::kCPU, 0}).device(), torch::Device(torch::kCPU, 0));
  const torch::Device cpu("cpu");
  EXPECT_EQ(torch::ones({2}, cpu).options().device(), torch::TensorOptions(cpu).device());
  EXPECT_EQ(at::scalar_to_tensor(2.5).scalar_type(), at::kDouble);
  EXPECT_EQ(at::scalar_to_tensor(true).scalar_type(), at::kBool);
  EXPECT_EQ(torch::getNumGPUs(), 0u);
  EXPECT_TRUE(at::Scalar(3).equal(3) && at::Scalar(3).equal(3.0) && !at::Scalar(3).equal(true));
}

TEST(CompatLegacy, SizesAreReadFromEitherEnd) {
  const torch::Tensor x = torch::ones({2, 3, 4});
  const at::IntArrayRef sizes = x.sizes();
  EXPECT_EQ(std::vector<int64_t>(sizes.rbegin(), sizes.rend()), (std::vector<int64_t>{4, 3, 2}));
  EXPECT_EQ(c10::multiply_integers(sizes), 24);
  EXPECT_EQ(c10::sum_integers(sizes), 9);
}

TEST(CompatLegacy, ResultsOfTwoAreWrittenIntoArguments) {
  torch::Tensor values = torch::empty({0}), indices = torch::empty({0}, torch::kLong);
  torch::max_out(values, indices, torch::tensor({{1.f, 3.f}, {4.f, 2.f}}), 1);
  EXPECT_TRUE(torch::equal(values, floats({3, 4})));
  EXPECT_TRUE(torch::equal(indices, torch::tensor({1, 0})));
  torch::topk_out(values, indices, floats({5, 1, 7}), 2);
  EXPECT_TRUE(torch::equal(values, floats({7, 5})));
  torch::min_out(values, floats({1, 5}), floats({2, 3}));
  EXPECT_TRUE(torch::equal(values, floats({1, 3})));
}

TEST(CompatLegacy, StepsOfRecurrentNetworksAreThoseOfTheModules) {
  torch::manual_seed(1);
  const torch::Tensor x = torch::randn({2, 3}), h = torch::randn({2, 4}), c = torch::randn({2, 4});
  torch::nn::LSTMCell lstm(3, 4);
  const auto [lstm_h, lstm_c] = lstm(x, std::make_tuple(h, c));
  const auto [step_h, step_c] =
      torch::lstm_cell(x, {h, c}, lstm->weight_ih, lstm->weight_hh, lstm->bias_ih, lstm->bias_hh);
  EXPECT_TRUE(torch::allclose(lstm_h, step_h) && torch::allclose(lstm_c, step_c));
  torch::nn::GRUCell gru(torch::nn::GRUCellOptions(3, 4).bias(false));
  EXPECT_TRUE(torch::allclose(gru(x, h), torch::gru_cell(x, h, gru->weight_ih, gru->weight_hh)));
  torch::nn::RNNCell rnn(3, 4);
  EXPECT_TRUE(torch::allclose(rnn(x, h), torch::rnn_tanh_cell(x, h, rnn->weight_ih, rnn->weight_hh,
                                                              rnn->bias_ih, rnn->bias_hh)));
}

TEST(CompatLegacy, AttentionLooksWhereItsMaskSays) {
  torch::manual_seed(1);
  const torch::Tensor q = torch::randn({2, 4, 3, 5}), k = torch::randn({2, 4, 3, 5}),
                      v = torch::randn({2, 4, 3, 5});
  const torch::Tensor causal = torch::scaled_dot_product_attention(q, k, v, {}, 0, true);
  const torch::Tensor mask = torch::ones({3, 3}, torch::kBool).tril();
  EXPECT_TRUE(torch::allclose(causal, torch::scaled_dot_product_attention(q, k, v, mask)));
  const torch::Tensor far = torch::zeros({3, 3}).masked_fill(mask.logical_not(), -INFINITY);
  EXPECT_TRUE(torch::allclose(causal, torch::scaled_dot_product_attention(q, k, v, far)));
  // The first query sees the first key alone.
  EXPECT_TRUE(torch::allclose(causal.select(2, 0), v.select(2, 0)));
  EXPECT_TRUE(torch::allclose(torch::scaled_dot_product_attention(q, k, v, {}, 0, false, 0.0),
                              v.mean(2, true).expand_as(v)));
}

TEST(CompatLegacy, DerivativesByName) {
  const torch::Tensor x = floats({-1, 0, 2}), g = floats({1, 2, 3});
  EXPECT_TRUE(torch::equal(torch::threshold_backward(g, x, 0), floats({0, 0, 3})));
  torch::Tensor y = x.clone().requires_grad_();
  const torch::Tensor s = torch::sigmoid(y);
  s.backward(g);
  EXPECT_TRUE(torch::allclose(torch::sigmoid_backward(g, s), y.grad()));
  EXPECT_TRUE(torch::equal(torch::remainder(7, floats({4, 5, -4})), floats({3, 2, -1})));
}

}  // namespace
