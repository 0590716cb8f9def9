// The printed forms of modules are those of Python's print(model).
#include <sstream>

#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>

namespace tapedeck {
namespace {

template <typename T>
std::string text(const T& module) {
  std::ostringstream out;
  out << module;
  return out.str();
}

TEST(PrintedModule, Linear) {
  EXPECT_EQ(text(nn::Linear(5, 2)), "Linear(in_features=5, out_features=2, bias=True)");
  EXPECT_EQ(text(nn::Linear(nn::LinearOptions(5, 2).bias(false))),
            "Linear(in_features=5, out_features=2, bias=False)");
  EXPECT_EQ(text(nn::Bilinear(2, 3, 4)),
            "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)");
  EXPECT_EQ(text(nn::Identity()), "Identity()");
  EXPECT_EQ(text(nn::Flatten()), "Flatten(start_dim=1, end_dim=-1)");
  EXPECT_EQ(text(nn::Unflatten(1, std::vector<std::int64_t>{2, 3})),
            "Unflatten(dim=1, unflattened_size=(2, 3))");
}

TEST(PrintedModule, Convolutions) {
  EXPECT_EQ(text(nn::Conv2d(1, 16, 5, 1, 2)),
            "Conv2d(1, 16, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))");
  EXPECT_EQ(text(nn::Conv2d(nn::Conv2dOptions(4, 6, {3, 5})
                                .stride({2, 1})
                                .dilation(2)
                                .groups(2)
                                .bias(false)
                                .padding(kSame))),
            "Conv2d(4, 6, kernel_size=(3, 5), stride=(2, 1), padding=same, dilation=(2, 2), "
            "groups=2, bias=False)");
  EXPECT_EQ(
      text(nn::Conv2d(nn::Conv2dOptions(4, 6, 3).padding({1, 2, 3, 4}).padding_mode(kReflect))),
      "Conv2d(4, 6, kernel_size=(3, 3), stride=(1, 1), padding=(1, 2, 3, 4), "
      "padding_mode=reflect)");
  EXPECT_EQ(text(nn::Conv1d(4, 6, 3)), "Conv1d(4, 6, kernel_size=(3,), stride=(1,))");
  EXPECT_EQ(text(nn::ConvTranspose2d(
                nn::ConvTranspose2dOptions(4, 6, 3).stride(2).padding(1).output_padding(1))),
            "ConvTranspose2d(4, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), "
            "output_padding=(1, 1))");
}

TEST(PrintedModule, Pools) {
  EXPECT_EQ(text(nn::MaxPool2d(2)),
            "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
  EXPECT_EQ(text(nn::MaxPool2d(nn::MaxPool2dOptions({3, 2}).stride({2, 1}).ceil_mode(true))),
            "MaxPool2d(kernel_size=(3, 2), stride=(2, 1), padding=0, dilation=1, ceil_mode=True)");
  EXPECT_EQ(text(nn::AvgPool2d(3, 2)), "AvgPool2d(kernel_size=3, stride=2, padding=0)");
  EXPECT_EQ(text(nn::MaxPool1d(3)),
            "MaxPool1d(kernel_size=3, stride=3, padding=0, dilation=1, ceil_mode=False)");
  EXPECT_EQ(text(nn::AdaptiveAvgPool2d(1)), "AdaptiveAvgPool2d(output_size=1)");
  EXPECT_EQ(text(nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions({1, 1}))),
            "AdaptiveAvgPool2d(output_size=(1, 1))");
  EXPECT_EQ(text(nn::AdaptiveMaxPool2d(nn::AdaptiveMaxPool2dOptions({7, std::nullopt}))),
            "AdaptiveMaxPool2d(output_size=(7, None))");
  EXPECT_EQ(text(nn::MaxUnpool2d(2)),
            "MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))");
  EXPECT_EQ(text(nn::LPPool2d(2, 3)),
            "LPPool2d(norm_type=2, kernel_size=3, stride=3, ceil_mode=False)");
}

TEST(PrintedModule, Activations) {
  EXPECT_EQ(text(nn::ReLU()), "ReLU()");
  EXPECT_EQ(text(nn::ReLU(true)), "ReLU(inplace=True)");
  EXPECT_EQ(text(nn::LeakyReLU(0.2)), "LeakyReLU(negative_slope=0.2)");
  EXPECT_EQ(text(nn::LeakyReLU(nn::LeakyReLUOptions().inplace(true))),
            "LeakyReLU(negative_slope=0.01, inplace=True)");
  EXPECT_EQ(text(nn::RReLU()), "RReLU(lower=0.125, upper=0.3333333333333333)");
  EXPECT_EQ(text(nn::ELU()), "ELU(alpha=1.0)");
  EXPECT_EQ(text(nn::GELU()), "GELU(approximate='none')");
  EXPECT_EQ(text(nn::Sigmoid()), "Sigmoid()");
  EXPECT_EQ(text(nn::Hardtanh()), "Hardtanh(min_val=-1.0, max_val=1.0)");
  EXPECT_EQ(text(nn::Softplus()), "Softplus(beta=1, threshold=20)");
  EXPECT_EQ(text(nn::Hardshrink()), "Hardshrink(0.5)");
  EXPECT_EQ(text(nn::Threshold(0.1, 20)), "Threshold(threshold=0.1, value=20)");
  EXPECT_EQ(text(nn::Softmax(1)), "Softmax(dim=1)");
  EXPECT_EQ(text(nn::LogSoftmax(-1)), "LogSoftmax(dim=-1)");
  EXPECT_EQ(text(nn::PReLU()), "PReLU(num_parameters=1)");
  EXPECT_EQ(text(nn::GLU()), "GLU(dim=-1)");
}

TEST(PrintedModule, Normalisations) {
  EXPECT_EQ(text(nn::BatchNorm2d(16)),
            "BatchNorm2d(16, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)");
  EXPECT_EQ(text(nn::BatchNorm1d(nn::BatchNorm1dOptions(4).momentum(std::nullopt).eps(0.001))),
            "BatchNorm1d(4, eps=0.001, momentum=None, affine=True, track_running_stats=True)");
  EXPECT_EQ(text(nn::InstanceNorm2d(3)),
            "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False)");
  EXPECT_EQ(text(nn::LayerNorm(std::vector<std::int64_t>{10})),
            "LayerNorm((10,), eps=1e-05, elementwise_affine=True)");
  EXPECT_EQ(text(nn::GroupNorm(3, 6)), "GroupNorm(3, 6, eps=1e-05, affine=True)");
  EXPECT_EQ(text(nn::LocalResponseNorm(2)), "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)");
}

TEST(PrintedModule, Others) {
  EXPECT_EQ(text(nn::Dropout()), "Dropout(p=0.5, inplace=False)");
  EXPECT_EQ(text(nn::Dropout2d(0.2)), "Dropout2d(p=0.2, inplace=False)");
  EXPECT_EQ(text(nn::Embedding(nn::EmbeddingOptions(10, 3).padding_idx(-1).max_norm(2))),
            "Embedding(10, 3, padding_idx=9, max_norm=2)");
  EXPECT_EQ(text(nn::EmbeddingBag(10, 3)), "EmbeddingBag(10, 3, mode='mean')");
  EXPECT_EQ(text(nn::ReflectionPad2d(1)), "ReflectionPad2d((1, 1, 1, 1))");
  EXPECT_EQ(text(nn::ConstantPad1d(2, 3.5)), "ConstantPad1d(padding=(2, 2), value=3.5)");
  EXPECT_EQ(text(nn::ZeroPad2d(nn::ZeroPad2dOptions({1, 2, 3, 4}))),
            "ZeroPad2d(padding=(1, 2, 3, 4), value=0.0)");
  EXPECT_EQ(text(nn::Upsample(nn::UpsampleOptions().scale_factor(std::vector<double>{2, 2}))),
            "Upsample(scale_factor=2.0, mode=nearest)");
  EXPECT_EQ(text(nn::PixelShuffle(3)), "PixelShuffle(upscale_factor=3)");
  EXPECT_EQ(text(nn::Unfold(3)), "Unfold(kernel_size=3, dilation=1, padding=0, stride=1)");
  EXPECT_EQ(text(nn::LSTM(nn::LSTMOptions(10, 20).num_layers(2).bidirectional(true).dropout(0.5))),
            "LSTM(10, 20, num_layers=2, dropout=0.5, bidirectional=True)");
  EXPECT_EQ(text(nn::GRUCell(3, 4)), "GRUCell(3, 4)");
  EXPECT_EQ(text(nn::CrossEntropyLoss()), "CrossEntropyLoss()");
  EXPECT_EQ(text(nn::ParameterList(ones({2, 3}).requires_grad_(), zeros({4}))),
            "ParameterList(\n"
            "    (0): Parameter containing: [torch.float32 of size 2x3]\n"
            "    (1): Tensor containing: [torch.float32 of size 4]\n"
            ")");
}

TEST(PrintedModule, NestsAsPythonDoes) {
  struct NetImpl : nn::Module {
    NetImpl() {
      layer1 = register_module(
          "layer1", nn::Sequential(nn::Conv2d(1, 16, 5, 1, 2), nn::ReLU(), nn::MaxPool2d(2)));
      fc = register_module("fc", nn::Linear(784, 10));
      register_module("empty", nn::Sequential());
    }
    nn::Sequential layer1{nullptr};
    nn::Linear fc{nullptr};
  };
  EXPECT_EQ(text(NetImpl()),
            "Net(\n"
            "  (layer1): Sequential(\n"
            "    (0): Conv2d(1, 16, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))\n"
            "    (1): ReLU()\n"
            "    (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
            "  )\n"
            "  (fc): Linear(in_features=784, out_features=10, bias=True)\n"
            "  (empty): Sequential()\n"
            ")");
  struct Bare : nn::Module {};
  EXPECT_EQ(text(Bare()), "Bare()");
}

}  // namespace
}  // namespace tapedeck
