// What programs and tests written for libtorch's C++ frontend lean on beyond its names.

#include <c10/util/flat_hash_map.h>
#include <c10/util/tempfile.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/container/any_value.h>
#include <torch/nn/utils/convert_parameters.h>
#include <torch/optim/schedulers/step_lr.h>
#include <torch/torch.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// A program may put things of its own into the library's namespaces.
namespace torch {
namespace nn {
struct DoublerImpl : Cloneable<DoublerImpl> {
  void reset() override { weight = register_parameter("weight", full({1}, 2.0)); }
  DoublerImpl() { reset(); }
  Tensor forward(const Tensor& x) { return x * weight; }
  Tensor weight;
};
TORCH_MODULE(Doubler);
}  // namespace nn
namespace mine {
inline Tensor doubled(const Tensor& x) { return nn::Doubler()(x); }
}  // namespace mine
}  // namespace torch

// A program's own functions of tensors win over names that libtorch does not have in at::.
namespace mine {
using torch::Tensor;
const char* save(const Tensor&, const std::string&) { return "mine"; }
const char* load(Tensor&, const std::string&) { return "mine"; }
const char* save(const std::vector<Tensor>&) { return "mine"; }
const char* apply(const std::function<Tensor(const Tensor&)>&, Tensor) { return "mine"; }
const char* to_string(const Tensor&) { return "mine"; }
const char* unique(const Tensor&) { return "mine"; }
const char* softsign(Tensor) { return "mine"; }
const char* gaussian_nll_loss(const Tensor&, const Tensor&, const Tensor&) { return "mine"; }
}  // namespace mine

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "no error";
}

TEST(Frontend, NamespacesCanBeReopened) {
  EXPECT_EQ(torch::mine::doubled(torch::ones({3})).sum().item<float>(), 6);
  torch::nn::Sequential net{torch::nn::Doubler(), torch::nn::Doubler()};
  EXPECT_EQ(net->forward(torch::ones({1})).item<float>(), 4);
}

TEST(Frontend, NodesCanBeHeldBySharedPointers) {
  const auto x = torch::ones({2}, torch::requires_grad());
  std::shared_ptr<torch::autograd::Node> node = (x * x).exp().grad_fn();
  std::vector<std::string> names;
  while (node) {
    names.push_back(node->name());
    node = node->next_edges().empty() ? nullptr : node->next_edges()[0].function;
  }
  EXPECT_THAT(names,
              ElementsAre("ExpBackward0", "MulBackward0", "torch::autograd::AccumulateGrad"));
  EXPECT_EQ(std::shared_ptr<torch::autograd::Node>(x.grad_fn()), nullptr);
}

TEST(Frontend, NodesAreNamedByOverload) {
  const auto x = torch::ones({2, 3}, torch::requires_grad());
  const auto y = torch::ones({2, 3});
  const auto name = [](const torch::Tensor& t) { return t.grad_fn()->name(); };
  EXPECT_EQ(name(x + y), "AddBackward0");
  EXPECT_EQ(name(x + 2), "AddBackward1");
  EXPECT_EQ(name(x - y), "SubBackward0");
  EXPECT_EQ(name(x - 2), "SubBackward1");
  EXPECT_EQ(name(2 - x), "RsubBackward1");
  EXPECT_EQ(name(x * y), "MulBackward0");
  EXPECT_EQ(name(x * 2), "MulBackward1");
  EXPECT_EQ(name(x / y), "DivBackward0");
  EXPECT_EQ(name(x / 2), "DivBackward1");
  EXPECT_EQ(name(x.sum()), "SumBackward0");
  EXPECT_EQ(name(x.sum(1)), "SumBackward1");
  EXPECT_EQ(name(x.mean()), "MeanBackward0");
  EXPECT_EQ(name(x.mean(1)), "MeanBackward1");
}

struct Product : torch::autograd::Function<Product> {
  static torch::Tensor forward(torch::autograd::AutogradContext* ctx, torch::Tensor x,
                               torch::Tensor y) {
    ctx->save_for_backward({x, y});
    return x * y;
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* ctx,
                                               torch::autograd::tensor_list grads) {
    using torch::autograd::IndexRange;
    const IndexRange first = {0, 1}, second = {1, 2};
    seen = {ctx->needs_input_grad({first}), ctx->needs_input_grad({second}),
            ctx->needs_input_grad({first, second}), ctx->needs_input_grad({IndexRange{1, 1}})};
    const auto saved = ctx->get_saved_variables();
    return {grads[0] * saved[1], grads[0] * saved[0]};
  }
  static inline std::vector<bool> seen;
};

TEST(Frontend, FunctionsAskForRangesOfInputs) {
  const auto x = torch::ones({2}, torch::requires_grad());
  const auto y = torch::ones({2}, torch::requires_grad());
  torch::autograd::grad({Product::apply(x, y).sum()}, {x});
  EXPECT_THAT(Product::seen, ElementsAre(true, false, true, false));
  torch::autograd::grad({Product::apply(x, y).sum()}, {y});
  EXPECT_THAT(Product::seen, ElementsAre(false, true, true, false));
}

TEST(Frontend, TemporaryFilesGoWithTheirOwner) {
  std::string name;
  {
    auto file = c10::make_tempfile("frontend-");
    name = file.name;
    EXPECT_THAT(name, HasSubstr("frontend-"));
    EXPECT_TRUE(std::filesystem::exists(name));
    auto taken = std::move(file);
    torch::save(torch::arange(3), taken.name);
    torch::Tensor x;
    torch::load(x, taken.name);
    EXPECT_TRUE(torch::equal(x, torch::arange(3)));
  }
  EXPECT_FALSE(std::filesystem::exists(name));
}

TEST(Frontend, DtypesThatNoTensorHasCanBeNamed) {
  const auto x = torch::ones({2});
  EXPECT_NE(x.scalar_type(), torch::kFloat16);
  EXPECT_NE(x.scalar_type(), torch::kBFloat16);
  EXPECT_NE(x.scalar_type(), torch::kInt8);
  EXPECT_THROW(torch::ones({2}, torch::kHalf), c10::Error);
  EXPECT_THROW(x.to(torch::kShort), c10::Error);
  EXPECT_EQ(x.get_device(), -1);
}

TEST(Frontend, StateOfAnOptimizerByTheTextOfAnAddress) {
  torch::nn::Linear linear(3, 2);
  torch::optim::Adam optimizer(linear->parameters(), 0.1);
  linear(torch::ones({1, 3})).sum().backward();
  optimizer.step();
  const ska::flat_hash_map<std::string, std::unique_ptr<torch::optim::OptimizerParamState>>& state =
      optimizer.state();
  EXPECT_EQ(state.size(), 2u);
  const auto key = c10::guts::to_string(linear->weight.unsafeGetTensorImpl());
  EXPECT_EQ(static_cast<const torch::optim::AdamParamState&>(*state.at(key)).step(), 1);
  EXPECT_EQ(c10::to_string(12), "12");
}

TEST(Frontend, OptionsAndStatesCompareByTheirFields) {
  using namespace torch::optim;
  EXPECT_TRUE(SGDOptions(0.1).momentum(0.9) == SGDOptions(0.1).momentum(0.9));
  EXPECT_FALSE(SGDOptions(0.1).momentum(0.9) == SGDOptions(0.1));
  EXPECT_TRUE(AdamOptions(1e-3) != AdamOptions(1e-3).betas({0.8, 0.9}));
  const OptimizerOptions &adam = AdamOptions(1e-3), &adamw = AdamWOptions(1e-3);
  EXPECT_FALSE(adam == adamw);

  AdagradParamState a, b;
  EXPECT_TRUE(a == b);
  a.sum(torch::ones({2}));
  EXPECT_FALSE(a == b);
  b.sum(torch::ones({2}));
  EXPECT_TRUE(a == b);
  b.step(1);
  EXPECT_FALSE(a == b);
  LBFGSParamState c, d;
  c.old_dirs({torch::ones({2})});
  EXPECT_FALSE(c == d);
  d.old_dirs({torch::ones({2})});
  EXPECT_TRUE(c == d);
}

TEST(Frontend, AdagradHasItsStateFromTheStart) {
  const auto p = torch::zeros({2, 3}, torch::requires_grad());
  torch::optim::Adagrad optimizer({p},
                                  torch::optim::AdagradOptions(0.1).initial_accumulator_value(0.5));
  const auto& state = static_cast<torch::optim::AdagradParamState&>(*optimizer.state().at(p));
  EXPECT_EQ(state.step(), 0);
  EXPECT_TRUE(torch::equal(state.sum(), torch::full({2, 3}, 0.5)));
}

TEST(Frontend, OptimizersMayStartEmpty) {
  EXPECT_EQ(
      message_of([] { torch::optim::SGD(std::vector<torch::optim::OptimizerParamGroup>{}, 0.1); }),
      "optimizer got no parameter groups");
  const auto p = torch::ones({2}, torch::requires_grad());
  torch::optim::LBFGS optimizer(std::vector<torch::Tensor>{}, 1.0);
  EXPECT_EQ(message_of([&] { optimizer.step([] { return torch::tensor(1); }); }),
            "LBFGS: optimizer got an empty parameter list");
  optimizer.add_parameters({p});
  p.mutable_grad() = torch::ones({2});
  optimizer.step([] { return torch::tensor(1); });
  EXPECT_EQ(message_of([&] { optimizer.add_param_group(torch::optim::OptimizerParamGroup({p})); }),
            "optimizer: parameter 0 (shape [2]): some parameters appear in more than one parameter "
            "group");
}

TEST(Frontend, BinaryCrossEntropyIgnoresAxesOfOne) {
  const auto x = torch::full({4, 1}, 0.25), t = torch::tensor({0.f, 1.f, 1.f, 0.f});
  EXPECT_TRUE(torch::equal(torch::binary_cross_entropy(x, t),
                           torch::binary_cross_entropy(x, t.view({4, 1}))));
  EXPECT_THAT(message_of([&] { torch::binary_cross_entropy(x, t.slice(0, 0, 3)); }),
              HasSubstr("expected input and target of the same shape"));
  EXPECT_THAT(message_of([&] { torch::nn::functional::binary_cross_entropy(x, t); }),
              HasSubstr("expected input and target of the same shape, got input [4, 1]"));
}

TEST(Frontend, BracedListsPrintAsWritten) {
  using torch::detail::TensorDataContainer;
  EXPECT_EQ(c10::str(TensorDataContainer({{1, 2}, {3, 4}})), "{{1, 2}, {3, 4}}");
  EXPECT_EQ(c10::str(TensorDataContainer({1.5, 2.0})), "{1.5, 2}");
  EXPECT_EQ(c10::str(TensorDataContainer({true, false})), "{true, false}");
  EXPECT_EQ(c10::str(TensorDataContainer(std::vector<int>{7, 8})), "{7, 8}");
  const TensorDataContainer number(3);
  EXPECT_EQ(number.scalar().toInt(), 3);
  EXPECT_THAT(message_of([&] { number.init_list(); }), HasSubstr("Can only call `init_list()`"));
  EXPECT_THAT(message_of([&] { number.tensor(); }), HasSubstr("Can only call `tensor()`"));
  EXPECT_THAT(message_of([] {
                TensorDataContainer({1, 2}).scalar();
              }),
              HasSubstr("Can only call `scalar()`"));
}

TEST(Frontend, ConversionsDoNotTakeRequiresGrad) {
  const auto x = torch::ones({2});
  EXPECT_THAT(message_of([&] { x.to(torch::TensorOptions().requires_grad(true)); }),
              HasSubstr("to(options) expects unset requires_grad flag"));
  EXPECT_EQ(x.to(torch::TensorOptions().requires_grad(false)).dtype(), torch::kFloat);
}

struct Adder : torch::nn::Module {
  int forward(int a, int b) { return a + b; }
};

TEST(Frontend, ErrorsOfAnyModulesSayWhatIsMissing) {
  torch::nn::AnyModule empty;
  EXPECT_EQ(message_of([&] { empty.get<Adder>(); }), "Cannot call get() on an empty AnyModule");
  EXPECT_EQ(message_of([&] { empty.ptr<Adder>(); }), "Cannot call ptr() on an empty AnyModule");
  torch::nn::AnyModule any(Adder{});
  EXPECT_THAT(message_of([&] { any.forward<int>(1); }),
              HasSubstr("Adder's forward() method has default arguments, please make sure the "
                        "forward() method is declared with a corresponding "
                        "`FORWARD_HAS_DEFAULT_ARGS` macro."));
  torch::nn::Sequential sequential(Adder{});
  EXPECT_EQ(message_of([&] { sequential->forward<float>(1, 2); }),
            "forward: The type of the return value is int, but you asked for type float");
  EXPECT_EQ(message_of([&] { sequential->ptr(1); }),
            "Sequential: Index out of range: 1 of 1 modules");
}

TEST(Frontend, ProgramsHaveFunctionsOfTheirOwn) {
  using namespace mine;
  Tensor t = torch::ones({2});
  EXPECT_STREQ(save(t, "file.pt"), "mine");
  EXPECT_STREQ(load(t, "file.pt"), "mine");
  EXPECT_STREQ(save(std::vector<Tensor>{t}), "mine");
  EXPECT_STREQ(apply(torch::relu, t), "mine");
  EXPECT_STREQ(to_string(t), "mine");
  EXPECT_STREQ(unique(t), "mine");
  EXPECT_STREQ(softsign(t), "mine");
  EXPECT_STREQ(gaussian_nll_loss(t, t, t), "mine");
  EXPECT_TRUE(torch::softsign(t).equal(t / 2));
}

TEST(Frontend, PackedAccessorsOutliveTheHandle) {
  const auto accessor = [] {
    const auto t = torch::arange(6, torch::kFloat).view({2, 3}).t();
    static torch::Tensor elements;
    elements = t;
    return t.packed_accessor32<float, 2>();
  }();
  EXPECT_EQ(accessor[2][1], 5);
  EXPECT_EQ(accessor.size(0), 3);
  EXPECT_EQ(accessor.stride(0), 1);
  const auto v = torch::arange(3);
  torch::PackedTensorAccessor64<std::int64_t, 1> line = v.packed_accessor64<std::int64_t, 1>();
  line[1] = 7;
  EXPECT_EQ(v[1].item<int>(), 7);
  EXPECT_EQ(message_of([&] { v.packed_accessor64<float, 1>(); }),
            "accessor: expected scalar type Float but found Long (shape [3])");
  EXPECT_THAT((v.accessor<std::int64_t, 1>().sizes().vec()), ElementsAre(3));
}

TEST(Frontend, SmallVectorsAreSizes) {
  c10::SmallVector<std::int64_t, 4> sizes{2, 3};
  sizes.push_back(1);
  EXPECT_THAT(torch::zeros(sizes).sizes().vec(), ElementsAre(2, 3, 1));
  const c10::SmallVector<std::int64_t, 2> copy(sizes.begin(), sizes.end());
  EXPECT_EQ(copy.back(), 1);
  EXPECT_THAT(torch::zeros(c10::SmallVector<std::int64_t, 4>(2, 3)).sizes().vec(),
              ElementsAre(3, 3));
}

TEST(Frontend, MasksCombineInPlace) {
  const auto x = torch::arange(4);
  auto mask = x > 0;
  mask &= x < 3;
  EXPECT_TRUE(mask.equal(torch::tensor({false, true, true, false})));
  mask |= x == 3;
  mask ^= x == 1;
  EXPECT_TRUE(mask.equal(torch::tensor({false, false, true, true})));
}

TEST(Frontend, ResultsCanBeWrittenIntoAnArgument) {
  const auto a = torch::arange(6, torch::kFloat).view({2, 3});
  auto out = torch::empty({0});
  EXPECT_EQ(&torch::add_out(out, a, a, 2), &out);
  EXPECT_TRUE(out.equal(a * 3));
  auto wide = torch::empty({2, 3}, torch::kDouble);
  const auto* const place = wide.data_ptr<double>();
  torch::mul_out(wide, a, a);
  EXPECT_EQ(wide.data_ptr<double>(), place);
  EXPECT_TRUE(wide.equal(a.square()));
  auto rows = wide.narrow(0, 1, 1);
  torch::sum_out(rows, a, {0}, true);
  EXPECT_TRUE(wide[1].equal(a.sum(0)));
  torch::cat_out(out, {a, a}, 1);
  EXPECT_THAT(out.sizes().vec(), ElementsAre(2, 6));
  torch::matmul_out(out, a, a.t());
  EXPECT_TRUE(out.equal(a.matmul(a.t())));
  auto whole = torch::empty({0}, torch::kLong);
  EXPECT_EQ(message_of([&] { torch::exp_out(whole, a); }),
            "exp_out: result type Float can't be cast to the desired output type Long");
  const auto w = torch::ones({2, 3}, torch::requires_grad());
  EXPECT_EQ(message_of([&] { torch::mul_out(out, a, w); }),
            "mul_out: functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad.");
  torch::NoGradGuard no_grad;
  EXPECT_TRUE(torch::mul_out(out, a, w).equal(a));
}

TEST(Frontend, MethodsThatAreFunctionsToo) {
  auto x = torch::tensor({-2., 0.5, 3.});
  torch::clamp_(x, -1, 1);
  torch::negative_(x);
  EXPECT_TRUE(x.equal(torch::tensor({1., -0.5, -1.})));
  EXPECT_FALSE(torch::detach(x.requires_grad_()).requires_grad());
  EXPECT_THAT(torch::pad_sequence({torch::ones({2}), torch::ones({3})}, true).sizes().vec(),
              ElementsAre(2, 3));
}

TEST(Frontend, LoadsNameTheOutermostPartThatIsMissing) {
  struct Nested : torch::nn::Module {
    Nested(const std::string& inner, const std::string& buffer) {
      auto module = std::make_shared<torch::nn::Module>("Inner");
      module->register_buffer(buffer, torch::ones({2}));
      register_module(inner, module);
    }
  };
  const auto file = c10::make_tempfile();
  torch::save(std::make_shared<Nested>("a", "b"), file.name);
  auto other_buffer = std::make_shared<Nested>("a", "x"),
       other_module = std::make_shared<Nested>("x", "b");
  EXPECT_THAT(message_of([&] { torch::load(other_buffer, file.name); }),
              HasSubstr("No such serialized tensor 'a.x'"));
  EXPECT_THAT(message_of([&] { torch::load(other_module, file.name); }),
              HasSubstr("No such serialized submodule: 'x'"));
  torch::serialize::InputArchive archive;
  archive.load_from(file.name);
  c10::IValue value;
  EXPECT_THAT(message_of([&] { archive.read("steps", value); }),
              HasSubstr("does not have a field with name 'steps'"));
}

}  // namespace
