// Defines a network, trains it, saves it and loads it again, with nothing but the public header.
#include <cstdio>
#include <iostream>

#include <tapedeck/tapedeck.h>

using namespace tapedeck;

struct NetImpl : nn::Module {
  NetImpl() : hidden(1, 32), out(32, 1) {
    register_module("hidden", hidden);
    register_module("out", out);
  }
  Tensor forward(const Tensor& x) { return out(tanh(hidden(x))); }
  nn::Linear hidden, out;
};
TAPEDECK_MODULE(Net);

int main() {
  manual_seed(0);
  Net net;
  optim::Adam optimizer(net->parameters(), optim::AdamOptions(0.01));
  const Tensor x = linspace(-3, 3, 64).unsqueeze(1), y = sin(x);
  double first = 0, last = 0;
  for (int step = 0; step < 500; ++step) {
    optimizer.zero_grad();
    Tensor loss = mse_loss(net(x), y);
    loss.backward();
    optimizer.step();
    last = loss.item<double>();
    if (step == 0) first = last;
  }
  std::cout << "loss " << first << " -> " << last << "\n";

  save(net, "net.safetensors");
  Net copy;
  load(copy, "net.safetensors");
  const bool same = copy(x).equal(net(x));
  std::remove("net.safetensors");
  if (!same) std::cout << "the loaded network computes something else\n";
  return last < 0.01 * first && same ? 0 : 1;
}
