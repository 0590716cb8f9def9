// A network of several parts and results: its body is frozen, its heads are trained with clipped
// gradients and a learning rate that falls.
#include <algorithm>
#include <iostream>
#include <tuple>

#include <tapedeck/tapedeck.h>

using namespace tapedeck;
namespace F = nn::functional;

struct NetImpl : nn::Module {
  NetImpl()
      : body(nn::Conv2d(nn::Conv2dOptions(1, 8, 3).padding(1)), nn::ReLU(), nn::MaxPool2d(2)),
        label(8 * 4 * 4, 3),
        size(8 * 4 * 4, 1) {
    register_module("body", body);
    register_module("label", label);
    register_module("size", size);
  }
  std::tuple<Tensor, Tensor> forward(const Tensor& x) {
    const Tensor features = F::dropout(body->forward(x).flatten(1),
                                       F::DropoutFuncOptions().p(0.1).training(is_training()));
    return {F::log_softmax(label(features), 1), size(features)};
  }
  nn::Sequential body;
  nn::Linear label, size;
};
TAPEDECK_MODULE(Net);

int main() {
  manual_seed(0);
  Net net;
  const Tensor x = randn({32, 1, 8, 8}), labels = randint(0, 3, {32}), sizes = x.mean({1, 2, 3});

  for (Tensor& p : net->body->parameters()) p.requires_grad_(false);
  const Tensor frozen = net->body->parameters()[0].clone();
  optim::SGD optimizer(net->parameters(), optim::SGDOptions(0.1).momentum(0.9));
  double first = 0, last = 0, largest_norm = 0;
  for (int step = 0; step < 200; ++step) {
    if (step % 50 == 49)
      for (auto& group : optimizer.param_groups())
        group.options().set_lr(group.options().get_lr() / 2);
    optimizer.zero_grad();
    const auto [log_probabilities, size] = net->forward(x);
    const Tensor loss =
        F::nll_loss(log_probabilities, labels) + F::mse_loss(size.squeeze(1), sizes);
    loss.backward();
    nn::utils::clip_grad_norm_(net->parameters(), 1.0);
    double norm = 0;
    for (const Tensor& p : net->parameters())
      if (p.grad().defined()) norm += p.grad().square().sum().item<double>();
    largest_norm = std::max(largest_norm, norm);
    optimizer.step();
    last = loss.item<double>();
    if (step == 0) first = last;
  }
  const double lr = optimizer.param_groups()[0].options().get_lr();
  const bool kept = net->body->parameters()[0].equal(frozen);
  std::cout << "loss " << first << " -> " << last << ", learning rate " << lr
            << (kept ? "" : ", the frozen layer has changed") << "\n";
  return last < 0.5 * first && kept && largest_norm < 1.001 && lr == 0.1 / 16 ? 0 : 1;
}
