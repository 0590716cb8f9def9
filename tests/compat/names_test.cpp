// What programs written for libtorch spell: its namespaces, macros and small utilities.

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <c10/util/Optional.h>
#include <c10/util/irange.h>
#include <torch/torch.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename E = c10::Error, typename F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "no error";
}

TEST(CompatNames, TheNamespacesAreOne) {
  static_assert(std::is_same_v<torch::Tensor, at::Tensor>);
  static_assert(std::is_same_v<torch::Tensor, tapedeck::Variable>);
  static_assert(std::is_same_v<torch::autograd::Variable, torch::Tensor>);
  static_assert(std::is_same_v<at::IntArrayRef, c10::ArrayRef<int64_t>>);
  static_assert(std::is_same_v<c10::optional<int>, std::optional<int>>);
  static_assert(std::is_same_v<torch::Dtype, c10::ScalarType>);
  static_assert(std::is_same_v<c10::variant<int, float>, std::variant<int, float>>);
}

TEST(CompatNames, UsingTwoOfThemIsNotAmbiguous) {
  using namespace torch;
  using namespace at;
  EXPECT_EQ(ones({2, 3}, kFloat64).sum().item<double>(), 6);
}

TEST(CompatNames, ExpandingArraysPrintMissingValues) {
  using torch::ExpandingArrayWithOptionalElem;
  EXPECT_EQ(c10::str(ExpandingArrayWithOptionalElem<2>({3, c10::nullopt})), "[3, None]");
  EXPECT_EQ(c10::str(ExpandingArrayWithOptionalElem<1>(3)), "3");
}

TEST(CompatNames, VariantsOfAlternatives) {
  c10::variant<torch::enumtype::kNone, torch::enumtype::kMean, torch::enumtype::kSum> choice;
  choice = torch::kSum;
  EXPECT_EQ(c10::visit(torch::enumtype::_compute_enum_name(), choice), "kSum");
  EXPECT_EQ(torch::enumtype::reduction_get_enum(choice), at::Reduction::Sum);
}

TEST(CompatNames, HasForward) {
  struct Many {
    void forward(int) {}
    void forward(double) {}
  };
  static_assert(torch::detail::has_forward<torch::nn::LinearImpl>::value);
  static_assert(!torch::detail::has_forward<torch::nn::SequentialImpl>::value);
  static_assert(!torch::detail::has_forward<Many>::value);
  static_assert(!torch::detail::has_forward<int>::value);
}

TEST(CompatNames, Irange) {
  std::vector<int> seen;
  for (const auto i : c10::irange(3)) seen.push_back(i);
  for (const auto i : c10::irange(5, 7)) seen.push_back(i);
  for (const auto i : c10::irange(2, 1)) seen.push_back(i);
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 5, 6));
}

TEST(CompatNames, DtypesPrintTheTypeThatTheyStandFor) {
  const torch::Tensor x = torch::ones({2}, torch::kInt64);
  EXPECT_EQ(testing::PrintToString(x.type().toString()), "\"CPULongType\"");
  const auto text = [](const auto& value) {
    std::ostringstream out;
    out << value;
    return out.str();
  };
  EXPECT_EQ(text(x.dtype()), "long int");
  EXPECT_EQ(text(x.scalar_type()), "Long");
  EXPECT_EQ(text(x.options()),
            "TensorOptions(dtype=long int, device=cpu, layout=Strided, requires_grad=false "
            "(default), pinned_memory=false (default), memory_format=(nullopt))");
  EXPECT_TRUE(x.dtype() == torch::kLong && x.dtype() == caffe2::TypeMeta::Make<int64_t>());
  EXPECT_EQ(x.dtype().itemsize(), 8u);
  EXPECT_EQ(torch::zeros({1}, x.dtype()).to(torch::ones({1}).dtype()).scalar_type(), torch::kFloat);
  EXPECT_THAT(message_of([] { torch::ones({1}).to(torch::kHalf); }), HasSubstr("dtype Half"));
}

TEST(CompatNames, ContainersPrint) {
  std::ostringstream out;
  out << std::vector<int64_t>{1, 2} << ';' << std::vector<std::string>{"a", "b"} << ';'
      << at::ArrayRef<double>({1.5, 2});
  EXPECT_EQ(out.str(), "1 2;a b;[1.5, 2]");
}

TEST(CompatNames, DispatchOverMoreDtypes) {
  const auto bytes = [](torch::ScalarType dtype) {
    return AT_DISPATCH_ALL_TYPES_AND2(at::kBool, at::kHalf, dtype, "bytes",
                                      [] { return sizeof(scalar_t); });
  };
  EXPECT_EQ(bytes(torch::kBool), 1u);
  EXPECT_EQ(bytes(torch::kDouble), 8u);
  EXPECT_EQ(AT_DISPATCH_INDEX_TYPES(torch::kInt, "bytes", [] { return sizeof(index_t); }), 4u);
}

TEST(CompatNames, ParallelReduceCombinesInOrder) {
  const int64_t sum = at::parallel_reduce(
      int64_t{3}, int64_t{103}, int64_t{7}, int64_t{0},
      [](int64_t begin, int64_t end, int64_t start) {
        for (int64_t i = begin; i < end; ++i) start += i;
        return start;
      },
      [](int64_t a, int64_t b) { return a + b; });
  EXPECT_EQ(sum, (3 + 102) * 50);
}

TEST(CompatNames, LongNamesOfFunctions) {
  const torch::Tensor A = torch::eye(2) * 2;
  EXPECT_TRUE(torch::equal(at::linalg_inv(A), torch::linalg::inv(A)));
  EXPECT_TRUE(torch::equal(at::special_expit(A), torch::special::expit(A)));
  EXPECT_TRUE(torch::equal(std::get<0>(at::linalg_lstsq(A, A)), torch::eye(2)));
  EXPECT_TRUE(torch::equal(std::get<1>(torch::linalg::svd(A, true, c10::nullopt)),
                           torch::linalg::svdvals(A)));
}

TEST(CompatNames, TheDefaultDtypeIsATypeMeta) {
  const caffe2::TypeMeta before = torch::get_default_dtype();
  EXPECT_EQ(before, torch::kFloat32);
  EXPECT_STREQ(torch::get_default_dtype().name(), "float");
  torch::set_default_dtype(torch::scalarTypeToTypeMeta(torch::kF64));
  EXPECT_EQ(torch::typeMetaToScalarType(torch::get_default_dtype()), torch::kDouble);
  torch::set_default_dtype(before);
}

TEST(CompatNames, SettingsOfTheProcess) {
  at::globalContext().setBenchmarkCuDNN(true);
  torch::globalContext().setDeterministicCuDNN(true);
  EXPECT_FALSE(at::globalContext().hasCUDA());
  EXPECT_EQ(at::globalContext().defaultGenerator(at::kCPU), at::detail::getDefaultCPUGenerator());
  EXPECT_TRUE(torch::ones({1, 2, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast).is_contiguous());
}

TEST(CompatNames, DtypesThatThereAreNot) {
  const auto message = [](auto make) { return message_of<c10::TypeError>(make); };
  EXPECT_EQ(message([] { torch::ones({2}).to(torch::kHalf); }),
            "to: dtype Half is not supported: expected Float, Double, Long, Int, Byte or Bool");
  EXPECT_THAT(message([] { torch::zeros({2}, torch::kBFloat16); }),
              HasSubstr("zeros: dtype BFloat16 is not supported"));
  EXPECT_THAT(message([] { torch::full({2}, 1, torch::kComplexFloat); }),
              HasSubstr("full: dtype ComplexFloat is not supported"));
  EXPECT_THAT(message([] {
                torch::tensor({1, 2}, torch::kInt8);
              }),
              HasSubstr("dtype Char is not supported"));
  EXPECT_THAT(message([] { torch::nn::Linear(2, 2)->to(torch::kHalf); }),
              HasSubstr("dtype Half is not supported"));
}

TEST(CompatNames, OptionalArrayRefKeepsASingleValue) {
  const auto first = [](c10::OptionalIntArrayRef sizes) { return sizes.value()[0]; };
  EXPECT_EQ(first(300), 300);
  EXPECT_EQ(first({400}), 400);
  const std::vector<int64_t> sizes = {2, 3};
  EXPECT_EQ(c10::OptionalIntArrayRef(sizes).value().size(), 2u);
  EXPECT_FALSE(c10::OptionalIntArrayRef().has_value());
  EXPECT_FALSE(c10::OptionalIntArrayRef(c10::nullopt).has_value());
}

TEST(CompatNames, Checks) {
  TORCH_CHECK(1 < 2);
  TORCH_CHECK(1 < 2, "never ", "said");
  EXPECT_EQ(message_of([] { TORCH_CHECK(2 < 1, "two is ", 2, " and not less"); }),
            "two is 2 and not less");
  EXPECT_EQ(message_of([] { TORCH_CHECK(2 < 1); }), "Expected 2 < 1 to be true, but got false.");
  EXPECT_EQ(message_of<c10::IndexError>([] { TORCH_CHECK_INDEX(false, "index"); }), "index");
  EXPECT_EQ(message_of<c10::ValueError>([] { TORCH_CHECK_VALUE(false, "value"); }), "value");
  EXPECT_EQ(message_of<c10::TypeError>([] { TORCH_CHECK_TYPE(false, "type"); }), "type");
  EXPECT_THAT(message_of([] { AT_ASSERT(2 < 1); }), HasSubstr("2 < 1 INTERNAL ASSERT FAILED at "));
  EXPECT_THAT(message_of([] { TORCH_INTERNAL_ASSERT(false, "because ", 1); }),
              HasSubstr("because 1"));
  EXPECT_EQ(message_of([] { AT_ASSERTM(false, "said"); }), "said");
  TORCH_CHECK_EQ(1, 1);
  EXPECT_EQ(message_of([] { TORCH_CHECK_LT(2 + 1, 3); }), "Check failed: 2 + 1 < 3 (3 vs. 3).");
  EXPECT_EQ(message_of([] { AT_ERROR("always ", 3); }), "always 3");
  EXPECT_EQ(torch::str("a", 1, 2.5), "a12.5");
}

struct Captured : torch::WarningHandler {
  void process(const torch::SourceLocation&, const std::string& message, bool) override {
    messages.push_back(message);
  }
  std::vector<std::string> messages;
};

TEST(CompatNames, WarningsGoToTheHandlerOnceOrAlways) {
  Captured captured;
  const c10::Warning::WarningHandlerGuard guard(&captured);
  for (int i = 0; i < 3; ++i) TORCH_WARN_ONCE("once");
  EXPECT_THAT(captured.messages, ElementsAre("once"));
  for (int i = 0; i < 2; ++i) TORCH_WARN("number ", i);
  EXPECT_THAT(captured.messages, ElementsAre("once", "number 0", "number 1"));
  captured.messages.clear();
  const c10::Warning::WarnAlways always(true);
  for (int i = 0; i < 3; ++i) TORCH_WARN_ONCE("each time");
  EXPECT_EQ(captured.messages.size(), 3u);
}

TEST(CompatNames, DropoutOfOneLayerWarns) {
  Captured captured;
  const c10::Warning::WarningHandlerGuard guard(&captured);
  torch::nn::LSTM(torch::nn::LSTMOptions(2, 3).dropout(0.5).num_layers(2));
  torch::nn::GRU(torch::nn::GRUOptions(2, 3));
  EXPECT_TRUE(captured.messages.empty());
  torch::nn::LSTM(torch::nn::LSTMOptions(2, 3).dropout(0.5));
  EXPECT_THAT(captured.messages,
              ElementsAre(HasSubstr("expects num_layers greater than 1, but got dropout=0.5 and "
                                    "num_layers=1")));
}

TEST(CompatNames, ThreadsAndDevices) {
  torch::init_num_threads();
  const int before = at::get_num_threads();
  torch::set_num_threads(2);
  EXPECT_EQ(torch::get_num_threads(), 2);
  at::set_num_threads(before);
  EXPECT_EQ(torch::get_num_interop_threads(), 1);
  EXPECT_FALSE(torch::cuda::is_available());
  EXPECT_EQ(torch::cuda::device_count(), 0u);
  EXPECT_THAT(message_of([] { torch::cuda::synchronize(); }), HasSubstr("cuda"));
}

TEST(CompatNames, ParallelForCoversTheRange) {
  std::vector<int> visits(1000, 0);
  at::parallel_for(100, 900, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
  });
  EXPECT_EQ(std::accumulate(visits.begin(), visits.end(), 0), 800);
  EXPECT_EQ(visits[99] + visits[900], 0);
}

TEST(CompatNames, DispatchNamesTheElementType) {
  const auto sum = [](const torch::Tensor& x) {
    return AT_DISPATCH_ALL_TYPES(x.scalar_type(), "sum", [&]() -> double {
      const scalar_t* data = x.data_ptr<scalar_t>();
      return static_cast<double>(std::accumulate(data, data + x.numel(), scalar_t()));
    });
  };
  EXPECT_EQ(sum(torch::ones({3}, torch::kFloat64)), 3);
  EXPECT_EQ(sum(torch::ones({4}, torch::kInt32)), 4);
  EXPECT_EQ(message_of<c10::NotImplementedError>([&] { sum(torch::ones({2}, torch::kBool)); }),
            "\"sum\" not implemented for 'Bool'");
}

}  // namespace
