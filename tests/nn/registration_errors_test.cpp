// Registrations and options that cannot be right: an error at once, not a crash later.
#include <memory>

#include <tests/support/errors.h>
#include <tests/support/message_of.h>

#include <tapedeck/tapedeck.h>

namespace tapedeck::nn {
namespace {

using testing::message_of;

struct Node : Module {};

TEST(RegistrationErrors, ParametersAndBuffersDoNotShareAName) {
  Node module;
  module.register_parameter("p", ones({1}));
  module.register_buffer("b", ones({1}));
  EXPECT_EQ(message_of([&] { module.register_buffer("p", ones({1})); }),
            "Buffer 'p' already defined as a parameter");
  EXPECT_EQ(message_of([&] { module.register_parameter("b", ones({1})); }),
            "Parameter 'b' already defined as a buffer");
  EXPECT_EQ(module.parameters().size(), 1U);
  EXPECT_EQ(module.buffers().size(), 1U);
}

TEST(RegistrationErrors, AModuleDoesNotContainItself) {
  const auto outer = std::make_shared<Node>(), inner = std::make_shared<Node>();
  outer->register_module("inner", inner);
  const std::string text = "is or contains the module that it is to be registered in";
  EXPECT_ERROR(outer->register_module("me", outer), "Submodule 'me' " + text);
  EXPECT_ERROR(inner->register_module("outer", outer), "Submodule 'outer' " + text);
  EXPECT_ERROR(outer->replace_module("inner", outer), "Submodule 'inner' " + text);
  EXPECT_EQ(outer->children().size(), 1U);
}

TEST(RegistrationErrors, LayersNameThemselves) {
  EXPECT_ERROR(Linear(-1, 2), "Linear: Trying to create tensor with negative dimension -1");
  EXPECT_ERROR(Embedding(-3, 2), "Embedding: Trying to create tensor with negative");
  EXPECT_ERROR(LSTM(LSTMOptions(2, 2).num_layers(0)), "LSTM: expected an input_size and positive");
  EXPECT_ERROR(GRU(2, 0), "GRU: ");
  EXPECT_ERROR(LSTM(2, 3)->forward(Tensor()), "LSTM: expected a defined tensor");
  EXPECT_ERROR(init::sparse_(ones({2, 2}), 2),
               "init::sparse_: expected a sparsity of [0, 1], got 2");
}

// Whoever catches the library's errors catches those of a loader's workers.
TEST(RegistrationErrors, AWorkersExceptionIsAnError) {
  struct Failing : data::datasets::Dataset<Failing> {
    data::Example<> get(std::size_t) override { throw std::runtime_error("broken"); }
    optional<std::size_t> size() const override { return 4; }
  };
  const auto loader = data::make_data_loader(Failing().map(data::transforms::Stack<>()),
                                             data::DataLoaderOptions(2).workers(1));
  EXPECT_ERROR(*loader->begin(),
               "Caught exception in DataLoader worker thread. Original message: broken");
}

}  // namespace
}  // namespace tapedeck::nn
