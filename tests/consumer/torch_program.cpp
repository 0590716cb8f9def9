// A program for libtorch's C++ frontend, unchanged: it compiles against either library.
#include <iostream>

#include <torch/torch.h>

struct NetImpl : torch::nn::Module {
  NetImpl()
      : conv(register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3)))),
        fc(register_module("fc", torch::nn::Linear(4 * 6 * 6, 2))) {}
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(conv->forward(x));
    return torch::log_softmax(fc->forward(x.view({x.size(0), -1})), /*dim=*/1);
  }
  torch::nn::Conv2d conv;
  torch::nn::Linear fc;
};
TORCH_MODULE(Net);

int main() {
  torch::manual_seed(1);
  Net net;
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  // Images whose upper or lower half is brighter.
  const torch::Tensor labels = torch::randint(0, 2, {64}, torch::kInt64);
  torch::Tensor images = torch::rand({64, 1, 8, 8});
  for (int64_t i = 0; i < 64; ++i) {
    const int64_t top = labels[i].item<int64_t>() * 4;
    images[i][0].slice(0, top, top + 4) += 0.5;
  }
  double accuracy = 0;
  for (int epoch = 0; epoch < 40; ++epoch) {
    optimizer.zero_grad();
    torch::Tensor prediction = net->forward(images);
    torch::Tensor loss = torch::nll_loss(prediction, labels);
    loss.backward();
    optimizer.step();
    accuracy = prediction.argmax(1).eq(labels).to(torch::kFloat32).mean().item<double>();
  }
  TORCH_CHECK(accuracy > 0.95, "the network did not learn: accuracy ", accuracy);
  std::cout << net << "\naccuracy " << accuracy << std::endl;
}
