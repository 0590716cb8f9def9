#include <iostream>

#include <tapedeck/tapedeck.h>

using namespace tapedeck;

struct NetImpl : nn::Module {
  NetImpl()
      : hidden(register_module("hidden", nn::Linear(2, 32))),
        out(register_module("out", nn::Linear(32, 1))) {}
  Tensor forward(const Tensor& x) { return out(tanh(hidden(x))); }
  nn::Linear hidden, out;
};
TAPEDECK_MODULE(Net);

int main() {
  Net net;
  optim::Adam optimizer(net->parameters(), optim::AdamOptions(0.01));
  const Tensor points = randn({256, 2});
  const Tensor inside = (points.square().sum(1, /*keepdim=*/true) < 1).to(kFloat32);
  for (int step = 0; step <= 500; ++step) {
    optimizer.zero_grad();
    Tensor loss = binary_cross_entropy_with_logits(net(points), inside);
    loss.backward();
    optimizer.step();
    if (step % 100 == 0) std::cout << step << ": " << loss.item<float>() << "\n";
  }
  save(net, "net.safetensors");
}
