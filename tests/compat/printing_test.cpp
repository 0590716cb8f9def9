// Modules are printed as libtorch prints them where <torch/torch.h> is included, and as Python does
// on request.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace {

using namespace torch::nn;

struct NetImpl : Module {
  NetImpl() {
    layers = register_module("layers", Sequential(Conv2d(1, 2, 3), ReLU(true)));
    register_module("fc", Linear(2, 3));
    register_parameter("scale", torch::ones(3));
  }
  Sequential layers;
};

template <typename T>
std::string own_text(const T& module) {
  const std::string text = c10::str(module), prefix = "torch::nn::";
  EXPECT_EQ(text.substr(0, prefix.size()), prefix);
  return text.substr(prefix.size());
}

TEST(LibtorchPrinting, Layers) {
  EXPECT_EQ(own_text(Identity()), "Identity()");
  EXPECT_EQ(own_text(Linear(3, 4)), "Linear(in_features=3, out_features=4, bias=true)");
  EXPECT_EQ(own_text(Unflatten(0, std::vector<int64_t>{2, 5})),
            "Unflatten(dim=0, unflattened_size={2, 5})");
  EXPECT_EQ(own_text(Conv1d(3, 4, 5)), "Conv1d(3, 4, kernel_size=5, stride=1)");
  EXPECT_EQ(own_text(Conv2d(Conv2dOptions(3, 4, {5, 6})
                                .stride({1, 2})
                                .padding(1)
                                .dilation(2)
                                .bias(false)
                                .padding_mode(torch::kCircular))),
            "Conv2d(3, 4, kernel_size=[5, 6], stride=[1, 2], padding=[1, 1], dilation=[2, 2], "
            "bias=false, padding_mode=kCircular)");
  EXPECT_EQ(own_text(Conv2d(Conv2dOptions(3, 4, 5).padding(torch::kSame))),
            "Conv2d(3, 4, kernel_size=[5, 5], stride=[1, 1], padding='same')");
  EXPECT_EQ(own_text(ConvTranspose2d(
                ConvTranspose2dOptions(4, 4, 3).stride(2).output_padding({1, 0}).groups(2))),
            "ConvTranspose2d(4, 4, kernel_size=[3, 3], stride=[2, 2], output_padding=[1, 0], "
            "groups=2)");
  EXPECT_EQ(own_text(MaxPool2d(5)),
            "MaxPool2d(kernel_size=[5, 5], stride=[5, 5], padding=[0, 0], dilation=[1, 1], "
            "ceil_mode=false)");
  EXPECT_EQ(own_text(AdaptiveMaxPool2d(AdaptiveMaxPool2dOptions({5, c10::nullopt}))),
            "AdaptiveMaxPool2d(output_size=[5, None])");
  EXPECT_EQ(own_text(MaxUnpool1d(MaxUnpool1dOptions(5).stride(3).padding(1))),
            "MaxUnpool1d(kernel_size=5, stride=3, padding=1)");
  EXPECT_EQ(own_text(Unfold(UnfoldOptions({2, 4}).padding({2, 1}))),
            "Unfold(kernel_size=[2, 4], dilation=[1, 1], padding=[2, 1], stride=[1, 1])");
  EXPECT_EQ(own_text(Upsample(UpsampleOptions().scale_factor({{0.5, 1.5}}).mode(torch::kBilinear))),
            "Upsample(scale_factor=[0.5, 1.5], mode=kBilinear)");
  EXPECT_EQ(own_text(ReflectionPad2d(ReflectionPad2dOptions({1, 1, 2, 0}))),
            "ReflectionPad2d(padding=[1, 1, 2, 0])");
  EXPECT_EQ(own_text(ZeroPad2d(2)), "ZeroPad2d(padding=[2, 2, 2, 2])");
  EXPECT_EQ(own_text(Dropout(0.42)), "Dropout(p=0.42, inplace=false)");
}

TEST(LibtorchPrinting, NormsTablesAndRecurrentLayers) {
  EXPECT_EQ(own_text(BatchNorm2d(4)),
            "BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=true, track_running_stats=true)");
  EXPECT_EQ(own_text(LayerNorm(LayerNormOptions({7}))),
            "LayerNorm([7], eps=1e-05, elementwise_affine=true)");
  EXPECT_EQ(own_text(LocalResponseNorm(2)), "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1)");
  EXPECT_EQ(own_text(Embedding(EmbeddingOptions(10, 2).padding_idx(3).max_norm(2))),
            "Embedding(num_embeddings=10, embedding_dim=2, padding_idx=3, max_norm=2)");
  EXPECT_EQ(own_text(EmbeddingBag(EmbeddingBagOptions(10, 2).mode(torch::kSum).sparse(true))),
            "EmbeddingBag(num_embeddings=10, embedding_dim=2, sparse=true, mode=kSum)");
  EXPECT_EQ(own_text(EmbeddingBag(EmbeddingBagOptions(10, 2).include_last_offset(true))),
            "EmbeddingBag(num_embeddings=10, embedding_dim=2, include_last_offset=true)");
  EXPECT_EQ(own_text(LSTM(LSTMOptions(12, 8).proj_size(3))),
            "LSTM(input_size=12, hidden_size=8, num_layers=1, bias=true, batch_first=false, "
            "dropout=0, bidirectional=false, proj_size=3)");
  EXPECT_EQ(own_text(RNNCell(RNNCellOptions(2, 1).bias(false).nonlinearity(torch::kReLU))),
            "RNNCell(2, 1, bias=false, nonlinearity=kReLU)");
}

TEST(LibtorchPrinting, ActivationsDistancesAndLosses) {
  EXPECT_EQ(own_text(ELU(ELUOptions().inplace(true))), "ELU(alpha=1, inplace=true)");
  EXPECT_EQ(own_text(RReLU()), "RReLU(lower=0.125, upper=0.333333)");
  EXPECT_EQ(own_text(GELU()), "GELU()");
  EXPECT_EQ(own_text(Softmax(1)), "Softmax(dim=1)");
  EXPECT_EQ(own_text(CosineSimilarity()), "CosineSimilarity(dim=1, eps=1e-08)");
  EXPECT_EQ(own_text(PairwiseDistance()), "PairwiseDistance(p=2, eps=1e-06, keepdim=false)");
  EXPECT_EQ(own_text(TripletMarginLoss()),
            "TripletMarginLoss(margin=1, p=2, eps=1e-06, swap=false)");
  EXPECT_EQ(own_text(MultiMarginLoss()),
            "MultiMarginLoss(p=1, margin=1, weight=[ Tensor (undefined) ], reduction=kMean)");
  EXPECT_EQ(own_text(CrossEntropyLoss()), "CrossEntropyLoss()");
  EXPECT_EQ(own_text(SmoothL1Loss()), "SmoothL1Loss");
}

TEST(LibtorchPrinting, ModulesInModules) {
  const std::string expected =
      "::NetImpl(\n"
      "  (layers): torch::nn::Sequential(\n"
      "    (0): torch::nn::Conv2d(1, 2, kernel_size=[3, 3], stride=[1, 1])\n"
      "    (1): torch::nn::ReLU(inplace=true)\n"
      "  )\n"
      "  (fc): torch::nn::Linear(in_features=2, out_features=3, bias=true)\n"
      ")";
  const std::string text = c10::str(NetImpl());
  EXPECT_EQ(text.substr(text.find("::NetImpl")), expected);
  EXPECT_EQ(own_text(Sequential()), "Sequential");
  EXPECT_EQ(own_text(ParameterList(torch::ones({2, 3}), torch::tensor(1.0))),
            "ParameterList(\n"
            "(0): Parameter containing: [Float of size [2, 3]]\n"
            "(1): Parameter containing: [Float of size []]\n)");
  EXPECT_EQ(Linear(2, 3)->name(), "torch::nn::LinearImpl");
}

TEST(LibtorchPrinting, PythonsStyleOnRequest) {
  ASSERT_EQ(print_style(), PrintStyle::Libtorch);
  set_print_style(PrintStyle::Python);
  EXPECT_EQ(c10::str(MaxPool2d(2)),
            "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
  EXPECT_EQ(c10::str(NetImpl()),
            "Net(\n"
            "  (layers): Sequential(\n"
            "    (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))\n"
            "    (1): ReLU(inplace=True)\n"
            "  )\n"
            "  (fc): Linear(in_features=2, out_features=3, bias=True)\n"
            ")");
  set_print_style(PrintStyle::Libtorch);
}

}  // namespace
